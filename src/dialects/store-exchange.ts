import type { DeletedEntry, DeleteFailure } from '../operations/answer.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { ObjectMetadata, ObjectRef, VendorHeaders } from '../operations/object.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { OutgoingBody } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';
import type { StoredEncryption, StoreEncryption, StoreKey } from './store-encryption.ts';

/** An object to store, in the form in which the store gets it: already sealed, where its bucket's policy says so. */
export interface StorePut {
  readonly ref: ObjectRef;
  /** The user metadata of a sealed object already includes the entry of its envelope. */
  readonly metadata: ObjectMetadata;
  /** The ETags in it are the backend's. */
  readonly conditions: Conditions;
  readonly body: OutgoingBody;
  /** How the store is asked to encrypt the object by itself; undefined leaves that to the store. */
  readonly encryption?: StoreEncryption | undefined;
}

/** The source of a copy within the backend. The ETag is sent as a condition, so another object is never copied. */
export interface StoreCopySource {
  readonly ref: ObjectRef;
  /** The backend's ETag without quotes. */
  readonly etag: string;
  /** The key that the store needs to read the source; undefined where it needs none. */
  readonly encryption?: StoreKey | undefined;
}

/** A copy that the backend makes itself, so that none of the bytes pass through the gateway. */
export interface StoreCopy {
  readonly ref: ObjectRef;
  readonly source: StoreCopySource;
  /** Replaces the metadata of the source. For a sealed object it includes the entry of the new envelope. */
  readonly metadata: ObjectMetadata;
  readonly tags: 'copy' | 'replace';
  /** The same as in `StorePut`. The copy never inherits the encryption of its source. */
  readonly encryption?: StoreEncryption | undefined;
}

/** A part of an upload that the backend copies from an object it has. */
export interface StorePartCopy {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly partNumber: number;
  readonly source: StoreCopySource;
  /** The range of the source to copy, in stored bytes; undefined copies the whole source. */
  readonly range: ByteRange | undefined;
  /** The key of the upload, where it has one that the store does not keep. */
  readonly encryption?: StoreKey | undefined;
}

/** What a GET or HEAD asks the backend for. */
export interface StoreGet {
  readonly ref: ObjectRef;
  /** In stored bytes. A range without `last` reaches to the end; `suffixBytes` asks for the last so many bytes. */
  readonly range?:
    | { readonly first: number; readonly last: number | undefined }
    | { readonly suffixBytes: number }
    | undefined;
  /** Asks for one of the parts in which the object was uploaded, instead of a range. Counted from 1. */
  readonly part?: number | undefined;
  /** The ETags in it are the backend's. */
  readonly conditions: Conditions;
  /** The key that the store needs to read the object; undefined where it needs none. */
  readonly encryption?: StoreKey | undefined;
}

/** What the backend says of an object in its answer to a GET or HEAD. Nothing of it is proven yet. */
export interface StoredObject {
  /** The size of the whole object in stored bytes, also where a range was asked for. */
  readonly storedBytes: number;
  /** Which stored bytes the body has; undefined where the answer is the whole object. */
  readonly storedRange: { readonly first: number; readonly last: number } | undefined;
  /** The backend's ETag without quotes. */
  readonly etag: string;
  readonly lastModified: Date;
  /**
   * The user metadata of a sealed object still includes the entry of its envelope. `vendor` has those other headers of
   * the answer that a client of the same dialect may see: all but checksums, request ids and framing. `traits` say the
   * same in neutral words.
   */
  readonly metadata: ObjectMetadata;
  readonly versionId: string | undefined;
  /** The number of the object's parts; undefined unless a part was asked for and the object was uploaded in parts. */
  readonly partsCount: number | undefined;
  /** How the store says that it has encrypted the object; undefined where it says nothing. */
  readonly encryptedAs?: StoredEncryption | undefined;
}

/** The backend's answer to a write of an object or a part. */
export interface StoredAck {
  /** The backend's ETag without quotes. */
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly vendor?: VendorHeaders | undefined;
  /** The same as in `StoredObject`. Many stores say nothing of it in answers to copies and Completes. */
  readonly encryptedAs?: StoredEncryption | undefined;
  /** What clients are told of the encryption. Set only where the store is asked to encrypt (store/encrypting/). */
  readonly told?: EncryptionFacts | undefined;
}

/** The backend's answer to the deletion of one object. `versionId` is that of the marker, or of the deleted version. */
export interface StoredDeletion {
  readonly versionId: string | undefined;
  /** Whether the store put a delete marker in the object's place, or removed one. */
  readonly deleteMarker: boolean;
}

/** The backend's answer to the deletion of several objects. An object may be in neither list. */
export interface StoredDeletions {
  readonly deleted: readonly DeletedEntry[];
  readonly failures: readonly DeleteFailure[];
}

/** A bucket of the backend. */
export interface StoredBucket {
  readonly name: string;
  readonly created: Date;
}

/** The backend's answer to a copy. */
export interface StoredCopy extends StoredAck {
  readonly lastModified: Date;
}

/** One object in a listing. */
export interface StoredEntry {
  readonly key: string;
  readonly storedBytes: number;
  /** The backend's ETag without quotes. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass: string | undefined;
  readonly owner: { readonly id: string; readonly displayName: string } | undefined;
}

/** A page of a listing of objects. */
export interface StoredListing {
  readonly entries: readonly StoredEntry[];
  readonly commonPrefixes: readonly string[];
  /** Whether further pages follow. */
  readonly truncated: boolean;
  /** Where the next page begins in the older form of the listing (ListObjects). */
  readonly nextMarker: string | undefined;
  /** Where the next page begins in the newer form (ListObjectsV2). */
  readonly nextContinuationToken: string | undefined;
}

/** One version of an object, or one delete marker, in a listing. */
export interface StoredVersion extends StoredEntry {
  /** The text `null` for an object that was written while the bucket had no versioning. */
  readonly versionId: string;
  readonly latest: boolean;
  /** Whether the entry is a delete marker. Its size and ETag then mean nothing. */
  readonly deleteMarker: boolean;
}

/** A page of a listing of versions. The markers say where the next page begins. */
export interface StoredVersionListing {
  readonly entries: readonly StoredVersion[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextVersionIdMarker: string | undefined;
}

/** A part that the backend has of an upload. */
export interface CompletedPart {
  readonly partNumber: number;
  /** The backend's ETag without quotes. */
  readonly etag: string;
  /** The same as in `StoredAck`. */
  readonly told?: EncryptionFacts | undefined;
}

/**
 * A page of the parts that the backend has of an upload. Sizes are in stored bytes. The ETag of a part is empty where
 * the backend could not read the part because it was being overwritten or the upload was being completed. An empty ETag
 * equals that of no part that was sent.
 */
export interface StoredPartListing {
  readonly parts: readonly (CompletedPart & { readonly storedBytes: number; readonly lastModified: Date })[];
  readonly truncated: boolean;
}

/** A page of the unfinished uploads of a bucket. The markers say where the next page begins. */
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
