import { expect, it } from 'vitest';
import type { BackendLimits } from '../../src/dialects/backend-limits.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { copyObject } from '../../src/pipeline/copy/copy.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import { BUCKET, copyOf, headOf, inProcess, putOf, refusalOf, verifiedBody } from '../pipeline/in-process.ts';
import { readBack } from '../pipeline/upload/upload-stand.ts';
import { payload } from '../support/payload.ts';

/** What the gateway asks a store whose limits are others than those of Amazon S3. */

const MIB = 1024 * 1024;

async function limited(limits: Partial<BackendLimits>) {
  return inProcess({ backend: { dialect: { ...s3Back, limits: { ...s3Back.limits, ...limits } } } });
}

it('deletes many objects in requests of as many as the store takes', async () => {
  const here = await limited({ deletionsAtOnce: 3 });
  const keys = Array.from({ length: 7 }, (_, at) => `d/${at}`);
  for (const key of keys) await here.stored.overwrite(BUCKET, key, payload(1));
  here.asked();
  const targets = keys.map((key) => ({ key }));
  const { signal } = here.context();
  const { deleted, failures } = await here.tools.store.deleteMany(BUCKET, targets, signal);
  expect([deleted.map(({ key }) => key), failures]).toEqual([keys, []]);
  expect(here.asked()).toEqual(Array(3).fill(`POST /${BUCKET}?delete=`));
});

it('copies what is larger than the store copies in one request in parts of the size that suits it', async () => {
  const here = await limited({ largestCopyBytes: 6 * MIB, copyPartBytes: 5 * MIB });
  for (const [bytes, parts] of [
    [5 * MIB, 0],
    [12 * MIB, 3],
  ] as const) {
    await putObject(putOf('from'), verifiedBody(payload(bytes)), here.context());
    here.asked();
    await copyObject(copyOf(`${BUCKET}/from`, 'to'), here.context());
    expect(here.asked().filter((line) => line.includes('partNumber='))).toHaveLength(parts);
    expect((await readBack(here, 'to')).equals(payload(bytes))).toBe(true);
  }
});

it('leaves the client as much metadata as the store has beside the envelope', async () => {
  const { count } = s3Back.limits.userMetadata;
  const here = await limited({ userMetadata: { bytes: 1_000, count } });
  const put = (bytes: number) => {
    const metadata = { content: {}, user: [['m', 'x'.repeat(bytes - 'x-amz-meta-m'.length)]] as const };
    return putObject(putOf('k', { metadata }), verifiedBody(payload(10)), here.context());
  };
  await put(712);
  expect(await refusalOf(put(713))).toBe('MetadataTooLarge');
  expect((await headObject(headOf('k'), here.context())).facts.metadata.user[0]?.[1]).toHaveLength(700);
});
