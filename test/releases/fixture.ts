import type { Dirent } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';

/** Where the fixtures of all releases lie, a folder a release. */
export const RELEASES = join(import.meta.dirname, '../vectors/releases');

/** A row of releases.json. */
export interface Release {
  readonly name: string;
  /** The commit that the fixtures were made with. */
  readonly commit: string;
}

/** Of each release: one that keeps all in files, and one with its key store in Redis. */
export const FIXTURES = ['files', 'redis'] as const;
/** The SHA-256 of every file of a fixture. */
export const DIGESTS = 'digests.json';
/** The folders of a fixture: git keeps none that is empty. */
export const FOLDERS = 'folders.json';
export const REDIS_DUMP = 'redis.json';

/** The files below a folder, with slashes. */
export function filesIn(folder: string): Promise<string[]> {
  return namesIn(folder, (entry) => entry.isFile());
}

export function foldersIn(folder: string): Promise<string[]> {
  return namesIn(folder, (entry) => entry.isDirectory());
}

async function namesIn(folder: string, wanted: (entry: Dirent) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(wanted)
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

/** An object that a release wrote, and what a client was told of it. */
export interface WrittenObject {
  readonly bucket: string;
  readonly key: string;
  /** Of plaintext; it is `payload(bytes, seed)`, several of them where `parts` says so. */
  readonly parts: readonly { readonly bytes: number; readonly seed: number }[];
  readonly sha256: string;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Content-Type and its like. */
  readonly headers: Readonly<Record<string, string>>;
  /** Checksums in base64, by the name of their member in the SDK. */
  readonly checksums: Readonly<Record<string, string>>;
  /** How it lies in the store, for the reader of the fixture. */
  readonly shape: string;
}

/** A multipart upload that a release began and did not end. */
export interface BegunUpload {
  /**
   * Its parts lie in the store's own upload, and are smaller than a store takes before a last part: they are listed, and
   * a Complete leaves them out.
   */
  readonly held: boolean;
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** The parts that were sent. */
  readonly parts: readonly {
    readonly partNumber: number;
    readonly bytes: number;
    readonly seed: number;
    readonly etag: string;
  }[];
  readonly shape: string;
}

export interface WrittenCredential {
  readonly tenant: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** What ListBuckets shows it. */
  readonly buckets: readonly string[];
}

/** `expected.json` of a fixture: what a release wrote, as its own gateway told it. */
export interface Expected {
  readonly objects: readonly WrittenObject[];
  /** An object that somebody copied to another key in the store, past the gateway. */
  readonly moved: readonly { readonly bucket: string; readonly key: string; readonly readable: boolean }[];
  readonly uploads: readonly BegunUpload[];
  readonly credentials: readonly WrittenCredential[];
  /** The tenants, and the current version of each key ring. */
  readonly rings: Readonly<Record<string, number>>;
}

/** A key of Redis and what it holds, bytes in base64. */
export interface RedisEntry {
  readonly key: string;
  readonly type: 'string' | 'hash' | 'list' | 'zset';
  /** A string is one value; a hash, fields and values in turn; a sorted set, members and scores in turn. */
  readonly values: readonly string[];
  /** Whether Redis was to forget it some time. */
  readonly expires: boolean;
}

export async function dumpRedis(client: Redis): Promise<RedisEntry[]> {
  const entries: RedisEntry[] = [];
  for (const key of (await client.keysBuffer('*')).sort(Buffer.compare)) {
    const type = (await client.type(key)) as RedisEntry['type'];
    const values = await valuesOf(client, key, type);
    const expires = (await client.pttl(key)) !== -1;
    entries.push({
      key: key.toString('base64'),
      type,
      values: values.map((value) => value.toString('base64')),
      expires,
    });
  }
  return entries;
}

async function valuesOf(client: Redis, key: Buffer, type: RedisEntry['type']): Promise<Buffer[]> {
  switch (type) {
    case 'string':
      return [(await client.getBuffer(key)) as Buffer];
    case 'list':
      return client.lrangeBuffer(key, 0, -1);
    case 'hash':
      return Object.entries(await client.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]);
    case 'zset':
      return (await client.callBuffer('ZRANGE', key, 0, -1, 'WITHSCORES')) as Buffer[];
    default:
      throw new Error(`no form for a ${type as string} of Redis`);
  }
}

/** Puts a dump into an empty Redis. What was to be forgotten some time is kept for a day. */
export async function restoreRedis(client: Redis, entries: readonly RedisEntry[]): Promise<void> {
  for (const { key: name, type, values: texts, expires } of entries) {
    const key = Buffer.from(name, 'base64');
    const values = texts.map((text) => Buffer.from(text, 'base64'));
    if (type === 'string') await client.set(key, values[0] as Buffer);
    else if (type === 'list') await client.rpush(key, ...values);
    else if (type === 'hash') await client.hset(key, ...values);
    else {
      for (let at = 0; at < values.length; at += 2) {
        await client.call('ZADD', key, values[at + 1] as Buffer, values[at] as Buffer);
      }
    }
    if (expires) await client.expire(key, 86_400);
  }
}

/** A copy of a fixture's folder, unpacked. Every file is new: an upload whose state is old may have expired. */
export async function copyOf(folder: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'sealgate-release-'));
  const folders: readonly string[] = JSON.parse(await readFile(join(folder, FOLDERS), 'utf8'));
  for (const name of folders) await mkdir(join(copy, name), { recursive: true });
  for (const file of await filesIn(folder)) {
    const bytes = await readFile(join(folder, file));
    const target = join(copy, file.replace(/\.gz$/, ''));
    await writeFile(target, file.endsWith('.gz') ? gunzipSync(bytes) : bytes, { mode: 0o600 });
  }
  return copy;
}
