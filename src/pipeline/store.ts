import { createHash } from 'node:crypto';
import type { BackendConnection } from '../backend/connection.ts';
import type { Identity } from '../backend/identity.ts';
import type {
  BackDialect,
  CompletedPart,
  ForwardedRequest,
  Resource,
  StoreCopy,
  StoredAck,
  StoredCopy,
  StoredListing,
  StoredObject,
  StoredPartListing,
  StoredUploadListing,
  StoredVersionListing,
  StoreGet,
  StorePartCopy,
  StorePut,
} from '../dialects/dialect.ts';
import { type ForStore, madeBy, type StoreGrammar, type StoreNames } from '../dialects/identifiers.ts';
import { explained, readAcknowledged, StoreClaim } from '../dialects/store-claim.ts';
import { clientError, GatewayError } from '../errors.ts';
import type { DeletedEntry, DeleteFailure } from '../operations/answer.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type {
  CreateBucket,
  DeleteTarget,
  Forward,
  ListMultipartUploads,
  ListObjects,
  ListObjectVersions,
} from '../operations/operation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import { collect } from '../wire/collect.ts';
import type { Conditions } from '../wire/conditions.ts';
import { crossOriginAnswer } from '../wire/cross-origin.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, IncomingResponse, OutgoingBody, OutgoingRequest, WireRequest } from '../wire/message.ts';
import { GrowingReservation } from './growing-reservation.ts';
import { ProvenUpload } from './proven-upload.ts';
import { askedConditions } from './read-conditions.ts';
import { anotherRange, ObjectReplaced, pinned } from './replaced.ts';

/** A listing of 1,000 keys of 1,024 bytes, every byte an entity or percent-encoded, with room to spare. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;
/** What a write is answered: a key, a place, an ETag, and the blanks by which a store says that it still works at it. */
const MAX_ACK_BYTES = 256 * 1024;

/** Documents up to here are not reserved for: as many as there are connections come to little, and most are smaller. */
const UNRESERVED_BYTES = 64 * 1024;
/** A document as its pieces came, in one, as text, and as the values that are read from it. */
const DOCUMENT_FORMS = 4;

type SendOptions = { readonly signal: AbortSignal; readonly aside?: boolean };

/** `conditions` are those of the request: without any, no refusal can be for one. */
type AskOptions = SendOptions & { readonly conditions?: Conditions };

/** A stored object's head and its bytes on their way. Consume `body` or call `discard`. */
export interface StoredContent {
  readonly object: StoredObject;
  readonly body: ByteSource;
  discard(): void;
}

/** What is known of the store's names, and the grammar that comes of it. */
interface Naming {
  readonly names: StoreNames;
  readonly grammar: StoreGrammar;
}

const CAREFUL_NAMES: StoreNames = { keys: 'paths', reservedBuckets: new Set() };

/**
 * The backend in the pipeline's terms: one method a request, neutral values in and out, every answer that is not
 * success thrown as the neutral error. Sizes and ETags are the backend's.
 */
export class Store {
  readonly #back: BackDialect;
  readonly #connection: BackendConnection;
  /** With whose rights it asks; undefined: the gateway's own. */
  readonly identity: Identity | undefined;

  readonly #budget: Budget | undefined;
  /** For whom it asks. */
  readonly sharer: Sharer | undefined;
  readonly #naming: Naming;

  constructor(
    back: BackDialect,
    connection: BackendConnection,
    options: {
      /** Default: the gateway's own. */
      readonly identity?: Identity | undefined;
      /** Where the backend's documents are reserved for; default: nowhere. */
      readonly budget?: Budget | undefined;
      /** Default: the gateway's own business. */
      readonly sharer?: Sharer | undefined;
      /** What the store takes for names. Default: as little as any store. */
      readonly names?: StoreNames | undefined;
      readonly naming?: Naming | undefined;
    } = {},
  ) {
    this.#back = back;
    this.#connection = connection;
    this.identity = options.identity;
    this.#budget = options.budget;
    this.sharer = options.sharer;
    const { names = CAREFUL_NAMES } = options;
    this.#naming = options.naming ?? { names, grammar: back.grammar(names) };
  }

