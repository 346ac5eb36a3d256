import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { runProgram, startGateway } from '../../support/servers/gateway.ts';
import { awsEnvironment, MD5_ETAGS, type Stand, standOnMinio, standOnOwnServers } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { backendClient, onceClient, read, refusal } from '../../support/sight.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;

const md5 = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('hex');

/** As S3 makes it of parts of this size. */
function md5OfParts(bytes: Buffer, partBytes: number): string {
  const digests: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) {
    digests.push(
      createHash('md5')
        .update(bytes.subarray(at, at + partBytes))
        .digest(),
    );
  }
  return `${md5(Buffer.concat(digests))}-${digests.length}`;
}

const bare = (etag: string | undefined) => etag?.replaceAll('"', '');

/** What every way to ask says of it. */
async function etagsOf(client: s3.S3Client, Bucket: string, Key: string): Promise<(string | undefined)[]> {
  const asked = { Bucket, Key };
  const got = await client.send(new s3.GetObjectCommand(asked));
  await got.Body?.transformToByteArray();
  const ranged = await client.send(new s3.GetObjectCommand({ ...asked, Range: 'bytes=0-0' }));
  await ranged.Body?.transformToByteArray();
  const first = await client.send(new s3.ListObjectsCommand({ Bucket, Prefix: Key }));
  const second = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: Key }));
  const versions = await client.send(new s3.ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  return [
    bare((await client.send(new s3.HeadObjectCommand(asked))).ETag),
    bare(got.ETag),
    bare(ranged.ETag),
    bare(first.Contents?.[0]?.ETag),
    bare(second.Contents?.[0]?.ETag),
    bare(versions.Versions?.[0]?.ETag),
    (await client.send(new s3.GetObjectAttributesCommand({ ...asked, ObjectAttributes: ['ETag'] }))).ETag,
  ];
}

