import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ToldOfObjects } from '../../../src/dialects/front-dialect.ts';
import type { GatewayError } from '../../../src/errors.ts';
import { authorize } from '../../../src/pipeline/admission/authorize.ts';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { listParts } from '../../../src/pipeline/upload/list.ts';
import { deleteObject, deleteObjects } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { CompiledRules } from '../../../src/tenants/rules/compiled-rules.ts';
import type { Conditions } from '../../../src/wire/conditions.ts';
import { payload } from '../../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  isObject,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';
import { MIB, PART, readBack, startUpload } from '../upload/upload-stand.ts';

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');
const md5OfMd5s = (...parts: Buffer[]) =>
  `${createHash('md5')
    .update(Buffer.concat(parts.map((part) => createHash('md5').update(part).digest())))
    .digest('hex')}-${parts.length}`;

const MD5 = { etag: 'md5' } as const;
const HELLO = Buffer.from('hello');
const WORLD = Buffer.from('world');

/** Another process over the same store: what it knows, it knows from index and footers. */
async function forgetting(stand: InProcess, index: 'and the index' | 'memory only'): Promise<() => OperationContext> {
  const other = await stand.anotherProcess({ emptyIndex: index === 'and the index' });
  return () => ({ ...stand.context(MD5), ...other });
}

async function etagsOf(key: string, context: OperationContext): Promise<string[]> {
  const head = await headObject(headOf(key), context);
  const get = await getObject(getOf(key), context);
  await bodyOf(get);
  const ranged = await getObject(getOf(key, { range: { kind: 'from', first: 0, last: 0 } }), context);
  await bodyOf(ranged);
  const listing = await listObjects(listOf({ prefix: key }), context);
  listing.release();
  return [head.facts.etag, get.facts.etag, ranged.facts.etag, listing.objects[0]?.etag ?? 'none'];
}

async function putHello(stand: InProcess, key = 'k', over: Partial<OperationContext['policy']> = MD5): Promise<string> {
  return (await putObject(putOf(key), verifiedBody(HELLO), stand.context(over))).etag;
}

