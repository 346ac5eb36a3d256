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
import { clientEtag } from './etag.ts';
import { GrowingReservation } from './growing-reservation.ts';
import { ProvenUpload } from './proven-upload.ts';
import { judge, judgedConditions } from './read-conditions.ts';
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
    return this.#acknowledged(this.#back.put(this.#made(put)), put.ref, signal);
  }

  /** @throws GatewayError NoSuchKey, PreconditionFailed, NotModified, InvalidRange … */
  get(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return this.#get(get, { signal });
  }

  /** A few bytes, for whoever may hold a download already. Else like `get`. */
  getAside(get: StoreGet, signal: AbortSignal): Promise<StoredContent> {
    return this.#get(get, { signal, aside: true });
  }

  async #get(get: StoreGet, options: SendOptions): Promise<StoredContent> {
    const { asked, judged } = judgedConditions(get.conditions);
    const request = this.#back.get({ ...this.#made(get), conditions: asked });
    let response: IncomingResponse;
    try {
      response = await this.#succeed(request, get.ref, options);
    } catch (error) {
      return this.#withNamed(error, { ref: get.ref, conditions: asked }, options);
    }
    try {
      const object = this.#readObject(response, judged);
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
    const asked = this.#back.get(this.#made({ ref, range, conditions: { ifMatch: `"${object.etag}"` } }));
    const response = await pinned(this.#succeed(asked, ref, options));
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

  async head(get: StoreGet, signal: AbortSignal): Promise<StoredObject> {
    const { asked, judged } = judgedConditions(get.conditions);
    const request = this.#back.head({ ...this.#made(get), conditions: asked });
    const response = await this.#succeed(request, get.ref, { signal }).catch((error: unknown) =>
      this.#withNamed(error, { ref: get.ref, conditions: asked }, { signal }),
    );
    response.discard();
    return this.#readObject(response, judged);
  }

  /** A 304 names what was not modified (RFC 9110 §15.4.5). Where a store's does not (versitygw's), its HEAD is asked. */
  async #withNamed(error: unknown, { ref, conditions }: StoreGet, options: SendOptions): Promise<never> {
    const isBare = error instanceof GatewayError && error.code === 'NotModified' && error.headers.length === 0;
    if (!isBare) throw error;
    const response = await this.#succeed(this.#back.head(this.#made({ ref, conditions: {} })), ref, options);
    response.discard();
    this.#readObject(response, conditions); // throws the same by its name
    throw error; // it was modified since, and the first answer holds as well as another
  }

  #readObject(response: IncomingResponse, conditions: Conditions | undefined): StoredObject {
    const object = this.#back.readObject(response);
    if (conditions === undefined) return object;
    try {
      judge(conditions, { etags: [object.etag], lastModified: object.lastModified });
      return object;
    } catch (error) {
      throw error instanceof GatewayError ? withValidators(error, response) : error;
    }
  }

  async delete(
    ref: ObjectRef,
    conditions: Conditions,
    signal: AbortSignal,
    vendor?: HeaderList,
  ): Promise<{ versionId: string | undefined; deleteMarker: boolean }> {
    const response = await this.#succeed(this.#back.delete(this.#made(ref), conditions, vendor), ref, { signal });
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
    const { etag } = await this.#acknowledged(request, ref, signal);
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
    throw this.#back.readError(response, document, ref, identity?.asker);
  }

  async completeUpload(
    upload: ProvenUpload,
    { parts, conditions }: { readonly parts: readonly CompletedPart[]; readonly conditions: Conditions },
    signal: AbortSignal,
  ): Promise<StoredAck> {
    const { ref, uploadId } = this.#made(upload);
    const request = this.#back.completeUpload(ref, uploadId, parts, conditions);
    const response = await this.#succeed(request, ref, { signal });
    const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
    const stored = this.#back.readComplete(response, document);
    return stored.etag === '' ? { ...stored, etag: multipartEtag(parts) } : stored;
  }

  /** @throws GatewayError PreconditionFailed, NoSuchKey when the source is not the one that was pinned any more … */
  async copy(copy: StoreCopy, signal: AbortSignal): Promise<StoredCopy> {
    const response = await this.#succeed(this.#back.copy(this.#made(copy)), copy.ref, { signal });
    return this.#back.readCopied(response, await collect(response.body, MAX_ACK_BYTES, documentTooLarge));
  }

  /** As `copy`. */
  async copyPart(
    { ref, uploadId }: ProvenUpload,
    part: Omit<StorePartCopy, 'ref' | 'uploadId'>,
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const request = this.#back.copyPart(this.#made({ ...part, ref, uploadId }));
    const response = await this.#succeed(request, ref, { signal });
    const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
    return { partNumber: part.partNumber, etag: this.#back.readCopiedPart(response, document) };
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

  async #acknowledged(request: OutgoingRequest, ref: ObjectRef, signal: AbortSignal): Promise<StoredAck> {
    const response = await this.#succeed(request, ref, { signal });
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

  async #succeed(request: OutgoingRequest, ref: Partial<ObjectRef>, options: SendOptions): Promise<IncomingResponse> {
    const { identity, sharer } = this;
    const { signal, aside } = options;
    const response = await this.#connection.send(request, { signal, aside, identity, sharer });
    if (response.status >= 200 && response.status < 300) return response;
    const document = await collect(response.body, MAX_ERROR_BYTES, documentTooLarge);
    throw withValidators(this.#back.readError(response, document, ref, identity?.asker), response);
  }
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

/** What a cache may be told anew of an object that was not modified. */
const CACHE_HEADERS = ['Last-Modified', 'Cache-Control', 'Expires'];

/** A 304 says what a 200 would have said to a cache (RFC 9110 §15.4.5), in the client's terms. */
function withValidators(error: GatewayError, { headers }: IncomingResponse): GatewayError {
  const etag = headers.get('etag');
  if (error.code !== 'NotModified' || etag === undefined) return error;
  const validators: [string, string][] = [['ETag', `"${clientEtag(etag.replace(/^"|"$/g, ''))}"`]];
  for (const name of CACHE_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined) validators.push([name, value]);
  }
  return new GatewayError('NotModified', error.message, { source: error.source, headers: validators });
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
