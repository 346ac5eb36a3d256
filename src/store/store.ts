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
import { headOfNullVersion } from './mend/null-version.ts';
import { anotherRange, ObjectReplaced, pinned } from './pin.ts';
import { StoreUploads } from './uploads.ts';

/** A stored object's head, and its bytes as they come. Consume `body` to its end, or call `discard`. */
export interface StoredContent {
  readonly object: StoredObject;
  readonly body: ByteSource;
  discard(): void;
}

/**
 * The backend in neutral terms: thin names for the rows of its dialect. Every answer that is not success is thrown as the
 * neutral error. Sizes and ETags are the backend's.
 */
export class Store {
  readonly #calls: StoreCalls;
  readonly uploads: StoreUploads;
  readonly buckets: StoreBuckets;

  constructor(dialect: BackendDialect, connection: StoreConnection, options: StoreOptions = {}) {
    this.#calls = new StoreCalls(dialect, connection, options);
    this.uploads = new StoreUploads(this.#calls);
    this.buckets = new StoreBuckets(this.#calls);
  }

  /** The same backend, asked with other rights. */
  as(identity: Identity): Store {
    const { dialect, connection, options } = this.#calls;
    return new Store(dialect, connection, { ...options, identity });
  }

  /** The same backend, asked with the gateway's own rights, from the same share. */
  asGateway(): Store {
    const { dialect, connection, options } = this.#calls;
    return new Store(dialect, connection, { ...options, identity: undefined });
  }

  /** The same backend, asked for one sharer: connections and memory are taken from that sharer's part. */
  sharedBy(sharer: Sharer, budget: Budget): Store {
    const { dialect, connection, options } = this.#calls;
    return new Store(dialect, connection, { ...options, budget, sharer });
  }

  /** With whose rights it asks. undefined stands for the gateway's own. */
  get identity(): Identity | undefined {
    return this.#calls.options.identity;
  }

  /** For whom it asks, and whose part of what is bounded it takes. */
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

  /** Whether the backend can copy objects and parts itself. Otherwise their bytes come through the gateway. */
  get copies(): boolean {
    const { copy, copyPart } = this.#calls.dialect.calls;
    return copy !== undefined && copyPart !== undefined;
  }

  /** The sizes and counts that the backend sets. */
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

  /** @throws GatewayError NoSuchKey, PreconditionFailed; UnexplainedClaim for whatever else a store claims … */
  async get(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return mustBeContent(await this.read(get, signal), get);
  }

  /** Like `get`, for a few bytes and for a caller that may hold a download already: it takes no connection of downloads. */
  async getAside(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return mustBeContent(await this.#read(get, { signal, aside: true }), get);
  }

  /**
   * The same for a caller that holds what a store claims instead of an object against the object itself: that the range
   * lies past its end, that it was not modified, that a condition failed. The caller asks only conditions about which
   * stores agree (pipeline/conditions/plan.ts).
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
   * Asks for the rest of an answer, from a byte on and of exactly this object, because the answer's connection was given to
   * somebody else and its reader goes on.
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

  /** `get.conditions` may only be those that all stores judge alike: a pin to an ETag. */
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

  /** Deletes any number of objects; each is refused for itself. @throws GatewayError for what refuses all of them */
  deleteMany(
    bucket: string,
    targets: readonly DeleteTarget[],
    signal: AbortSignal,
    vendor?: VendorHeaders,
  ): Promise<StoredDeletions> {
    return deleteMany(this.#calls, { bucket, targets, vendor }, signal);
  }

  /** `onBytes` is told of every piece of the backend's document before it is read. */
  list(asked: ListObjects, signal: AbortSignal, onBytes?: (bytes: number) => void): Promise<StoredListing> {
    return this.#calls.run(this.#calls.dialect.calls.list, asked, { signal, onBytes });
  }

  /** The same for versions. */
  listVersions(
    asked: ListObjectVersions,
    signal: AbortSignal,
    onBytes?: (bytes: number) => void,
  ): Promise<StoredVersionListing> {
    return this.#calls.run(this.#calls.dialect.calls.listVersions, asked, { signal, onBytes });
  }

  /** @throws GatewayError PreconditionFailed, NoSuchKey when the source is not the one that was pinned any more … */
  copy(copy: StoreCopy, signal: AbortSignal): Promise<StoredCopy> {
    return this.#calls.run(this.#calls.dialect.calls.copy, copy, { signal, conditions: pinTo(copy.source) });
  }

  tags(ref: ObjectRef, signal: AbortSignal): Promise<readonly Tag[]> {
    return this.#calls.run(this.#calls.dialect.calls.tags, { ref }, { signal });
  }

  /** Asks a browser's question about pages of an origin. Only the headers that answer it come back. @throws GatewayError */
  async preflight(
    resource: Resource,
    question: HeaderList,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly headers: HeaderList }> {
    const asked = { ...this.#placeOf(resource), question };
    const { status, headers } = await this.#calls.run(this.#calls.dialect.calls.preflight, asked, { signal });
    return { status, headers: crossOriginAnswer(headers) };
  }

  /** Rules are by bucket, so a key that the store cannot have asks about its bucket. */
  #placeOf(resource: Resource): Resource {
    try {
      return this.#calls.made(resource);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'InvalidObjectName') throw error;
      return { bucket: resource.bucket };
    }
  }

  /** See BackendDialect.forward; undefined where the backend's dialect forwards nothing. @throws GatewayError */
  forward(request: WireRequest, operation: Forward, document: Buffer): ForwardedRequest | undefined {
    return this.#calls.dialect.forward?.(request, this.#calls.made(operation), document);
  }
}

/** Whether a store may claim this of what was asked. Only a range can lie past the end, and only a condition can fail. */
function isOfRead({ code }: StoreClaim, { range, conditions }: StoreGet): boolean {
  switch (code) {
    case 'InvalidRange':
      return range !== undefined;
    case 'NotModified':
      return (conditions.ifNoneMatch ?? conditions.ifModifiedSince) !== undefined;
    case 'PreconditionFailed':
      return conditions.ifMatch !== undefined;
  }
}

function mustBeContent(answer: StoredContent | StoreClaim, { conditions }: StoreGet): StoredContent {
  if (answer instanceof StoreClaim) throw explained(answer, conditions);
  return answer;
}
