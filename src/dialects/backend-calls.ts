import type { ListMultipartUploads, ListObjects, ListObjectVersions } from '../operations/listing.ts';
import type { ObjectMetadata, ObjectRef, Resource, Tag, VendorHeaders } from '../operations/object.ts';
import type { CreateBucket, DeleteTarget } from '../operations/operation.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, IncomingResponse, OutgoingBody, OutgoingRequest } from '../wire/message.ts';
import type { ForStore } from './identifiers.ts';
import type {
  CompletedPart,
  StoreCopy,
  StoredAck,
  StoredBucket,
  StoredCopy,
  StoredDeletion,
  StoredDeletions,
  StoredListing,
  StoredObject,
  StoredPartListing,
  StoredUploadListing,
  StoredVersionListing,
  StoreGet,
  StorePartCopy,
  StorePut,
} from './store-exchange.ts';

/** What every row reads of a successful answer, whatever it takes of the body. */
export type AnswerHead = Pick<IncomingResponse, 'status' | 'headers'>;

interface Rendered<Asked> {
  /** Pure: the same question is rendered as the same request, and nothing else happens. */
  render(asked: ForStore<Asked>): OutgoingRequest;
}

/** The answer is its head. The body is discarded, unless the caller wants it, as that of a GET. */
export interface HeadCall<Asked, Answer> extends Rendered<Asked> {
  readonly takes: 'nothing';
  /** @throws GatewayError BackendError for an answer that cannot be used, as `read` of every row does */
  read(head: AnswerHead): Answer;
}

/**
 * The answer is a document, which is collected within a bound before it is read. An `acknowledgement` is the short
 * document that a write is answered with. Some stores send its head before they know the outcome, so it may report an
 * error behind a status of success: then `read` throws that error, or a StoreClaim.
 */
export interface DocumentCall<Asked, Answer> extends Rendered<Asked> {
  readonly takes: 'document' | 'acknowledgement';
  read(document: Buffer, head: AnswerHead): Answer;
}

/**
 * The answer is a document that is read as it comes. The promise settles only when the whole document was read and found
 * sound, so that a listing cut short is never taken for a whole one.
 */
export interface StreamCall<Asked, Answer> extends Rendered<Asked> {
  readonly takes: 'stream';
  /** @throws also what `body` throws */
  read(body: ByteSource, head: AnswerHead): Promise<Answer>;
}

/**
 * One request that a store can be asked: how it is rendered, and how its answer is read. Each is a static object; it
 * keeps no state.
 */
export type BackendCall<Asked, Answer> =
  | HeadCall<Asked, Answer>
  | DocumentCall<Asked, Answer>
  | StreamCall<Asked, Answer>;

/** ETags in conditions and targets are in the store's form. */
export interface StoreDelete {
  readonly ref: ObjectRef;
  readonly conditions: Conditions;
  /** Headers of the same vendor that go along. */
  readonly vendor?: VendorHeaders | undefined;
}

export interface StoreDeletions {
  readonly bucket: string;
  readonly targets: readonly ForStore<DeleteTarget>[];
  readonly vendor?: VendorHeaders | undefined;
}

/** An upload under way, and the object that it will become. */
export interface StoreUpload {
  readonly ref: ObjectRef;
  readonly uploadId: string;
}

export interface StorePart extends StoreUpload {
  readonly partNumber: number;
  readonly body: OutgoingBody;
}

export interface StoreComplete extends StoreUpload {
  readonly parts: readonly CompletedPart[];
  readonly conditions: Conditions;
}

/** The parts after a number; a page has at most `limits.entriesAPage`. */
export interface StoreListParts extends StoreUpload {
  readonly partNumberMarker: number;
}

type Bucket = { readonly bucket: string };

/**
 * Everything that the gateway asks a store. A dialect leaves a row out where its stores have no such request: the gateway
 * then answers NotImplemented, or manages without.
 */
export interface BackendCalls {
  readonly put: BackendCall<StorePut, StoredAck>;
  readonly get: HeadCall<StoreGet, StoredObject>;
  readonly head: HeadCall<StoreGet, StoredObject>;
  readonly delete: BackendCall<StoreDelete, StoredDeletion>;
  /** At most `limits.deletionsAtOnce` targets. Where there is no such request, objects are deleted one by one. */
  readonly deleteMany?: BackendCall<StoreDeletions, StoredDeletions>;
  readonly list: BackendCall<ListObjects, StoredListing>;
  readonly listVersions?: BackendCall<ListObjectVersions, StoredVersionListing>;
  readonly listBuckets: BackendCall<object, readonly StoredBucket[]>;
  readonly headBucket: BackendCall<Bucket, void>;
  readonly createBucket: BackendCall<Pick<CreateBucket, 'bucket' | 'location' | 'vendor'>, void>;
  readonly deleteBucket: BackendCall<Bucket, void>;
  readonly bucketLocation?: BackendCall<Bucket, string>;
  /** Answers the upload's id. */
  readonly createUpload: BackendCall<{ readonly ref: ObjectRef; readonly metadata: ObjectMetadata }, string>;
  readonly uploadPart: BackendCall<StorePart, StoredAck>;
  /**
   * A part whose content is not what its own digest says. The store refuses it from everybody, but it first refuses those
   * who may not add parts at all; so it tells who may. The row reads any answer, refusals too: true means that the
   * refusal is of the part itself, or that the store, which then ignores digests, took it.
   */
  readonly impossiblePart: DocumentCall<StoreUpload, boolean>;
  readonly completeUpload: BackendCall<StoreComplete, StoredAck>;
  readonly abortUpload: BackendCall<StoreUpload, void>;
  readonly listParts: BackendCall<StoreListParts, StoredPartListing>;
  readonly listUploads: BackendCall<ListMultipartUploads, StoredUploadListing>;
  readonly copy?: BackendCall<StoreCopy, StoredCopy>;
  /** Answers the part's ETag, unquoted. */
  readonly copyPart?: BackendCall<StorePartCopy, string>;
  readonly tags?: BackendCall<{ readonly ref: ObjectRef }, readonly Tag[]>;
  /** A browser's question what pages of an origin may do there (wire/cross-origin.ts). */
  readonly preflight?: HeadCall<Resource & { readonly question: HeaderList }, AnswerHead>;
}
