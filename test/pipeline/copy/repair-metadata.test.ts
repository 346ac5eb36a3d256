import { expect, it } from 'vitest';
import { CARRIED_ENTRY } from '../../../src/envelope/carried-metadata.ts';
import { lookAtMetadata, repairMetadata } from '../../../src/pipeline/copy/repair-metadata.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import { BUCKET, bodyOf, getOf, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from '../in-process.ts';

const USER = [
  ['kept', '1'],
  ['x-amz-iv', 'AA=='],
] as const;
const ref = { bucket: BUCKET, key: 'k' };

async function put(here: InProcess, bytes: number, declared = true): Promise<Buffer> {
  const body = payload(bytes, bytes);
  const metadata = { content: { contentType: 'a/b' }, user: USER };
  await putObject(putOf('k', { metadata }), verifiedBody(body, { declared }), here.context());
  return body;
}

/** What a store does that keeps some names only. */
async function lose(here: InProcess, isLost: (name: string) => boolean, of = ref): Promise<void> {
  const { store } = here.tools;
  const signal = new AbortController().signal;
  const { metadata, etag } = await store.head({ ref: of, conditions: {} }, signal);
  const user = metadata.user.filter(([name]) => !isLost(name));
  await store.copy({ ref: of, source: { ref: of, etag }, metadata: { ...metadata, user }, tags: 'copy' }, signal);
}

const read = async (here: InProcess) => {
  const content = await getObject(getOf('k'), here.context());
  return { body: await bodyOf(content), metadata: content.facts.metadata };
};

it.each([
  [100, true],
  [9_000_000, false],
  [17 * 1024 * 1024, true],
])('an object of %i bytes whose metadata was lost is read again (length declared: %s)', async (bytes, declared) => {
  const here = await inProcess();
  const body = await put(here, bytes, declared);
  await lose(here, (name) => name === CARRIED_ENTRY);
  expect(await refusalOf(read(here))).toBe('ObjectCorrupted');
  const found = await lookAtMetadata(ref, here.context());
  expect([found.state, found.metadata.user]).toEqual(['changed', [['kept', '1']]]);
  await repairMetadata(ref, found, here.context());
  const after = await read(here);
  expect(after.body.equals(body)).toBe(true);
  expect(after.metadata).toMatchObject({ content: { contentType: 'a/b' }, user: [['kept', '1']] });
  expect((await lookAtMetadata(ref, here.context())).state).toBe('sound');
});

it('what replaced the object since it was looked at stays', async () => {
  const here = await inProcess();
  await put(here, 100);
  await lose(here, (name) => name === 'kept');
  const found = await lookAtMetadata(ref, here.context());
  const newer = await put(here, 200);
  expect(await refusalOf(repairMetadata(ref, found, here.context()))).toBe('SlowDown');
  expect((await read(here)).body.equals(newer)).toBe(true);
});

it('a folder marker is repaired, too', async () => {
  const here = await inProcess();
  const folder = { bucket: BUCKET, key: 'dir/' };
  const metadata = { content: {}, user: USER };
  await putObject(putOf('dir/', { metadata }), verifiedBody(Buffer.alloc(0)), here.context());
  await lose(here, (name) => name === 'kept', folder);
  await repairMetadata(folder, await lookAtMetadata(folder, here.context()), here.context());
  expect((await lookAtMetadata(folder, here.context())).metadata.user).toEqual([['x-amz-iv', 'AA==']]);
  expect(here.asked().filter((line) => line.includes('uploads'))).toEqual([]);
});

it('what is wrong with more than the metadata is not repaired', async () => {
  const here = await inProcess();
  await put(here, 100);
  const signal = new AbortController().signal;
  const { metadata, etag } = await here.tools.store.head({ ref, conditions: {} }, signal);
  const moved = { ...ref, key: 'moved' };
  await here.tools.store.copy({ ref: moved, source: { ref, etag }, metadata, tags: 'copy' }, signal);
  expect(await refusalOf(lookAtMetadata(moved, here.context()))).toBe('ObjectMoved');
  await lose(here, (name) => name === 'sx1');
  expect(await refusalOf(lookAtMetadata(ref, here.context()))).toBe('ObjectNotSealed');
  expect(await refusalOf(lookAtMetadata(ref, here.context({ mixed: true })))).toBe('ObjectCorrupted');
  await putObject(putOf('plain'), verifiedBody(payload(10)), here.context({ protection: 'none' }));
  const plain = await lookAtMetadata({ ...ref, key: 'plain' }, here.context({ mixed: true }));
  expect(plain.state).toBe('plain');
});

it('an envelope that says that metadata is carried, and an entry that it does not say, are changes', async () => {
  const here = await inProcess();
  const metadata = { content: {}, user: [['kept', '1']] as const };
  await putObject(putOf('k', { metadata }), verifiedBody(payload(10)), here.context());
  const { store } = here.tools;
  const signal = new AbortController().signal;
  const stored = await store.head({ ref, conditions: {} }, signal);
  // The same metadata in the client's terms, one name of it moved into an entry that the envelope knows nothing of.
  const text = Buffer.from('010700046b657074000131', 'hex').toString('base64url');
  const user = [...stored.metadata.user.filter(([name]) => name !== 'kept'), [CARRIED_ENTRY, text] as const];
  await store.copy(
    { ref, source: { ref, etag: stored.etag }, metadata: { ...stored.metadata, user }, tags: 'copy' },
    signal,
  );
  expect(await refusalOf(read(here))).toBe('ObjectCorrupted');
  const content = await getObject(getOf('k'), here.context({ metadata: 'warn' }));
  expect(content.facts.metadata.user).toEqual([['kept', '1']]);
});
