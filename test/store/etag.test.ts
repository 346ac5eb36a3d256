import { describe, expect, it } from 'vitest';
import { backendEtags, clientEtag } from '../../src/store/etag.ts';
import fc from '../support/property.ts';

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
