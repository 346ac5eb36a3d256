import type { ListMultipartUploads, ListObjects, ListObjectVersions } from '../operations/listing.ts';
import type { ObjectMetadata, ObjectRef, Resource, Tag, VendorHeaders } from '../operations/object.ts';
import type { CreateBucket, DeleteTarget } from '../operations/operation.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, IncomingResponse, OutgoingBody, OutgoingRequest } from '../wire/message.ts';
import type { ForStore } from './identifiers.ts';
import type { StoreEncryption, StoreKey } from './store-encryption.ts';
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

/** Status and headers of an answer from the store. Every row reads them, whether or not it also reads the body. */
export type AnswerHead = Pick<IncomingResponse, 'status' | 'headers'>;

interface Rendered<Asked> {
  /** Makes the request. The function is pure: equal questions give equal requests, and it has no side effects. */
  render(asked: ForStore<Asked>): OutgoingRequest;
}

/**
 * A call whose answer is status and headers. The body is discarded, unless the caller reads it, as it does for a GET.
 */
export interface HeadCall<Asked, Answer> extends Rendered<Asked> {
  readonly takes: 'nothing';
  /** @throws GatewayError BackendError for an answer that cannot be used; `read` of every other row throws it too */
  read(head: AnswerHead): Answer;
}

/**
 * A call whose answer is a document. The whole document is collected, up to a bound, before it is read. An
 * `acknowledgement` is the short document that a write is answered with. Some stores send the status before they know
 * the outcome, so the document may report an error although the status says success. Then `read` throws that error, or
 * a StoreClaim.
 */
export interface DocumentCall<Asked, Answer> extends Rendered<Asked> {
  readonly takes: 'document' | 'acknowledgement';
  read(document: Buffer, head: AnswerHead): Answer;
}

/**
 * A call whose answer is a document that is read as it arrives. The promise settles only when the whole document was
 * read and found well formed, so that a listing that was cut short is never taken for a complete one.
 */
export interface StreamCall<Asked, Answer> extends Rendered<Asked> {
  readonly takes: 'stream';
  /** @throws GatewayError BackendError as above, and what reading `body` throws */
  read(body: ByteSource, head: AnswerHead): Promise<Answer>;
}

/**
 * One request that the gateway can send to a store: how it is rendered, and how its answer is read. Such an object is
 * called a row. It exists once for each dialect and operation, and keeps no state.
 */
export type BackendCall<Asked, Answer> =
  | HeadCall<Asked, Answer>
  | DocumentCall<Asked, Answer>
  | StreamCall<Asked, Answer>;

/** The deletion of one object. */
export interface StoreDelete {
  readonly ref: ObjectRef;
  /** The ETags in it are the store's, which may differ from those that clients see. */
  readonly conditions: Conditions;
  /** The client's vendor headers. They are sent on to a store of the same dialect. */
  readonly vendor?: VendorHeaders | undefined;
}

/** The deletion of several objects of one bucket by one request. The ETags of the targets are the store's. */
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

/** An upload to begin. */
export interface StoreNewUpload {
  readonly ref: ObjectRef;
  readonly metadata: ObjectMetadata;
  /** The same as in `StorePut`. */
  readonly encryption?: StoreEncryption | undefined;
}

/** A part that no store takes, for an upload. */
export interface StoreImpossiblePart extends StoreUpload {
  /** The number of the part; by default one that no part of a client has in buckets whose objects are sealed. */
  readonly partNumber?: number | undefined;
  /** The same as in `StorePart`. */
  readonly encryption?: StoreKey | undefined;
}

/** A part to upload. Its number counts from 1. */
export interface StorePart extends StoreUpload {
  readonly partNumber: number;
  readonly body: OutgoingBody;
  /** The key of the upload, where it has one that the store does not keep. */
  readonly encryption?: StoreKey | undefined;
}

/** The completion of an upload: its parts in ascending order, and conditions on the object that it replaces. */
export interface StoreComplete extends StoreUpload {
  readonly parts: readonly CompletedPart[];
  readonly conditions: Conditions;
  /** A key that the store needs to hold the conditions against the object that is there, where it needs one. */
  readonly encryption?: StoreKey | undefined;
}

/**
 * Asks for a page of the parts whose numbers are above the marker. A page has at most `limits.entriesAPage` of them.
 */
