import type { ErrorCode, StoreWord } from '../errors.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';
import type { EncryptionFacts } from './encryption.ts';
import type { ListMultipartUploads, ListObjects, ListObjectVersions, ListParts } from './listing.ts';
import type { AskedChecksum, Checksum, ObjectFacts, ObjectRef, VendorHeaders } from './object.ts';
import type { FormReply, GetObjectAttributes, ResponseOverrides } from './operation.ts';

/** What the gateway answers, whatever the dialect. A dialect's render spells it. ETags are the gateway's, unquoted. */
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
  | UploadCreated
  | PartStored
  | PartCopied
  | PartListing
  | UploadListing
  | UploadAborted
  | UploadCompleted;

export interface ObjectStored {
  readonly kind: 'ObjectStored';
  /** Of what was stored, or is being stored. undefined where it lies as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly ref: ObjectRef;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly checksum: Checksum | undefined;
  /** The backend's further answer headers, for a front of the same dialect (x-amz-expiration …). */
  readonly vendor?: VendorHeaders | undefined;
}

export interface ObjectCopied extends Omit<ObjectStored, 'kind' | 'ref'> {
  readonly kind: 'ObjectCopied';
  readonly lastModified: Date;
  /** The version of the object that was copied, if its bucket keeps versions. */
  readonly sourceVersionId: string | undefined;
}

/** PostObject. */
export interface FormStored {
  readonly kind: 'FormStored';
  readonly stored: ObjectStored;
  readonly reply: FormReply;
}

/** GetObject and HeadObject. */
export interface ObjectContent {
  readonly kind: 'ObjectContent';
  readonly facts: ObjectFacts;
  /** Set for a partial answer (206). Of a part without bytes, `last` comes before `first`. */
  readonly range: ByteRange | undefined;
  /** When a part was asked for: how many there are; undefined of an object that was sent in one go. */
  readonly partsCount?: number | undefined;
  readonly overrides: ResponseOverrides;
  /** undefined for HEAD. Its first segment has been authenticated already; a Buffer is small and wholly so. */
  readonly body: Buffer | ByteSource | undefined;
}

export interface ObjectAttributes {
  readonly kind: 'ObjectAttributes';
  readonly asked: GetObjectAttributes;
  readonly facts: ObjectFacts;
  /** Of an object that was sent in parts; `listed` is undefined where only their number is known. */
  readonly parts:
    | {
        readonly count: number;
        readonly listed: readonly { readonly partNumber: number; readonly plaintextBytes: number }[] | undefined;
        readonly truncated: boolean;
      }
    | undefined;
}

/** What the store said to a browser that asked what a page may do: status and headers as it gave them. */
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

export interface DeletedEntry {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly deleteMarker?: boolean | undefined;
  readonly deleteMarkerVersionId?: string | undefined;
}

export interface DeleteFailure {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly code: ErrorCode;
  readonly message: string;
  /** How the store put it, where it was the store that refused. */
  readonly said?: StoreWord | undefined;
}

export interface ObjectsDeleted {
  readonly kind: 'ObjectsDeleted';
  /** Empty when the client asked for quiet. */
  readonly deleted: readonly DeletedEntry[];
  readonly failures: readonly DeleteFailure[];
}

export interface Owner {
  readonly id: string;
  readonly displayName: string;
}

export interface ListedObject {
  readonly key: string;
  readonly plaintextBytes: number;
  /** Unquoted, the same as HEAD gives. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass: string | undefined;
  readonly owner: Owner | undefined;
}

/** Gives back the memory that an answer holds: called once, when it was written or given up. */
export type Release = () => void;

export interface ObjectListing {
  readonly kind: 'ObjectListing';
  readonly release: Release;
  readonly asked: ListObjects;
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  /** Form 1: where to go on; set whenever truncated. */
  readonly nextMarker: string | undefined;
  /** Form 2. */
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
  /** In the backend's order: versions and delete markers mixed. */
  readonly entries: readonly (
    | ({ readonly deleteMarker: false } & ListedVersion)
    | ({ readonly deleteMarker: true } & ListedDeleteMarker)
  )[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextVersionIdMarker: string | undefined;
}

export interface BucketListing {
  readonly kind: 'BucketListing';
  readonly owner: Owner;
  readonly buckets: readonly { readonly name: string; readonly created: Date }[];
}

export interface BucketFound {
  readonly kind: 'BucketFound';
  readonly region: string;
}

export interface BucketCreated {
  readonly kind: 'BucketCreated';
  readonly bucket: string;
}

export interface BucketDeleted {
  readonly kind: 'BucketDeleted';
}

export interface BucketLocation {
  readonly kind: 'BucketLocation';
  readonly region: string;
}

export interface UploadCreated {
  readonly kind: 'UploadCreated';
  /** Of what was stored, or is being stored. undefined where it lies as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly checksum: AskedChecksum | undefined;
}

export interface PartStored {
  readonly kind: 'PartStored';
  /** Of what was stored, or is being stored. undefined where it lies as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
}

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
}

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
  /** Of what was stored, or is being stored. undefined where it lies as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly ref: ObjectRef;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly checksum: Checksum | undefined;
  readonly vendor?: VendorHeaders | undefined;
}
