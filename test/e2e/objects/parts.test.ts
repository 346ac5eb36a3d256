import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { ALL_STANDS, STORE_STANDS } from '../../support/servers/every-store.ts';
import type { Stand, StoreStand } from '../../support/servers/stand.ts';
import { backendClient, onceClient, refusal } from '../../support/sight.ts';

/** Downloads part by part, as the transfer managers of Java and Go do, and what is told of the parts. */

const MIB = 1024 * 1024;
const BUCKET = 'acme-parts';
const FIRST = payload(5 * MIB + 3, 1);
const SECOND = payload(5 * MIB, 2);
const LAST = payload(70_001, 3);
const PARTS = [FIRST, SECOND, LAST];
const BYTES = FIRST.length + SECOND.length + LAST.length;
const NO_SUCH_PART = [416, 'InvalidPartNumber'];

/** Parts under numbers with gaps between them. */
async function upload(client: S3Client, Bucket: string, Key: string, parts = PARTS) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts = [];
  for (const [at, Body] of parts.entries()) {
    const PartNumber = 1 + at * 3;
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  return client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
}

async function told(client: S3Client, input: GetObjectCommandInput) {
  const answer = await client.send(new GetObjectCommand(input));
  const { $metadata, PartsCount, ContentRange, ContentLength } = answer;
  const facts = [$metadata.httpStatusCode, PartsCount, ContentRange, ContentLength];
  const head = await client.send(new HeadObjectCommand(input));
  expect([head.$metadata.httpStatusCode, head.PartsCount, head.ContentRange, head.ContentLength]).toEqual(facts);
  return { facts, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
}

/** Reads 1 up to the number of parts that the first one tells. */
async function byParts(client: S3Client, input: GetObjectCommandInput): Promise<Buffer[]> {
  const { PartsCount } = await client.send(new HeadObjectCommand({ ...input, PartNumber: 1 }));
  const pieces = [];
  for (let PartNumber = 1; PartNumber <= (PartsCount ?? 1); PartNumber++) {
    pieces.push((await told(client, { ...input, PartNumber })).bytes);
  }
  return pieces;
}

describe.each(ALL_STANDS)('objects in parts over %s', (_name, start) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await start();
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  const of = (Key: string, more: Partial<GetObjectCommandInput> = {}) => ({ Bucket: BUCKET, Key, ...more });

  it('are read part by part, and nothing is told of the footer behind them', async () => {
    await upload(client, BUCKET, 'three');
    const second = await told(client, of('three', { PartNumber: 2 }));
    const range = `bytes ${FIRST.length}-${FIRST.length + SECOND.length - 1}/${BYTES}`;
    expect(second.facts).toEqual([206, 3, range, SECOND.length]);
    const pieces = await byParts(client, of('three'));
    expect(pieces.map((piece, at) => piece.equals(PARTS[at] as Buffer))).toEqual([true, true, true]);
    for (const PartNumber of [4, 7, 10_000]) {
      expect(await refusal(client.send(new GetObjectCommand(of('three', { PartNumber }))))).toEqual(NO_SUCH_PART);
      expect((await refusal(client.send(new HeadObjectCommand(of('three', { PartNumber })))))[0]).toBe(416);
    }
  });

  it('that were sent in one go are one part', async () => {
    for (const bytes of [1, 70_000, 3 * MIB]) {
      const Body = payload(bytes, bytes);
      await client.send(new PutObjectCommand({ ...of('single'), Body }));
      const only = await told(client, of('single', { PartNumber: 1 }));
      expect(only.facts).toEqual([206, undefined, `bytes 0-${bytes - 1}/${bytes}`, bytes]);
      expect(only.bytes.equals(Body)).toBe(true);
      expect(await refusal(client.send(new GetObjectCommand(of('single', { PartNumber: 2 }))))).toEqual(NO_SUCH_PART);
    }
  });

  it('are read under conditions', async () => {
    const { ETag } = await upload(client, BUCKET, 'conditions');
    const get = (more: Partial<GetObjectCommandInput>) => client.send(new GetObjectCommand(of('conditions', more)));
    for (const PartNumber of [1, 3]) {
      expect((await told(client, of('conditions', { PartNumber, IfMatch: ETag }))).facts[0]).toBe(206);
      expect((await refusal(get({ PartNumber, IfMatch: '"other"' })))[0]).toBe(412);
      expect((await refusal(get({ PartNumber, IfNoneMatch: ETag })))[0]).toBe(304);
    }
  });

  it('tell their attributes as the client sent them', async () => {
    const { ETag } = await upload(client, BUCKET, 'attributes');
    const ask = (more: object = {}) =>
      client.send(
        new GetObjectAttributesCommand({
          ...of('attributes'),
          ObjectAttributes: ['ETag', 'ObjectParts', 'ObjectSize', 'StorageClass'],
          ...more,
        }),
      );
    const sizes = PARTS.map((part, at) => ({ PartNumber: 1 + at * 3, Size: part.length }));
    expect(await ask()).toMatchObject({
      ETag: ETag?.replaceAll('"', ''),
      ObjectSize: BYTES,
      StorageClass: 'STANDARD',
      ObjectParts: { TotalPartsCount: 3, IsTruncated: false, Parts: sizes },
    });
    expect((await ask({ MaxParts: 2, PartNumberMarker: '1' })).ObjectParts?.Parts).toEqual(sizes.slice(1));
    expect((await ask({ MaxParts: 1 })).ObjectParts).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '1' });
  });
});

