import type { BackendConnection } from '../backend/connection.ts';
import type { Identity } from '../backend/identity.ts';
import type { BackDialect, ForwardedRequest } from '../dialects/back-dialect.ts';
import type { BackendLimits } from '../dialects/backend-limits.ts';
import type { ForStore } from '../dialects/identifiers.ts';
import { explained, StoreClaim } from '../dialects/store-claim.ts';
import type {
  StoreCopy,
  StoredAck,
  StoredCopy,
  StoredListing,
  StoredObject,
  StoredVersionListing,
  StoreGet,
  StorePut,
} from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import type { DeletedEntry, DeleteFailure } from '../operations/answer.ts';
import type { ObjectRef, Resource, Tag, VendorHeaders } from '../operations/object.ts';
import type { DeleteTarget, Forward, ListObjects, ListObjectVersions } from '../operations/operation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import type { Conditions } from '../wire/conditions.ts';
import { crossOriginAnswer } from '../wire/cross-origin.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, IncomingResponse, WireRequest } from '../wire/message.ts';
import { StoreBuckets } from './buckets.ts';
import { bounded, isSuccess, pinTo, type SendOptions, StoreCalls, type StoreOptions } from './calls.ts';
import { anotherRange, ObjectReplaced, pinned } from './pin.ts';
import { StoreUploads } from './uploads.ts';

/** A stored object's head and its bytes on their way. Consume `body` or call `discard`. */
export interface StoredContent {
  readonly object: StoredObject;
  readonly body: ByteSource;
  discard(): void;
}

/**
 * The backend in the pipeline's terms: one method a request, neutral values in and out, every answer that is not
 * success thrown as the neutral error. Sizes and ETags are the backend's.
 */
export class Store {
  readonly #calls: StoreCalls;
  readonly uploads: StoreUploads;
  readonly buckets: StoreBuckets;

  constructor(back: BackDialect, connection: BackendConnection, options: StoreOptions = {}) {
    this.#calls = new StoreCalls(back, connection, options);
    this.uploads = new StoreUploads(this.#calls);
    this.buckets = new StoreBuckets(this.#calls);
  }

  /** The same backend, asked with other rights. */
  as(identity: Identity): Store {
    const { back, connection, options } = this.#calls;
    return new Store(back, connection, { ...options, identity });
  }

  /** The same backend, asked with the gateway's own rights, from the same share. */
  asGateway(): Store {
    const { back, connection, options } = this.#calls;
    return new Store(back, connection, { ...options, identity: undefined });
  }

  /** The same backend, asked for one sharer, of whose part of the connections and of the memory is taken. */
  sharedBy(sharer: Sharer, budget: Budget): Store {
    const { back, connection, options } = this.#calls;
    return new Store(back, connection, { ...options, budget, sharer });
  }

  /** With whose rights it asks; undefined: the gateway's own. */
  get identity(): Identity | undefined {
    return this.#calls.options.identity;
  }

  /** For whom it asks. */
  get sharer(): Sharer | undefined {
    return this.#calls.options.sharer;
  }

  /** That signatures for the backend name. */
  get region(): string {
    return this.#calls.connection.region;
  }

  get dialect(): BackDialect {
    return this.#calls.back;
  }

  /** The sizes and counts that the backend sets. */
  get limits(): BackendLimits {
    return this.#calls.back.limits;
  }

  /** Whether `/a` and `a` are one object in it. */
  get foldsFirstSlash(): boolean {
    return this.#calls.options.naming.names.keys === 'paths';
  }

  async put(put: StorePut, signal: AbortSignal): Promise<StoredAck> {
    return this.#calls.acknowledged(this.#calls.back.put(this.#calls.made(put)), put.ref, {
      signal,
      conditions: put.conditions,
    });
  }

  /** @throws GatewayError NoSuchKey, PreconditionFailed; UnexplainedClaim for whatever else a store claims … */
  async get(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return mustBeContent(await this.read(get, signal), get);
  }

  /** A few bytes, for whoever may hold a download already. Else like `get`. */
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
    const { conditions } = get;
    const response = await this.#calls.send(this.#calls.back.get({ ...this.#calls.made(get), conditions }), options);
    if (!isSuccess(response)) {
      const refusal = await this.#calls.refusal(response, get.ref);
      if (refusal instanceof StoreClaim && isOfRead(refusal, get)) return refusal;
      throw explained(refusal, undefined);
    }
    try {
      const object = this.#calls.back.readObject(response);
      response.allowInterruption?.((fromByte) => this.#rest(get.ref, object, fromByte, options));
      return { object, body: response.body, discard: () => response.discard() };
    } catch (error) {
      response.discard();
      throw error;
    }
  }

