import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { deleteObject, deleteObjects } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { clientEtag } from '../../../src/store/etag.ts';
import { payload } from '../../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  listOf,
  putOf,
  verifiedBody,
} from '../in-process.ts';
import { PART, startUpload } from '../upload/upload-stand.ts';
import { asking, KEYS, toldOf } from './stand.ts';

const MD5 = { etag: 'md5' } as const;
const md5Of = (bytes: Buffer) => hash('md5', bytes, 'hex');
const md5Bytes = (bytes: Buffer) => Buffer.from(md5Of(bytes), 'hex');

/** The ETags of a bucket that a request without a key is shown. */
async function listed(stand: InProcess, policy = {}) {
  const { objects } = await listObjects(listOf(), stand.context(policy));
  return objects.map(({ key, plaintextBytes, etag }) => ({ key, plaintextBytes, etag }));
}

it('a listing is whole and exact without any key, and no MD5 of such an object is told', async () => {
  const stand = await inProcess();
  const bytes = payload(100_000, 1);
  for (const policy of [{}, { mixed: true }, MD5, { ...MD5, mixed: true }]) {
    const writing = (asked: ReturnType<typeof KEYS.one> | undefined) => asking(stand, asked, policy);
    await putObject(putOf('managed'), verifiedBody(bytes), writing(undefined));
    const body = {
      ...verifiedBody(bytes),
      provesMd5: true,
      proof: () => ({ checksum: undefined, md5: md5Bytes(bytes) }),
    };
    const put = await putObject(putOf('one'), body, writing(KEYS.one()));
    const upload = await startUpload(stand, 'parts', { context: () => writing(KEYS.one()) });
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(1000, 2))];
    for (const { etag } of parts) expect(etag).toMatch(/^[0-9a-f]{32}-0$/);
    const completed = await upload.complete(parts);
    const expected = [
      { key: 'managed', plaintextBytes: 100_000, etag: expect.any(String) },
      { key: 'one', plaintextBytes: 100_000, etag: put.etag },
      { key: 'parts', plaintextBytes: PART + 1000, etag: completed.etag },
    ];
    expect(await listed(stand, policy)).toEqual(expected);
    expect(put.etag).toBe(clientEtag((await stand.stored.read(BUCKET, 'one')).record.etag));
    for (const [key, etag] of [
      ['one', put.etag],
      ['parts', completed.etag],
    ] as const) {
      expect((await headObject(headOf(key), writing(KEYS.one()))).facts.etag).toBe(etag);
      expect(
        (await getObject(getOf(key, { range: { kind: 'from', first: 0, last: 0 } }), writing(KEYS.one()))).facts.etag,
      ).toBe(etag);
    }
    if ('etag' in policy) expect((await listed(stand, policy))[0]?.etag).toBe(md5Of(bytes));
    // Elsewhere, where nothing is remembered and the index was lost, it is the same.
    const fresh = await stand.anotherProcess({ emptyIndex: true });
    const context = stand.context(policy);
    const there = { ...context, ...fresh, formats: fresh.formatsFor(context.policy) };
    const { objects } = await listObjects(listOf(), there);
    expect(objects.map(({ key, plaintextBytes, etag }) => ({ key, plaintextBytes, etag }))).toEqual(expected);
  }
});

it('the footer of such an object is asked for once, and not with each listing', async () => {
  const stand = await inProcess();
  await putObject(putOf('one'), verifiedBody(payload(1000, 1)), asking(stand, KEYS.one()));
  const fresh = await stand.anotherProcess({ emptyIndex: true });
  const context = stand.context(MD5);
  const there = { ...context, ...fresh, formats: fresh.formatsFor(context.policy) };
  const footersAsked = async () => {
    stand.asked();
    await listObjects(listOf(), there);
    return stand.asked().filter((line) => line.startsWith(`GET /${BUCKET}/one`)).length;
  };
  expect([await footersAsked(), await footersAsked()]).toEqual([1, 0]);
});

it.each([{}, MD5])('conditions on writes and deletions need no key: %j', async (policy) => {
  const stand = await inProcess();
  const bytes = payload(1000, 1);
  const context = (asked?: ReturnType<typeof KEYS.one>) => asking(stand, asked, policy);
  const { etag } = await putObject(putOf('k'), verifiedBody(bytes), context(KEYS.one()));
  const quoted = `"${etag}"`;
  const put = (conditions: object, asked?: ReturnType<typeof KEYS.one>) =>
    toldOf(putObject(putOf('k', { conditions }), verifiedBody(bytes), context(asked)));
  expect(await put({ ifNoneMatch: '*' })).toBe('412 PreconditionFailed');
  expect(await put({ ifMatch: '"other"' }, KEYS.two())).toBe('412 PreconditionFailed');
  expect(await put({ ifMatch: quoted }, KEYS.two())).toBe('fine');
  // From here on it is a managed object, whose ETag may be an MD5, and a request with a key replaces it.
  const managed = await putObject(putOf('k'), verifiedBody(bytes), context());
  expect(await put({ ifMatch: quoted }, KEYS.one())).toBe('412 PreconditionFailed');
  expect(await put({ ifMatch: `"${managed.etag}"` }, KEYS.one())).toBe('fine');
  const last = (await headObject(headOf('k'), context(KEYS.one()))).facts.etag;
  const ref = { bucket: BUCKET, key: 'k' };
  expect(await toldOf(deleteObject({ kind: 'DeleteObject', ref, conditions: { ifMatch: quoted } }, context()))).toBe(
    '412 PreconditionFailed',
  );
  const targets = [{ key: 'k', versionId: undefined, etag: last }];
  const deleted = await deleteObjects(
    { kind: 'DeleteObjects', bucket: BUCKET, targets, quiet: false } as never,
    context(),
  );
  expect(deleted.failures).toEqual([]);
  expect(await listed(stand, policy)).toEqual([]);
});

it('conditions on reads are held against the ETag that its client sees', async () => {
  const stand = await inProcess();
  const { etag } = await putObject(putOf('k'), verifiedBody(payload(1000, 1)), asking(stand, KEYS.one(), MD5));
  const get = (conditions: object) => getObject(getOf('k', { conditions }), asking(stand, KEYS.one(), MD5));
  expect(await bodyOf(await get({ ifMatch: `"${etag}"` }))).toEqual(payload(1000, 1));
  expect(await toldOf(get({ ifMatch: `"${md5Of(payload(1000, 1))}"` }))).toBe('412 PreconditionFailed');
  expect(await toldOf(get({ ifNoneMatch: `"${etag}"` }))).toBe('304 NotModified');
});
