import { describe, expect, it } from 'vitest';
import type { AskedChecksum } from '../../../src/operations/object.ts';
import type { UploadPartCopy } from '../../../src/operations/operation.ts';
import { uploadPartCopy } from '../../../src/pipeline/copy/copy-part.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { completeUpload } from '../../../src/pipeline/upload/complete.ts';
import { createUpload } from '../../../src/pipeline/upload/create.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import type { ByteRange } from '../../../src/wire/range.ts';
import { pattern } from '../../devstore/started.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';

const PIECE = 8 * 1024 * 1024;
const PART = 5 * 1024 * 1024;
const PLAIN = 'plain-box';
const MIXED = 'mixed-box';
const BUCKETS = [
  { pattern: PLAIN, protection: 'none' },
  { pattern: MIXED, mixed: true },
] as const;

const stand = () => inProcess({ buckets: BUCKETS });

async function put(here: InProcess, key: string, bytes: Buffer, bucket = BUCKET, declared = true) {
  const stored = await putObject(
    putOf(key, { ref: { bucket, key } }),
    verifiedBody(bytes, { declared }),
    here.at(bucket),
  );
  here.asked();
  return stored;
}

async function begin(here: InProcess, bucket = BUCKET, checksum?: AskedChecksum) {
  const ref = { bucket, key: 'target' };
  const metadata = { content: {}, user: [] };
  const { uploadId } = await createUpload({ kind: 'CreateMultipartUpload', ref, metadata, checksum }, here.at(bucket));
  here.asked();
  return { ref, uploadId };
}
type Begun = Awaited<ReturnType<typeof begin>>;

function copy(here: InProcess, upload: Begun, partNumber: number, source: string, over: Partial<UploadPartCopy> = {}) {
  const [bucket, key] = source.split('/') as [string, string];
  const operation: UploadPartCopy = {
    kind: 'UploadPartCopy',
    ...upload,
    partNumber,
    source: { ref: { bucket, key }, conditions: {} },
    range: undefined,
    ...over,
  };
  return uploadPartCopy(operation, here.at(upload.ref.bucket));
}

async function complete(here: InProcess, upload: Begun, etags: readonly string[]) {
  const parts = etags.map((etag, at) => ({ partNumber: at + 1, etag, checksum: undefined }));
  const asked = { checksum: undefined, composite: undefined, plaintextBytes: undefined, conditions: {} };
  const operation = { kind: 'CompleteMultipartUpload', ...upload, parts, smallestPartBytes: PART, ...asked } as const;
  return completeUpload(operation, here.at(upload.ref.bucket));
}

async function served(here: InProcess, bucket = BUCKET): Promise<Buffer> {
  return bodyOf(await getObject(getOf('target', { ref: { bucket, key: 'target' } }), here.at(bucket)));
}