  /**
   * The rest of an answer, from a byte on and of exactly this object: the answer's connection was given to somebody else,
   * and its reader goes on.
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
    const asked = this.#calls.back.get(this.#calls.made({ ref, range, conditions }));
    const response = await pinned(this.#calls.succeed(asked, ref, { ...options, conditions }));
    try {
      const rest = this.#calls.back.readObject(response);
      if (rest.etag !== object.etag || rest.storedBytes !== object.storedBytes) throw new ObjectReplaced();
      if (rest.storedRange?.first !== range.first || rest.storedRange.last !== last) throw anotherRange();
      return response;
    } catch (error) {
      response.discard();
      throw error;
    }
  }

  /** @param conditions those that all stores judge alike: a pin to an ETag */
  async head({ conditions, ...get }: StoreGet, signal: AbortSignal): Promise<StoredObject> {
    const response = await this.#calls.succeed(
      this.#calls.back.head({ ...this.#calls.made(get), conditions }),
      get.ref,
      {
        signal,
        conditions,
      },
    );
    response.discard();
    return this.#calls.back.readObject(response);
  }

  async delete(
    ref: ObjectRef,
    conditions: Conditions,
    signal: AbortSignal,
    vendor?: VendorHeaders,
  ): Promise<{ versionId: string | undefined; deleteMarker: boolean }> {
    const request = this.#calls.back.delete(this.#calls.made(ref), conditions, vendor);
    const response = await this.#calls.succeed(request, ref, { signal, conditions });
    response.discard();
    return this.#calls.back.readDelete(response);
  }

  async deleteMany(
    bucket: string,
    targets: readonly DeleteTarget[],
    signal: AbortSignal,
    vendor?: VendorHeaders,
  ): Promise<{ deleted: readonly DeletedEntry[]; failures: readonly DeleteFailure[] }> {
    const place = this.#calls.made({ bucket });
    const { made, failures: refused } = this.#calls.madeEach(targets);
    if (made.length === 0) return { deleted: [], failures: refused };
    const request = this.#calls.back.deleteMany(place.bucket, made, vendor);
    const { deleted, failures } = await this.#calls.document(
      request,
      { bucket },
      signal,
      this.#calls.back.readDeleteMany,
    );
    return { deleted, failures: [...failures, ...refused] };
  }

  /** `onBytes` is told of every piece of the backend's document before it is read. */
  async list(
    asked: ListObjects,
    signal: AbortSignal,
    onBytes: (bytes: number) => void = ignored,
  ): Promise<StoredListing> {
    const { body } = await this.#calls.succeed(this.#calls.back.list(this.#calls.made(asked)), asked, { signal });
    return this.#calls.back.readListing(bounded(body, onBytes));
  }

  /** The same for versions. */
  async listVersions(
    asked: ListObjectVersions,
    signal: AbortSignal,
    onBytes: (bytes: number) => void = ignored,
  ): Promise<StoredVersionListing> {
    const { body } = await this.#calls.succeed(this.#calls.back.listVersions(this.#calls.made(asked)), asked, {
      signal,
    });
    return this.#calls.back.readVersionListing(bounded(body, onBytes));
  }

  /** @throws GatewayError PreconditionFailed, NoSuchKey when the source is not the one that was pinned any more … */
  async copy(copy: StoreCopy, signal: AbortSignal): Promise<StoredCopy> {
    const request = this.#calls.back.copy(this.#calls.made(copy));
    const options = { signal, conditions: pinTo(copy.source) };
    return this.#calls.acknowledgedIn(request, copy.ref, options, this.#calls.back.readCopied);
  }

  async tags(ref: ObjectRef, signal: AbortSignal): Promise<readonly Tag[]> {
    return this.#calls.document(this.#calls.back.tags(this.#calls.made(ref)), ref, signal, this.#calls.back.readTags);
  }

  /** What a browser asks about pages of an origin; of the answer only what speaks of that. @throws GatewayError */
  async preflight(
    resource: Resource,
    question: HeaderList,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly headers: HeaderList }> {
    const response = await this.#calls.succeed(
      this.#calls.back.preflight(this.#madeResource(resource), question),
      resource,
      {
        signal,
      },
    );
    response.discard();
    return { status: response.status, headers: crossOriginAnswer(response.headers) };
  }

  /** Rules are by bucket: a key that is none asks about its bucket. */
  #madeResource(resource: Resource): ForStore<Resource> {
    try {
      return this.#calls.made(resource);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'InvalidObjectName') throw error;
      return this.#calls.made({ bucket: resource.bucket });
    }
  }

  /** See BackDialect.forward. @throws GatewayError */
  forward(request: WireRequest, operation: Forward, document: Buffer): ForwardedRequest {
    return this.#calls.back.forward(request, this.#calls.made(operation), document);
  }
}

/** Whether a store may claim this of what was asked: only a range can lie past the end, only a condition can fail. */
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

function ignored(): void {}
