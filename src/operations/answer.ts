import type { ErrorCode, StoreWord } from '../errors.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';
import type {
  BucketCreated,
  BucketDeleted,
  BucketFound,
  BucketListing,
  BucketLocation,
  Owner,
} from './bucket-answers.ts';
import type { BucketEncryptionAnswer } from './bucket-encryption.ts';
import type { BucketPolicyAnswer } from './bucket-policy.ts';
import type { EncryptionFacts } from './encryption.ts';
import type { ListMultipartUploads, ListObjects, ListObjectVersions, ListParts } from './listing.ts';
import type { AskedChecksum, Checksum, ObjectFacts, ObjectRef, VendorHeaders } from './object.ts';
import type { FormReply, GetObjectAttributes, ResponseOverrides } from './operation.ts';

/**
 * What the gateway answers to an operation, in no dialect's terms. A front renders it. ETags are unquoted, and those
 * that clients see. Sizes are of plaintext, in bytes.
 */
export type Answer =
  | ObjectStored
  | ObjectCopied
  | FormStored
  | ObjectContent
  | ObjectAttributes
  | CrossOriginAnswered
  | ObjectDeleted
  | ObjectsDeleted
  | ObjectListing
  | VersionListing
  | BucketListing
  | BucketFound
  | BucketCreated
  | BucketDeleted
  | BucketLocation
  | BucketEncryptionAnswer
  | BucketPolicyAnswer
  | UploadCreated
  | PartStored
  | PartCopied
  | PartListing
  | UploadListing
  | UploadAborted
  | UploadCompleted;

/** The answer to PutObject. */
export interface ObjectStored {
  readonly kind: 'ObjectStored';
  /** How the object is encrypted; undefined where it is stored as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly ref: ObjectRef;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly checksum: Checksum | undefined;
  /** The CRC-64/XZ of the plaintext, 8 bytes, where it is known. Only requests of dialects that tell it ask for it. */
  readonly crc64?: Buffer | undefined;
  /** Further headers of the backend's answer, which only a front of the same dialect renders (x-amz-expiration …). */
  readonly vendor?: VendorHeaders | undefined;
}

/** The answer to CopyObject and MoveObject. */
export interface ObjectCopied extends Omit<ObjectStored, 'kind' | 'ref'> {
  readonly kind: 'ObjectCopied';
  readonly lastModified: Date;
  /** The version of the object that was copied, if its bucket keeps versions. */
  readonly sourceVersionId: string | undefined;
}

/** The answer to PostObject. */
export interface FormStored {
  readonly kind: 'FormStored';
  readonly stored: ObjectStored;
  readonly reply: FormReply;
}

/** The answer to GetObject and HeadObject. */
export interface ObjectContent {
  readonly kind: 'ObjectContent';
  readonly facts: ObjectFacts;
  /** Set for a partial answer (206). For a part without bytes, `last` is `first` - 1. */
  readonly range: ByteRange | undefined;
  /** The number of the object's parts, where a part was asked for; undefined where it was sent by one PUT. */
  readonly partsCount?: number | undefined;
  readonly overrides: ResponseOverrides;
  /** The plaintext; undefined for HEAD. A stream’s first segment was authenticated already, a Buffer as a whole. */
  readonly body: Buffer | ByteSource | undefined;
}

/** The answer to GetObjectAttributes. */
export interface ObjectAttributes {
  readonly kind: 'ObjectAttributes';
  readonly asked: GetObjectAttributes;
  readonly facts: ObjectFacts;
  /** Set for an object that was sent in parts. `listed` is undefined where only the number of parts is known. */
  readonly parts:
    | {
        readonly count: number;
        readonly listed: readonly { readonly partNumber: number; readonly plaintextBytes: number }[] | undefined;
        readonly truncated: boolean;
      }
    | undefined;
}

/** The store's answer to a browser's preflight (CORS): status and headers as the store gave them. */
export interface CrossOriginAnswered {
  readonly kind: 'CrossOriginAnswered';
  readonly status: number;
  readonly headers: HeaderList;
}

export interface ObjectDeleted {
  readonly kind: 'ObjectDeleted';
  readonly versionId: string | undefined;
  readonly deleteMarker: boolean;
}

/** An object that DeleteObjects deleted, or the delete marker that it made. */
export interface DeletedEntry {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly deleteMarker?: boolean | undefined;
  readonly deleteMarkerVersionId?: string | undefined;
}

