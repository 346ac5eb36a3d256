import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealedPartBytes } from '../../../src/envelope/sizes.ts';
import { flipped, plantObject, type StoredBytes, storedObject, withBody } from '../../support/attacker.ts';
import { payload } from '../../support/payload.ts';
import { standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, expectAbsent, expectServed, onceClient, read, refusal } from '../../support/sight.ts';

/**
 * The attacker of FORMAT.md §1 and multipart objects: parts that are right in themselves, of another upload, another
 * place or another attempt; footers of other objects; parts on their way in the staging bucket; sources of copies.
 * Wrong bytes are nowhere, and what is refused leaves nothing.
 */

const MIB = 1024 * 1024;
const BUCKET = 'acme-parts-tamper';
const STAGING = 'sealgate-staging';
/** Two parts of one size, so that they could stand for each other, and a small one, which is staged. */
const SIZES = [5 * MIB, 5 * MIB, 100_000] as const;
const SEALED = SIZES.map(sealedPartBytes) as [number, number, number];
const STARTS = [0, SEALED[0], SEALED[0] + SEALED[1]] as const;
const FOOTER = SEALED[0] + SEALED[1] + SEALED[2];

const CORRUPTED = [422, 'ObjectCorrupted'] as const;
const MOVED = [409, 'ObjectMoved'] as const;

let stand: Awaited<ReturnType<typeof standOnMinio>>;
let client: S3Client;
let store: S3Client;

beforeAll(async () => {
  stand = await standOnMinio({ more: { uploads: { stagingBucket: STAGING } } });
  client = onceClient(stand.gateway);
  store = backendClient(stand.minio);
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
});

afterAll(async () => {
  for (const each of [client, store]) each?.destroy();
  await stand?.stop();
});

const stored = (Key: string) => storedObject(store, BUCKET, Key);
const plant = (Key: string, object: StoredBytes) => plantObject(store, BUCKET, Key, object);

interface Upload {
  readonly send: (PartNumber: number, Body: Buffer) => Promise<CompletedPart>;
  readonly complete: (...Parts: CompletedPart[]) => Promise<unknown>;
  readonly listed: () => Promise<(number | undefined)[]>;
  readonly copy: (PartNumber: number, source: string, CopySourceRange?: string) => Promise<unknown>;
}

async function begin(Key: string): Promise<Upload> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  const at = { Bucket: BUCKET, Key, UploadId };
  return {
    async send(PartNumber, Body) {
      const { ETag } = await client.send(new UploadPartCommand({ ...at, PartNumber, Body }));
      return { PartNumber, ETag };
    },
    complete: (...Parts) => client.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } })),
    async listed() {
      const { Parts = [] } = await client.send(new ListPartsCommand(at));
      return Parts.map(({ PartNumber }) => PartNumber);
    },
    copy: (PartNumber, source, CopySourceRange) =>
      client.send(new UploadPartCopyCommand({ ...at, PartNumber, CopySource: `${BUCKET}/${source}`, CopySourceRange })),
  };
}

async function make(key: string, seed: number): Promise<{ readonly honest: Buffer; readonly object: StoredBytes }> {
  const upload = await begin(key);
  const bodies = SIZES.map((bytes, at) => payload(bytes, seed + at));
  const parts: CompletedPart[] = [];
  for (const [at, body] of bodies.entries()) parts.push(await upload.send(at + 1, body));
  await upload.complete(...parts);
  return { honest: Buffer.concat(bodies), object: await stored(key) };
}

type Verdict = 'right' | 'WRONG BYTES' | 'broken off' | readonly [number | undefined, string];

/** What each part gives by a range within it, and the whole. */
async function verdicts(Key: string, honest: Buffer): Promise<Verdict[]> {
  const told: Verdict[] = [];
  let first = 0;
  for (const bytes of SIZES) {
    const range = `bytes=${first}-${first + bytes - 1}`;
    told.push(
      await verdict(read(client, { Bucket: BUCKET, Key, Range: range }), honest.subarray(first, first + bytes)),
    );
    first += bytes;
  }
  return [...told, await verdict(read(client, { Bucket: BUCKET, Key }), honest)];
}

async function verdict(promise: Promise<Buffer>, right: Buffer): Promise<Verdict> {
  const outcome = await promise.catch((error: unknown) => refusal(Promise.reject(error)));
  if (Buffer.isBuffer(outcome)) return outcome.equals(right) ? 'right' : 'WRONG BYTES';
  return outcome[0] === undefined ? 'broken off' : outcome;
}

const RIGHT: Verdict[] = ['right', 'right', 'right', 'right'];
const REFUSED: Verdict[] = [CORRUPTED, CORRUPTED, CORRUPTED, CORRUPTED];

/** The stored bytes with part `to` (from 0) replaced by others. */
function withPart(object: StoredBytes, to: 0 | 1 | 2, part: Buffer): StoredBytes {
  const body = Buffer.from(object.body);
  expect(part.length).toBe(SEALED[to]);
  part.copy(body, STARTS[to]);
  return withBody(object, body);
}

