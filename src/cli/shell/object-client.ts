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

/** No command gives a request up. */
const { signal } = new AbortController();

/**
 * Small requests of the commands: to the backend, to see what lies there, and to the gateway itself, which looks like
 * any other store to the dialect that signs.
 */
export class ObjectClient {
  readonly #calls: StoreCalls;

  constructor(parts: { readonly back: BackendDialect; readonly connection: StoreConnection }) {
    // What an operator names is theirs to name.
    this.#calls = new StoreCalls(parts.back, parts.connection, {
      findings: { capabilities: ALL_CAPABILITIES, pending: [] },
    });
  }

  /** @throws GatewayError, as every method here */
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

  /** Stored bytes first..last, inclusive, fewer past the end. */
  async range(ref: ObjectRef, first: number, last: number): Promise<Buffer> {
    const asked = { ref, range: { first, last }, conditions: {} };
    return contentOf(await this.#calls.succeed(this.#calls.dialect.calls.get, asked, ASKED));
  }

  /** undefined when there is no such object. */
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
      // A HEAD's error has no document, so a missing bucket may look like a missing key.
      if (error instanceof GatewayError && (error.code === 'NoSuchBucket' || error.code === 'NoSuchKey')) return false;
      throw error;
    }
  }

  async bucketNames(): Promise<string[]> {
    return (await this.#ask(this.#calls.dialect.calls.listBuckets, {})).map(({ name }) => name);
  }

  /** The store's clock, as the answer to a small request tells it, be it a refusal. */
  async clock(): Promise<Date | undefined> {
    const response = await this.#calls.send(this.#calls.dialect.calls.listBuckets, {}, ASKED);
    response.discard();
    const date = new Date(response.headers.get('date') ?? '');
    return Number.isNaN(date.getTime()) ? undefined : date;
  }

  /** Whether anything is kept in a bucket, older versions included. */
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

  /** Delete markers are nothing, but what they hide comes behind them. */
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
      // Where a store does not say how to go on, the rest is unknown: better a bucket too many than lost keys.
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
