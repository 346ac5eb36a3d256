import { createHash } from 'node:crypto';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import type { Stand } from '../../support/servers/stand.ts';
import { expectServed, listedKeys, onceClient, read, refusal } from '../../support/sight.ts';

const MIB = 1024 * 1024;
const Bucket = 'acme-registry';
const ROOT = 'docker/registry/v2';
/** A registry's parts: each PATCH of a layer adds to a buffer, and what is full goes up. */
const CHUNK = 10 * MIB;

/**
 * What an image registry's S3 storage does with a layer. It keeps no state of its own between requests: which parts
 * there are, and how far the upload came, the store tells each time. At the end the upload moves to its digest's place.
 */
describe.each(ALL_STANDS)('an image registry over %s', (_name, stands) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await stands();
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  const uploadKey = (id: string) => `${ROOT}/repositories/app/_uploads/${id}/data`;
  const blobKey = (digest: string) => `${ROOT}/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
  const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

  /** The upload under this key and its parts, as only the store knows them. */
  async function resume(Key: string) {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
    const upload = Uploads.find((entry) => entry.Key === Key);
    if (upload?.UploadId === undefined) throw new Error(`no upload of ${Key}`);
    const at = { Bucket, Key, UploadId: upload.UploadId };
    const parts: { PartNumber: number; ETag: string; Size: number }[] = [];
    for (let PartNumberMarker: string | undefined; ; ) {
      const page = await client.send(
        new ListPartsCommand({ ...at, MaxParts: 2, ...(PartNumberMarker && { PartNumberMarker }) }),
      );
      parts.push(...((page.Parts ?? []) as typeof parts));
      if (page.IsTruncated !== true) return { at, parts, bytes: parts.reduce((sum, { Size }) => sum + Size, 0) };
      PartNumberMarker = page.NextPartNumberMarker;
    }
  }

  async function append(Key: string, Body: Buffer): Promise<void> {
    const { at, parts } = await resume(Key);
    await client.send(new UploadPartCommand({ ...at, PartNumber: parts.length + 1, Body }));
  }

  async function commit(Key: string): Promise<void> {
    const { at, parts } = await resume(Key);
    const Parts: CompletedPart[] = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    await client.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }));
  }

  /** Copy, then delete everything under the source: S3 has no rename. */
  async function move(from: string, to: string): Promise<void> {
    await client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}` }));
    const Objects = (await listedKeys(client, Bucket, from)).map((Key) => ({ Key }));
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors).toEqual([]);
  }

  async function push(id: string, layer: Buffer): Promise<string> {
    const Key = uploadKey(id);
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'application/octet-stream' }));
    for (let first = 0; first < layer.length; first += CHUNK) {
      expect((await resume(Key)).bytes).toBe(first);
      await append(Key, layer.subarray(first, first + CHUNK));
    }
    await commit(Key);
    expect((await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength).toBe(layer.length);
    const digest = digestOf(layer);
    await move(Key, blobKey(digest));
    return digest;
  }

  it('appends part by part, asks the store how far it is, and moves the layer to its digest', async () => {
    const layer = payload(3 * CHUNK + 12_345, 91);
    const digest = await push('one', layer);
    await expectServed(client, Bucket, blobKey(digest), layer);
    expect(digestOf(await read(client, { Bucket, Key: blobKey(digest) }))).toBe(digest);
    expect(await listedKeys(client, Bucket, `${ROOT}/repositories/app/_uploads/`)).toEqual([]);
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads).toEqual([]);
  });

  it('pulls a layer in ranges, across its parts and from where a pull broke off', async () => {
    const layer = payload(2 * CHUNK + 1, 92);
    const Key = blobKey(await push('two', layer));
    for (const [first, last] of [
      [CHUNK - 1, CHUNK],
      [2 * CHUNK, 2 * CHUNK],
      [CHUNK - 70_000, 2 * CHUNK],
    ] as const) {
      const bytes = await read(client, { Bucket, Key, Range: `bytes=${first}-${last}` });
      expect(bytes.equals(layer.subarray(first, last + 1)), `${first}-${last}`).toBe(true);
    }
    const rest = await read(client, { Bucket, Key, Range: `bytes=${CHUNK + 5}-` });
    expect(rest.equals(layer.subarray(CHUNK + 5))).toBe(true);
  });

  it('pushes small and empty layers, the same layer twice, and several at once', async () => {
    const small = payload(1_234, 93);
    const digests = await Promise.all([push('small', small), push('again', small), push('more', payload(CHUNK, 94))]);
    expect(digests[0]).toBe(digests[1]);
    await expectServed(client, Bucket, blobKey(digests[0]), small);
    const Key = uploadKey('empty');
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(0) }));
    await move(Key, blobKey(digestOf(Buffer.alloc(0))));
    await expectServed(client, Bucket, blobKey(digestOf(Buffer.alloc(0))), Buffer.alloc(0));
  });

  it('links and walks: tiny link files, listed with delimiters, and removed by the garbage collection', async () => {
    const links = Array.from({ length: 12 }, (_, at) => `${ROOT}/repositories/app/_layers/sha256/${at}/link`);
    await Promise.all(links.map((Key, at) => client.send(new PutObjectCommand({ Bucket, Key, Body: `sha256:${at}` }))));
    const { CommonPrefixes = [] } = await client.send(
      new ListObjectsV2Command({ Bucket, Prefix: `${ROOT}/repositories/app/_layers/sha256/`, Delimiter: '/' }),
    );
    expect(CommonPrefixes.length).toBe(links.length);
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: links.map((Key) => ({ Key })) } }));
    expect(await refusal(read(client, { Bucket, Key: links[0] as string }))).toEqual([404, 'NoSuchKey']);
    expect(await listedKeys(client, Bucket, `${ROOT}/repositories/app/_layers/`)).toEqual([]);
  });
});
