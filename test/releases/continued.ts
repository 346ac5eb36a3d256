import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, onTestFinished } from 'vitest';
import { payload, sha256 } from '../support/payload.ts';
import type { GatewayProcess } from '../support/servers/gateway.ts';
import { clientSettings } from '../support/servers/stand.ts';
import type { BegunUpload, Expected, WrittenCredential, WrittenObject } from './fixture.ts';

const MIB = 1024 * 1024;

function clientOf(gateway: GatewayProcess, credentials?: Pick<WrittenCredential, 'accessKeyId' | 'secretAccessKey'>) {
  const client = new S3Client({ ...clientSettings(gateway), ...(credentials && { credentials }) });
  onTestFinished(() => client.destroy());
  return client;
}

async function bytesOf(client: S3Client, { bucket, key }: { bucket: string; key: string }, Range?: string) {
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...(Range && { Range }) }));
  return Buffer.from((await answer.Body?.transformToByteArray()) as Uint8Array);
}

/** Every object is read byte for byte, whole and in ranges, and is told as the release told it. */
export async function readsObjects(gateway: GatewayProcess, { objects, moved }: Expected): Promise<void> {
  const client = clientOf(gateway);
  for (const object of objects) {
    const { bucket, key, shape } = object;
    const plain = Buffer.concat(object.parts.map(({ bytes, seed }) => payload(bytes, seed)));
    expect([shape, sha256(plain)]).toEqual([shape, object.sha256]); // else the payload changed, and not the release
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
    const told = { ETag: head.ETag, Metadata: head.Metadata, ContentLength: head.ContentLength };
    expect([shape, told]).toEqual([
      shape,
      { ETag: object.etag, Metadata: object.metadata, ContentLength: plain.length },
    ]);
    expect(head).toMatchObject({ ...object.headers, ...object.checksums });
    expect([shape, sha256(await bytesOf(client, object))]).toEqual([shape, object.sha256]);
    for (const [first, last] of rangesOf(plain.length)) {
      const read = await bytesOf(client, object, `bytes=${first}-${last}`);
      expect([shape, first, last, read.equals(plain.subarray(first, last + 1))]).toEqual([shape, first, last, true]);
    }
  }
  for (const { readable, ...place } of moved) {
    const read = bytesOf(client, place).then(
      () => 'readable',
      (error: { name: string }) => error.name,
    );
    expect(await read).toBe(readable ? 'readable' : 'ObjectMoved');
  }
}

/** Within a segment, over the border of two, and at the end. */
function rangesOf(bytes: number): readonly (readonly [first: number, last: number])[] {
  if (bytes === 0) return [];
  const middle = Math.floor(bytes / 2);
  return [
    [0, 0],
    [middle, Math.min(bytes, middle + 100) - 1],
    [Math.min(bytes - 1, 65_530), Math.min(bytes, 65_550) - 1],
    [bytes - 1, bytes - 1],
  ];
}

/** Listings have every object, with the size and the ETag of its plaintext. */
export async function listsObjects(gateway: GatewayProcess, { objects, moved }: Expected): Promise<void> {
  const client = clientOf(gateway);
  for (const bucket of new Set(objects.map((object) => object.bucket))) {
    const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(IsTruncated).toBe(false);
    const bytesOfObject = ({ parts }: WrittenObject) => parts.reduce((sum, { bytes }) => sum + bytes, 0);
    const listed = new Map(Contents.map(({ Key, Size, ETag }) => [Key, { Size, ETag }]));
    const written = objects.filter((object) => object.bucket === bucket);
    for (const object of written) {
      expect([object.shape, listed.get(object.key)]).toEqual([
        object.shape,
        { Size: bytesOfObject(object), ETag: object.etag },
      ]);
    }
    expect(listed.size).toBe(written.length + moved.filter((place) => place.bucket === bucket).length);
  }
}

/** Every credential signs, and sees its tenant's buckets. */
export async function authenticates(gateway: GatewayProcess, { credentials, rings }: Expected): Promise<void> {
  for (const { accessKeyId, secretAccessKey, buckets } of credentials) {
    const client = clientOf(gateway, { accessKeyId, secretAccessKey });
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    expect([accessKeyId, Buckets.map(({ Name }) => Name).sort()]).toEqual([accessKeyId, [...buckets]]);
    const other = clientOf(gateway, { accessKeyId, secretAccessKey: `${secretAccessKey}x` });
    await expect(other.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  }
  const { code, stdout, stderr } = await gateway.command(['key', 'list', '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const versions = JSON.parse(stdout) as { tenant: string; version: number; current: boolean }[];
  const told = versions.filter(({ current }) => current).map(({ tenant, version }) => [tenant, version]);
  expect(Object.fromEntries(told)).toEqual(rings);
}

/** The release's uploads are listed, get the parts that they lack, and become objects; one is aborted. */
export async function continuesUploads(gateway: GatewayProcess, { uploads }: Expected): Promise<void> {
  const client = clientOf(gateway);
  for (const bucket of new Set(uploads.map((upload) => upload.bucket))) {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    const begun = uploads.filter((upload) => upload.bucket === bucket);
    expect(Uploads.map(({ Key, UploadId }) => [Key, UploadId]).sort()).toEqual(
      begun.map(({ key, uploadId }) => [key, uploadId]).sort(),
    );
  }
  for (const upload of uploads) await continueUpload(client, upload);
}

async function continueUpload(client: S3Client, upload: BegunUpload): Promise<void> {
  const { bucket, key, uploadId, parts, shape, held } = upload;
  const named = { Bucket: bucket, Key: key, UploadId: uploadId };
  const { Parts = [] } = await client.send(new ListPartsCommand(named));
  expect([shape, Parts.map(({ PartNumber, ETag, Size }) => [PartNumber, ETag, Size])]).toEqual([
    shape,
    parts.map(({ partNumber, etag, bytes }) => [partNumber, etag, bytes]),
  ]);
  if (parts.length === 0) {
    await client.send(new AbortMultipartUploadCommand(named));
    await expect(client.send(new ListPartsCommand(named))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    return;
  }
  const kept = held ? [] : parts;
  const chosen = kept.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
  const pieces = kept.map(({ bytes, seed }) => payload(bytes, seed));
  if (parts[0]?.partNumber !== 1) {
    // What the release has are the last parts: the first one may have any size that S3 takes.
    const Body = payload(5 * MIB, 77);
    const sent = await client.send(new UploadPartCommand({ ...named, PartNumber: 1, Body }));
    chosen.unshift({ PartNumber: 1, ETag: sent.ETag as string });
    pieces.unshift(Body);
  }
  await client.send(new CompleteMultipartUploadCommand({ ...named, MultipartUpload: { Parts: chosen } }));
  const whole = await bytesOf(client, { bucket, key });
  expect([shape, whole.equals(Buffer.concat(pieces))]).toEqual([shape, true]);
}

/** What this commit writes beside the release's objects is read, too. */
export async function writesOn(gateway: GatewayProcess): Promise<void> {
  const client = clientOf(gateway);
  const place = { bucket: 'acme-objects', key: 'new' };
  await client.send(new PutObjectCommand({ Bucket: place.bucket, Key: place.key, Body: payload(70_000, 5) }));
  expect((await bytesOf(client, place)).equals(payload(70_000, 5))).toBe(true);
}
