import type { Conditions } from '../wire/conditions.ts';
import type { ByteRange, RangeRequest } from '../wire/range.ts';
import type { AskedEncryption } from './encryption.ts';
import type { ListBuckets, ListMultipartUploads, ListObjects, ListObjectVersions, ListParts } from './listing.ts';
import type {
  AskedChecksum,
  Checksum,
  ChecksumAlgorithm,
  ObjectMetadata,
  ObjectRef,
  ObjectSettings,
  VendorHeaders,
} from './object.ts';

/** What a client asks, whatever its dialect. A dialect's parse makes one, or throws NotImplemented: fail closed. */
export type Operation =
  | PutObject
  | CopyObject
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
  /** Of the conditions only ifMatch and ifNoneMatch have a meaning on a write. */
  readonly conditions: Conditions;
  /** How the object is to be encrypted; undefined: as the bucket's policy says. */
  readonly encryption?: AskedEncryption | undefined;
}

/** The object that a copy reads, and the conditions on it, with dates and ETags as the client sent them. */
export interface CopySource {
  readonly ref: ObjectRef;
  readonly conditions: Conditions;
  /** What the request says of the source's encryption, and not of the copy's. */
  readonly encryption?: AskedEncryption | undefined;
}

export interface CopyObject extends ObjectSettings {
  readonly kind: 'CopyObject';
  readonly ref: ObjectRef;
  readonly source: CopySource;
  /** What stands in place of the source's content headers and user metadata; undefined: those stay. */
  readonly replacement: Pick<ObjectMetadata, 'content' | 'user'> | undefined;
  /**
   * With `replace` the copy has the tags among its own settings, which may be none. It never takes other settings from
   * its source.
   */
  readonly tags: 'copy' | 'replace';
  /** The client wants a checksum of the whole object by this algorithm; undefined: the one that the source has. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** Conditions on what stands at the destination, of which only ifMatch and ifNoneMatch have a meaning. */
  readonly conditions: Conditions;
  /** How the object is to be encrypted; undefined: as the bucket's policy says. */
  readonly encryption?: AskedEncryption | undefined;
}

/** How a form asks to be answered. A browser shows the answer, or goes on to another page. */
export interface FormReply {
  /** The page to go on to, which is told what was stored; undefined: none. */
  readonly redirect: URL | undefined;
  readonly status: 200 | 201 | 204;
}

/** PostObject is a PutObject by an HTML form. */
export interface PostObject extends Omit<PutObject, 'kind'> {
  readonly kind: 'PostObject';
  readonly reply: FormReply;
}

/** Headers the client wants in the answer instead of the stored ones. */
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
  /** What the request says of the encryption of what is there already. */
  readonly encryption?: AskedEncryption | undefined;
  readonly range: RangeRequest | undefined;
  /** Asks for one of the parts that the object was sent in, counted from 1, instead of a range. */
  readonly part?: number | undefined;
  /** RFC 9110 §13.1.5: serve the range only if this ETag (quoted) or date still holds, else the whole. */
  readonly ifRange: string | undefined;
  readonly conditions: Conditions;
  readonly overrides: ResponseOverrides;
  /** The client asks for the checksum of the plaintext (x-amz-checksum-mode: ENABLED). */
  readonly wantsChecksum: boolean;
}

/** HeadObject is a GetObject without the bytes. It may have a range, because S3 answers such a HEAD with 206. */
export interface HeadObject extends Omit<GetObject, 'kind'> {
  readonly kind: 'HeadObject';
}

export type AskedAttribute = 'etag' | 'checksum' | 'parts' | 'storageClass' | 'size';

/** GetObjectAttributes asks what is known of an object, piece by piece. */
export interface GetObjectAttributes {
  readonly kind: 'GetObjectAttributes';
  readonly ref: ObjectRef;
  /** What the request says of the encryption of what is there already. */
  readonly encryption?: AskedEncryption | undefined;
  readonly attributes: ReadonlySet<AskedAttribute>;
  /** The answer lists parts whose number is above the marker, at most `maxParts` of them. */
  readonly partNumberMarker: number;
  readonly maxParts: number;
}

