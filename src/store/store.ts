import type { Identity } from '../backend/identity.ts';
import type { BackendDialect, ForwardedRequest } from '../dialects/backend-dialect.ts';
import type { BackendLimits } from '../dialects/backend-limits.ts';
import { explained, StoreClaim } from '../dialects/store-claim.ts';
import type {
  StoreCopy,
  StoredAck,
  StoredCopy,
  StoredDeletion,
  StoredDeletions,
  StoredListing,
  StoredObject,
  StoredVersionListing,
  StoreGet,
  StorePut,
} from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import type { ListObjects, ListObjectVersions } from '../operations/listing.ts';
import type { ObjectRef, Resource, Tag, VendorHeaders } from '../operations/object.ts';
import type { DeleteTarget, Forward } from '../operations/operation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import type { Conditions } from '../wire/conditions.ts';
import { crossOriginAnswer } from '../wire/cross-origin.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, IncomingResponse, WireRequest } from '../wire/message.ts';
import { StoreBuckets } from './buckets.ts';
import { isSuccess, pinTo, type SendOptions, StoreCalls, type StoreConnection, type StoreOptions } from './calls.ts';
import { deleteMany } from './deletions.ts';
import type { StoreEncrypter } from './encrypting/encrypter.ts';
import { EncryptingCalls } from './encrypting/encrypting-calls.ts';
import { headOfNullVersion } from './mend/null-version.ts';
import { anotherRange, ObjectReplaced, pinned } from './pin.ts';
import { isOfRead } from './read-claims.ts';
import { StoreUploads } from './uploads.ts';

/**
 * The head of a stored object, and its bytes as they come. The caller must read `body` to its end or call `discard`.
 */
export interface StoredContent {
  readonly object: StoredObject;
  readonly body: ByteSource;
  discard(): void;
}

/**
 * The backend in neutral terms: short names for the rows of its dialect. Every answer that is not a success is thrown
 * as the neutral error. Sizes and ETags are the backend's.
 */
export class Store {
  readonly #calls: StoreCalls;
  readonly uploads: StoreUploads;
  readonly buckets: StoreBuckets;

