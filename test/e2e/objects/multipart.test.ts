import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDigest } from '../../../src/checksums/digest.ts';
import type { ChecksumAlgorithm } from '../../../src/operations/object.ts';
import { payload, sha256 } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { clientSettings, type Stand } from '../../support/servers/stand.ts';
import { backendClient, expectAbsent, expectServed, onceClient, read, refusal } from '../../support/sight.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-multipart';
/** The smallest that may stand before others. */
const PART = 5 * MIB;

describe.each(ALL_STANDS)('multipart uploads over %s', (_name, stands) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await stands();
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  async function begin(Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}) {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...more }));
    return { Bucket: BUCKET, Key, UploadId: UploadId as string };
  }
  type Begun = Awaited<ReturnType<typeof begin>>;

  async function send(upload: Begun, PartNumber: number, Body: Buffer): Promise<CompletedPart> {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag };
  }

  const complete = (upload: Begun, Parts: CompletedPart[], more = {}) =>
    client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));

  it('parts out of order, of unequal sizes and with gaps become one object', async () => {
    const upload = await begin('gaps', { Metadata: { colour: 'blue' }, ContentType: 'text/csv' });
    const bodies = new Map([
      [7, payload(PART + 17, 1)],
      [9_000, payload(PART, 2)],
      [9_999, payload(PART - 1, 3)],
      [2, payload(PART + 65_536, 4)],
    ]);
    const parts = await Promise.all([...bodies].map(([number, body]) => send(upload, number, body)));
    parts.sort((one, other) => (one.PartNumber as number) - (other.PartNumber as number));
    const { ETag, Location } = await complete(upload, parts);
    const whole = Buffer.concat([2, 7, 9_000, 9_999].map((number) => bodies.get(number) as Buffer));
    await expectServed(client, BUCKET, 'gaps', whole);
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'gaps' }));
    expect([head.ETag, head.ContentType, head.Metadata]).toEqual([ETag, 'text/csv', { colour: 'blue' }]);
    expect(Location).toBe(`${stand.gateway.endpoint}/${BUCKET}/gaps`);
    const range = await read(client, { Bucket: BUCKET, Key: 'gaps', Range: `bytes=${PART + 65_530}-${PART + 65_560}` });
    expect(range).toEqual(whole.subarray(PART + 65_530, PART + 65_561));
  });

  it.each([
    ['nothing', 0],
    ['a byte', 1],
    ['a small part', 100_000],
    ['a part as large as the backend wants', PART],
  ])('the whole object in one part: %s', async (_what, bytes) => {
    const upload = await begin(`one/${bytes}`);
    await complete(upload, [await send(upload, 1, payload(bytes, 5))]);
    await expectServed(client, BUCKET, `one/${bytes}`, payload(bytes, 5));
  });

  it.each([0, 1, 65_537, PART - 1])('a last part of %d bytes', async (bytes) => {
    const upload = await begin(`last/${bytes}`);
    const parts = [await send(upload, 1, payload(PART, 6)), await send(upload, 2, payload(bytes, 7))];
    await complete(upload, parts);
    await expectServed(client, BUCKET, `last/${bytes}`, Buffer.concat([payload(PART, 6), payload(bytes, 7)]));
  });

  it('of a part that was sent again, the last attempt counts, and no other', async () => {
    const upload = await begin('again');
    const [first, last] = [payload(PART, 8), payload(1000, 9)];
    const before = [await send(upload, 1, payload(PART + 1, 10)), await send(upload, 2, payload(2000, 11))] as const;
    const parts = [await send(upload, 1, first), await send(upload, 2, last)] as const;
    for (const mixed of [before, [before[0], parts[1]], [parts[0], before[1]]] as const) {
      expect(await refusal(complete(upload, [...mixed]))).toEqual([400, 'InvalidPart']);
    }
    await complete(upload, [...parts]);
    await expectServed(client, BUCKET, 'again', Buffer.concat([first, last]));
  });

  it('lists parts with plaintext sizes, in pages', async () => {
    const upload = await begin('listed');
    await send(upload, 3, payload(10, 13));
    await send(upload, 1, payload(PART + 5, 14));
    await send(upload, 20, payload(11, 15));
    await send(upload, 3, payload(12, 16));
    const { Parts = [], IsTruncated } = await client.send(new ListPartsCommand(upload));
    expect(Parts.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, PART + 5],
      [3, 12],
      [20, 11],
    ]);
    expect(IsTruncated).toBe(false);
    const first = await client.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
    expect([first.Parts?.length, first.IsTruncated, first.NextPartNumberMarker]).toEqual([2, true, '3']);
    const second = await client.send(new ListPartsCommand({ ...upload, MaxParts: 2, PartNumberMarker: '3' }));
    expect([second.Parts?.map(({ PartNumber }) => PartNumber), second.IsTruncated]).toEqual([[20], false]);
    await complete(
      upload,
      Parts.slice(0, 2).map(({ PartNumber, ETag }) => ({ PartNumber, ETag })),
    );
    await expectServed(client, BUCKET, 'listed', Buffer.concat([payload(PART + 5, 14), payload(12, 16)]));
  });

  it('lists uploads, and aborts one: nothing of it is left', async () => {
    const [one, two] = [await begin('uploads/a'), await begin('uploads/b')];
    await send(one, 1, payload(PART, 17));
    await send(one, 2, payload(100, 18));
    const listed = async (Prefix: string) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix }));
      return Uploads.map(({ Key, UploadId }) => [Key, UploadId]);
    };
    expect(await listed('uploads/a')).toEqual([['uploads/a', one.UploadId]]);
    await client.send(new AbortMultipartUploadCommand(one));
    expect(await listed('uploads/a')).toEqual([]);
    for (const call of [
      new AbortMultipartUploadCommand(one),
      new ListPartsCommand(one),
      new UploadPartCommand({ ...one, PartNumber: 1, Body: 'late' }),
    ]) {
      expect(await refusal(client.send(call as AbortMultipartUploadCommand))).toEqual([404, 'NoSuchUpload']);
    }
    expect(await refusal(complete(one, [{ PartNumber: 1, ETag: '"x"' }]))).toEqual([404, 'NoSuchUpload']);
    await client.send(new AbortMultipartUploadCommand(two));
    await expectAbsent(client, BUCKET, 'uploads/a');
  });

  it('refuses what S3 refuses, and the upload goes on', async () => {
    const upload = await begin('refused');
    const one = await send(upload, 1, payload(1000, 19));
    const two = await send(upload, 2, payload(PART, 20));
    expect(await refusal(complete(upload, [two, one]))).toEqual([400, 'InvalidPartOrder']);
    expect(await refusal(complete(upload, [one, one]))).toEqual([400, 'InvalidPartOrder']);
    expect(await refusal(complete(upload, [one, two]))).toEqual([400, 'EntityTooSmall']);
    expect(await refusal(complete(upload, [{ ...one, ETag: two.ETag }]))).toEqual([400, 'InvalidPart']);
    expect(await refusal(complete(upload, [two, { PartNumber: 3, ETag: two.ETag }]))).toEqual([400, 'InvalidPart']);
    expect(await refusal(complete(upload, []))).toEqual([400, 'MalformedXML']);
    expect(await refusal(send(upload, 10_000, payload(10, 21)))).toEqual([400, 'InvalidArgument']);
    expect(await refusal(send(upload, 10_001, payload(10, 21)))).toEqual([400, 'InvalidArgument']);
    const foreign = { ...upload, Key: 'another' };
    expect(await refusal(complete(foreign, [one]))).toEqual([404, 'NoSuchUpload']);
    expect(await refusal(send(foreign, 1, payload(10, 21)))).toEqual([404, 'NoSuchUpload']);
    expect(await refusal(client.send(new AbortMultipartUploadCommand(foreign)))).toEqual([404, 'NoSuchUpload']);
    await complete(upload, [two]);
    await expectServed(client, BUCKET, 'refused', payload(PART, 20));
  });

  it('completes once: asked again it answers the same, with other parts it does not', async () => {
    const upload = await begin('twice');
    const parts = [await send(upload, 1, payload(PART, 22)), await send(upload, 2, payload(7, 23))];
    const { ETag } = await complete(upload, parts);
    expect((await complete(upload, parts)).ETag).toBe(ETag);
    expect(await refusal(complete(upload, parts.slice(0, 1)))).toEqual([404, 'NoSuchUpload']);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'twice', Body: 'another object' }));
    expect(await refusal(complete(upload, parts))).toEqual([404, 'NoSuchUpload']);
    await expectServed(client, BUCKET, 'twice', Buffer.from('another object'));
  });

  it('completes at once from many sides: one object, one ETag', async () => {
    for (let round = 0; round < 5; round++) {
      const upload = await begin(`race/${round}`);
      const parts = [await send(upload, 1, payload(PART, 24)), await send(upload, 2, payload(70_000, 25))];
      const answers = await Promise.all(Array.from({ length: 6 }, () => complete(upload, parts)));
      expect(new Set(answers.map(({ ETag }) => ETag)).size).toBe(1);
      await expectServed(client, BUCKET, `race/${round}`, Buffer.concat([payload(PART, 24), payload(70_000, 25)]));
    }
  });

  it('keeps conditions: If-None-Match and If-Match', async () => {
    const { ETag: there } = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'taken', Body: 'first' }));
    const upload = await begin('taken');
    const parts = [await send(upload, 1, payload(100, 26))];
    const conditionalUploads = stand.store?.capabilities.conditionalCompletes ?? true;
    const refused = conditionalUploads ? [412, 'PreconditionFailed'] : [501, 'NotImplemented'];
    expect(await refusal(complete(upload, parts, { IfNoneMatch: '*' }))).toEqual(refused);
    expect(await refusal(complete(upload, parts, { IfMatch: '"00000000000000000000000000000000-0"' }))).toEqual(
      refused,
    );
    await expectServed(client, BUCKET, 'taken', Buffer.from('first'));
    await complete(upload, parts, conditionalUploads ? { IfMatch: there } : {});
    await expectServed(client, BUCKET, 'taken', payload(100, 26));
  });

  describe('checksums', () => {
    const bodies = [payload(PART + 1, 28), payload(PART, 29), payload(12_345, 30)];
    const KINDS = [
      ['CRC32', 'COMPOSITE'],
      ['CRC32', 'FULL_OBJECT'],
      ['CRC32C', 'COMPOSITE'],
      ['CRC32C', 'FULL_OBJECT'],
      ['CRC64NVME', 'FULL_OBJECT'],
      ['SHA1', 'COMPOSITE'],
      ['SHA256', 'COMPOSITE'],
      ['SHA512', 'COMPOSITE'],
      ['MD5', 'COMPOSITE'],
      ['XXHASH64', 'COMPOSITE'],
      ['XXHASH3', 'COMPOSITE'],
      ['XXHASH128', 'COMPOSITE'],
    ] as const;

    async function digestOf(algorithm: ChecksumAlgorithm, pieces: readonly Buffer[]): Promise<Buffer> {
      const digest = await startDigest(algorithm);
      for (const piece of pieces) digest.update(piece);
      return digest.digest();
    }

    it.each(KINDS)('%s %s: of each part and of the whole, verified and given back', async (algorithm, kind) => {
      const name = `Checksum${algorithm}` as const;
      const Key = `sums/${algorithm}/${kind}`;
      const upload = await begin(Key, { ChecksumAlgorithm: algorithm, ChecksumType: kind });
      const parts: CompletedPart[] = [];
      for (const [at, Body] of bodies.entries()) {
        const sum = (await digestOf(algorithm, [Body])).toString('base64');
        const part = new UploadPartCommand({ ...upload, PartNumber: at + 1, Body, [name]: sum });
        const { ETag, ...answer } = await client.send(part);
        expect(answer[name]).toBe(sum);
        parts.push({ PartNumber: at + 1, ETag, [name]: sum });
      }
      const whole =
        kind === 'COMPOSITE'
          ? `${(await digestOf(algorithm, await Promise.all(bodies.map((body) => digestOf(algorithm, [body]))))).toString('base64')}-3`
          : (await digestOf(algorithm, bodies)).toString('base64');
      const MpuObjectSize = bodies.reduce((bytes, body) => bytes + body.length, 0);
      const swapped = [parts[0], { ...parts[1], [name]: parts[0]?.[name] }, parts[2]] as CompletedPart[];
      expect(await refusal(complete(upload, swapped))).toEqual([400, 'InvalidPart']);
      expect(await refusal(complete(upload, parts, { [name]: 'bad' }))).toEqual([400, 'BadDigest']);
      expect(await refusal(complete(upload, parts, { MpuObjectSize: MpuObjectSize + 1 }))).toEqual([
        400,
        'InvalidRequest',
      ]);
      const done = await complete(upload, parts, { [name]: whole, ChecksumType: kind, MpuObjectSize });
      expect([done[name], done.ChecksumType]).toEqual([whole, kind]);
      const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }));
      expect([head[name], head.ChecksumType]).toEqual([whole, kind]);
      expect((await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key })))[name]).toBeUndefined();
      await expectServed(client, BUCKET, Key, Buffer.concat(bodies));
    });

    it('a part with another one than was begun with, or a wrong one, is refused', async () => {
      const upload = await begin('sums/wrong', { ChecksumAlgorithm: 'CRC32' });
      const Body = payload(100, 31);
      const sha = (await digestOf('SHA256', [Body])).toString('base64');
      const crc = (await digestOf('CRC32', [payload(100, 32)])).toString('base64');
      const sent = (more: object) =>
        refusal(client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body, ...more })));
      expect(await sent({ ChecksumSHA256: sha })).toEqual([400, 'InvalidRequest']);
      expect(await sent({ ChecksumCRC32: crc })).toEqual([400, 'BadDigest']);
      expect(await sent({ ContentMD5: 'XUFAKrxLKna5cZ2REBfFkg==' })).toEqual([400, 'BadDigest']);
      expect((await client.send(new ListPartsCommand(upload))).Parts ?? []).toEqual([]);
    });
  });

  it('shows nothing of the bucket of staged parts, and lets nobody in', async () => {
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual([BUCKET]);
    expect(await refusal(client.send(new ListObjectsV2Command({ Bucket: 'sealgate-staging' })))).toEqual([
      403,
      'AccessDenied',
    ]);
  });

  it('lib-storage uploads with its defaults, from a stream of unknown length', async () => {
    const withDefaults = new S3Client(clientSettings(stand.gateway));
    const sent = payload(17 * MIB + 3, 27);
    async function* stream() {
      for (let at = 0; at < sent.length; at += 999_999) yield sent.subarray(at, at + 999_999);
    }
    const { Readable } = await import('node:stream');
    await new Upload({
      client: withDefaults,
      params: { Bucket: BUCKET, Key: 'lib', Body: Readable.from(stream()) },
    }).done();
    const answer = await withDefaults.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'lib' }));
    expect(sha256((await answer.Body?.transformToByteArray()) as Uint8Array)).toBe(sha256(sent));
    withDefaults.destroy();
  });

  it('makes a version in a versioned bucket, once', async () => {
    if (stand.store === undefined) return; // the embedded store keeps no versions
    const Bucket = 'acme-versioned';
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const where = { Bucket, Key: 'versioned' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(where));
    const { ETag } = await client.send(new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: 'first' }));
    const list = { ...where, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    const { VersionId } = await client.send(new CompleteMultipartUploadCommand(list));
    expect(VersionId).toMatch(/./);
    await client.send(new PutObjectCommand({ ...where, Body: 'second' }));
    // Its own version is still there, though another is the latest.
    expect((await client.send(new CompleteMultipartUploadCommand(list))).VersionId).toBe(VersionId);
    expect(await read(client, { ...where, VersionId })).toEqual(Buffer.from('first'));
    expect(await read(client, where)).toEqual(Buffer.from('second'));
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions.map(({ Size }) => Size)).toEqual([6, 5]);
  });

  it('leaves ciphertext in the backend, and nothing in the staging bucket', async () => {
    const { store } = stand;
    if (store === undefined) return;
    const backend = backendClient(store);
    const stored = await read(backend, { Bucket: BUCKET, Key: 'again' });
    for (const part of [payload(PART, 8), payload(1000, 9)]) {
      expect(stored.includes(part.subarray(0, 32))).toBe(false);
    }
    expect(createHash('sha256').update(stored).digest('hex')).not.toBe(sha256(payload(PART, 8)));
    const { Contents = [] } = await backend.send(new ListObjectsV2Command({ Bucket: 'sealgate-staging' }));
    expect(Contents.length).toBe(0);
    backend.destroy();
  });
});
