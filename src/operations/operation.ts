import type { Conditions } from '../wire/conditions.ts';
import type { ByteRange, RangeRequest } from '../wire/range.ts';
import type { AskedEncryption } from './encryption.ts';
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
  /** Only ifMatch and ifNoneMatch mean something on a write. */
  readonly conditions: Conditions;
  /** How the object is to be encrypted; undefined: as the bucket's policy says. */
  readonly encryption?: AskedEncryption | undefined;
}

/** What a copy reads, and under which conditions on it: dates and ETags as sent. */
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
  /** `replace`: by those among the settings, which may be none. A copy never takes other settings from its source. */
  readonly tags: 'copy' | 'replace';
  /** The client wants one of the whole object, by this algorithm; undefined: what the source has. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** On what stands at the destination. Only ifMatch and ifNoneMatch mean something. */
  readonly conditions: Conditions;
  /** How the object is to be encrypted; undefined: as the bucket's policy says. */
  readonly encryption?: AskedEncryption | undefined;
}

/** How a form asks to be answered: a browser shows the answer, or goes on to another page. */
export interface FormReply {
  /** Where to go on, told what was stored; undefined: nowhere. */
  readonly redirect: URL | undefined;
  readonly status: 200 | 201 | 204;
}

/** PutObject by an HTML form. */
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
  /** Instead of a range: one of the parts that the object was sent in, counted from 1. */
  readonly part?: number | undefined;
  /** RFC 9110 §13.1.5: serve the range only if this ETag (quoted) or date still holds, else the whole. */
  readonly ifRange: string | undefined;
  readonly conditions: Conditions;
  readonly overrides: ResponseOverrides;
  /** The client asks for the checksum of the plaintext (x-amz-checksum-mode: ENABLED). */
  readonly wantsChecksum: boolean;
}

/** As GetObject, without the bytes. A range is honoured: S3 answers HEAD with 206. */
export interface HeadObject extends Omit<GetObject, 'kind'> {
  readonly kind: 'HeadObject';
}

export type AskedAttribute = 'etag' | 'checksum' | 'parts' | 'storageClass' | 'size';

/** What is known of an object, piece by piece. */
export interface GetObjectAttributes {
  readonly kind: 'GetObjectAttributes';
  readonly ref: ObjectRef;
  /** What the request says of the encryption of what is there already. */
  readonly encryption?: AskedEncryption | undefined;
  readonly attributes: ReadonlySet<AskedAttribute>;
  /** Of parts: those with a number above the marker, at most so many. */
  readonly partNumberMarker: number;
  readonly maxParts: number;
}

export interface DeleteObject {
  readonly kind: 'DeleteObject';
  readonly ref: ObjectRef;
  /** Only ifMatch means something. */
  readonly conditions: Conditions;
  /** Headers that let a backend delete what is locked (governance bypass, MFA). */
  readonly vendor?: VendorHeaders | undefined;
}

export interface DeleteTarget {
  readonly key: string;
  readonly versionId?: string | undefined;
  /** Delete it only if it has this ETag, as sent. */
  readonly etag?: string | undefined;
}

export interface DeleteObjects {
  readonly kind: 'DeleteObjects';
  readonly bucket: string;
  readonly targets: readonly DeleteTarget[];
  readonly quiet: boolean;
  /** As DeleteObject's. */
  readonly vendor?: VendorHeaders | undefined;
}

export interface ListObjects {
  readonly kind: 'ListObjects';
  readonly bucket: string;
  /** S3's two listing forms; other dialects use 1. */
  readonly form: 1 | 2;
  readonly prefix: string;
  readonly delimiter: string;
  /** Form 1's marker, form 2's start-after: list what comes after it. */
  readonly after: string;
  readonly continuationToken: string | undefined;
  readonly maxKeys: number;
  readonly urlEncoded: boolean;
  readonly withOwner: boolean;
}

export interface ListObjectVersions {
  readonly kind: 'ListObjectVersions';
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly versionIdMarker: string;
  readonly maxKeys: number;
  readonly urlEncoded: boolean;
}

export interface ListBuckets {
  readonly kind: 'ListBuckets';
  readonly prefix: string;
}

export interface HeadBucket {
  readonly kind: 'HeadBucket';
  readonly bucket: string;
}

export interface CreateBucket {
  readonly kind: 'CreateBucket';
  readonly bucket: string;
  /** As the client named it, or undefined for the default. */
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
  /** As the backend named it. */
  readonly uploadId: string;
  readonly partNumber: number;
  /** What the request says of the encryption of what is there already. */
  readonly encryption?: AskedEncryption | undefined;
}

/** A part whose bytes are those of an object, or a range of them. */
export interface UploadPartCopy extends Omit<UploadPart, 'kind'> {
  readonly kind: 'UploadPartCopy';
  readonly source: CopySource;
  /** Of the source's plaintext; undefined is all of it. */
  readonly range: ByteRange | undefined;
}

export interface ListParts {
  readonly kind: 'ListParts';
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** List what comes after this number. */
  readonly partNumberMarker: number;
  readonly maxParts: number;
  readonly urlEncoded: boolean;
}

export interface ListMultipartUploads {
  readonly kind: 'ListMultipartUploads';
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
  readonly maxUploads: number;
  readonly urlEncoded: boolean;
}

export interface AbortMultipartUpload {
  readonly kind: 'AbortMultipartUpload';
  readonly ref: ObjectRef;
  readonly uploadId: string;
}

/** A part as Complete names it. */
export interface NamedPart {
  readonly partNumber: number;
  /** As UploadPart answered it, unquoted. */
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

export interface CompleteMultipartUpload {
  readonly kind: 'CompleteMultipartUpload';
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** In the client's order; at least one. */
  readonly parts: readonly NamedPart[];
  /** The dialect's limit for every part but the last. */
  readonly smallestPartBytes: number;
  /** Of the whole object, as the client computed it. */
  readonly checksum: Checksum | undefined;
  /** Whether the client says that the object's checksum is composite; undefined when it does not say. */
  readonly composite: boolean | undefined;
  /** The object's length, if the client says it. */
  readonly plaintextBytes: number | undefined;
  /** Only ifMatch and ifNoneMatch mean something on a write. */
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
  /** It sets which pages may read the bucket's answers. */
  readonly changesOriginRules?: boolean | undefined;
  /** The request's verified body, where it had to be read to know that it may pass. */
  readonly document?: Buffer | undefined;
}

/** The name in logs and metrics: from a bounded set. */
export function operationName(operation: Operation): string {
  return operation.kind === 'Forward' ? operation.name : operation.kind;
}
