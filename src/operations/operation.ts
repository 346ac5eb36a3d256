import type { Conditions } from '../wire/conditions.ts';
import type { ByteRange, RangeRequest } from '../wire/range.ts';
import type { BucketEncryptionOperation } from './bucket-encryption.ts';
import type { BucketPolicyOperation } from './bucket-policy.ts';
import type { AskedEncryption } from './encryption.ts';
import type { ListBuckets, ListMultipartUploads, ListObjects, ListObjectVersions, ListParts } from './listing.ts';
import type { MoveObject } from './move.ts';
import type {
  AskedChecksum,
  Checksum,
  ChecksumAlgorithm,
  ObjectMetadata,
  ObjectRef,
  ObjectSettings,
  VendorHeaders,
} from './object.ts';

/**
 * What a client asks for, in no dialect's terms. A front makes it of a request. A request that it does not know is
 * refused with NotImplemented, so that nothing passes the gateway that was not understood.
 */
export type Operation =
  | PutObject
  | CopyObject
  | MoveObject
  | PostObject
  | GetObject
  | HeadObject
  | GetObjectAttributes
  | DeleteObject
  | DeleteObjects
  | ListObjects
  | ListObjectVersions
  | ListBuckets
  | HeadBucket
  | CreateBucket
  | DeleteBucket
  | GetBucketLocation
  | BucketEncryptionOperation
  | BucketPolicyOperation
  | CreateMultipartUpload
  | UploadPart
  | UploadPartCopy
  | ListParts
  | ListMultipartUploads
  | AbortMultipartUpload
  | CompleteMultipartUpload
  | Forward;

export interface PutObject {
  readonly kind: 'PutObject';
  readonly ref: ObjectRef;
  readonly metadata: ObjectMetadata;
  /** Only ifMatch and ifNoneMatch have a meaning on a write. */
  readonly conditions: Conditions;
  /** How the object is to be encrypted; undefined leaves it to the bucket's policy. */
  readonly encryption?: AskedEncryption | undefined;
}

/** The object that a copy reads. */
export interface CopySource {
  readonly ref: ObjectRef;
  /** The conditions on it, with dates and ETags as the client sent them. */
  readonly conditions: Conditions;
  /** The encryption under which the source was stored. What the copy's shall be is said elsewhere. */
  readonly encryption?: AskedEncryption | undefined;
}

export interface CopyObject extends ObjectSettings {
  readonly kind: 'CopyObject';
  readonly ref: ObjectRef;
  readonly source: CopySource;
  /** The copy's content headers and user metadata; undefined takes those of the source. */
  readonly replacement: Pick<ObjectMetadata, 'content' | 'user'> | undefined;
  /**
   * Whether the copy gets the source's tags, or those among its own settings, which may be none. Other settings are
   * never taken from the source.
   */
  readonly tags: 'copy' | 'replace';
  /** The algorithm of the checksum that the copy shall have; undefined asks for the source's. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** Conditions on the object at the destination. Only ifMatch and ifNoneMatch have a meaning. */
  readonly conditions: Conditions;
  /** How the copy is to be encrypted; undefined leaves it to the bucket's policy. */
  readonly encryption?: AskedEncryption | undefined;
}

/** How the upload by a form is to be answered. The browser shows the answer, or goes on to another page. */
export interface FormReply {
  /** The page to which the browser is sent, with bucket, key and ETag in its query; undefined for none. */
  readonly redirect: URL | undefined;
  readonly status: 200 | 201 | 204;
}

/** PostObject is a PutObject by an HTML form. */
export interface PostObject extends Omit<PutObject, 'kind'> {
  readonly kind: 'PostObject';
  readonly reply: FormReply;
}

/** Content headers that the client wants in the answer in place of those that are stored with the object. */
export interface ResponseOverrides {
  readonly contentType?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
}

export interface GetObject {
  readonly kind: 'GetObject';
  readonly ref: ObjectRef;
  /** The encryption under which the object was stored. */
  readonly encryption?: AskedEncryption | undefined;
  readonly range: RangeRequest | undefined;
  /**
   * `whole` asks for all of the object where the range reaches beyond its end, as OSS answers. Otherwise such a range
   * is cut, or is an error where nothing is left of it.
   */
  readonly beyondEnd?: 'whole' | undefined;
  /** Asks for one of the parts in which the object was sent, counted from 1, instead of for a range. */
  readonly part?: number | undefined;
  /** If-Range (RFC 9110 §13.1.5): if this ETag, quoted, or this date no longer holds, all of the object is served. */
  readonly ifRange: string | undefined;
  readonly conditions: Conditions;
  readonly overrides: ResponseOverrides;
  /** Whether the client asks for the checksum of the plaintext (x-amz-checksum-mode: ENABLED). */
  readonly wantsChecksum: boolean;
}

/** HeadObject is a GetObject without the bytes. It may have a range, because S3 answers such a HEAD with 206. */
export interface HeadObject extends Omit<GetObject, 'kind'> {
  readonly kind: 'HeadObject';
}

export type AskedAttribute = 'etag' | 'checksum' | 'parts' | 'storageClass' | 'size';

/** GetObjectAttributes asks for some of what is known of an object. */
export interface GetObjectAttributes {
  readonly kind: 'GetObjectAttributes';
  readonly ref: ObjectRef;
  /** The encryption under which the object was stored. */
  readonly encryption?: AskedEncryption | undefined;
  readonly attributes: ReadonlySet<AskedAttribute>;
  /** Parts are listed whose number is greater than this, at most `maxParts` of them. */
  readonly partNumberMarker: number;
  readonly maxParts: number;
}

