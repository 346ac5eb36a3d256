import { describe, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { inProcess, refusalOf } from '../in-process.ts';
import { PART, readBack, startUpload } from './upload-stand.ts';

const byNumber = (...numbers: readonly number[]) =>
  numbers.map((partNumber) => ({ partNumber, etag: undefined, checksum: undefined }));

describe.each([
  ['sealed', {}],
  ['kept in clear', { protection: 'none' as const }],
])('a Complete that names parts by their numbers, where objects are %s', (_name, policy) => {
  it('takes of each part what was sent last, and leaves out what it does not name', async () => {
    const stand = await inProcess();
    const context = () => stand.context(policy);
    const upload = await startUpload(stand, 'big', { context });
    await upload.send(3, payload(PART, 1));
    await upload.send(3, payload(PART, 2));
    await upload.send(5, payload(PART, 3));
    await upload.send(9, payload(10, 4));
    await upload.complete(byNumber(3, 9));
    const whole = Buffer.concat([payload(PART, 2), payload(10, 4)]);
    expect((await readBack(stand, 'big', context())).equals(whole)).toBe(true);
  });

  it('refuses a number under which nothing was sent', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'big', { context: () => stand.context(policy) });
    await upload.send(1, payload(PART, 1));
    expect(await refusalOf(upload.complete(byNumber(1, 2)))).toBe('InvalidPart');
  });
});

it('what was sent last may be small enough to be staged, and is taken all the same', async () => {
  const stand = await inProcess();
  const upload = await startUpload(stand, 'big');
  await upload.send(1, payload(PART, 1));
  await upload.send(1, payload(1000, 2));
  await upload.complete(byNumber(1));
  expect((await readBack(stand, 'big')).equals(payload(1000, 2))).toBe(true);
});
