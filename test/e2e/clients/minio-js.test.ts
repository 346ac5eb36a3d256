import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client, CopyConditions, CopyDestinationOptions, CopySourceOptions } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inPieces, payload, sha256 } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { type GatewayProcess, TENANT } from '../../support/servers/gateway.ts';
import type { Stand } from '../../support/servers/stand.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-minio-js';

function connect(gateway: GatewayProcess, secretKey: string = TENANT.secretAccessKey): Client {
  return new Client({
    endPoint: '127.0.0.1',
    port: gateway.port,
    useSSL: false,
    accessKey: TENANT.accessKeyId,
    secretKey,
    pathStyle: true,
  });
}

/** The S3 code of what must fail. */
async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing failed',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

describe.each(ALL_STANDS)('minio-js over %s', (_name, start) => {
  let folder: string;
  let stand: Stand;
  let client: Client;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-minio-js-'));
    stand = await start();
    client = connect(stand.gateway);
    await client.makeBucket(BUCKET, 'us-east-1');
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const read = async (name: string) => buffer(await client.getObject(BUCKET, name));

  async function listed(prefix: string, recursive: boolean): Promise<unknown[]> {
    const entries: { name?: string; prefix?: string; size: number }[] = await Readable.from(
      client.listObjectsV2(BUCKET, prefix, recursive),
    ).toArray();
    return entries.map(({ name, prefix: common, size }) => [name ?? common, size]);
  }

  it.each([0, 1, 65_536, 65_537, 5 * MIB + 1])('round-trips %d bytes', async (bytes) => {
    const sent = payload(bytes, bytes + 2);
    const name = `size/${bytes}`;
    const stored = await client.putObject(BUCKET, name, sent, bytes);
    const stat = await client.statObject(BUCKET, name);
    expect([stat.size, stat.etag]).toEqual([bytes, stored.etag]);
    expect(sha256(await read(name))).toBe(sha256(sent));
  });

  it('takes a stream of known length', async () => {
    const sent = payload(3 * MIB + 5, 3);
    await client.putObject(BUCKET, 'stream', Readable.from(inPieces(sent, 70_001)), sent.length);
    expect(sha256(await read('stream'))).toBe(sha256(sent));
  });

  it('moves files, whose parts it downloads by range and condition', async () => {
    const sent = payload(2 * MIB + 1, 4);
    await writeFile(join(folder, 'up.txt'), sent);
    await client.fPutObject(BUCKET, 'file.txt', join(folder, 'up.txt'), { 'x-amz-meta-from': 'a file' });
    await client.fGetObject(BUCKET, 'file.txt', join(folder, 'down'));
    expect(sha256(await readFile(join(folder, 'down')))).toBe(sha256(sent));
    const { metaData } = await client.statObject(BUCKET, 'file.txt');
    expect(metaData).toMatchObject({ from: 'a file', 'content-type': 'text/plain' });
  });

  it('reads a part', async () => {
    const sent = payload(200_000, 6);
    await client.putObject(BUCKET, 'part', sent);
    expect(await buffer(await client.getPartialObject(BUCKET, 'part', 65_530, 12))).toEqual(
      sent.subarray(65_530, 65_542),
    );
    expect(await buffer(await client.getPartialObject(BUCKET, 'part', 199_990))).toEqual(sent.subarray(199_990));
  });

  it.each(['with space', 'ünïcödé/中文', 'plus+%2F&="\'', 'back\\slash'])('holds the key %j', async (name) => {
    await client.putObject(BUCKET, name, Buffer.from(name));
    expect((await read(name)).toString()).toBe(name);
    expect(await listed(name, true)).toEqual([[name, Buffer.byteLength(name)]]);
    await client.removeObject(BUCKET, name);
    expect(await failure(read(name))).toBe('NoSuchKey');
  });

  it('lists both ways and removes many', async () => {
    const names = ['a/1', 'a/2', 'b'].map((name) => `list/${name}`);
    for (const name of names) await client.putObject(BUCKET, name, Buffer.alloc(7));
    expect(await listed('list/', true)).toEqual(names.map((name) => [name, 7]));
    expect(await listed('list/', false)).toEqual([
      ['list/b', 7],
      ['list/a/', 0],
    ]);
    const first: { name?: string }[] = await Readable.from(client.listObjects(BUCKET, 'list/', true)).toArray();
    expect(first.map(({ name }) => name)).toEqual(names);
    await client.removeObjects(BUCKET, names);
    expect(await listed('list/', true)).toEqual([]);
  });

  it('presigns', async () => {
    const writing = await client.presignedPutObject(BUCKET, 'presigned', 60);
    expect((await fetch(writing, { method: 'PUT', body: 'by a URL' })).status).toBe(200);
    const reading = await client.presignedGetObject(BUCKET, 'presigned', 60, { 'response-content-type': 'text/html' });
    const answer = await fetch(reading);
    expect([await answer.text(), answer.headers.get('content-type')]).toEqual(['by a URL', 'text/html']);
  });

  it('tags', async () => {
    await client.putObject(BUCKET, 'tagged', 'x');
    await client.setObjectTagging(BUCKET, 'tagged', { colour: 'blue' });
    expect(await client.getObjectTagging(BUCKET, 'tagged')).toEqual([{ Key: 'colour', Value: 'blue' }]);
  });

  it('manages its buckets', async () => {
    expect((await client.listBuckets()).map(({ name }) => name)).toEqual([BUCKET]);
    expect(await client.bucketExists(BUCKET)).toBe(true);
    expect(await client.bucketExists('acme-absent')).toBe(false);
    await client.makeBucket('acme-temporary', 'us-east-1');
    await client.removeBucket('acme-temporary');
    expect(await failure(client.makeBucket('of-another-tenant', 'us-east-1'))).toBe('AccessDenied');
  });

  it('tells what is wrong', async () => {
    const stranger = connect(stand.gateway, 'anotherSecret');
    expect(await failure(stranger.putObject(BUCKET, 'x', 'x'))).toBe('SignatureDoesNotMatch');
    expect(await failure(client.statObject(BUCKET, 'absent'))).toBe('NotFound');
    expect(await failure(client.getObject(BUCKET, 'absent'))).toBe('NoSuchKey');
    expect(await failure(client.putObject('acme-absent', 'x', 'x'))).toBe('NoSuchBucket');
  });

  it('composes an object of others', async () => {
    const [first, second] = [payload(5 * MIB + 9, 8), payload(70_000, 9)];
    await client.putObject(BUCKET, 'compose/1', first);
    await client.putObject(BUCKET, 'compose/2', second);
    await client.composeObject(new CopyDestinationOptions({ Bucket: BUCKET, Object: 'composed' }), [
      new CopySourceOptions({ Bucket: BUCKET, Object: 'compose/1' }),
      new CopySourceOptions({ Bucket: BUCKET, Object: 'compose/2', MatchRange: true, Start: 0, End: 66_000 }),
    ]);
    expect((await read('composed')).equals(Buffer.concat([first, second.subarray(0, 66_001)]))).toBe(true);
  });

  it('copies, under conditions and with new metadata', async () => {
    const sent = payload(200_001, 7);
    const { etag } = await client.putObject(BUCKET, 'original', sent, sent.length, { 'x-amz-meta-a': 'b' });
    const conditions = new CopyConditions();
    conditions.setMatchETag(etag);
    await client.copyObject(BUCKET, 'copy', `/${BUCKET}/original`, conditions);
    expect(sha256(await read('copy'))).toBe(sha256(sent));
    expect((await client.statObject(BUCKET, 'copy')).metaData).toMatchObject({ a: 'b' });
    conditions.setMatchETag('other');
    expect(await failure(client.copyObject(BUCKET, 'copy', `/${BUCKET}/original`, conditions))).toBe(
      'PreconditionFailed',
    );
    await client.copyObject(
      new CopySourceOptions({ Bucket: BUCKET, Object: 'original' }),
      new CopyDestinationOptions({
        Bucket: BUCKET,
        Object: 'new',
        MetadataDirective: 'REPLACE',
        UserMetadata: { c: 'd' },
      }),
    );
    expect((await client.statObject(BUCKET, 'new')).metaData).toMatchObject({ c: 'd' });
    expect(sha256(await read('new'))).toBe(sha256(sent));
  });

  it('uploads in parts what has no length, and what is large', async () => {
    const sent = payload(70 * MIB + 7, 8);
    await client.putObject(BUCKET, 'parts/unknown', Readable.from(inPieces(sent, 999_983)));
    await client.putObject(BUCKET, 'parts/large', Readable.from(inPieces(sent, 999_983)), sent.length);
    for (const key of ['parts/unknown', 'parts/large']) {
      expect((await client.statObject(BUCKET, key)).size).toBe(sent.length);
      const received: Buffer[] = [];
      for await (const piece of await client.getObject(BUCKET, key)) received.push(piece as Buffer);
      expect(sha256(Buffer.concat(received))).toBe(sha256(sent));
    }
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
    expect(stand.gateway.output()).not.toContain('X-Amz-Signature=');
  });
});