describe('in mode md5 an object is shown under the MD5 of its plaintext', () => {
  it.each([
    ['small', 5, true],
    ['of a byte', 1, true],
    ['streamed', 300_000, true],
    ['of unknown length', 100, false],
    ['of unknown length, stored in parts', 9 * MIB, false],
  ])('%s, everywhere and whoever knows it', async (_name, bytes, declared) => {
    const stand = await inProcess();
    const sent = payload(bytes, 7);
    const stored = await putObject(putOf('k'), verifiedBody(sent, { declared }), stand.context(MD5));
    expect(stored.etag).toBe(md5(sent));
    const all = Array(4).fill(md5(sent));
    expect(await etagsOf('k', stand.context(MD5))).toEqual(all);
    expect(stand.etagsFound()).not.toContain('footer');
    for (const index of ['memory only', 'and the index'] as const) {
      const elsewhere = await forgetting(stand, index);
      expect(await etagsOf('k', elsewhere())).toEqual(all);
      // One that lies in parts has its length there, so that its footer was not read for the ETag.
      expect(stand.etagsFound().includes('footer')).toBe(index === 'and the index' && bytes < 9 * MIB);
    }
  });

  it('an empty one', async () => {
    const stand = await inProcess();
    const { etag } = await putObject(putOf('k'), verifiedBody(Buffer.alloc(0)), stand.context(MD5));
    expect(etag).toBe(md5(Buffer.alloc(0)));
    expect((await headObject(headOf('k'), stand.context(MD5))).facts.etag).toBe(etag);
  });

  it('sent in parts: of the parts’ MD5s, which the parts themselves are shown under', async () => {
    const stand = await inProcess();
    const context = () => stand.context(MD5);
    const bodies = [payload(PART, 1), payload(PART + 3, 2), payload(10, 3)];
    const upload = await startUpload(stand, 'k', { context });
    const parts = [];
    for (const [at, body] of bodies.entries()) parts.push(await upload.send(2 * at + 1, body));
    expect(parts.map(({ etag }) => etag)).toEqual(bodies.map(md5));
    const listed = await listParts(
      { kind: 'ListParts', ...upload.named, partNumberMarker: 0, maxParts: 10, urlEncoded: false },
      context(),
    );
    expect(listed.parts.map(({ etag }) => etag)).toEqual(bodies.map(md5));
    const { etag } = await upload.complete(parts);
    expect(etag).toBe(md5OfMd5s(...bodies));
    expect((await upload.complete(parts)).etag).toBe(etag);
    expect(await etagsOf('k', context())).toEqual(Array(4).fill(etag));
    for (const index of ['memory only', 'and the index'] as const) {
      expect(await etagsOf('k', (await forgetting(stand, index))())).toEqual(Array(4).fill(etag));
    }
    expect((await readBack(stand, 'k', context())).equals(Buffer.concat(bodies))).toBe(true);
  });

  it('a part sent again with the same bytes is the one that the backend kept', async () => {
    const stand = await inProcess();
    const context = () => stand.context(MD5);
    const body = payload(PART, 1);
    const upload = await startUpload(stand, 'k', { context });
    const first = await upload.send(1, body);
    // The state has both attempts, and the one that was recorded last is not the one that came last to the backend.
    const { uploads } = stand.tools;
    const append = uploads.append.bind(uploads);
    const late: (() => Promise<boolean>)[] = [];
    uploads.append = async (...args) => {
      late.push(() => append(...args));
      return true;
    };
    await upload.send(1, body);
    uploads.append = append;
    const again = await upload.send(1, body);
    for (const record of late) await record();
    expect(again).toEqual(first);
    const last = await upload.send(2, HELLO);
    expect((await upload.complete([again, last])).etag).toBe(md5OfMd5s(body, HELLO));
    expect((await readBack(stand, 'k')).equals(Buffer.concat([body, HELLO]))).toBe(true);
  });

  it('and whoever may not ask which one that is has the last that came', async () => {
    const stand = await inProcess();
    const context = () => stand.context(MD5);
    const body = payload(PART, 1);
    const upload = await startUpload(stand, 'k', { context });
    await upload.send(1, body);
    const again = await upload.send(1, body);
    stand.faults.plan({ method: 'GET', times: 1 }, { kind: 'refuse', status: 403, code: 'AccessDenied' });
    expect((await upload.complete([again])).etag).toBe(md5OfMd5s(body));
    expect(stand.faults.left).toBe(0);
  });

  it('copies have it too, and their own place in the index', async () => {
    const stand = await inProcess();
    const etag = await putHello(stand);
    const copied = await copyObject(copyOf(`${BUCKET}/k`, 'copy'), stand.context(MD5));
    expect(copied.etag).toBe(etag);
    const elsewhere = await forgetting(stand, 'memory only');
    expect(await etagsOf('copy', elsewhere())).toEqual(Array(4).fill(etag));
    expect(stand.etagsFound()).not.toContain('footer');
  });

  it('a copy that is opened and sealed again, too', async () => {
    const stand = await inProcess({ buckets: [{ pattern: 'coarse', quantum: 1, etag: 'md5' }] });
    const etag = await putHello(stand);
    const ref = { bucket: 'coarse', key: 'k' };
    const copied = await copyObject({ ...copyOf(`${BUCKET}/k`, 'k'), ref }, stand.at('coarse'));
    expect(copied.etag).toBe(etag);
    const head = await headObject({ ...headOf('k'), ref }, stand.at('coarse'));
    expect(head.facts.etag).toBe(etag);
  });
});

describe('what has no MD5 of its own', () => {
  it('a sealed object from before the mode keeps its opaque ETag, and is looked up once', async () => {
    const stand = await inProcess();
    const before = await putHello(stand, 'old', {});
    expect(before).toMatch(/^[0-9a-f]{32}-0$/);
    expect(await etagsOf('old', stand.context(MD5))).toEqual(Array(4).fill(before));
    stand.etagsFound();
    stand.asked();
    await listObjects(listOf(), stand.context(MD5));
    expect(stand.etagsFound()).toEqual(['memory']);
    expect(stand.asked()).toHaveLength(1);
  });

  it('a plain object has the backend’s own', async () => {
    const stand = await inProcess();
    const context = () => stand.context({ ...MD5, mixed: true });
    for (const bytes of [HELLO, payload(538, 1), Buffer.alloc(0)]) {
      await putObject(putOf('plain'), verifiedBody(bytes), stand.context({ protection: 'none' }));
      if (bytes.length > 0) expect(await etagsOf('plain', context())).toEqual(Array(4).fill(md5(bytes)));
      const listing = await listObjects(listOf({ prefix: 'plain' }), context());
      expect(listing.objects.map(({ etag, plaintextBytes }) => [etag, plaintextBytes])).toEqual([
        [md5(bytes), bytes.length],
      ]);
    }
  });

  it('without protection nothing is asked', async () => {
    const stand = await inProcess();
    const etag = await putHello(stand, 'k', { ...MD5, protection: 'none' });
    expect(etag).toBe(md5(HELLO));
    expect(await etagsOf('k', stand.context({ ...MD5, protection: 'none' }))).toEqual(Array(4).fill(etag));
    expect(stand.etagsFound()).toEqual([]);
  });

  it('an object that cannot be opened is listed under its opaque ETag, and the others as ever', async () => {
    const stand = await inProcess();
    const etag = await putHello(stand, 'a');
    await putObject(putOf('b'), verifiedBody(payload(538, 1)), stand.context({ protection: 'none' }));
    const listing = await listObjects(listOf(), stand.context(MD5));
    expect(listing.objects.map((object) => object.etag)).toEqual([etag, `${md5(payload(538, 1))}-0`]);
  });
});

