import { describe, expect, it } from 'vitest';
import { LayoutCache } from '../../src/formats/sx1/layout-cache.ts';
import { backendEtags, clientEtag } from '../../src/store/etag.ts';
import { primed } from '../../src/wire/bodies/first-pull.ts';
import fc from '../support/property.ts';
import { bodyOf, refusalOf } from './in-process.ts';

describe('ETags', () => {
  const md5 = fc.stringMatching(/^[0-9a-f]{32}$/);
  const multipart = fc.tuple(md5, fc.integer({ min: 1, max: 10_000 })).map(([hex, parts]) => `${hex}-${parts}`);
  const etag = fc.oneof(
    md5,
    multipart,
    fc.stringMatching(/^[A-Za-z0-9+/=_.-]{1,40}$/).filter((text) => !/-0$/.test(text)),
  );

  it('come back as the backend has them, alone, in lists, weak and bare', () => {
    fc.assert(
      fc.property(fc.array(etag, { minLength: 1, maxLength: 4 }), fc.constantFrom('"', 'W/"', ''), (etags, quote) => {
        const list = (spelled: (text: string) => string) =>
          etags.map((text) => `${quote}${spelled(text)}${quote === '' ? '' : '"'}`).join(', ');
        expect(backendEtags(list(clientEtag))).toBe(list((text) => text));
      }),
    );
  });

  it('a client never sees an MD5, and a star stays', () => {
    fc.assert(
      fc.property(etag, (text) => {
        expect(clientEtag(text)).not.toMatch(/^[0-9a-fA-F]{32}$/);
      }),
    );
    expect(backendEtags('*')).toBe('*');
    expect(backendEtags(undefined)).toBeUndefined();
  });
});

describe('LayoutCache', () => {
  it('keeps tenants, buckets, keys and versions apart, and forgets past its limit', () => {
    const layouts = new LayoutCache(5_000);
    const layout = { backendEtag: 'e', storedBytes: 1, manifest: { parts: [] } } as unknown as Parameters<
      LayoutCache['set']
    >[2];
    layouts.set('t', { bucket: 'b', key: 'k' }, layout);
    for (const [tenant, ref] of [
      ['u', { bucket: 'b', key: 'k' }],
      ['t', { bucket: 'c', key: 'k' }],
      ['t', { bucket: 'b', key: 'K' }],
      ['t', { bucket: 'b', key: 'k', versionId: 'v' }],
      ['t', { bucket: 'b","k', key: '' }],
    ] as const) {
      expect(layouts.get(tenant, ref)).toBeUndefined();
    }
    expect(layouts.get('t', { bucket: 'b', key: 'k' })).toBe(layout);
    for (let at = 0; at < 20; at++) layouts.set('t', { bucket: 'b', key: `${at}` }, layout);
    expect(layouts.get('t', { bucket: 'b', key: 'k' })).toBeUndefined();
  });
});

describe('a primed body', () => {
  function watched(pieces: readonly (string | Error)[]) {
    let closed = 0;
    async function* source() {
      try {
        for (const piece of pieces) {
          if (piece instanceof Error) throw piece;
          yield Buffer.from(piece);
        }
      } finally {
        closed++;
      }
    }
    let released = 0;
    return {
      source: source(),
      release: () => void released++,
      counts: () => ({ closed, released }),
    };
  }
  const content = (body: AsyncIterable<Buffer>) => ({ body }) as unknown as Parameters<typeof bodyOf>[0];

  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'ab'],
  ])('of %j gives all, and releases at its end', async (pieces, whole) => {
    const { source, release, counts } = watched(pieces);
    const body = await primed(source, release);
    expect(counts().released).toBe(0);
    expect((await bodyOf(content(body))).toString()).toBe(whole);
    expect(counts().closed).toBe(1);
    expect(counts().released).toBeGreaterThan(0);
  });

  it('throws what comes first before there is a body', async () => {
    const { source, release } = watched([new RangeError('first')]);
    await expect(primed(source, release)).rejects.toThrow('first');
  });

  it('releases at a later failure, and when it is let go, begun or not', async () => {
    const failing = watched(['a', new RangeError('later')]);
    const body = await primed(failing.source, failing.release);
    expect(await refusalOf(bodyOf(content(body)))).toMatch(/later/);
    expect(failing.counts().released).toBeGreaterThan(0);
    for (const pulls of [0, 1]) {
      const left = watched(['a', 'b']);
      const iterator = (await primed(left.source, left.release))[Symbol.asyncIterator]();
      for (let pull = 0; pull < pulls; pull++) await iterator.next();
      await iterator.return?.();
      expect(left.counts()).toEqual({ closed: 1, released: 1 });
    }
  });
});
