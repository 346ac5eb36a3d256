import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { payload, sha256 } from '../support/payload.ts';
import { type GatewayProcess, startGateway, TENANT } from '../support/servers/gateway.ts';
import { startRedis } from '../support/servers/redis.ts';
import { clientSettings } from '../support/servers/stand.ts';
import { exchangeS3 } from '../support/wire-client.ts';
import {
  type BegunUpload,
  DIGESTS,
  dumpRedis,
  type Expected,
  FIXTURES,
  FOLDERS,
  filesIn,
  foldersIn,
  REDIS_DUMP,
  RELEASES,
  type WrittenCredential,
  type WrittenObject,
} from './fixture.ts';

/**
 * Writes the fixtures of a release: `node test/releases/make-fixtures.ts TREE NAME`, where TREE is a work tree of the
 * release with its dependencies, and NAME its folder below test/vectors/releases. The release's own gateway writes all
 * of it. The smallest parts of the tree are made smaller first, so that an upload of several parts is a small fixture.
 */
const [tree, name] = process.argv.slice(2);
if (tree === undefined || name === undefined) throw new Error('usage: make-fixtures.ts TREE NAME');
const target = join(RELEASES, name);

const KIB = 1024;
/** What a client's part and a part in the store must have at least, unless it is the last. */
const SMALLEST_PARTS: readonly (readonly [file: string, from: string, to: string])[] = [
  ['src/dialects/s3/complete-upload.ts', 'SMALLEST_PART_BYTES = 5 * 1024 * 1024', 'SMALLEST_PART_BYTES = 1024'],
  ['src/dialects/s3/back.ts', 'smallestPartBytes: 5 * 1024 ** 2', 'smallestPartBytes: 101 * 1024'],
  ['src/devstore/uploads.ts', 'MIN_PART_BYTES = 5 * 1024 * 1024', 'MIN_PART_BYTES = 101 * 1024'],
];

const BUCKETS = [
  'acme-objects',
  'acme-md5:etag=md5:quantum=2',
  'acme-quantum1:quantum=1',
  'acme-quantum2:quantum=2',
  'acme-plain:protection=none',
  'acme-mixed:mixed',
  'acme-moved:location=warn',
];
const bucketOf = (option: string) => option.split(':')[0] as string;

