import { describe, expect, it } from 'vitest';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { deleteObject } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { ASSUMED_CAPABILITIES, type Capability } from '../../../src/store/capabilities.ts';
import type { HeaderList } from '../../../src/wire/headers.ts';
import { BUCKET, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from '../../pipeline/in-process.ts';
import { findOut } from '../../support/conformance/stores.ts';
import { payload } from '../../support/payload.ts';

const STAGING = 'conformance-staging';
const MIB = 1024 * 1024;

const relyingOnNothing = (stand: InProcess, pending: readonly Capability[]): OperationContext => ({
  ...stand.context(),
  findings: { capabilities: ASSUMED_CAPABILITIES, pending },
});

const remove = (context: OperationContext) =>
  deleteObject({ kind: 'DeleteObject', ref: { bucket: BUCKET, key: 'k' }, conditions: { ifMatch: '"e"' } }, context);
const create = (context: OperationContext) =>
  putObject(putOf('k', { conditions: { ifNoneMatch: '*' } }), verifiedBody(payload(10)), context);

describe('a look at a store', () => {
  it('writes to the staging bucket alone, some thirty small requests, and leaves nothing there', async () => {
    const stand = await inProcess();
    stand.asked();
    expect((await findOut(stand)).store.name).toBe('embedded');
    const asked = stand.asked();
    expect(asked.filter((line) => !line.includes(` /${STAGING}`))).toEqual([]);
    // The rest looks whether an upload that broke off became an object.
    expect(asked.filter((line) => !line.startsWith('HEAD ')).length).toBeLessThan(40);
    expect(await stand.stored.keys(STAGING)).toEqual([]);
  });

  it('removes what one before it left behind when it was killed, and not what one beside it needs', async () => {
    const stand = await inProcess();
    await findOut(stand);
    const { store, now } = stand.tools;
    const left = async (key: string) => {
      const put = { ref: { bucket: STAGING, key }, metadata: { content: {}, user: [] }, conditions: {} };
      await store.put({ ...put, body: payload(1) }, new AbortController().signal);
    };
    await left('sealgate-probe/beside/k');
    await left('another/k');
    await findOut(stand);
    expect(await stand.stored.keys(STAGING)).toEqual(['another/k', 'sealgate-probe/beside/k']);
    await findOut(stand, undefined, { now: () => new Date(now().getTime() + 2 * 3_600_000) });
    expect(await stand.stored.keys(STAGING)).toEqual(['another/k']);
  });

  it('aborts the uploads of one that was killed, and no others', async () => {
    const stand = await inProcess();
    await findOut(stand);
    const { store, now } = stand.tools;
    const { signal } = new AbortController();
    for (const key of ['sealgate-probe/killed/k', 'another/k']) {
      await store.uploads.create({ bucket: STAGING, key }, { content: {}, user: [] }, signal);
    }
    const asked = { kind: 'ListMultipartUploads', bucket: STAGING, prefix: '', delimiter: '', maxUploads: 10 } as const;
    const left = async () => {
      const more = { keyMarker: '', uploadIdMarker: '', urlEncoded: true };
      return (await store.uploads.list({ ...asked, ...more }, signal)).uploads.map(({ key }) => key);
    };
    await findOut(stand);
    expect(await left()).toEqual(['another/k', 'sealgate-probe/killed/k']);
    await findOut(stand, undefined, { now: () => new Date(now().getTime() + 2 * 3_600_000) });
    expect(await left()).toEqual(['another/k']);
  });

  it.each([
    ['may not write there', 'PUT', 403, 'AccessDenied'],
    ['may not make the bucket, and there is none', 'PUT', 404, 'NoSuchBucket'],
  ])('by a key that %s brings nothing, and says why', async (_what, method, status, code) => {
    const stand = await inProcess();
    stand.faults.plan(
      { method, where: ({ target }) => target.raw.includes(`/${STAGING}/`), times: 99 },
      {
        kind: 'refuse',
        status,
        code,
      },
    );
    const { state, capabilities, reason } = await findOut(stand);
    expect([state, reason?.code, capabilities]).toEqual(['not tried', code, ASSUMED_CAPABILITIES]);
  });

  it('of a store that is away in the middle of it brings nothing yet', async () => {
    const stand = await inProcess();
    const isTried = ({ target }: { readonly target: { readonly raw: string } }) => target.raw.includes('uploadId=');
    stand.faults.plan({ where: isTried, times: 99 }, { kind: 'refuse', status: 503, code: 'SlowDown' });
    const { state, capabilities } = await findOut(stand);
    expect([state, capabilities]).toEqual(['looking', ASSUMED_CAPABILITIES]);
  });

  it.each([
    ['refuses for reasons of its own', 403, 'AccessDenied'],
    ['stumbles over', 500, 'InternalError'],
  ])('takes an attempt that the store %s for none', async (_what, status, code) => {
    const stand = await inProcess();
    const where = ({ headers }: { readonly headers: HeaderList }) => headers.has('if-match');
    stand.faults.plan({ method: 'DELETE', where, times: 99 }, { kind: 'refuse', status, code });
    const { state, store, capabilities } = await findOut(stand);
    expect([state, store.name]).toEqual(['found', 'embedded']);
    expect(capabilities).toMatchObject({ conditionalDeletes: false, conditionalPuts: true });
  });

  it.each([
    ['the upload that is to break off', 'PUT', 'content-length', '2097152', 'tornUploadsVanish'],
    ['a Complete', 'POST', 'content-type', 'application/xml', 'truthfulCompletes'],
  ] as const)('does not believe a store that refuses %s', async (_what, method, header, value, capability) => {
    const stand = await inProcess();
    const where = ({ headers }: { readonly headers: HeaderList }) => headers.get(header) === value;
    stand.faults.plan({ method, where, times: 99 }, { kind: 'refuse', status: 403, code: 'AccessDenied' });
    const { state, capabilities } = await findOut(stand);
    expect(state).toBe('found');
    expect(capabilities).toMatchObject({ conditionalPuts: true, [capability]: false });
  });
});

describe('over a store of which nothing is known', () => {
  it('conditional writes and deletions are refused, and nothing is sent', async () => {
    const stand = await inProcess();
    const context = relyingOnNothing(stand, []);
    stand.asked();
    expect(await refusalOf(remove(context))).toBe('NotImplemented');
    expect(await refusalOf(create(context))).toBe('NotImplemented');
    expect(stand.asked()).toEqual([]);
  });

  it('they may be tried again while that is being found out', async () => {
    const stand = await inProcess();
    const context = relyingOnNothing(stand, ['conditionalPuts', 'conditionalDeletes']);
    expect(await refusalOf(remove(context))).toBe('BackendUnavailable');
    expect(await refusalOf(create(context))).toBe('BackendUnavailable');
  });

  it('an upload becomes an object at its end alone', async () => {
    const stand = await inProcess();
    stand.asked();
    await putObject(putOf('k'), verifiedBody(payload(9 * MIB)), relyingOnNothing(stand, []));
    expect(stand.asked().filter((line) => line === `PUT /${BUCKET}/k`)).toEqual([]);
    expect(await stand.stored.keys(BUCKET)).toEqual(['k']);
  });
});
