import type { DeletedEntry, DeleteFailure } from '../operations/answer.ts';
import type { ObjectMetadata, ObjectRef, VendorHeaders } from '../operations/object.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { OutgoingBody } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';

/** Stores a sealed body: what a PutObject has become. */
export interface StorePut {
  readonly ref: ObjectRef;
  /** User metadata already includes the envelope's entry. */
  readonly metadata: ObjectMetadata;
  /** ETags in the backend's form. */
  readonly conditions: Conditions;
  readonly body: OutgoingBody;
}

/** What a copy within the backend reads: exactly this object, or nothing is copied. */
export interface StoreCopySource {
  readonly ref: ObjectRef;
  /** The backend's, unquoted. */
  readonly etag: string;
}

/** A copy within the backend: no byte comes this way. */
export interface StoreCopy {
  readonly ref: ObjectRef;
  readonly source: StoreCopySource;
  /** Stands in place of the source's; the envelope's entry is among it. */
  readonly metadata: ObjectMetadata;
  readonly tags: 'copy' | 'replace';
}

/** A part of an upload that is copied within the backend. */
export interface StorePartCopy {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly partNumber: number;
  readonly source: StoreCopySource;
  /** Of stored bytes; undefined is the whole source. */
  readonly range: ByteRange | undefined;
}

export interface StoreGet {
  readonly ref: ObjectRef;
  /** Of stored bytes. `last` undefined means to the end; suffixBytes asks for the end. */
  readonly range?:
    | { readonly first: number; readonly last: number | undefined }
    | { readonly suffixBytes: number }
    | undefined;
  /** Instead of a range: one of the parts that the object was stored in, counted from 1. */
  readonly part?: number | undefined;
  /** ETags in the backend's form. */
  readonly conditions: Conditions;
}

/** A GET or HEAD answer of the backend, read. Sizes are stored bytes. All of it is what the backend claims. */
export interface StoredObject {
  /** Whole object, also when a range was asked. */
  readonly storedBytes: number;
  /** Of the bytes in the body, when the answer is partial. */
  readonly storedRange: { readonly first: number; readonly last: number } | undefined;
  /** The backend's, unquoted. */
  readonly etag: string;
  readonly lastModified: Date;
  /** The envelope's entry still among the user metadata. `vendor` holds the rest of the vendor's answer headers that may reach a client of the same dialect: no checksums, no request ids, no framing. Traits are of the same. */
  readonly metadata: ObjectMetadata;
  readonly versionId: string | undefined;
  /** When a part was asked for and the object was stored in parts. */
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
  /** Then size and ETag say nothing. */
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
 * A page of the parts that the backend has of an upload. Sizes are stored bytes. An ETag is empty where the backend
 * could not tell of a part, because it is overwritten or completed this very moment: a part that nobody sent.
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