export interface DeleteObject {
  readonly kind: 'DeleteObject';
  readonly ref: ObjectRef;
  /** Of the conditions only ifMatch has a meaning here. */
  readonly conditions: Conditions;
  /** Headers that let a backend delete what is locked (governance bypass, MFA). */
  readonly vendor?: VendorHeaders | undefined;
}

export interface DeleteTarget {
  readonly key: string;
  readonly versionId?: string | undefined;
  /** The object is deleted only if it has this ETag, which stands here as the client sent it. */
  readonly etag?: string | undefined;
}

export interface DeleteObjects {
  readonly kind: 'DeleteObjects';
  readonly bucket: string;
  readonly targets: readonly DeleteTarget[];
  readonly quiet: boolean;
  /** The same headers as a DeleteObject has. */
  readonly vendor?: VendorHeaders | undefined;
}

export interface HeadBucket {
  readonly kind: 'HeadBucket';
  readonly bucket: string;
}

export interface CreateBucket {
  readonly kind: 'CreateBucket';
  readonly bucket: string;
  /** The location as the client named it; undefined: the default. */
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
  /** How the object is to be encrypted; undefined: as the bucket's policy says. */
  readonly encryption?: AskedEncryption | undefined;
}

export interface UploadPart {
  readonly kind: 'UploadPart';
  readonly ref: ObjectRef;
  /** The upload's id, as the backend named it. */
  readonly uploadId: string;
  readonly partNumber: number;
  /** What the request says of the encryption of what is there already. */
  readonly encryption?: AskedEncryption | undefined;
}

/** UploadPartCopy makes a part from the bytes of an object, or from a range of them. */
export interface UploadPartCopy extends Omit<UploadPart, 'kind'> {
  readonly kind: 'UploadPartCopy';
  readonly source: CopySource;
  /** The range is of the source's plaintext; undefined: all of it. */
  readonly range: ByteRange | undefined;
}

export interface AbortMultipartUpload {
  readonly kind: 'AbortMultipartUpload';
  readonly ref: ObjectRef;
  readonly uploadId: string;
}

/** A part as Complete names it. */
export interface NamedPart {
  readonly partNumber: number;
  /** The ETag that UploadPart answered, unquoted. */
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

export interface CompleteMultipartUpload {
  readonly kind: 'CompleteMultipartUpload';
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** In the client's order; at least one. */
  readonly parts: readonly NamedPart[];
  /** The dialect's minimum for every part except the last. */
  readonly smallestPartBytes: number;
  /** The checksum of the whole object, as the client computed it. */
  readonly checksum: Checksum | undefined;
  /** Whether the client says that the object's checksum is composite; undefined when it does not say. */
  readonly composite: boolean | undefined;
  /** The object's length, if the client says it. */
  readonly plaintextBytes: number | undefined;
  /** Of the conditions only ifMatch and ifNoneMatch have a meaning on a write. */
  readonly conditions: Conditions;
}

/**
 * A request that carries no object bytes and that a backend of the same dialect may answer as it is, re-signed
 * (GetBucketTagging, PutObjectTagging, GetObjectLockConfiguration …). Only names on the dialect's allow-list get here.
 */
export interface Forward {
  readonly kind: 'Forward';
  /** The vendor's operation name: a bounded set, used in logs and metric labels. */
  readonly name: string;
  readonly bucket: string;
  readonly key: string | undefined;
  readonly versionId?: string | undefined;
  /** Whether the request changes the rules of which pages may read the bucket's answers. */
  readonly changesOriginRules?: boolean | undefined;
  /** The request's verified body, if it had to be read to decide that it may pass. */
  readonly document?: Buffer | undefined;
}

/** Names an operation in logs and metrics, from a bounded set of names. */
export function operationName(operation: Operation): string {
  return operation.kind === 'Forward' ? operation.name : operation.kind;
}