describe.each(STORE_STANDS)('parts over %s', (_name, start) => {
  let stand: StoreStand;
  let client: S3Client;
  let direct: S3Client;

  beforeAll(async () => {
    stand = await start();
    client = onceClient(stand.gateway);
    direct = backendClient(stand.store);
  });

  afterAll(async () => {
    client?.destroy();
    direct?.destroy();
    await stand?.stop();
  });

  it('of what lay there before in clear, in a mixed bucket, are those of the store', async () => {
    const Bucket = 'mixed-parts';
    const set = ['tenant', 'set', 'acme', '--bucket', 'acme-*', '--bucket', `${Bucket}:mixed`];
    expect((await stand.gateway.command(set)).code).toBe(0);
    await stand.gateway.terminate(); // policies are cached for a while
    await stand.gateway.start();
    await direct.send(new CreateBucketCommand({ Bucket }));
    await upload(direct, Bucket, 'one', [LAST]);
    await direct.send(new PutObjectCommand({ Bucket, Key: 'single', Body: LAST }));
    for (const [Key, PartNumber] of [
      ['one', 1],
      ['single', 1],
      ['one', 2],
      ['single', 2],
    ] as const) {
      const input = { Bucket, Key, PartNumber };
      const answered = (of: S3Client) => told(of, input).catch(async (error) => refusal(Promise.reject(error)));
      expect(await answered(client), `${Key} ${PartNumber}`).toEqual(await answered(direct));
    }
    await direct.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: Buffer.alloc(0) }));
    const end = client.send(new GetObjectCommand({ Bucket, Key: 'empty', Range: 'bytes=-5' }));
    expect(await refusal(end)).toEqual([416, 'InvalidRange']);
    await upload(client, Bucket, 'sealed');
    const pieces = await byParts(client, { Bucket, Key: 'sealed' });
    expect(pieces.map((piece, at) => piece.equals(PARTS[at] as Buffer))).toEqual([true, true, true]);
    const { ObjectSize } = await client.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'one', ObjectAttributes: ['ObjectSize', 'ObjectParts'] }),
    );
    expect(ObjectSize).toBe(LAST.length);
  });

  it('belong to a version', async () => {
    const Bucket = 'acme-versions';
    await client.send(new CreateBucketCommand({ Bucket }));
    const Status = 'Enabled';
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    const older = await upload(client, Bucket, 'k', [FIRST, LAST]);
    const newer = await upload(client, Bucket, 'k', [SECOND, payload(5, 9)]);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    const part = async (VersionId: string | undefined) =>
      (await told(client, { Bucket, Key: 'k', VersionId, PartNumber: 2 })).bytes;
    expect((await part(older.VersionId)).equals(LAST)).toBe(true);
    expect((await part(newer.VersionId)).equals(payload(5, 9))).toBe(true);
    expect((await part(older.VersionId)).equals(LAST)).toBe(true);
    const attributes = await client.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'k',
        VersionId: older.VersionId,
        ObjectAttributes: ['ObjectSize', 'ObjectParts'],
      }),
    );
    expect([attributes.VersionId, attributes.ObjectSize]).toEqual([older.VersionId, FIRST.length + LAST.length]);
    const gone = client.send(new GetObjectCommand({ Bucket, Key: 'k', PartNumber: 1 }));
    expect((await refusal(gone))[0]).toBe(404);
  });
});
