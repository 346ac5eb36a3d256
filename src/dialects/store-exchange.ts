import type { DeletedEntry, DeleteFailure } from '../operations/answer.ts';
import type { ObjectMetadata, ObjectRef, VendorHeaders } from '../operations/object.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { OutgoingBody } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';

/** An object to store, as it lies in the store: sealed, where its bucket's policy says so. */
export interface StorePut {
  readonly ref: ObjectRef;
  /** User metadata already includes the envelope's entry. */
  readonly metadata: ObjectMetadata;
  /** ETags in the backend's form. */
  readonly conditions: Conditions;
  readonly body: OutgoingBody;
}

/** The source of a copy within the backend. The backend copies exactly this object, or nothing. */
export interface StoreCopySource {
  readonly ref: ObjectRef;
  /** The backend's, unquoted. */
  readonly etag: string;
}

/** A copy within the backend: none of its bytes come through the gateway. */
export interface StoreCopy {
  readonly ref: ObjectRef;
  readonly source: StoreCopySource;
  /** It takes the place of the source's metadata, and includes the envelope's entry. */
  readonly metadata: ObjectMetadata;
  readonly tags: 'copy' | 'replace';
}

/** A part of an upload that is copied within the backend. */
export interface StorePartCopy {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly partNumber: number;
  readonly source: StoreCopySource;
  /** In stored bytes. undefined copies the whole source. */
  readonly range: ByteRange | undefined;
}

export interface StoreGet {
  readonly ref: ObjectRef;
  /** In stored bytes. Without `last` it goes to the end; `suffixBytes` asks for so many bytes at the end. */
  readonly range?:
    | { readonly first: number; readonly last: number | undefined }
    | { readonly suffixBytes: number }
    | undefined;
  /** Asks for one of the parts that the object was stored in, instead of a range. Counted from 1. */
  readonly part?: number | undefined;
  /** ETags in the backend's form. */
  readonly conditions: Conditions;
}

/** What the backend claims of an object in its answer to a GET or HEAD. Sizes are stored bytes. */
export interface StoredObject {
  /** The size of the whole object, also when a range was asked for. */
  readonly storedBytes: number;
  /** Which bytes the body has, when the answer is partial. */
  readonly storedRange: { readonly first: number; readonly last: number } | undefined;
  /** The backend's, unquoted. */
  readonly etag: string;
  readonly lastModified: Date;
  /**
   * The user metadata still includes the envelope's entry. `vendor` has the other headers of the answer that may reach a
   * client of the same dialect, which are no checksums, request ids or framing; `traits` say the same in neutral words.
   */
  readonly metadata: ObjectMetadata;
  readonly versionId: string | undefined;
  /** Told when a part was asked for and the object was stored in parts. */
  readonly partsCount: number | undefined;
}

export interface StoredAck {
  /** The backend's, unquoted. */
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly vendor?: VendorHeaders | undefined;
}

export interface StoredDeletion {
  readonly versionId: string | undefined;
  /** The store put a delete marker in the object's place, or removed one. */
  readonly deleteMarker: boolean;
}

export interface StoredDeletions {
  readonly deleted: readonly DeletedEntry[];
  readonly failures: readonly DeleteFailure[];
}

export interface StoredBucket {
  readonly name: string;
  readonly created: Date;
}

export interface StoredCopy extends StoredAck {
  readonly lastModified: Date;
}

export interface StoredEntry {
  readonly key: string;
  readonly storedBytes: number;
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass: string | undefined;
  readonly owner: { readonly id: string; readonly displayName: string } | undefined;
}

export interface StoredListing {
  readonly entries: readonly StoredEntry[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextMarker: string | undefined;
  readonly nextContinuationToken: string | undefined;
}

export interface StoredVersion extends StoredEntry {
  /** `null` where the store keeps no versions. */
  readonly versionId: string;
  readonly latest: boolean;
  /** The entry is a delete marker, whose size and ETag mean nothing. */
  readonly deleteMarker: boolean;
}

export interface StoredVersionListing {
  readonly entries: readonly StoredVersion[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextVersionIdMarker: string | undefined;
}

export interface CompletedPart {
  readonly partNumber: number;
  /** The backend's, unquoted. */
  readonly etag: string;
}

/**
 * A page of the parts that the backend has of an upload. Sizes are stored bytes. An ETag is empty where the backend could
 * not read the part, because it is being overwritten or completed at this moment. Such an ETag matches no part that was sent.
 */
export interface StoredPartListing {
  readonly parts: readonly (CompletedPart & { readonly storedBytes: number; readonly lastModified: Date })[];
  readonly truncated: boolean;
}

export interface StoredUploadListing {
  readonly uploads: readonly {
    readonly key: string;
    readonly uploadId: string;
    readonly initiated: Date;
    readonly storageClass: string | undefined;
  }[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextUploadIdMarker: string | undefined;
}
