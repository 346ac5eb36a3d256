import type { BackendCall } from '../../dialects/backend-calls.ts';
import type { BackendDialect } from '../../dialects/backend-dialect.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import { allKeysOf } from '../../operations/listing.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import { type About, StoreCalls, type StoreConnection } from '../../store/calls.ts';
import { ALL_CAPABILITIES } from '../../store/capabilities.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { IncomingResponse } from '../../wire/message.ts';

const MAX_OBJECT_BYTES = 8 * 1024 * 1024;

/** A signal that never aborts, because no command gives a request up. */
const { signal } = new AbortController();

/**
 * Sends small requests for commands: to the backend, to see what lies there, and to the gateway itself, which is like
 * any store to the dialect that signs.
 */
export class ObjectClient {
  readonly #calls: StoreCalls;

  constructor(parts: { readonly back: BackendDialect; readonly connection: StoreConnection }) {
    // All capabilities are set, so that any key is taken: an operator may name what no client may.
    this.#calls = new StoreCalls(parts.back, parts.connection, {
      findings: { capabilities: ALL_CAPABILITIES, pending: [] },
    });
  }

  /**
   * Writes an object.
   * @throws GatewayError, as every method here does
   */
  async put(ref: ObjectRef, body: Buffer, described: Partial<Pick<ObjectMetadata, 'content' | 'user'>>): Promise<void> {
    const metadata = { content: {}, user: [], ...described };
    await this.#ask(this.#calls.dialect.calls.put, { ref, metadata, conditions: {}, body });
  }

  async get(ref: ObjectRef): Promise<{ readonly object: StoredObject; readonly bytes: Buffer }> {
    const row = this.#calls.dialect.calls.get;
    const response = await this.#calls.succeed(row, { ref, conditions: {} }, ASKED);
    const bytes = await contentOf(response);
    return { object: row.read(response), bytes };
  }

  /** Reads the stored bytes from `first` to `last`, both included, or fewer if the object ends before. */
  async range(ref: ObjectRef, first: number, last: number): Promise<Buffer> {
    const asked = { ref, range: { first, last }, conditions: {} };
    return contentOf(await this.#calls.succeed(this.#calls.dialect.calls.get, asked, ASKED));
  }

  /** Returns the head of an object; undefined if there is none. */
  async head(ref: ObjectRef): Promise<StoredObject | undefined> {
    try {
      return await this.#ask(this.#calls.dialect.calls.head, { ref, conditions: {} });
    } catch (error) {
      if (error instanceof GatewayError && (error.code === 'NoSuchKey' || error.code === 'NoSuchBucket')) {
        return undefined;
      }
      throw error;
    }
  }

  async delete(ref: ObjectRef): Promise<void> {
    await this.#ask(this.#calls.dialect.calls.delete, { ref, conditions: {} });
  }

  async createBucket(bucket: string): Promise<void> {
    const asked = { bucket, location: undefined };
    await this.#ask(this.#calls.dialect.calls.createBucket, asked);
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.#ask(this.#calls.dialect.calls.deleteBucket, { bucket });
  }

  async hasBucket(bucket: string): Promise<boolean> {
    try {
      await this.#ask(this.#calls.dialect.calls.headBucket, { bucket });
      return true;
    } catch (error) {
      // The error of a HEAD has no document, so a missing bucket may look like a missing key.
      if (error instanceof GatewayError && (error.code === 'NoSuchBucket' || error.code === 'NoSuchKey')) return false;
      throw error;
    }
  }

  async bucketNames(): Promise<string[]> {
    return (await this.#ask(this.#calls.dialect.calls.listBuckets, {})).map(({ name }) => name);
  }

  /** Returns the store's clock, from the answer to a small request, which may be a refusal. */
  async clock(): Promise<Date | undefined> {
    const response = await this.#calls.send(this.#calls.dialect.calls.listBuckets, {}, ASKED);
    response.discard();
    const date = new Date(response.headers.get('date') ?? '');
    return Number.isNaN(date.getTime()) ? undefined : date;
  }

  /** Whether a bucket holds any object, older versions included. */
  async holdsObjects(bucket: string): Promise<boolean> {
    if ((await this.#ask(this.#calls.dialect.calls.list, allKeysOf(bucket, { maxKeys: 1 }))).entries.length > 0)
      return true;
    try {
      return await this.#holdsVersions(bucket);
    } catch (error) {
      // A store without versions has no older ones.
      if (error instanceof GatewayError && error.code === 'NotImplemented') return false;
      throw error;
    }
  }

  /**
   * Whether a bucket holds any version of an object. Delete markers do not count, but the listing goes on to what they
   * hide.
   */
  async #holdsVersions(bucket: string): Promise<boolean> {
    const { calls, limits } = this.#calls.dialect;
    const asked = {
      kind: 'ListObjectVersions',
      bucket,
      prefix: '',
      delimiter: '',
      maxKeys: limits.entriesAPage,
    } as const;
    let keyMarker = '';
    let versionIdMarker = '';
    for (;;) {
      const page = await this.#ask(calls.listVersions, { ...asked, keyMarker, versionIdMarker, urlEncoded: true });
      if (page.entries.some((entry) => !entry.deleteMarker)) return true;
      if (!page.truncated) return false;
      const { nextKeyMarker, nextVersionIdMarker = '' } = page;
      // If a store does not say how to go on, the rest is unknown. It is better to keep a bucket too many than to lose
      // keys.
      if (nextKeyMarker === undefined) return true;
      if (nextKeyMarker === keyMarker && nextVersionIdMarker === versionIdMarker) return true;
      keyMarker = nextKeyMarker;
      versionIdMarker = nextVersionIdMarker;
    }
  }

  #ask<Asked extends About, Answer>(call: BackendCall<Asked, Answer> | undefined, asked: Asked): Promise<Answer> {
    return this.#calls.run(call, asked, ASKED);
  }
}

const ASKED = { signal } as const;

function contentOf({ body }: IncomingResponse): Promise<Buffer> {
  return collect(body, MAX_OBJECT_BYTES, () => {
    return new GatewayError('BackendError', 'The answer is larger than expected.', { source: 'backend' });
  });
}