const partOf = ({ body }: StoredBytes, at: 0 | 1 | 2) => body.subarray(STARTS[at], STARTS[at] + SEALED[at]);

describe('an object of two large parts and a staged one', () => {
  let one: Awaited<ReturnType<typeof make>>;
  let two: Awaited<ReturnType<typeof make>>;
  let older: Awaited<ReturnType<typeof make>>;
  beforeAll(async () => {
    older = await make('one', 300);
    [one, two] = [await make('one', 100), await make('two', 200)];
  }, 60_000);

  it('is served as it is when nobody touched it', async () => {
    await plant('one', one.object);
    expect(await verdicts('one', one.honest)).toEqual(RIGHT);
  });

  it.each([0, 1, 2] as const)('part %d of another upload, right in number and size', async (at) => {
    for (const other of [two.object, older.object]) {
      await plant('one', withPart(one.object, at, partOf(other, at)));
      const expected = [...RIGHT];
      expected[at] = CORRUPTED;
      expected[3] = at === 0 ? CORRUPTED : 'broken off';
      expect(await verdicts('one', one.honest)).toEqual(expected);
    }
  });

  it('its own parts in another order', async () => {
    await plant('one', withPart(withPart(one.object, 0, partOf(one.object, 1)), 1, partOf(one.object, 0)));
    expect(await verdicts('one', one.honest)).toEqual([CORRUPTED, CORRUPTED, 'right', CORRUPTED]);
    await plant('one', withPart(one.object, 1, partOf(one.object, 0)));
    expect(await verdicts('one', one.honest)).toEqual(['right', CORRUPTED, 'right', 'broken off']);
  });

  it('with a part’s header of another part before its own segments, or changed', async () => {
    const body = Buffer.from(one.object.body);
    one.object.body.copy(body, STARTS[1], STARTS[0], STARTS[0] + 64);
    await plant('one', withBody(one.object, body));
    expect((await verdicts('one', one.honest))[3]).toBe('broken off');
    await plant('one', flipped(one.object, 50));
    expect((await verdicts('one', one.honest))[3]).toEqual(CORRUPTED);
  });

  it('the footer of another object, and of an older one at the same place', async () => {
    for (const other of [two.object, older.object]) {
      const spliced = Buffer.concat([one.object.body.subarray(0, FOOTER), other.body.subarray(FOOTER)]);
      expect(spliced.length).toBe(one.object.body.length);
      await plant('one', withBody(one.object, spliced));
      expect(await verdicts('one', one.honest)).toEqual(REFUSED);
    }
  });

  it('an older body under the newer envelope, and the other way round', async () => {
    await plant('one', withBody(one.object, older.object.body));
    expect(await verdicts('one', one.honest)).toEqual(REFUSED);
    await plant('one', withBody(older.object, one.object.body));
    expect(await verdicts('one', older.honest)).toEqual(REFUSED);
  });

  it('an older version put back whole is served, whole: freshness is not promised (FORMAT.md §1)', async () => {
    await plant('one', one.object);
    expect(await verdicts('one', one.honest)).toEqual(RIGHT);
    await plant('one', older.object);
    expect(await verdicts('one', older.honest)).toEqual(RIGHT);
  });

  it('another key’s object, and its envelope alone', async () => {
    await plant('one', two.object);
    expect(await verdicts('one', one.honest)).toEqual([MOVED, MOVED, MOVED, MOVED]);
    await plant('one', { ...one.object, metadata: two.object.metadata });
    expect(await verdicts('one', one.honest)).toEqual([MOVED, MOVED, MOVED, MOVED]);
    await plant('one', withBody(one.object, two.object.body));
    expect(await verdicts('one', one.honest)).toEqual(REFUSED);
  });

  const footer = (body: Buffer) => body.subarray(FOOTER);
  it.each([
    ['cut to its first part', (body: Buffer) => body.subarray(0, STARTS[1])],
    ['without its footer', (body: Buffer) => body.subarray(0, FOOTER)],
    ['without its last part', (body: Buffer) => Buffer.concat([body.subarray(0, STARTS[2]), footer(body)])],
    ['without its first part', (body: Buffer) => body.subarray(STARTS[1])],
    ['with a part twice', (body: Buffer) => Buffer.concat([body.subarray(0, STARTS[1]), body])],
    ['cut by a byte', (body: Buffer) => body.subarray(0, -1)],
    ['cut to a size of some other sealed object', (body: Buffer) => body.subarray(0, -1_000)],
    ['extended', (body: Buffer) => Buffer.concat([body, Buffer.alloc(100)])],
    ['extended, its footer at the end again', (body: Buffer) => Buffer.concat([body, Buffer.alloc(16), footer(body)])],
  ])('%s', async (_name, tamper) => {
    await plant('one', withBody(one.object, tamper(one.object.body)));
    expect(await verdicts('one', one.honest)).toEqual(REFUSED);
    // 416 would tell whoever resumes a download that it is complete.
    const beyond = { Bucket: BUCKET, Key: 'one', Range: `bytes=${one.honest.length}-` };
    expect(await refusal(read(client, beyond))).toEqual(CORRUPTED);
    const farBeyond = { ...beyond, Range: 'bytes=1000000000-' };
    expect(await refusal(read(client, farBeyond))).toEqual(CORRUPTED);
    expect((await refusal(client.send(new HeadObjectCommand(farBeyond))))[0]).toBe(422);
    const upload = await begin('copy');
    expect(await refusal(upload.copy(1, 'one', `bytes=0-${one.honest.length}`))).toEqual(CORRUPTED);
  });

  it('is no source of copies when it was tampered with: of itself, or as a part', async () => {
    await plant('one', flipped(one.object, -1));
    const copying = () =>
      client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource: `${BUCKET}/one` }));
    expect(await refusal(copying())).toEqual(CORRUPTED);
    await plant('one', withPart(one.object, 1, partOf(two.object, 1)));
    const upload = await begin('copy');
    expect(await refusal(upload.copy(1, 'one'))).not.toEqual([undefined, 'nothing failed']);
    expect(await refusal(upload.copy(1, 'one', `bytes=${SIZES[0]}-${SIZES[0] + 10}`))).toEqual(CORRUPTED);
    expect(await upload.listed()).toEqual([]);
    await plant('one', two.object);
    expect(await refusal(copying())).toEqual(MOVED);
    expect(await refusal(upload.copy(1, 'one'))).toEqual(MOVED);
    await expectAbsent(client, BUCKET, 'copy');
  });

  it('copied by the backend has the source’s bytes and no other place: neither stands for the other', async () => {
    await plant('one', one.object);
    await client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copied', CopySource: `${BUCKET}/one` }));
    const copied = await stored('copied');
    expect(await verdicts('copied', one.honest)).toEqual(RIGHT);
    await plant('copied', one.object);
    expect(await verdicts('copied', one.honest)).toEqual([MOVED, MOVED, MOVED, MOVED]);
    await plant('copied', withBody(copied, older.object.body));
    expect(await verdicts('copied', one.honest)).toEqual(REFUSED);
    await plant('copied', withPart(copied, 2, partOf(older.object, 2)));
    expect(await verdicts('copied', one.honest)).toEqual(['right', 'right', CORRUPTED, 'broken off']);
    await plant('copied', copied);
    expect(await verdicts('copied', one.honest)).toEqual(RIGHT);
  });
});

