import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clientError } from '../errors.ts';
import { Turns } from '../shares/turns.ts';
import { Blobs } from './blobs.ts';
import { Bucket, noSuchBucket } from './bucket.ts';
import { Disk } from './disk.ts';

/** S3's rules, which also make a name safe as a folder's name. */
const BUCKET_NAME = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/;

/**
 * A folder of buckets:
 *
 *     buckets/<bucket>/bucket.json                       created, region
 *     buckets/<bucket>/objects/<SHA-256 of key>.json     what the object is, and which data holds it
 *     buckets/<bucket>/uploads/<id>/{upload,<n>}.json    unfinished multipart uploads
 *     data/<uuid>.data                                   bytes, never changed once written
 *
 * One process at a time: nothing locks the folder against a second.
 */
export class Store {
  readonly blobs: Blobs;
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #buckets = new Map<string, Bucket>();
  readonly #turns = new Turns();

  private constructor(folder: string, disk: Disk, blobs: Blobs) {
    this.#folder = folder;
    this.#disk = disk;
    this.blobs = blobs;
  }

  /** Loads what is there; clears away what a crash left. */
  static async open(options: { readonly directory: string; readonly durable: boolean }): Promise<Store> {
    const disk = new Disk(options);
    const folder = join(options.directory, 'buckets');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const store = new Store(folder, disk, await Blobs.open(join(options.directory, 'data'), disk));
    for (const name of await readdir(folder)) {
      const bucket = await Bucket.load(join(folder, name), disk, store.blobs);
      if (bucket !== undefined) store.#buckets.set(name, bucket);
    }
    await store.blobs.sweep();
    return store;
  }

  /** In the order of their names. */
  buckets(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.record.name < b.record.name ? -1 : 1));
  }

  /** @throws GatewayError NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return bucket;
  }

  /** @throws GatewayError BucketAlreadyOwnedByYou, InvalidBucketName */
  async createBucket(name: string, facts: { readonly createdMs: number; readonly region: string }): Promise<void> {
    if (!BUCKET_NAME.test(name)) {
      throw clientError(
        'InvalidBucketName',
        'A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.',
      );
    }
    await this.#turns.take(name, async () => {
      if (this.#buckets.has(name)) throw clientError('BucketAlreadyOwnedByYou', 'The bucket exists, and it is yours.');
      const folder = join(this.#folder, name);
      this.#buckets.set(name, await Bucket.create(folder, { name, ...facts }, this.#disk, this.blobs));
    });
  }

  /** @throws GatewayError BucketNotEmpty, NoSuchBucket */
  async deleteBucket(name: string): Promise<void> {
    await this.#turns.take(name, async () => {
      await this.bucket(name).delete();
      this.#buckets.delete(name);
    });
  }
}