describe.each(ALL_STANDS)('MD5 ETags over %s', (_name, start) => {
  const Bucket = 'acme-md5';
  let stand: Stand;
  let client: s3.S3Client;

  beforeAll(async () => {
    stand = await start(MD5_ETAGS);
    client = onceClient(stand.gateway);
    await client.send(new s3.CreateBucketCommand({ Bucket }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  it.each([1, 5, 65_537, 400_000])('an object of %d bytes has its MD5 wherever one asks', async (bytes) => {
    const Body = payload(bytes, bytes);
    const stored = await client.send(new s3.PutObjectCommand({ Bucket, Key: `of ${bytes}`, Body }));
    expect([bare(stored.ETag), ...(await etagsOf(client, Bucket, `of ${bytes}`))]).toEqual(Array(8).fill(md5(Body)));
  });

  it('an upload in parts has that of its parts, and so have its copies', async () => {
    const Body = payload(12 * MIB + 7, 3);
    const upload = new Upload({ client, params: { Bucket, Key: 'parts', Body }, partSize: 5 * MIB });
    const expected = md5OfParts(Body, 5 * MIB);
    expect(bare((await upload.done()).ETag)).toBe(expected);
    expect(await etagsOf(client, Bucket, 'parts')).toEqual(Array(7).fill(expected));
    const copied = await client.send(new s3.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/parts` }));
    expect(bare(copied.CopyObjectResult?.ETag)).toBe(expected);
    expect(await etagsOf(client, Bucket, 'copy')).toEqual(Array(7).fill(expected));
    expect((await read(client, { Bucket, Key: 'copy' })).equals(Body)).toBe(true);
  });

  it('a hundred racing writers that replace what they saw: one wins', async () => {
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'race', Body: 'seen' }));
    const ends = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        refusal(
          client.send(new s3.PutObjectCommand({ Bucket, Key: 'race', Body: `by ${at}`, IfMatch: `"${md5('seen')}"` })),
        ),
      ),
    );
    const won = ends.filter(([status]) => status === undefined).length;
    const lost = ends.filter(([status]) => status === 412 || status === 409).length;
    expect([won, lost]).toEqual([1, 99]);
  });

  it('boto3 finds the MD5s that it computes, and its conditions hold', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'sealgate-boto3-'));
    const args = [join(import.meta.dirname, 'boto3_md5.py'), stand.gateway.endpoint, 'acme-boto3-md5'];
    const { code, stdout, stderr } = await runProgram(tool('python'), args, { cwd, env: awsEnvironment() });
    await rm(cwd, { recursive: true });
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      put: true,
      upload_file: true,
      download_file: true,
      'get if match': 200,
      'get if match another': 'PreconditionFailed',
      'get if none match': '304',
      'get if none match another': 200,
      'head if match another': '412',
      'put if none match any': 'PreconditionFailed',
      'put if match another': 'PreconditionFailed',
      'put if match': 200,
      'put if match again': 'PreconditionFailed',
      'what is there': '2',
      'copy if match': 200,
      'copy if match another': 'PreconditionFailed',
      'copy if none match': 'PreconditionFailed',
      attributes: true,
    });
  });
});

describe('the index of ETags', () => {
  const Bucket = 'acme-index';
  let stand: Awaited<ReturnType<typeof standOnOwnServers>>;
  let client: s3.S3Client;
  const bodies = new Map(Array.from({ length: 40 }, (_, at) => [`k${at}`, payload(at * 100, at)]));

  /** Key to ETag and size, in a listing and by HEAD. */
  async function told(through = client): Promise<[string, string, number][]> {
    const { Contents = [] } = await through.send(new s3.ListObjectsV2Command({ Bucket }));
    const listed = Contents.map(({ Key, ETag, Size }) => [Key, bare(ETag), Size] as [string, string, number]);
    for (const [Key, etag] of listed) {
      expect(bare((await through.send(new s3.HeadObjectCommand({ Bucket, Key }))).ETag)).toBe(etag);
    }
    return listed;
  }

  const expected = () =>
    [...bodies]
      .map(([key, body]) => [key, md5(body), body.length])
      .sort(([one], [other]) => (`${one}` < `${other}` ? -1 : 1));

  async function counted(source: string): Promise<number> {
    const text = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
    return Number(new RegExp(`sealgate_etags_total\\{source="${source}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  }

  beforeAll(async () => {
    stand = await standOnOwnServers(MD5_ETAGS);
    client = onceClient(stand.gateway);
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    for (const [Key, Body] of bodies) await client.send(new s3.PutObjectCommand({ Bucket, Key, Body }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  /** Forgets what the worker remembers. */
  async function restart(): Promise<void> {
    await stand.gateway.kill();
    await stand.gateway.start();
  }

  it('is all that a new process needs', async () => {
    await restart();
    expect(await told()).toEqual(expected());
    expect([await counted('index'), await counted('footer')]).toEqual([bodies.size, 0]);
  });

  it('lost, changes no answer, and is there again', async () => {
    const redis = stand.redis.client();
    const keys = await redis.keys('sealgate:etag/*');
    expect(keys.length).toBeGreaterThanOrEqual(bodies.size);
    await redis.del(keys);
    await restart();
    expect(await told()).toEqual(expected());
    expect(await counted('footer')).toBe(bodies.size);
    await expect.poll(async () => (await redis.keys('sealgate:etag/*')).length).toBe(bodies.size);
    redis.disconnect();
    await restart();
    expect(await told()).toEqual(expected());
    expect(await counted('footer')).toBe(0);
  });

  it('altered, or exchanged, changes no answer', async () => {
    const redis = stand.redis.client();
    const keys = await redis.keys('sealgate:etag/*');
    const entries = await redis.mgetBuffer(keys);
    for (const [at, key] of keys.entries()) await redis.set(key, entries[(at + 1) % keys.length] as Buffer);
    await restart();
    expect(await told()).toEqual(expected());
    expect(await counted('footer')).toBe(bodies.size);
    redis.disconnect();
  });

  it('shows no MD5 to whoever reads it', async () => {
    const redis = stand.redis.client();
    const keys = await redis.keys('sealgate:etag/*');
    const dump = Buffer.concat((await redis.mgetBuffer(keys)).map((entry) => entry ?? Buffer.alloc(0)));
    const names = keys.join('\n');
    redis.disconnect();
    for (const body of bodies.values()) {
      const digest = createHash('md5').update(body).digest();
      expect(dump.includes(digest)).toBe(false);
      expect(names.includes(digest.toString('base64url')) || names.includes(digest.toString('hex'))).toBe(false);
    }
  });

  it('away, fails no write; what was written is shown all the same', async () => {
    stand.redis.freeze();
    try {
      const stored = await client.send(new s3.PutObjectCommand({ Bucket, Key: 'z', Body: 'while it was away' }));
      expect(bare(stored.ETag)).toBe(md5('while it was away'));
    } finally {
      stand.redis.thaw();
    }
    const text = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
    expect(text).toMatch(/sealgate_etag_index_failures_total\{verb="write"\} [1-9]/);
    await restart();
    expect(bare((await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'z' }))).ETag)).toBe(
      md5('while it was away'),
    );
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'z' }));
  });

  it('serves another gateway at once', async () => {
    const other = await startGateway({
      backend: backendSettings(stand.store),
      keyStore: { redis: stand.redis.url },
      tenantExists: true,
    });
    const theirs = onceClient(other);
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'k0', Body: 'anew' }));
    bodies.set('k0', Buffer.from('anew'));
    expect(await told(theirs)).toEqual(expected());
    theirs.destroy();
    await other.stop();
  });
});

describe('a bucket that was there before the mode', () => {
  it('has opaque ETags of what was there, in versions too, and sizes as ever', async () => {
    const stand = await standOnMinio({ buckets: ['acme-*:mixed'] });
    const client = onceClient(stand.gateway);
    const plain = backendClient(stand.minio);
    const Bucket = 'acme-before';
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    await client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const before = await client.send(new s3.PutObjectCommand({ Bucket, Key: 'old', Body: 'sealed before' }));
    expect(before.ETag).toMatch(/^"[0-9a-f]{32}-0"$/);
    const unsealed = payload(600, 1);
    await plain.send(new s3.PutObjectCommand({ Bucket, Key: 'plain', Body: unsealed }));
    const sizes = await client.send(new s3.ListObjectsV2Command({ Bucket }));
    expect(sizes.Contents?.map(({ Size }) => Size)).toEqual([13, 600]);
    const set = ['tenant', 'set', 'acme', '--bucket', 'acme-*:mixed:etag=md5'];
    expect((await stand.gateway.command(set)).code).toBe(0);
    const shown = async () => (await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'plain' }))).ETag;
    await expect.poll(shown).toBe(`"${md5(unsealed)}"`);
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'new', Body: 'sealed since' }));
    expect(await etagsOf(client, Bucket, 'old')).toEqual(Array(7).fill(bare(before.ETag)));
    expect(await etagsOf(client, Bucket, 'plain')).toEqual(Array(7).fill(md5(unsealed)));
    expect(await etagsOf(client, Bucket, 'new')).toEqual(Array(7).fill(md5('sealed since')));
    // Who cached it before the mode has it still.
    const opaque = (await plain.send(new s3.HeadObjectCommand({ Bucket, Key: 'new' }))).ETag?.replace(/"$/, '-0"');
    expect(await refusal(client.send(new s3.GetObjectCommand({ Bucket, Key: 'new', IfNoneMatch: opaque })))).toEqual([
      304,
      expect.anything(),
    ]);
    client.destroy();
    plain.destroy();
    await stand.stop();
  });
});