describe('a part copied from a sealed object', () => {
  it.each<[string, number, boolean, ByteRange | undefined]>([
    ['an empty one', 0, true, undefined],
    ['a small one', 100_000, true, undefined],
    ['a large one', PART + 1, true, undefined],
    ['a range of one', 300_000, true, { first: 65_530, last: 200_000 }],
    ['its first byte', 300_000, true, { first: 0, last: 0 }],
    ['its last byte', 300_000, true, { first: 299_999, last: 299_999 }],
    ['one in parts', PIECE + 1000, false, undefined],
    ['a range across its parts', PIECE + 1000, false, { first: PIECE - 70_000, last: PIECE + 999 }],
  ])('%s', async (_, bytes, declared, range) => {
    const here = await stand();
    const whole = pattern(bytes);
    await put(here, 'a', whole, BUCKET, declared);
    const upload = await begin(here);
    const { etag } = await copy(here, upload, 1, `${BUCKET}/a`, { range });
    await complete(here, upload, [etag]);
    const expected = range === undefined ? whole : whole.subarray(range.first, range.last + 1);
    expect((await served(here)).equals(expected)).toBe(true);
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('the object itself, grown by itself: the append of stores that have none', async () => {
    const here = await stand();
    const whole = pattern(PART + 10);
    await put(here, 'target', whole);
    const upload = await begin(here);
    const parts = [await copy(here, upload, 1, `${BUCKET}/target`), await copy(here, upload, 2, `${BUCKET}/target`)];
    await complete(
      here,
      upload,
      parts.map(({ etag }) => etag),
    );
    expect((await served(here)).equals(Buffer.concat([whole, whole]))).toBe(true);
  });

  it('has the checksum that its upload asks for', async () => {
    const here = await stand();
    await put(here, 'a', Buffer.from('hello'));
    const upload = await begin(here, BUCKET, { algorithm: 'CRC32', composite: false });
    const { etag, checksum } = await copy(here, upload, 1, `${BUCKET}/a`);
    expect(checksum?.value.toString('base64')).toBe('NhCmhg==');
    await complete(here, upload, [etag]);
    const head = await headObject(headOf('target', { wantsChecksum: true }), here.at(BUCKET));
    expect(head.facts.checksum?.value.toString('base64')).toBe('NhCmhg==');
  });
});

describe('between protections', () => {
  it.each([
    [PLAIN, BUCKET],
    [BUCKET, PLAIN],
    [MIXED, BUCKET],
  ])('from %s to %s', async (from, to) => {
    const here = await stand();
    const whole = pattern(PART + 70_000);
    if (from === MIXED) await here.stored.overwrite(MIXED, 'a', whole);
    else await put(here, 'a', whole, from);
    const upload = await begin(here, to);
    const parts = [
      await copy(here, upload, 1, `${from}/a`),
      await copy(here, upload, 2, `${from}/a`, { range: { first: 5, last: 9 } }),
    ];
    await complete(
      here,
      upload,
      parts.map(({ etag }) => etag),
    );
    expect((await served(here, to)).equals(Buffer.concat([whole, whole.subarray(5, 10)]))).toBe(true);
  });

  it('without protection throughout the backend copies', async () => {
    const here = await stand();
    const whole = pattern(PART);
    await put(here, 'a', whole, PLAIN);
    await put(here, 'empty', Buffer.alloc(0), PLAIN);
    const upload = await begin(here, PLAIN);
    const parts = [await copy(here, upload, 1, `${PLAIN}/a`)];
    expect(here.asked().map((line) => line.replace(/uploadId=.*/, 'uploadId'))).toEqual([
      `HEAD /${PLAIN}/a`,
      `PUT /${PLAIN}/target?partNumber=1&uploadId`,
    ]);
    parts.push(await copy(here, upload, 2, `${PLAIN}/a`, { range: { first: 7, last: 9 } }));
    expect(here.asked().some((line) => line.startsWith('GET'))).toBe(false);
    await copy(here, upload, 3, `${PLAIN}/empty`);
    await complete(
      here,
      upload,
      parts.map(({ etag }) => etag),
    );
    const { bytes } = await here.stored.read(PLAIN, 'target');
    expect(bytes.equals(Buffer.concat([whole, whole.subarray(7, 10)]))).toBe(true);
  });
});

describe('refusals', () => {
  it('ranges past the end, conditions, foreign buckets, uploads that are not, and the last number', async () => {
    const here = await stand();
    const { etag } = await put(here, 'a', pattern(1000));
    await put(here, 'empty', Buffer.alloc(0));
    const upload = await begin(here);
    const range = (first: number, last: number) => ({ range: { first, last } });
    const source = (conditions: UploadPartCopy['source']['conditions']) => ({
      source: { ref: { bucket: BUCKET, key: 'a' }, conditions },
    });
    for (const [from, over, expected] of [
      [`${BUCKET}/a`, range(0, 999), 'none'],
      [`${BUCKET}/a`, range(0, 1000), 'InvalidRange'],
      [`${BUCKET}/a`, range(1000, 1000), 'InvalidRange'],
      [`${BUCKET}/empty`, range(0, 0), 'InvalidRange'],
      [`${BUCKET}/a`, source({ ifMatch: `"${etag}"` }), 'none'],
      [`${BUCKET}/a`, source({ ifMatch: '"x"' }), 'PreconditionFailed'],
      [`${BUCKET}/a`, source({ ifNoneMatch: `"${etag}"` }), 'PreconditionFailed'],
      [`${BUCKET}/absent`, {}, 'NoSuchKey'],
      ['foreign/a', {}, 'AccessDenied'],
      [`${BUCKET}/a`, { uploadId: 'none' }, 'NoSuchUpload'],
      [`${BUCKET}/a`, { ref: { bucket: BUCKET, key: 'other' } }, 'NoSuchUpload'],
      [`${BUCKET}/a`, { partNumber: 10_000 }, 'InvalidArgument'],
    ] as const) {
      expect([from, over, await refusalOf(copy(here, upload, 1, from, over))]).toEqual([from, over, expected]);
    }
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('a source that fails midway, was moved, or lost its envelope makes no part', async () => {
    const here = await stand();
    await put(here, 'a', pattern(1_000_000));
    const { bytes, record } = await here.stored.read(BUCKET, 'a');
    await here.stored.overwrite(BUCKET, 'moved', bytes, record);
    await here.stored.overwrite(BUCKET, 'unmarked', bytes, { ...record, metadata: [] });
    await here.stored.flip(BUCKET, 'a', 900_000);
    const upload = await begin(here);
    expect(await refusalOf(copy(here, upload, 1, `${BUCKET}/a`))).toBe('ObjectCorrupted');
    expect(await refusalOf(copy(here, upload, 1, `${BUCKET}/moved`))).toBe('ObjectMoved');
    expect(await refusalOf(copy(here, upload, 1, `${BUCKET}/unmarked`))).toBe('ObjectNotSealed');
    // What of it is whole may be copied.
    const { etag } = await copy(here, upload, 1, `${BUCKET}/a`, { range: { first: 0, last: 99 } });
    await complete(here, upload, [etag]);
    expect((await served(here)).equals(pattern(1_000_000).subarray(0, 100))).toBe(true);
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('a source that is swapped meanwhile: the part is of the one or of the other', async () => {
    const here = await stand();
    await put(here, 'a', pattern(400_000, 1));
    const upload = await begin(here);
    const hold = here.faults.hold({ method: 'GET', where: ({ target }) => target.raw === `/${BUCKET}/a` });
    const copying = copy(here, upload, 1, `${BUCKET}/a`);
    await hold.reached;
    await put(here, 'a', pattern(500_000, 2));
    hold.release();
    await complete(here, upload, [(await copying).etag]);
    expect((await served(here)).equals(pattern(500_000, 2))).toBe(true);
  });
});
