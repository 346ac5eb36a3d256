import { describe, expect, it } from 'vitest';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { deleteObject, deleteObjects } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import { BUCKET, headOf, type InProcess, inProcess, lacking, putOf, refusalOf, verifiedBody } from '../in-process.ts';

const VENDOR = { dialect: 's3', headers: new HeaderList(['x-amz-bypass-governance-retention', 'true']) };

async function etagOf(stand: InProcess, key: string): Promise<string> {
  return (await headObject(headOf(key), stand.context())).facts.etag;
}

async function stored(stand: InProcess, ...keys: string[]): Promise<void> {
  for (const key of keys) await putObject(putOf(key), verifiedBody(Buffer.from(key)), stand.context());
}

const one = (key: string, ifMatch?: string) =>
  ({ kind: 'DeleteObject', ref: { bucket: BUCKET, key }, conditions: { ifMatch }, vendor: VENDOR }) as const;

const many = (...targets: readonly { readonly key: string; readonly etag?: string }[]) =>
  ({ kind: 'DeleteObjects', bucket: BUCKET, targets, quiet: false, vendor: VENDOR }) as const;

describe('a conditional deletion', () => {
  it('asks the backend for the ETag that it knows', async () => {
    const stand = await inProcess();
    await stored(stand, 'a', 'b');
    const etag = `"${await etagOf(stand, 'a')}"`;
    expect(etag).toMatch(/-0"$/);
    expect(await refusalOf(deleteObject(one('b', etag), stand.context()))).toBe('PreconditionFailed');
    expect(await stand.stored.keys(BUCKET)).toEqual(['a', 'b']);
    await deleteObject(one('a', etag), stand.context());
    expect(await stand.stored.keys(BUCKET)).toEqual(['b']);
  });

  it('of many is made per object', async () => {
    const stand = await inProcess();
    await stored(stand, 'a', 'b', 'c');
    const etag = `"${await etagOf(stand, 'a')}"`;
    const { deleted, failures } = await deleteObjects(
      many({ key: 'a', etag }, { key: 'b', etag }, { key: 'c' }),
      stand.context(),
    );
    expect(deleted.map(({ key }) => key)).toEqual(['a', 'c']);
    expect(failures).toEqual([expect.objectContaining({ key: 'b', code: 'PreconditionFailed' })]);
    expect(await stand.stored.keys(BUCKET)).toEqual(['b']);
  });

  it('is refused over a backend that reads no condition there, and nothing is sent', async () => {
    const stand = await inProcess();
    await stored(stand, 'a');
    const context = stand.context();
    const lax = { ...context, ...lacking({ conditionalDeletes: false }) };
    stand.asked();
    expect(await refusalOf(deleteObject(one('a', '*'), lax))).toBe('NotImplemented');
    expect(await refusalOf(deleteObjects(many({ key: 'a' }, { key: 'b', etag: 'x' }), lax))).toBe('NotImplemented');
    expect(stand.asked()).toEqual([]);
    await deleteObject(one('a'), lax);
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
  });
});

describe('a deletion of a thousand keys', () => {
  it.each([
    ['short ones', 'k'.repeat(100), 1],
    ['long ones that are written as references', '&'.repeat(1000), 3],
  ])('%s: in documents that stores take', async (_, name, requests) => {
    const stand = await inProcess();
    const targets = Array.from({ length: 1000 }, (__, at) => ({ key: `${at}-${name}` }));
    stand.asked();
    const { deleted, failures } = await deleteObjects(many(...targets), stand.context());
    expect([deleted.map(({ key }) => key), failures]).toEqual([targets.map(({ key }) => key), []]);
    expect(stand.asked()).toEqual(Array.from({ length: requests }, () => `POST /${BUCKET}?delete=`));
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });
});