export interface StoreListParts extends StoreUpload {
  readonly partNumberMarker: number;
}

type Bucket = { readonly bucket: string };

/** A question about the policy of a bucket, with the client's vendor headers. */
export type StorePolicyAsked = Bucket & { readonly vendor?: VendorHeaders | undefined };

/**
 * What is asked of a store to learn of a caller's rights. `acl` reads the bucket's ACL. It is for stores that have no
 * encryption of buckets, and so no right to it either.
 */
export type TriedSetting = 'read' | 'change' | 'acl';

/**
 * Everything that the gateway asks of a store. A dialect leaves a row out where its stores have no such request. The
 * gateway then does without it, or answers NotImplemented.
 */
export interface BackendCalls {
  readonly put: BackendCall<StorePut, StoredAck>;
  readonly get: HeadCall<StoreGet, StoredObject>;
  readonly head: HeadCall<StoreGet, StoredObject>;
  readonly delete: BackendCall<StoreDelete, StoredDeletion>;
  /** Takes at most `limits.deletionsAtOnce` targets. Without this row, objects are deleted one by one. */
  readonly deleteMany?: BackendCall<StoreDeletions, StoredDeletions>;
  readonly list: BackendCall<ListObjects, StoredListing>;
  readonly listVersions?: BackendCall<ListObjectVersions, StoredVersionListing>;
  readonly listBuckets: BackendCall<object, readonly StoredBucket[]>;
  readonly headBucket: BackendCall<Bucket, void>;
  readonly createBucket: BackendCall<Pick<CreateBucket, 'bucket' | 'location' | 'vendor'>, void>;
  readonly deleteBucket: BackendCall<Bucket, void>;
  readonly bucketLocation?: BackendCall<Bucket, string>;
  /**
   * Asks for what the store itself keeps of a bucket's encryption, or sends it something that no store takes, to learn
   * whether the caller may read or change it. A store checks permissions before content: it answers AccessDenied to
   * those who may not. What else it answers says nothing.
   */
  readonly tryBucketEncryption?: HeadCall<Bucket & { readonly asks: TriedSetting }, void>;
  /** The policy of a bucket, as the store has it. */
  readonly bucketPolicy?: BackendCall<StorePolicyAsked, Buffer>;
  /** Whether the policy of a bucket lets everybody in. */
  readonly bucketPolicyStatus?: BackendCall<StorePolicyAsked, boolean>;
  readonly putBucketPolicy?: BackendCall<StorePolicyAsked & { readonly document: Buffer }, void>;
  readonly deleteBucketPolicy?: BackendCall<StorePolicyAsked, void>;
  /** Sends a policy that no store takes, to learn whether the caller may change it (see `tryBucketEncryption`). */
  readonly tryBucketPolicy?: HeadCall<StorePolicyAsked, void>;
  /** Returns the upload's id. */
  readonly createUpload: BackendCall<StoreNewUpload, string>;
  readonly uploadPart: BackendCall<StorePart, StoredAck>;
  /**
   * Sends a part whose content does not match the digest that comes with it, to learn whether the caller may add parts.
   * A store checks permissions before content: it answers AccessDenied to those who may not, and complains of the
   * digest to those who may. The row reads every answer, refusals too. It returns true where the store refused the part
   * for its content, or took it because it ignores digests.
   */
  readonly impossiblePart: DocumentCall<StoreImpossiblePart, boolean>;
  readonly completeUpload: BackendCall<StoreComplete, StoredAck>;
  readonly abortUpload: BackendCall<StoreUpload, void>;
  readonly listParts: BackendCall<StoreListParts, StoredPartListing>;
  readonly listUploads: BackendCall<ListMultipartUploads, StoredUploadListing>;
  readonly copy?: BackendCall<StoreCopy, StoredCopy>;
  /** Returns the part's ETag without quotes. */
  readonly copyPart?: BackendCall<StorePartCopy, string>;
  readonly tags?: BackendCall<{ readonly ref: ObjectRef }, readonly Tag[]>;
  /**
   * Asks the store's CORS rules what pages of an origin may do, as a browser's preflight does (wire/cross-origin.ts).
   */
  readonly preflight?: HeadCall<Resource & { readonly question: HeaderList }, AnswerHead>;
}