  /** The same backend, asked with other rights. */
  as(identity: Identity): Store {
    return new Store(this.#back, this.#connection, { ...this.#options, identity });
  }

  /** The same backend, asked for one sharer, of whose part of the connections and of the memory is taken. */
  sharedBy(sharer: Sharer, budget: Budget): Store {
    return new Store(this.#back, this.#connection, { ...this.#options, budget, sharer });
  }

  get #options() {
    const { identity, sharer } = this;
    return { identity, sharer, budget: this.#budget, naming: this.#naming };
  }

  /** That signatures for the backend name. */
  get region(): string {
    return this.#connection.region;
  }

  get dialect(): BackDialect {
    return this.#back;
  }

  /** Whether `/a` and `a` are one object in it. */
  get foldsFirstSlash(): boolean {
    return this.#naming.names.keys === 'paths';
  }

  /** @throws GatewayError InvalidBucketName for one that the store cannot have, or has for itself */
  checkBucket(bucket: string): void {
    this.#made({ bucket });
  }

  /** Every identifier in it read by the store's grammar. @throws GatewayError */
  #made<T extends object>(asked: T): ForStore<T> {
    return madeBy(this.#naming.grammar, asked);
  }

  async put(put: StorePut, signal: AbortSignal): Promise<StoredAck> {
    return this.#acknowledged(this.#back.put(this.#made(put)), put.ref, { signal, conditions: put.conditions });
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
   * The same for whoever bears out what a store claims instead of an object: that the range lies past its end, that it
   * was not modified, that a condition failed. Conditions about which stores differ are not asked (read-conditions.ts):
   * the caller judges all of them of the object that comes.
   */
  read(get: StoreGet, signal: AbortSignal): Promise<StoredContent | StoreClaim> {
    return this.#read(get, { signal });
  }

  async #read(get: StoreGet, options: SendOptions): Promise<StoredContent | StoreClaim> {
    const conditions = askedConditions(get.conditions);
    const response = await this.#send(this.#back.get({ ...this.#made(get), conditions }), options);
    if (!isSuccess(response)) {
      const refusal = await this.#refusal(response, get.ref);
      if (refusal instanceof StoreClaim && isOfRead(refusal, { ...get, conditions })) return refusal;
      throw explained(refusal, undefined);
    }
    try {
      const object = this.#back.readObject(response);
      response.allowInterruption?.((fromByte) => this.#rest(get.ref, object, fromByte, options));
      return { object, body: response.body, discard: () => response.discard() };
    } catch (error) {
      response.discard();
      throw error;
    }
  }

  /**
   * The bytes of an object's answer from one on, of exactly this object: its connection was given to somebody else, and
   * the reader goes on.
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
    const asked = this.#back.get(this.#made({ ref, range, conditions }));
    const response = await pinned(this.#succeed(asked, ref, { ...options, conditions }));
    try {
      const rest = this.#back.readObject(response);
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
    const response = await this.#succeed(this.#back.head({ ...this.#made(get), conditions }), get.ref, {
      signal,
      conditions,
    });
    response.discard();
    return this.#back.readObject(response);
  }

  async delete(
    ref: ObjectRef,
    conditions: Conditions,
    signal: AbortSignal,
    vendor?: HeaderList,
  ): Promise<{ versionId: string | undefined; deleteMarker: boolean }> {
    const request = this.#back.delete(this.#made(ref), conditions, vendor);
    const response = await this.#succeed(request, ref, { signal, conditions });
    response.discard();
    return this.#back.readDelete(response);
  }

  async deleteMany(
    bucket: string,
    targets: readonly DeleteTarget[],
    signal: AbortSignal,
    vendor?: HeaderList,
  ): Promise<{ deleted: readonly DeletedEntry[]; failures: readonly DeleteFailure[] }> {
    const place = this.#made({ bucket });
    const { made, failures: refused } = this.#madeEach(targets);
    if (made.length === 0) return { deleted: [], failures: refused };
    const request = this.#back.deleteMany(place.bucket, made, vendor);
    const { deleted, failures } = await this.#document(request, { bucket }, signal, this.#back.readDeleteMany);
    return { deleted, failures: [...failures, ...refused] };
  }

  /** Each target is refused for itself: of a thousand keys one that no store takes keeps the others from nothing. */
  #madeEach(targets: readonly DeleteTarget[]): {
    readonly made: readonly ForStore<DeleteTarget>[];
    readonly failures: readonly DeleteFailure[];
  } {
    const made: ForStore<DeleteTarget>[] = [];
    const failures: DeleteFailure[] = [];
    for (const target of targets) {
      try {
        made.push(this.#made(target));
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const { key, versionId } = target;
        failures.push({ key, versionId, code: 'InvalidArgument', message: error.message });
      }
    }
    return { made, failures };
  }

  /** `onBytes` is told of every piece of the backend's document before it is read. */
  async list(asked: ListObjects, signal: AbortSignal, onBytes: OnBytes = ignored): Promise<StoredListing> {
    const { body } = await this.#succeed(this.#back.list(this.#made(asked)), asked, { signal });
    return this.#back.readListing(bounded(body, onBytes));
  }

  /** The same for versions. */
  async listVersions(
    asked: ListObjectVersions,
    signal: AbortSignal,
    onBytes: OnBytes = ignored,
  ): Promise<StoredVersionListing> {
    const { body } = await this.#succeed(this.#back.listVersions(this.#made(asked)), asked, { signal });
    return this.#back.readVersionListing(bounded(body, onBytes));
  }

  async listBuckets(signal: AbortSignal): Promise<readonly { name: string; created: Date }[]> {
    return this.#document(this.#back.listBuckets(), {}, signal, this.#back.readBuckets);
  }

  async headBucket(bucket: string, signal: AbortSignal): Promise<void> {
    (await this.#succeed(this.#back.headBucket(this.#made({ bucket }).bucket), { bucket }, { signal })).discard();
  }

  async createBucket(asked: CreateBucket, signal: AbortSignal): Promise<void> {
    const { bucket, location, vendor } = this.#made(asked);
    const request = this.#back.createBucket(bucket, location, vendor);
    (await this.#succeed(request, asked, { signal })).discard();
  }

  async deleteBucket(bucket: string, signal: AbortSignal): Promise<void> {
    (await this.#succeed(this.#back.deleteBucket(this.#made({ bucket }).bucket), { bucket }, { signal })).discard();
  }

  async bucketLocation(bucket: string, signal: AbortSignal): Promise<string> {
    const request = this.#back.bucketLocation(this.#made({ bucket }).bucket);
    return this.#document(request, { bucket }, signal, this.#back.readLocation);
  }

  async createUpload(ref: ObjectRef, metadata: ObjectMetadata, signal: AbortSignal): Promise<ProvenUpload> {
    const request = this.#back.createUpload(this.#made(ref), metadata);
    const uploadId = await this.#document(request, ref, signal, this.#back.readUploadId);
    return ProvenUpload.created(ref, uploadId);
  }

  async uploadPart(
    upload: ProvenUpload,
    part: { readonly partNumber: number; readonly body: OutgoingBody },
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const { ref, uploadId } = this.#made(upload);
    const request = this.#back.uploadPart(ref, uploadId, part.partNumber, part.body);
    const { etag } = await this.#acknowledged(request, ref, { signal });
    return { partNumber: part.partNumber, etag };
  }

  /**
   * Whether whoever asks may add parts to an upload, by a part that the backend cannot take: only its refusal of the part
   * itself, behind that of the asker, says yes. To list parts is another right, which readers have and writers may not.
   * @throws GatewayError AccessDenied, NoSuchUpload …
   */
  async tryPart(upload: ProvenUpload, signal: AbortSignal): Promise<void> {
    const { identity } = this;
    const { ref, uploadId } = this.#made(upload);
    const options = identity === undefined ? { signal } : { signal, identity };
    const response = await this.#connection.send(this.#back.impossiblePart(ref, uploadId), options);
    const document = await collect(response.body, MAX_ERROR_BYTES, documentTooLarge);
    if (this.#back.isImpossiblePart(response, document)) return;
    throw explained(this.#back.readError(response, document, ref, identity?.asker), undefined);
  }

  async completeUpload(
    upload: ProvenUpload,
    { parts, conditions }: { readonly parts: readonly CompletedPart[]; readonly conditions: Conditions },
    signal: AbortSignal,
  ): Promise<StoredAck> {
    const { ref, uploadId } = this.#made(upload);
    const request = this.#back.completeUpload(ref, uploadId, parts, conditions);
    const response = await this.#succeed(request, ref, { signal, conditions });
    const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
    const stored = readAcknowledged(() => this.#back.readComplete(response, document), conditions);
    return stored.etag === '' ? { ...stored, etag: multipartEtag(parts) } : stored;
  }

  /** @throws GatewayError PreconditionFailed, NoSuchKey when the source is not the one that was pinned any more … */
  async copy(copy: StoreCopy, signal: AbortSignal): Promise<StoredCopy> {
    const conditions = pinTo(copy.source);
    const response = await this.#succeed(this.#back.copy(this.#made(copy)), copy.ref, { signal, conditions });
    const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
    return readAcknowledged(() => this.#back.readCopied(response, document), conditions);
  }

  /** As `copy`. */
  async copyPart(
    { ref, uploadId }: ProvenUpload,
    part: Omit<StorePartCopy, 'ref' | 'uploadId'>,
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const conditions = pinTo(part.source);
    const request = this.#back.copyPart(this.#made({ ...part, ref, uploadId }));
    const response = await this.#succeed(request, ref, { signal, conditions });
    const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
    const etag = readAcknowledged(() => this.#back.readCopiedPart(response, document), conditions);
    return { partNumber: part.partNumber, etag };
  }

  /** An object's tags, as the headers by which a write sets them. */
  async tags(ref: ObjectRef, signal: AbortSignal): Promise<HeaderList> {
    return this.#document(this.#back.tags(this.#made(ref)), ref, signal, this.#back.readTags);
  }

  async abortUpload(upload: ProvenUpload, signal: AbortSignal): Promise<void> {
    const { ref, uploadId } = this.#made(upload);
    const response = await this.#succeed(this.#back.abortUpload(ref, uploadId), ref, { signal }).catch(ofUpload);
    response.discard();
  }

  /** The parts after a number, at most 1,000. */
  async listParts(upload: ProvenUpload, partNumberMarker: number, signal: AbortSignal): Promise<StoredPartListing> {
    const { ref, uploadId } = this.#made(upload);
    const request = this.#back.listParts(ref, uploadId, partNumberMarker);
    return this.#document(request, ref, signal, this.#back.readParts).catch(ofUpload);
  }

  async listUploads(asked: ListMultipartUploads, signal: AbortSignal): Promise<StoredUploadListing> {
    return this.#document(this.#back.listUploads(this.#made(asked)), asked, signal, this.#back.readUploads);
  }

  /** What a browser asks about pages of an origin; of the answer only what speaks of that. @throws GatewayError */
  async preflight(
    resource: Resource,
    question: HeaderList,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly headers: HeaderList }> {
    const response = await this.#succeed(this.#back.preflight(this.#madeResource(resource), question), resource, {
      signal,
    });
    response.discard();
    return { status: response.status, headers: crossOriginAnswer(response.headers) };
  }

  /** Rules are by bucket: a key that is none asks about its bucket. */
  #madeResource(resource: Resource): ForStore<Resource> {
    try {
      return this.#made(resource);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'InvalidObjectName') throw error;
      return this.#made({ bucket: resource.bucket });
    }
  }

  /** See BackDialect.forward. @throws GatewayError */
  forward(request: WireRequest, operation: Forward, document: Buffer): ForwardedRequest {
    return this.#back.forward(request, this.#made(operation), document);
  }

  async #acknowledged(request: OutgoingRequest, ref: ObjectRef, options: AskOptions): Promise<StoredAck> {
    const response = await this.#succeed(request, ref, options);
    response.discard();
    return this.#back.readAck(response);
  }

  /** Reads a document, and reserves for it as it comes: a store may send megabytes, to many at once. */
  async #document<T>(
    request: OutgoingRequest,
    ref: Partial<ObjectRef>,
    signal: AbortSignal,
    read: (document: Buffer) => T,
  ): Promise<T> {
    const response = await this.#succeed(request, ref, { signal });
    const held = this.#budget && new GrowingReservation(this.#budget);
    let bytes = 0;
    const source = bounded(response.body, (more) => {
      bytes += more;
      if (bytes > UNRESERVED_BYTES) held?.grow(more * DOCUMENT_FORMS);
    });
    try {
      return read(await collect(source, MAX_DOCUMENT_BYTES, documentTooLarge));
    } finally {
      held?.release();
    }
  }

  async #succeed(
    request: OutgoingRequest,
    ref: Partial<ObjectRef>,
    { conditions, ...options }: AskOptions,
  ): Promise<IncomingResponse> {
    const response = await this.#send(request, options);
    if (isSuccess(response)) return response;
    throw explained(await this.#refusal(response, ref), conditions);
  }

  #send(request: OutgoingRequest, options: SendOptions): Promise<IncomingResponse> {
    const { identity, sharer } = this;
    return this.#connection.send(request, { ...options, identity, sharer });
  }

  async #refusal(response: IncomingResponse, ref: Partial<ObjectRef>): Promise<GatewayError | StoreClaim> {
    const document = await collect(response.body, MAX_ERROR_BYTES, documentTooLarge);
    return this.#back.readError(response, document, ref, this.identity?.asker);
  }
}

function isSuccess({ status }: IncomingResponse): boolean {
  return status >= 200 && status < 300;
}

/** Whether what was asked makes the claim a possible one. */
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

function pinTo({ etag }: Pick<StoredObject, 'etag'>): Conditions {
  return { ifMatch: `"${etag}"` };
}

/** What S3's stores make of the ETags of parts. Ceph RGW 16 leaves the element empty where it has just completed. */
function multipartEtag(parts: readonly CompletedPart[]): string {
  const md5s = parts.map(({ etag }) => etag);
  if (!md5s.every((md5) => /^[0-9a-f]{32}$/.test(md5))) {
    throw new GatewayError('BackendError', 'The backend completed an upload and did not tell its ETag.', {
      source: 'backend',
    });
  }
  return `${createHash('md5')
    .update(Buffer.from(md5s.join(''), 'hex'))
    .digest('hex')}-${parts.length}`;
}

/** For Ceph RGW there is no such key where there is no such upload. */
function ofUpload(error: unknown): never {
  if (!(error instanceof GatewayError) || error.code !== 'NoSuchKey') throw error;
  throw clientError('NoSuchUpload', 'The specified multipart upload does not exist.', { details: error.details });
}

type OnBytes = (bytes: number) => void;

function ignored(): void {}

async function* bounded(source: ByteSource, onBytes: OnBytes): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) throw documentTooLarge();
    onBytes(chunk.length);
    yield chunk;
  }
}

function documentTooLarge(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered a document larger than the gateway takes.', {
    source: 'backend',
  });
}