export interface DeleteObject {
  readonly kind: 'DeleteObject';
  readonly ref: ObjectRef;
  /** Only ifMatch has a meaning on a deletion. */
  readonly conditions: Conditions;
  /** Headers that let a backend delete a locked object (bypass of governance retention, MFA). */
  readonly vendor?: VendorHeaders | undefined;
}

export interface DeleteTarget {
  readonly key: string;
  readonly versionId?: string | undefined;
  /** The ETag, as the client sent it, that the object must have to be deleted. */
  readonly etag?: string | undefined;
}

export interface DeleteObjects {
  readonly kind: 'DeleteObjects';
  readonly bucket: string;
  readonly targets: readonly DeleteTarget[];
  /** Whether the answer is to list failures only. */
  readonly quiet: boolean;
  /** The same headers that a DeleteObject may have. */
  readonly vendor?: VendorHeaders | undefined;
}

export interface HeadBucket {
  readonly kind: 'HeadBucket';
  readonly bucket: string;
  /** Whether the answer is to tell since when there is the bucket. That costs a listing of the store's buckets. */
  readonly withDate?: boolean | undefined;
  /** Whether the answer is to tell how much lies in the bucket. That costs listings of its objects. */
  readonly withContents?: boolean | undefined;
}

export interface CreateBucket {
  readonly kind: 'CreateBucket';
  readonly bucket: string;
  /** The location that the client named; undefined asks for the default. */
  readonly location: string | undefined;
  /** Headers for a backend of the same dialect (ACL, object lock). */
  readonly vendor?: VendorHeaders | undefined;
}

export interface DeleteBucket {
  readonly kind: 'DeleteBucket';
  readonly bucket: string;
}

export interface GetBucketLocation {
  readonly kind: 'GetBucketLocation';
  readonly bucket: string;
}

export interface CreateMultipartUpload {
  readonly kind: 'CreateMultipartUpload';
  readonly ref: ObjectRef;
  readonly metadata: ObjectMetadata;
  readonly checksum: AskedChecksum | undefined;
  /** How the object is to be encrypted; undefined leaves it to the bucket's policy. */
  readonly encryption?: AskedEncryption | undefined;
}

export interface UploadPart {
  readonly kind: 'UploadPart';
  readonly ref: ObjectRef;
  /** The backend's upload id. */
  readonly uploadId: string;
  readonly partNumber: number;
  /** The encryption with which the upload was begun. */
  readonly encryption?: AskedEncryption | undefined;
}

/** UploadPartCopy makes a part from the bytes of an object, or from a range of them. */
export interface UploadPartCopy extends Omit<UploadPart, 'kind'> {
  readonly kind: 'UploadPartCopy';
  readonly source: CopySource;
  /** A range of the source's plaintext; undefined stands for all of it. */
  readonly range: ByteRange | undefined;
}

export interface AbortMultipartUpload {
  readonly kind: 'AbortMultipartUpload';
  readonly ref: ObjectRef;
  readonly uploadId: string;
}

/** A part as CompleteMultipartUpload names it. */
export interface NamedPart {
  readonly partNumber: number;
  /**
   * The ETag that UploadPart answered, unquoted. undefined where the client names the part by its number alone, as
   * some vendors let it: then what was sent last under the number is meant.
   */
  readonly etag: string | undefined;
  readonly checksum: Checksum | undefined;
}

export interface CompleteMultipartUpload {
  readonly kind: 'CompleteMultipartUpload';
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** At least one part, in the client's order. */
  readonly parts: readonly NamedPart[];
  /** The smallest part, in bytes of plaintext, that the client's dialect allows before the last. */
  readonly smallestPartBytes: number;
  /** The checksum of the object that the client computed. */
  readonly checksum: Checksum | undefined;
  /** Whether the client says that the object's checksum is composite; undefined where it does not say. */
  readonly composite: boolean | undefined;
  /** The size of the object in bytes, where the client tells it. */
  readonly plaintextBytes: number | undefined;
  /** Only ifMatch and ifNoneMatch have a meaning on a write. */
  readonly conditions: Conditions;
  /** The encryption with which the upload was begun, where the client repeats it. */
  readonly encryption?: AskedEncryption | undefined;
}

/**
 * A request that carries no object bytes and that a backend of the same dialect answers: the gateway only signs it anew
 * (GetBucketTagging, PutObjectTagging, GetObjectLockConfiguration …). Each dialect has a list of those that it allows.
 */
export interface Forward {
  readonly kind: 'Forward';
  /** The vendor's name of the operation, from a bounded set. It stands in logs and metric labels. */
  readonly name: string;
  readonly bucket: string;
  readonly key: string | undefined;
  readonly versionId?: string | undefined;
  /** Whether the request changes anything: the object, the bucket, or a setting of either. */
  readonly changes: boolean;
  /** Whether the request changes the bucket's CORS rules. */
  readonly changesOriginRules?: boolean | undefined;
  /** The request's verified body, where it was read to decide whether the request may pass. */
  readonly document?: Buffer | undefined;
}

/** The name of an operation in logs and metrics. There is a bounded set of them. */
export function operationName(operation: Operation): string {
  return operation.kind === 'Forward' ? operation.name : operation.kind;
}