/** An object that DeleteObjects could not delete. */
export interface DeleteFailure {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly code: ErrorCode;
  readonly message: string;
  /** The store's own code and message, where it was the store that refused. */
  readonly said?: StoreWord | undefined;
}

export interface ObjectsDeleted {
  readonly kind: 'ObjectsDeleted';
  /** Empty where the client asked not to be told of successes. */
  readonly deleted: readonly DeletedEntry[];
  readonly failures: readonly DeleteFailure[];
}

export interface ListedObject {
  readonly key: string;
  readonly plaintextBytes: number;
  /** The same ETag that HEAD gives, unquoted. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass: string | undefined;
  readonly owner: Owner | undefined;
}

/** Gives back the memory that an answer holds. It is called once, when the answer was written or abandoned. */
export type Release = () => void;

/** The answer to ListObjects, of either form. */
export interface ObjectListing {
  readonly kind: 'ObjectListing';
  readonly release: Release;
  readonly asked: ListObjects;
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  /** Where the next page begins, in a listing of form 1. Set whenever `truncated` is. */
  readonly nextMarker: string | undefined;
  /** Where the next page begins, in a listing of form 2. Set whenever `truncated` is. */
  readonly nextContinuationToken: string | undefined;
}

export interface ListedVersion extends ListedObject {
  readonly versionId: string;
  readonly latest: boolean;
}

export interface ListedDeleteMarker {
  readonly key: string;
  readonly versionId: string;
  readonly latest: boolean;
  readonly lastModified: Date;
  readonly owner: Owner | undefined;
}

export interface VersionListing {
  readonly kind: 'VersionListing';
  readonly release: Release;
  readonly asked: ListObjectVersions;
  /** Versions and delete markers, in the order in which the backend lists them. */
  readonly entries: readonly (
    | ({ readonly deleteMarker: false } & ListedVersion)
    | ({ readonly deleteMarker: true } & ListedDeleteMarker)
  )[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextVersionIdMarker: string | undefined;
}

/** The answer to CreateMultipartUpload. */
export interface UploadCreated {
  readonly kind: 'UploadCreated';
  /** How the object will be encrypted; undefined where it is stored as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly checksum: AskedChecksum | undefined;
}

/** The answer to UploadPart. */
export interface PartStored {
  readonly kind: 'PartStored';
  /** How the part is encrypted; undefined where it is stored as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
  /** The CRC-64/XZ of the plaintext, 8 bytes, where it is known. Only requests of dialects that tell it ask for it. */
  readonly crc64?: Buffer | undefined;
}

/** The answer to UploadPartCopy. */
export interface PartCopied extends Omit<PartStored, 'kind'> {
  readonly kind: 'PartCopied';
  readonly lastModified: Date;
  /** The version of the object that was copied, if its bucket keeps versions. */
  readonly sourceVersionId: string | undefined;
}

export interface ListedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly plaintextBytes: number;
  readonly lastModified: Date;
  readonly checksum: Checksum | undefined;
  /** The CRC-64/XZ of the part’s plaintext, 8 bytes, where it is known. */
  readonly crc64?: Buffer | undefined;
}

/** The answer to ListParts. */
export interface PartListing {
  readonly kind: 'PartListing';
  readonly asked: ListParts;
  readonly owner: Owner;
  readonly parts: readonly ListedPart[];
  readonly truncated: boolean;
  readonly checksum: AskedChecksum | undefined;
}

export interface ListedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
  readonly storageClass: string | undefined;
}

/** The answer to ListMultipartUploads. */
export interface UploadListing {
  readonly kind: 'UploadListing';
  readonly asked: ListMultipartUploads;
  readonly owner: Owner;
  readonly uploads: readonly ListedUpload[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextUploadIdMarker: string | undefined;
}

export interface UploadAborted {
  readonly kind: 'UploadAborted';
}

export interface UploadCompleted {
  readonly kind: 'UploadCompleted';
  /** How the object is encrypted; undefined where it is stored as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly ref: ObjectRef;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly checksum: Checksum | undefined;
  /** The CRC-64/XZ of the plaintext, 8 bytes, where it is known. Only requests of dialects that tell it ask for it. */
  readonly crc64?: Buffer | undefined;
  readonly vendor?: VendorHeaders | undefined;
}
