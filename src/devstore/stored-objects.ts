import type { ByteSource } from '../wire/message.ts';
import { slicePieces } from './blobs.ts';
import { type Bucket, noSuchKey } from './bucket.ts';
import type { Description, ObjectRecord } from './record.ts';
import type { Store } from './store.ts';

/** Any change stands, whatever was there. */
const ANY = () => undefined;

/**
 * The store seen from behind, for tests: what really lies there, and an attacker's hands on it. Damage keeps the ETag
 * and all headers, as a failing disk would.
 */
export class StoredObjects {
  readonly #open: () => Promise<Store>;
  readonly #now: () => Date;

  constructor(open: () => Promise<Store>, now: () => Date) {
    this.#open = open;
    this.#now = now;
  }

  async keys(bucket: string): Promise<string[]> {
    return [...(await this.#open()).bucket(bucket).keys];
  }

  /** @throws GatewayError NoSuchBucket, NoSuchKey; so do all below */
  async read(bucket: string, key: string): Promise<{ readonly bytes: Buffer; readonly record: ObjectRecord }> {
    const store = await this.#open();
    const record = recordOf(store.bucket(bucket), key);
    return { bytes: await collect(store.blobs.read(record.pieces)), record };
  }

  /** Puts bytes there, with their own ETag. What is not described stays as it was, or empty for a new key. */
  async overwrite(bucket: string, key: string, bytes: Buffer, described: Partial<Description> = {}): Promise<void> {
    const store = await this.#open();
    const before = store.bucket(bucket).find(key);
    const { headers = [], metadata = [], tags = [] } = { ...before, ...described };
    const { pieces, md5 } = await store.blobs.write(only(bytes));
    const modifiedMs = before?.modifiedMs ?? this.#now().getTime();
    const facts = { etag: md5.toString('hex'), bytes: bytes.length, modifiedMs };
    await store.bucket(bucket).commit({ key, ...facts, headers, metadata, tags, pieces }, ANY);
  }

  async delete(bucket: string, key: string): Promise<void> {
    await (await this.#open()).bucket(bucket).remove(key, ANY);
  }

  /** Flips one bit of the byte at `offset`; negative counts from the end. */
  async flip(bucket: string, key: string, offset: number): Promise<void> {
    const store = await this.#open();
    const { pieces, bytes, ...rest } = recordOf(store.bucket(bucket), key);
    const at = offset < 0 ? bytes + offset : offset;
    if (at < 0 || at >= bytes) throw new RangeError(`There is no byte ${offset} in ${bytes}.`);
    const [byte] = await collect(store.blobs.read(pieces, { first: at, last: at }));
    const flipped = await store.blobs.write(only(Buffer.of((byte as number) ^ 1)));
    const before = slicePieces(pieces, { first: 0, last: at - 1 });
    const after = slicePieces(pieces, { first: at + 1, last: bytes - 1 });
    store.blobs.retain([...before, ...after]);
    await store.bucket(bucket).commit({ ...rest, bytes, pieces: [...before, ...flipped.pieces, ...after] }, ANY);
  }

  /** Keeps the first `bytes`. */
  async truncate(bucket: string, key: string, bytes: number): Promise<void> {
    const store = await this.#open();
    const record = recordOf(store.bucket(bucket), key);
    const pieces = slicePieces(record.pieces, { first: 0, last: bytes - 1 });
    store.blobs.retain(pieces);
    await store.bucket(bucket).commit({ ...record, bytes, pieces }, ANY);
  }

  /** Two objects change places, or only their bytes do while headers and metadata stay. */
  async swap(bucket: string, keys: readonly [string, string], what: 'everything' | 'bytes'): Promise<void> {
    const store = await this.#open();
    const [one, other] = keys.map((key) => recordOf(store.bucket(bucket), key)) as [ObjectRecord, ObjectRecord];
    store.blobs.retain([...one.pieces, ...other.pieces]); // before the first exchange lets go of them
    await store.bucket(bucket).commit(exchanged(one, other, what), ANY);
    await store.bucket(bucket).commit(exchanged(other, one, what), ANY);
  }
}

function exchanged(place: ObjectRecord, source: ObjectRecord, what: 'everything' | 'bytes'): ObjectRecord {
  const { bytes, pieces } = source;
  return what === 'everything' ? { ...source, key: place.key } : { ...place, bytes, pieces };
}

async function collect(source: ByteSource): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk); // a blob's chunks are never used again
  return Buffer.concat(chunks);
}

function recordOf(bucket: Bucket, key: string): ObjectRecord {
  const record = bucket.find(key);
  if (record === undefined) throw noSuchKey(key);
  return record;
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
