import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clientError } from '../errors.ts';
import { Turns } from '../shares/turns.ts';
import type { Blobs } from './blobs.ts';
import type { Disk } from './disk.ts';
import { KeyIndex } from './key-order.ts';
import { type BucketRecord, decodeRecord, type Entry, encodeRecord, type ObjectRecord, sidecarName } from './record.ts';
import { Uploads } from './uploads.ts';

/** Looks at what stands under the key at the moment of change, and throws to refuse. */
export type Guard = (current: ObjectRecord | undefined) => void;

/** One bucket: sidecars in a folder, all of them in memory too, sorted. What is changed is on disk before memory. */
export class Bucket {
  readonly record: BucketRecord;
  readonly uploads: Uploads;
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #blobs: Blobs;
  readonly #records = new Map<string, ObjectRecord>();
  readonly #turns = new Turns();
  #keys = new KeyIndex();
  #changing = 0;
  #deleted = false;

  private constructor(folder: string, record: BucketRecord, disk: Disk, blobs: Blobs) {
    this.record = record;
    this.#folder = folder;
    this.#disk = disk;
    this.#blobs = blobs;
    this.uploads = new Uploads(join(folder, 'uploads'), disk, blobs);
  }

  static async create(folder: string, record: BucketRecord, disk: Disk, blobs: Blobs): Promise<Bucket> {
    await mkdir(join(folder, 'objects'), { recursive: true });
    await mkdir(join(folder, 'uploads'), { recursive: true });
    await disk.replace(join(folder, 'bucket.json'), encodeRecord(record)); // the last: a bucket without it is none
    return new Bucket(folder, record, disk, blobs);
  }

  /** undefined for a folder that a crash left before it was a bucket, or while it was deleted: it is cleared away. */
  static async load(folder: string, disk: Disk, blobs: Blobs): Promise<Bucket | undefined> {
    if (!(await readdir(folder)).includes('bucket.json')) {
      await rm(folder, { recursive: true });
      return undefined;
    }
    const record = decodeRecord<BucketRecord>(await disk.document(join(folder, 'bucket.json')));
    const bucket = new Bucket(folder, record, disk, blobs);
    for (const { value } of await disk.documents(join(folder, 'objects'))) {
      const object = decodeRecord<ObjectRecord>(value);
      blobs.retain(object.pieces);
      bucket.#records.set(object.key, object);
    }
    bucket.#keys = new KeyIndex(bucket.#records.keys());
    await bucket.uploads.load();
    return bucket;
  }

  get keys(): KeyIndex {
    return this.#keys;
  }

  find(key: string): ObjectRecord | undefined {
    return this.#records.get(key);
  }

  /**
   * Makes an object visible, all at once. Takes over one hold on the record's pieces, also when it throws.
   * @throws what `guard` throws, GatewayError NoSuchBucket when the bucket went meanwhile
   */
  async commit(record: ObjectRecord, guard: Guard): Promise<void> {
    try {
      await this.#change(record.key, async (current) => {
        guard(current);
        await this.#write(record);
        if (current === undefined) this.#keys.add(record.key);
        else await this.#blobs.release(current.pieces);
      });
    } catch (error) {
      if (this.#records.get(record.key) !== record) await this.#blobs.release(record.pieces);
      throw error;
    }
  }

  /** @throws GatewayError NoSuchKey */
  async setTags(key: string, tags: readonly Entry[]): Promise<void> {
    await this.#change(key, async (current) => {
      if (current === undefined) throw noSuchKey(key);
      await this.#write({ ...current, tags });
    });
  }

  /** Removing what is not there is well, unless the guard minds. */
  async remove(key: string, guard: Guard): Promise<void> {
    await this.#change(key, async (current) => {
      guard(current);
      if (current === undefined) return;
      await this.#disk.remove(this.#sidecar(key));
      this.#records.delete(key);
      this.#keys.remove(key);
      await this.#blobs.release(current.pieces);
    });
  }

  /** @throws GatewayError BucketNotEmpty; unfinished uploads do not keep a bucket */
  async delete(): Promise<void> {
    if (this.#records.size > 0 || this.#changing > 0) {
      throw clientError('BucketNotEmpty', 'The bucket you tried to delete is not empty.');
    }
    this.#deleted = true;
    await this.uploads.releaseAll();
    await this.#disk.remove(join(this.#folder, 'bucket.json'));
    await rm(this.#folder, { recursive: true });
  }

  async #change(key: string, work: (current: ObjectRecord | undefined) => Promise<void>): Promise<void> {
    if (this.#deleted) throw noSuchBucket(this.record.name);
    this.#changing++;
    try {
      await this.#turns.take(key, () => work(this.#records.get(key)));
    } finally {
      this.#changing--;
    }
  }

  async #write(record: ObjectRecord): Promise<void> {
    await this.#disk.replace(this.#sidecar(record.key), encodeRecord(record));
    this.#records.set(record.key, record);
  }

  #sidecar(key: string): string {
    return join(this.#folder, 'objects', sidecarName(key));
  }
}

export function noSuchKey(key: string) {
  return clientError('NoSuchKey', 'The specified key does not exist.', { details: { key } });
}

export function noSuchBucket(bucket: string) {
  return clientError('NoSuchBucket', 'The specified bucket does not exist.', { details: { bucket } });
}
