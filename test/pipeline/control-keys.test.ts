import { expect, test } from 'vitest';
import { listObjects } from '../../src/pipeline/bucket/list.ts';
import { abortUpload } from '../../src/pipeline/upload/abort.ts';
import { listParts, listUploads } from '../../src/pipeline/upload/list.ts';
import { deleteObjects } from '../../src/pipeline/write/delete.ts';
import { payload } from '../support/payload.ts';
import { BUCKET, inProcess, listOf } from './in-process.ts';
import { readBack, startUpload } from './upload/upload-stand.ts';

/** Stores write such characters as references (`&#x1;`), which a parser of XML 1.0 refuses. */
const KEYS = ['\u0001', 'a\u0002b\u001f', 'none\uffff', 'line\r\n\tends'];

const uploadsOf = { kind: 'ListMultipartUploads', bucket: BUCKET, prefix: '', delimiter: '' } as const;
const partsFrom = { partNumberMarker: 0, maxParts: 1000, urlEncoded: false };

test.each([false, true])('keys with control characters, names url-encoded: %s', async (urlEncoded) => {
  const stand = await inProcess();
  const bytes = payload(1000, 1);
  const openKeys = async () => {
    const asked = { ...uploadsOf, keyMarker: '', uploadIdMarker: '', maxUploads: 1000, urlEncoded };
    return (await listUploads(asked, stand.context())).uploads.map(({ key }) => key);
  };
  for (const key of KEYS) {
    const given = await startUpload(stand, key);
    expect(await openKeys()).toEqual([key]);
    await abortUpload({ kind: 'AbortMultipartUpload', ...given.named }, stand.context());
    const upload = await startUpload(stand, key);
    const part = await upload.send(1, bytes);
    const { parts } = await listParts({ kind: 'ListParts', ...upload.named, ...partsFrom }, stand.context());
    expect(parts.map(({ plaintextBytes }) => plaintextBytes)).toEqual([bytes.length]);
    await upload.complete([part]);
    expect(await openKeys()).toEqual([]); // no upload is left behind that nobody knows of
    expect((await readBack(stand, key)).equals(bytes)).toBe(true);
  }
  const listing = await listObjects(listOf({ urlEncoded }), stand.context());
  expect(listing.objects.map(({ key }) => key).sort()).toEqual([...KEYS].sort());

  const targets = [...KEYS.map((key) => ({ key })), { key: 'kept\u0001', versionId: 'x' }];
  const asked = { kind: 'DeleteObjects', bucket: BUCKET, targets, quiet: false } as const;
  const { deleted, failures } = await deleteObjects(asked, stand.context());
  expect(deleted.map(({ key }) => key)).toEqual(KEYS);
  expect(failures.map(({ key, code }) => [key, code])).toEqual([['kept\u0001', 'NoSuchVersion']]);
  expect(await stand.stored.keys(BUCKET)).toEqual([]);
});