describe('a listing', () => {
  it('costs one request where all is known, and one more for each footer that is not', async () => {
    const stand = await inProcess();
    for (let at = 0; at < 30; at++) await putObject(putOf(`k${at}`), verifiedBody(payload(at, at)), stand.context(MD5));
    stand.asked();
    (await listObjects(listOf(), stand.context(MD5))).release();
    expect(stand.asked()).toHaveLength(1);
    (await listObjects(listOf(), (await forgetting(stand, 'memory only'))())).release();
    expect(stand.asked()).toHaveLength(1);
    const elsewhere = await forgetting(stand, 'and the index');
    const listing = await listObjects(listOf(), elsewhere());
    listing.release();
    expect(stand.asked()).toHaveLength(31);
    for (const { key, etag } of listing.objects) {
      const at = Number(key.slice(1));
      expect(etag).toBe(md5(payload(at, at)));
    }
    (await listObjects(listOf(), elsewhere())).release();
    expect(stand.asked()).toHaveLength(1);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('in an opaque bucket asks nothing and knows nothing', async () => {
    const stand = await inProcess();
    await putHello(stand, 'k', {});
    stand.asked();
    await listObjects(listOf(), stand.context());
    expect(stand.asked()).toHaveLength(1);
    expect(stand.etagsFound()).toEqual([]);
  });

  it('fails where the backend does, and shows no ETag that is none', async () => {
    const stand = await inProcess();
    await putHello(stand);
    const elsewhere = await forgetting(stand, 'and the index');
    stand.faults.plan({ where: isObject('k'), times: 10 }, { kind: 'refuse', status: 503, code: 'ServiceUnavailable' });
    expect(await refusalOf(listObjects(listOf(), elsewhere()))).toBe('BackendUnavailable');
  });
});

describe('conditions', () => {
  const etag = md5(HELLO);
  const quoted = `"${etag}"`;
  const other = `"${md5(WORLD)}"`;

  /** The verdict of GET and of HEAD, which must be one. */
  async function verdict(stand: InProcess, conditions: Conditions): Promise<string> {
    const got = await refusalOf(getObject(getOf('k', { conditions }), stand.context(MD5)).then(bodyOf));
    const head = await refusalOf(headObject(headOf('k', { conditions }), stand.context(MD5)));
    expect(head).toBe(got);
    return got;
  }

  it('on reading: one, several, weak ones, any; the opaque form too', async () => {
    const stand = await inProcess();
    await putHello(stand);
    const opaque = `"${(await headObject(headOf('k'), stand.context())).facts.etag}"`;
    expect(opaque).toMatch(/-0"$/);
    const cases: [Conditions, string][] = [
      [{ ifMatch: quoted }, 'none'],
      [{ ifMatch: etag }, 'none'],
      [{ ifMatch: opaque }, 'none'],
      [{ ifMatch: '*' }, 'none'],
      [{ ifMatch: `${other}, ${quoted}` }, 'none'],
      [{ ifMatch: `W/${quoted}` }, 'PreconditionFailed'],
      [{ ifMatch: other }, 'PreconditionFailed'],
      [{ ifNoneMatch: quoted }, 'NotModified'],
      [{ ifNoneMatch: opaque }, 'NotModified'],
      [{ ifNoneMatch: `W/${quoted}` }, 'NotModified'],
      [{ ifNoneMatch: `${other},${quoted}` }, 'NotModified'],
      [{ ifNoneMatch: '*' }, 'NotModified'],
      [{ ifNoneMatch: other }, 'none'],
      [{ ifMatch: quoted, ifNoneMatch: quoted }, 'NotModified'],
      [{ ifMatch: other, ifNoneMatch: quoted }, 'PreconditionFailed'],
      [{ ifModifiedSince: new Date(Date.now() + 60_000).toUTCString() }, 'NotModified'],
      [{ ifUnmodifiedSince: new Date(0).toUTCString() }, 'PreconditionFailed'],
      [{ ifMatch: quoted, ifUnmodifiedSince: new Date(0).toUTCString() }, 'none'],
    ];
    for (const [conditions, expected] of cases) {
      expect([conditions, await verdict(stand, conditions)]).toEqual([conditions, expected]);
    }
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('a 304 tells the ETag that a 200 would', async () => {
    const stand = await inProcess();
    await putHello(stand);
    const refused = await getObject(getOf('k', { conditions: { ifNoneMatch: quoted } }), stand.context(MD5)).catch(
      (error: GatewayError) => error,
    );
    expect(`"${(refused as GatewayError).facts.etag}"`).toBe(quoted);
  });

  it('If-Range', async () => {
    const stand = await inProcess();
    await putHello(stand);
    const range = { kind: 'from', first: 1, last: 2 } as const;
    const get = async (ifRange: string) =>
      String(await bodyOf(await getObject(getOf('k', { range, ifRange }), stand.context(MD5))));
    const opaque = `"${(await headObject(headOf('k'), stand.context())).facts.etag}"`;
    expect([await get(quoted), await get(opaque), await get(other), await get(`W/${quoted}`)]).toEqual([
      'el',
      'el',
      'hello',
      'hello',
    ]);
  });

  it('on writing: what stands there must be it, at the moment of the write', async () => {
    const stand = await inProcess();
    await putHello(stand);
    const put = (conditions: Conditions, late?: () => Promise<void>) =>
      refusalOf(putObject(putOf('k', { conditions }), verifiedBody(HELLO, late && { late }), stand.context(MD5)));
    expect(await put({ ifMatch: other })).toBe('PreconditionFailed');
    expect(await put({ ifMatch: quoted })).toBe('none');
    expect(await put({ ifMatch: `${other}, ${quoted}` })).toBe('none');
    expect(await put({ ifNoneMatch: '*' })).toBe('PreconditionFailed');
    expect(await put({ ifNoneMatch: quoted })).toBe('PreconditionFailed');
    expect(await put({ ifNoneMatch: other })).toBe('none');
    // Replaced while the body was on its way, by the very same plaintext even: it is another object.
    const between = async () => void (await putHello(stand));
    expect(await put({ ifMatch: quoted }, between)).toBe('PreconditionFailed');
    expect(
      await refusalOf(
        putObject(putOf('absent', { conditions: { ifMatch: quoted } }), verifiedBody(HELLO), stand.context(MD5)),
      ),
    ).not.toBe('none');
    expect(
      await refusalOf(
        putObject(putOf('new', { conditions: { ifNoneMatch: quoted } }), verifiedBody(HELLO), stand.context(MD5)),
      ),
    ).toBe('none');
  });

  it('on completing an upload and on copies', async () => {
    const stand = await inProcess({ buckets: [{ pattern: 'sources', etag: 'md5' }] });
    await putHello(stand);
    const context = () => stand.context(MD5);
    const upload = await startUpload(stand, 'k', { context });
    const part = await upload.send(1, WORLD);
    expect(await refusalOf(upload.complete([part], { conditions: { ifMatch: other } }))).toBe('PreconditionFailed');
    expect((await upload.complete([part], { conditions: { ifMatch: quoted } })).etag).toBe(md5OfMd5s(WORLD));
    const source = { bucket: 'sources', key: 'source' };
    await putObject(putOf('source', { ref: source }), verifiedBody(HELLO), stand.at('sources'));
    const copy = (conditions: Conditions, ofSource: Conditions = {}) => {
      const asked = copyOf('sources/source', 'k', { conditions });
      return refusalOf(copyObject({ ...asked, source: { ...asked.source, conditions: ofSource } }, context()));
    };
    expect(await copy({ ifMatch: quoted })).toBe('PreconditionFailed');
    expect(await copy({ ifMatch: `"${md5OfMd5s(WORLD)}"` }, { ifMatch: other })).toBe('PreconditionFailed');
    expect(await copy({ ifMatch: `"${md5OfMd5s(WORLD)}"` }, { ifNoneMatch: quoted })).toBe('PreconditionFailed');
    expect(await copy({ ifMatch: `"${md5OfMd5s(WORLD)}"` }, { ifMatch: quoted })).toBe('none');
  });

  it('on deleting', async () => {
    const stand = await inProcess();
    await putHello(stand);
    await putHello(stand, 'l');
    const context = () => stand.context(MD5);
    const ref = { bucket: BUCKET, key: 'k' };
    const remove = (ifMatch: string) =>
      refusalOf(deleteObject({ kind: 'DeleteObject', ref, conditions: { ifMatch } }, context()));
    expect(await remove(other)).toBe('PreconditionFailed');
    expect(await remove(quoted)).toBe('none');
    await putHello(stand);
    const targets = [
      { key: 'k', etag: quoted },
      { key: 'l', etag: other },
    ];
    const many = await deleteObjects({ kind: 'DeleteObjects', bucket: BUCKET, targets, quiet: false }, context());
    expect(many.deleted.map(({ key }) => key)).toEqual(['k']);
    expect(many.failures.map(({ key, code }) => [key, code])).toEqual([['l', 'PreconditionFailed']]);
  });
});

describe('the index', () => {
  it('is not believed of another object with the same ETag', async () => {
    const stand = await inProcess();
    await putHello(stand);
    const context = stand.context(MD5);
    const stored = await stand.tools.store.head({ ref: { bucket: BUCKET, key: 'k' }, conditions: {} }, context.signal);
    const identity = { tenant: context.tenant, ref: { bucket: BUCKET, key: 'k' }, backendEtag: stored.etag };
    const wrong = { plain: false, md5: Buffer.alloc(16, 1), parts: 0, oid: Buffer.alloc(16, 1) };
    await stand.tools.etags.learn(identity, wrong);
    expect((await headObject(headOf('k'), context)).facts.etag).toBe(md5(HELLO));
  });

  it('that cannot be written or read changes no answer', async () => {
    const stand = await inProcess({ etagIndex: 'fails' });
    expect(await putHello(stand)).toBe(md5(HELLO));
    const elsewhere = await forgetting(stand, 'memory only');
    expect(await etagsOf('k', elsewhere())).toEqual(Array(4).fill(md5(HELLO)));
    expect(stand.etagsFound()).toContain('footer');
  });
});

describe('a dialect whose clients take ETags for MD5s', () => {
  it('has them in every bucket whose rule does not say otherwise, and other dialects have what the policy says', async () => {
    const stand = await inProcess();
    const { tenant, client, signal, trace } = stand.context();
    const ruled = (etag: 'opaque' | 'md5') => {
      const rule = { bucket: BUCKET, fields: { etag }, file: 'a.yaml', line: 1, column: 1 };
      return { ...tenant, rules: new CompiledRules([rule], 'seal') };
    };
    const MD5S = { digests: [], etags: 'md5' } as const;
    const PLAIN = { digests: [] } as const;
    const at = (of: typeof tenant, dialect: ToldOfObjects) =>
      authorize(BUCKET, { tenant: of, client, signal, trace, dialect }, stand.tools);
    expect(at(tenant, MD5S).policy).toBe(at(tenant, MD5S).policy);
    const etags = [tenant, ruled('opaque'), ruled('md5')].map((of) => [MD5S, PLAIN].map((d) => at(of, d).policy.etag));
    expect(etags).toEqual([
      ['md5', 'opaque'],
      ['opaque', 'opaque'],
      ['md5', 'md5'],
    ]);
    const stored = await putObject(putOf('k'), verifiedBody(HELLO), at(tenant, MD5S));
    expect(stored.etag).toBe(md5(HELLO));
    expect(await etagsOf('k', at(tenant, MD5S))).toEqual(Array(4).fill(md5(HELLO)));
    expect(new Set(await etagsOf('k', at(tenant, PLAIN)))).toEqual(new Set([`${stored.backendEtag}-0`]));
    const copied = await copyObject(copyOf(`${BUCKET}/k`, 'copy'), at(tenant, MD5S));
    expect(copied.etag).toBe(md5(HELLO));
  });
});