for (const [file, from, to] of SMALLEST_PARTS) {
  const path = join(tree, file);
  const text = await readFile(path, 'utf8');
  if (!text.includes(from) && !text.includes(to)) throw new Error(`${file} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}
await rm(join(target, 'files'), { recursive: true, force: true });
await rm(join(target, 'redis'), { recursive: true, force: true });

const launch = join(tree, 'src/launch.js');

/** Writes through one gateway of the release, and remembers what it wrote. */
class Writer {
  readonly objects: WrittenObject[] = [];
  readonly uploads: BegunUpload[] = [];
  readonly client: S3Client;
  #seed = 1;

  constructor(gateway: GatewayProcess) {
    this.client = new S3Client({ ...clientSettings(gateway), requestChecksumCalculation: 'WHEN_REQUIRED' });
  }

  part(bytes: number): { readonly bytes: number; readonly seed: number } {
    return { bytes, seed: this.#seed++ };
  }

  async put(shape: string, bucket: string, key: string, bytes: number, more: Partial<PutObjectCommandInput> = {}) {
    const part = this.part(bytes);
    const Body = payload(part.bytes, part.seed);
    await this.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ...more }));
    await this.wrote(shape, bucket, key, [part]);
  }

  /** Remembers an object as the release's own gateway tells it. */
  async wrote(shape: string, bucket: string, key: string, parts: WrittenObject['parts']): Promise<void> {
    const head = await this.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
    const plain = Buffer.concat(parts.map(({ bytes, seed }) => payload(bytes, seed)));
    if (head.ContentLength !== plain.length) throw new Error(`${key} has ${head.ContentLength} bytes`);
    const told = head as unknown as Record<string, unknown>;
    const picked = (names: RegExp) =>
      Object.fromEntries(
        Object.entries(told).filter(([member, value]) => names.test(member) && typeof value === 'string'),
      );
    this.objects.push({
      shape,
      bucket,
      key,
      parts,
      sha256: sha256(plain),
      etag: head.ETag as string,
      metadata: head.Metadata ?? {},
      headers: picked(/^(?:Content(?:Type|Language|Disposition|Encoding)|CacheControl)$/) as Record<string, string>,
      checksums: picked(/^Checksum/) as Record<string, string>,
    });
  }

  async begin(bucket: string, key: string, more: object = {}) {
    const created = await this.client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...more }));
    return { Bucket: bucket, Key: key, UploadId: created.UploadId as string };
  }

  async send(upload: { Bucket: string; Key: string; UploadId: string }, partNumber: number, bytes: number) {
    const part = this.part(bytes);
    const Body = payload(part.bytes, part.seed);
    const sent = await this.client.send(new UploadPartCommand({ ...upload, PartNumber: partNumber, Body }));
    return { ...part, partNumber, etag: sent.ETag as string, sent };
  }

  /** An upload of parts of these sizes, completed. */
  async multipart(shape: string, bucket: string, key: string, sizes: readonly number[], more: object = {}) {
    const upload = await this.begin(bucket, key, more);
    const parts = [];
    for (const [at, bytes] of sizes.entries()) parts.push(await this.send(upload, at + 1, bytes));
    await this.complete(shape, upload, parts);
  }

  async complete(
    shape: string,
    upload: { Bucket: string; Key: string; UploadId: string },
    parts: readonly { partNumber: number; etag: string; bytes: number; seed: number; sent?: object }[],
  ) {
    const Parts = parts.map(({ partNumber, etag, sent }) => ({
      ...Object.fromEntries(Object.entries(sent ?? {}).filter(([member]) => member.startsWith('Checksum'))),
      PartNumber: partNumber,
      ETag: etag,
    }));
    await this.client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    await this.wrote(
      shape,
      upload.Bucket,
      upload.Key,
      parts.map(({ bytes, seed }) => ({ bytes, seed })),
    );
  }

  /** An upload that stays open. */
  async leave(shape: string, bucket: string, key: string, sizes: Readonly<Record<number, number>>, held = false) {
    const upload = await this.begin(bucket, key);
    const parts = [];
    for (const [partNumber, bytes] of Object.entries(sizes)) {
      const { sent: _, ...part } = await this.send(upload, Number(partNumber), bytes);
      parts.push(part);
    }
    this.uploads.push({ shape, held, bucket, key, uploadId: upload.UploadId, parts });
  }
}

/** The tenants beside acme, and further credentials; what each of them sees. */
async function credentials(gateway: GatewayProcess): Promise<WrittenCredential[]> {
  const secret = join(gateway.folder, 'other.secret');
  const made = [
    {
      tenant: TENANT.name as string,
      accessKeyId: TENANT.accessKeyId as string,
      secretAccessKey: TENANT.secretAccessKey as string,
    },
  ];
  const issue = async (tenant: string, accessKeyId: string, args: readonly string[]) => {
    const secretAccessKey = createHash('sha256').update(accessKeyId).digest('hex').slice(0, 40);
    await writeFile(secret, secretAccessKey, { mode: 0o600 });
    const { code, stderr } = await gateway.command([...args, '--access-key', accessKeyId, '--secret-file', secret]);
    if (code !== 0) throw new Error(stderr);
    made.push({ tenant, accessKeyId, secretAccessKey });
  };
  await issue('acme', 'AKIDSEALGATETEST0002', ['credential', 'add', 'acme']);
  await issue('beta', 'AKIDSEALGATETEST0003', [
    'tenant',
    'add',
    'beta',
    '--bucket',
    'beta-*:quantum=1',
    '--sigv2',
    'on',
  ]);
  const seen: WrittenCredential[] = [];
  for (const credential of made) {
    const { accessKeyId, secretAccessKey } = credential;
    const client = new S3Client({ ...clientSettings(gateway), credentials: { accessKeyId, secretAccessKey } });
    if (credential.tenant === 'beta') await client.send(new CreateBucketCommand({ Bucket: 'beta-bucket' }));
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    seen.push({ ...credential, buckets: Buckets.map(({ Name }) => Name as string).sort() });
    client.destroy();
  }
  return seen;
}

/** A further version of a tenant's key. No command does that yet, but the release's records have room for it. */
async function rotate(gateway: GatewayProcess, tenant: string): Promise<number> {
  const at = (path: string) => import(pathToFileURL(join(tree as string, path)).href);
  const [{ withStores }] = await Promise.all([at('src/cli/with-stores.ts')]);
  const terminal = { env: {}, cwd: gateway.folder, warn: () => undefined };
  return withStores(
    { config: gateway.configFile, terminal },
    async (stores: { administration: { rotateKey(name: string): Promise<{ current: number }> } }) => {
      return (await stores.administration.rotateKey(tenant)).current;
    },
  );
}

async function save(gateway: GatewayProcess, folder: string, expected: Expected): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const entry of await readdir(gateway.folder)) {
    if (/^(?:sealgate\.yaml|.*\.secret|.*\.lock)$/.test(entry)) continue;
    await cp(join(gateway.folder, entry), join(folder, entry), { recursive: true });
  }
  for (const file of await filesIn(folder)) {
    const path = join(folder, file);
    const bytes = await readFile(path);
    if (bytes.length <= PACKED_FROM_BYTES) continue;
    await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    await rm(path);
  }
  await writeFile(join(folder, FOLDERS), `${JSON.stringify(await foldersIn(folder), undefined, 1)}\n`);
  await writeFile(join(folder, 'expected.json'), `${JSON.stringify(expected, undefined, 1)}\n`);
}

/** What is larger is kept packed: the index of ETags, a file with holes. */
const PACKED_FROM_BYTES = 512 * KIB;

/** So that a file that goes missing or changes is found out. */
async function writeDigests(folder: string): Promise<void> {
  const digests: Record<string, string> = {};
  for (const file of await filesIn(folder)) digests[file] = sha256(await readFile(join(folder, file)));
  await writeFile(join(folder, DIGESTS), `${JSON.stringify(digests, undefined, 1)}\n`);
}

interface Place {
  readonly bucket: string;
  readonly key: string;
}

/** Copies an object to another place in the embedded store, as only somebody may who goes past the gateway. */
async function copyInStore(folder: string, from: Place, to: Place): Promise<void> {
  const pathOf = ({ bucket, key }: Place) =>
    join(folder, 'buckets', bucket, 'objects', `${createHash('sha256').update(key).digest('hex')}.json`);
  const record = JSON.parse(await readFile(pathOf(from), 'utf8'));
  await writeFile(pathOf(to), `${JSON.stringify({ ...record, key: to.key }, undefined, 1)}\n`);
}

async function writeFiles(): Promise<void> {
  const gateway = await startGateway({ launch, buckets: BUCKETS });
  try {
    const writer = new Writer(gateway);
    for (const option of BUCKETS) await writer.client.send(new CreateBucketCommand({ Bucket: bucketOf(option) }));
    const bucket = 'acme-objects';
    await writer.put('empty', bucket, 'empty', 0);
    await writer.put('small', bucket, 'small', 1000, { ContentType: 'text/plain', CacheControl: 'no-cache' });
    await writer.put('one segment', bucket, 'one-segment', 64 * KIB);
    await writer.put('several segments', bucket, 'segments', 130 * KIB + 17, { ChecksumAlgorithm: 'SHA256' });
    await writer.put('metadata', bucket, 'metadata/grüße', 300, {
      Metadata: { long: 'x'.repeat(1500), plain: 'a b' },
      ContentType: 'application/json',
      ContentDisposition: 'attachment; filename="a b.txt"',
      ContentLanguage: 'de',
      ContentEncoding: 'gzip',
    });
    const carried = writer.part(40);
    const utf8 = (text: string) => Buffer.from(text).toString('latin1');
    const { status } = await exchangeS3(gateway.port, {
      method: 'PUT',
      path: `/${bucket}/metadata/utf-8`,
      fields: [
        ['x-amz-meta-name', utf8('Zoë \u{1f642} à')],
        ['x-amz-meta-Upper', 'a  b'],
        ['content-type', utf8('text/plain; name=ü')],
      ],
      body: payload(carried.bytes, carried.seed),
    });
    if (status !== 200) throw new Error(`metadata in UTF-8: ${status}`);
    await writer.wrote('metadata in UTF-8', bucket, 'metadata/utf-8', [carried]);
    await writer.put('an awkward key', bucket, 'a//b/../%2F+ ü\u0001', 10);

    const unknown = writer.part(70 * KIB);
    const url = await getSignedUrl(writer.client, new PutObjectCommand({ Bucket: bucket, Key: 'unknown-length' }));
    const streamed = new ReadableStream({
      start(controller) {
        controller.enqueue(payload(unknown.bytes, unknown.seed));
        controller.close();
      },
    });
    const put = await fetch(url, { method: 'PUT', body: streamed, duplex: 'half' } as RequestInit);
    if (!put.ok) throw new Error(await put.text());
    await writer.wrote('unknown length', bucket, 'unknown-length', [unknown]);

    const posted = writer.part(2 * KIB);
    const form = await createPresignedPost(writer.client, { Bucket: bucket, Key: 'form' });
    const data = new FormData();
    for (const [field, value] of Object.entries(form.fields)) data.append(field, value);
    data.append('file', new Blob([new Uint8Array(payload(posted.bytes, posted.seed))]));
    const post = await fetch(form.url, { method: 'POST', body: data });
    if (!post.ok) throw new Error(await post.text());
    await writer.wrote('uploaded by form', bucket, 'form', [posted]);

    const [held, small] = [102 * KIB, 3 * KIB];
    const staged = 100 * KIB + 500;
    const parts = 'acme-quantum2'; // each 100 KiB have room for one more part in the footer's list
    await writer.multipart('multipart, the footer a part of its own', parts, 'multipart/own-footer', [held, held], {
      Metadata: { made: 'in parts' },
    });
    await writer.multipart('multipart, the footer in the last part', parts, 'multipart/footer-in-part', [held, small]);
    await writer.multipart('multipart of one part', bucket, 'multipart/one', [500], { ChecksumAlgorithm: 'CRC32C' });

    await writer.put('MD5 ETag', 'acme-md5', 'put', 5000);
    await writer.multipart('MD5 ETag of a multipart upload of small staged parts', 'acme-md5', 'staged', [staged, 10]);
    await writer.put('quantum 1', 'acme-quantum1', 'put', 3000);
    await writer.put('quantum 2', 'acme-quantum2', 'put', 3000);
    await writer.multipart('quantum 1, one part', 'acme-quantum1', 'multipart', [small]);
    await writer.put('without protection', 'acme-plain', 'put', 100, { Metadata: { a: 'b' } });
    await writer.put('sealed in a mixed bucket', 'acme-mixed', 'sealed', 100);

    const copied = async (shape: string, from: string, to: readonly [string, string], more: object = {}) => {
      const source = writer.objects.find(({ bucket: place, key }) => from === `${place}/${key}`) as WrittenObject;
      const CopySource = encodeURI(from);
      await writer.client.send(new CopyObjectCommand({ Bucket: to[0], Key: to[1], CopySource, ...more }));
      await writer.wrote(shape, to[0], to[1], source.parts);
    };
    await copied('copied in its bucket', 'acme-objects/segments', ['acme-objects', 'copies/segments']);
    await copied('copied, metadata replaced', 'acme-objects/small', ['acme-objects', 'copies/replaced'], {
      MetadataDirective: 'REPLACE',
      Metadata: { new: 'n' },
    });
    await copied('copied to another quantum', 'acme-objects/small', ['acme-quantum2', 'copied']);
    await copied('a multipart object copied', 'acme-quantum2/multipart/own-footer', [
      'acme-quantum2',
      'copies/multipart',
    ]);
    await copied('sealed, copied to a bucket without protection', 'acme-objects/small', ['acme-plain', 'copied']);
    const upload = await writer.begin(bucket, 'copies/part');
    const source = writer.objects.find(({ key }) => key === 'small') as WrittenObject;
    const { CopyPartResult } = await writer.client.send(
      new UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource: `${bucket}/small` }),
    );
    const [sourcePart] = source.parts;
    await writer.complete('multipart of a copied part', upload, [
      { partNumber: 1, etag: CopyPartResult?.ETag as string, ...(sourcePart as { bytes: number; seed: number }) },
    ]);

    await writer.leave('nothing sent', bucket, 'uploads/nothing', {});
    await writer.leave('its last part sent, in the store’s upload', bucket, 'uploads/held', { 3: held }, true);
    await writer.leave('its last part sent, staged', bucket, 'uploads/staged', { 7: small });
    await writer.leave('whole', 'acme-md5', 'uploads/md5', { 1: small });

    const made = await credentials(gateway);
    const version = await rotate(gateway, 'acme');
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // the gateway hears of the new version
    await writer.put('under the second version of its key', bucket, 'second-version', 200);

    for (const place of ['acme-moved', bucket]) await writer.put('moved by its store later', place, 'moved/from', 150);
    await gateway.terminate();
    const store = join(gateway.folder, 'objects');
    for (const place of ['acme-moved', bucket]) {
      await copyInStore(store, { bucket: place, key: 'moved/from' }, { bucket: place, key: 'moved/to' });
    }
    await copyInStore(store, { bucket: 'acme-plain', key: 'put' }, { bucket: 'acme-mixed', key: 'plain' });
    const plain = writer.objects.find(({ bucket: place, key }) => place === 'acme-plain' && key === 'put');
    writer.objects.push({
      ...(plain as WrittenObject),
      shape: 'not sealed, in a mixed bucket',
      bucket: 'acme-mixed',
      key: 'plain',
    });
    await save(gateway, join(target, 'files'), {
      objects: writer.objects,
      moved: [
        { bucket: 'acme-moved', key: 'moved/to', readable: true },
        { bucket, key: 'moved/to', readable: false },
      ],
      uploads: writer.uploads,
      credentials: made,
      rings: { acme: version, beta: 1 },
    });
  } finally {
    await gateway.stop();
  }
}

async function writeRedis(): Promise<void> {
  const redis = await startRedis();
  const gateway = await startGateway({
    launch,
    buckets: ['acme-objects:quantum=2', 'acme-md5:etag=md5'],
    keyStore: { redis: redis.url },
  });
  try {
    const writer = new Writer(gateway);
    for (const bucket of ['acme-objects', 'acme-md5'])
      await writer.client.send(new CreateBucketCommand({ Bucket: bucket }));
    await writer.put('small', 'acme-objects', 'small', 1000);
    await writer.put('MD5 ETag', 'acme-md5', 'put', 500);
    await writer.multipart('multipart of a small staged part', 'acme-objects', 'multipart', [2 * KIB]);
    await writer.leave('nothing sent', 'acme-objects', 'uploads/nothing', {});
    await writer.leave('its last part sent, staged', 'acme-objects', 'uploads/staged', { 2: 3 * KIB });
    await writer.leave('whole', 'acme-md5', 'uploads/md5', { 1: 2 * KIB });
    const made = await credentials(gateway);
    const version = await rotate(gateway, 'acme');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await writer.put('under the second version of its key', 'acme-objects', 'second-version', 200);
    await gateway.terminate();
    const folder = join(target, 'redis');
    await save(gateway, folder, {
      objects: writer.objects,
      moved: [],
      uploads: writer.uploads,
      credentials: made,
      rings: { acme: version, beta: 1 },
    });
    const client = redis.client();
    await writeFile(join(folder, REDIS_DUMP), `${JSON.stringify(await dumpRedis(client), undefined, 1)}\n`);
    client.disconnect();
  } finally {
    await gateway.stop();
    await redis.stop();
  }
}

await writeFiles();
await writeRedis();
for (const folder of FIXTURES) await writeDigests(join(target, folder));