  constructor(dialect: BackendDialect, connection: StoreConnection, options: StoreOptions = {}) {
    const { encrypter } = options;
    this.#calls =
      encrypter === undefined
        ? new StoreCalls(dialect, connection, options)
        : new EncryptingCalls(dialect, connection, { ...options, encrypter });
    this.uploads = new StoreUploads(this.#calls);
    this.buckets = new StoreBuckets(this.#calls);
  }

  /** Returns the same backend, which is asked with other rights. */
  as(identity: Identity): Store {
    return this.#with({ identity });
  }

  /** Returns the same backend, which is asked with the gateway's own rights and from the same share. */
  asGateway(): Store {
    return this.#with({ identity: undefined });
  }

  /** Returns the same backend, which is asked for one sharer, whose share of connections and memory it uses. */
  sharedBy(sharer: Sharer, budget: Budget): Store {
    return this.#with({ budget, sharer });
  }

  /** Returns the same backend, which is asked to encrypt by itself. */
  encryptedBy(encrypter: StoreEncrypter | undefined): Store {
    return this.#with({ encrypter });
  }

  #with(changed: StoreOptions): Store {
    const { dialect, connection, options } = this.#calls;
    return new Store(dialect, connection, { ...options, ...changed });
  }

  /** How the store is asked to encrypt by itself; undefined where it is not asked. */
  get encrypter(): StoreEncrypter | undefined {
    return this.#calls.options.encrypter;
  }

  /** With whose rights the store is asked; undefined means the gateway's own. */
  get identity(): Identity | undefined {
    return this.#calls.options.identity;
  }

  /** For whom the store is asked, and whose share is used. */
  get sharer(): Sharer | undefined {
    return this.#calls.options.sharer;
  }

  /** The region that signatures for the backend name. */
  get region(): string {
    return this.#calls.connection.region;
  }

  get dialect(): BackendDialect {
    return this.#calls.dialect;
  }

  /** Whether the backend can copy objects and parts by itself. Otherwise their bytes pass through the gateway. */
  get copies(): boolean {
    const { copy, copyPart } = this.#calls.dialect.calls;
    return copy !== undefined && copyPart !== undefined;
  }

  /** The largest sizes and counts that the backend takes. */
  get limits(): BackendLimits {
    return this.#calls.dialect.limits;
  }

  /** Whether `/a` and `a` are one object in it. */
  get foldsFirstSlash(): boolean {
    return !this.#calls.options.findings.capabilities.distinctFirstSlash;
  }

  put(put: StorePut, signal: AbortSignal): Promise<StoredAck> {
    return this.#calls.run(this.#calls.dialect.calls.put, put, { signal, conditions: put.conditions });
  }

  /**
   * Reads an object.
   * @throws GatewayError NoSuchKey, PreconditionFailed …; UnexplainedClaim if the store claims what nobody asked
   */
  async get(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return mustBeContent(await this.read(get, signal), get);
  }

  /**
   * Reads a few bytes for a caller that may hold a connection of the downloads already. It uses no other such
   * connection.
   */
  async getAside(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return mustBeContent(await this.#read(get, { signal, aside: true }), get);
  }

  /**
   * Reads an object, or returns what the store claims instead: that the range lies past its end, that it was not
   * modified, that a condition failed. The caller must check that claim against the object. It may ask only conditions
   * on which stores agree (pipeline/conditions/plan.ts).
   */
  read(get: StoreGet, signal: AbortSignal): Promise<StoredContent | StoreClaim> {
    return this.#read(get, { signal });
  }

  async #read(get: StoreGet, options: SendOptions): Promise<StoredContent | StoreClaim> {
    const row = this.#calls.dialect.calls.get;
    const response = await this.#calls.send(row, get, options);
    if (!isSuccess(response)) {
      const refusal = await this.#calls.refusal(response, get);
      if (refusal instanceof StoreClaim && isOfRead(refusal, get)) return refusal;
      throw explained(refusal, undefined);
    }
    try {
      const object = row.read(response);
      response.allowInterruption?.((fromByte) => this.#rest(get.ref, object, fromByte, options));
      return { object, body: response.body, discard: () => response.discard() };
    } catch (error) {
      response.discard();
      throw error;
    }
  }

  /**
   * Asks for the rest of an answer, from this byte on and of exactly this object. It is needed if the answer's
   * connection was given to somebody else while its reader was slow.
   * @throws ObjectReplaced, GatewayError BackendError for another range
   */
  async #rest(
    { bucket, key, versionId }: ObjectRef,
    object: StoredObject,
    fromByte: number,
    options: SendOptions,
  ): Promise<IncomingResponse> {
    const { first, last } = object.storedRange ?? { first: 0, last: object.storedBytes - 1 };
    const ref = { bucket, key, versionId: versionId ?? object.versionId };
    const range = { first: first + fromByte, last };
    const conditions = pinTo(object);
    const row = this.#calls.dialect.calls.get;
    const response = await pinned(this.#calls.succeed(row, { ref, range, conditions }, { ...options, conditions }));
    try {
      const rest = row.read(response);
      if (rest.etag !== object.etag || rest.storedBytes !== object.storedBytes) throw new ObjectReplaced();
      if (rest.storedRange?.first !== range.first || rest.storedRange.last !== last) throw anotherRange();
      return response;
    } catch (error) {
      response.discard();
      throw error;
    }
  }

  /** Reads an object's head. `get.conditions` may only be one that all stores judge alike: a pin to an ETag. */
  head(get: StoreGet, signal: AbortSignal): Promise<StoredObject> {
    const head = this.#calls.run(this.#calls.dialect.calls.head, get, { signal, conditions: get.conditions });
    if (get.ref.versionId === undefined) return head;
    return head.catch((refusal: unknown) => headOfNullVersion(refusal, get.ref, () => this.#headByGet(get, signal)));
  }

  async #headByGet(get: StoreGet, signal: AbortSignal): Promise<StoredObject> {
    const content = await this.get(get, signal);
    content.discard();
    return content.object;
  }

  delete(ref: ObjectRef, conditions: Conditions, signal: AbortSignal, vendor?: VendorHeaders): Promise<StoredDeletion> {
    return this.#calls.run(this.#calls.dialect.calls.delete, { ref, conditions, vendor }, { signal, conditions });
  }

  /**
   * Deletes any number of objects. Each is refused by itself.
   * @throws GatewayError if all of them are refused
   */
  deleteMany(
    bucket: string,
    targets: readonly DeleteTarget[],
    signal: AbortSignal,
    vendor?: VendorHeaders,
  ): Promise<StoredDeletions> {
    return deleteMany(this.#calls, { bucket, targets, vendor }, signal);
  }

  /** Lists objects. `onBytes` is called for every piece of the backend's document before it is read. */
  list(asked: ListObjects, signal: AbortSignal, onBytes?: (bytes: number) => void): Promise<StoredListing> {
    return this.#calls.run(this.#calls.dialect.calls.list, asked, { signal, onBytes });
  }

  /** Lists versions; otherwise like `list`. */
  listVersions(
    asked: ListObjectVersions,
    signal: AbortSignal,
    onBytes?: (bytes: number) => void,
  ): Promise<StoredVersionListing> {
    return this.#calls.run(this.#calls.dialect.calls.listVersions, asked, { signal, onBytes });
  }

  /**
   * Copies an object within the store, pinned to its source.
   * @throws GatewayError PreconditionFailed, NoSuchKey if the source was replaced or deleted …
   */
  copy(copy: StoreCopy, signal: AbortSignal): Promise<StoredCopy> {
    return this.#calls.run(this.#calls.dialect.calls.copy, copy, { signal, conditions: pinTo(copy.source) });
  }

  tags(ref: ObjectRef, signal: AbortSignal): Promise<readonly Tag[]> {
    return this.#calls.run(this.#calls.dialect.calls.tags, { ref }, { signal });
  }

  /**
   * Asks the store what pages of an origin may do. Only the CORS headers of the answer are returned.
   * @throws GatewayError
   */
  async preflight(
    resource: Resource,
    question: HeaderList,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly headers: HeaderList }> {
    const asked = { ...this.#placeOf(resource), question };
    const { status, headers } = await this.#calls.run(this.#calls.dialect.calls.preflight, asked, { signal });
    return { status, headers: crossOriginAnswer(headers) };
  }

  /**
   * Returns the place that a preflight is about. CORS rules belong to buckets, so an invalid key asks about its bucket.
   */
  #placeOf(resource: Resource): Resource {
    try {
      return this.#calls.made(resource);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'InvalidObjectName') throw error;
      return { bucket: resource.bucket };
    }
  }

  /**
   * Makes a request to forward (BackendDialect.forward); undefined if the backend's dialect forwards nothing.
   * @throws GatewayError
   */
  forward(request: WireRequest, operation: Forward, document: Buffer): ForwardedRequest | undefined {
    return this.#calls.dialect.forward?.(request, this.#calls.made(operation), document);
  }
}

function mustBeContent(answer: StoredContent | StoreClaim, { conditions }: StoreGet): StoredContent {
  if (answer instanceof StoreClaim) throw explained(answer, conditions);
  return answer;
}