describe('attempts at a part', () => {
  const [first, second] = [payload(80_000, 51), payload(80_000, 52)];

  async function staged(): Promise<Map<string, StoredBytes>> {
    const { Contents = [] } = await store.send(new ListObjectsV2Command({ Bucket: STAGING }));
    const found = new Map<string, StoredBytes>();
    for (const { Key = '' } of Contents) found.set(Key, await storedObject(store, STAGING, Key));
    return found;
  }

  /** A part that was sent twice: what the attacker kept of the first attempt, and where the second lies. */
  async function sentTwice(key: string) {
    const upload = await begin(key);
    const before = await staged();
    await upload.send(1, first);
    const between = await staged();
    const part = await upload.send(1, second);
    const after = await staged();
    const [kept] = [...between].filter(([name]) => !before.has(name)).map(([, object]) => object);
    const [place] = [...after.keys()].filter((name) => !between.has(name));
    return { upload, part, kept: kept as StoredBytes, place: place as string };
  }

  it('the first one in the place of the second is refused by whoever reads: same upload, number, size and key', async () => {
    const { upload, part, kept } = await sentTwice('attempts');
    await upload.complete(part);
    await expectServed(client, BUCKET, 'attempts', second);
    const object = await stored('attempts');
    expect(kept.body.length).toBe(sealedPartBytes(second.length));
    const replayed = Buffer.concat([kept.body, object.body.subarray(kept.body.length)]);
    await plant('attempts', withBody(object, replayed));
    for (const Range of [undefined, 'bytes=0-9', 'bytes=70000-']) {
      expect(await refusal(read(client, { Bucket: BUCKET, Key: 'attempts', Range }))).toEqual(CORRUPTED);
    }
  });

  it('the first one in the second’s place while the upload goes on: Complete asks for the part again', async () => {
    const { upload, part, kept, place } = await sentTwice('replayed');
    await plantObject(store, STAGING, place, kept);
    expect(await refusal(upload.complete(part))).toEqual([400, 'InvalidPart']);
    await expectAbsent(client, BUCKET, 'replayed');
    await upload.complete(await upload.send(1, second));
    await expectServed(client, BUCKET, 'replayed', second);
  });

  it('a part of another upload in its place, or plaintext: Complete asks for the part again', async () => {
    const { upload, part, place } = await sentTwice('foreign');
    const other = await sentTwice('other');
    for (const planted of [other.kept, withBody(other.kept, payload(sealedPartBytes(80_000), 5))]) {
      await plantObject(store, STAGING, place, planted);
      expect(await refusal(upload.complete(part))).toEqual([400, 'InvalidPart']);
    }
    await expectAbsent(client, BUCKET, 'foreign');
  });
});
