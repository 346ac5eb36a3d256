import type { Proven } from '../errors.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { EncryptionFacts } from './encryption.ts';

/**
 * What a dialect calls itself: `s3`, `qingstor` … One name for a vendor's front and back; dialects/table.ts has the
 * rows.
 */
export type DialectName = string;

/** What a request is about: an object, a bucket, or neither: the service. */
export interface Resource {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

export interface ObjectRef {
  readonly bucket: string;
  /** Exact, never normalised. */
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** One entry of user metadata: name in lower case without the vendor's prefix, value as latin1 wire bytes. */
export type MetadataEntry = readonly [name: string, value: string];

/** RFC 9110 representation headers that a store keeps with an object. Values as sent. */
export interface ContentHeaders {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
}

/** Headers of one vendor as they came. Only a dialect of that name may write them out (dialects/vendor-headers.ts). */
export interface VendorHeaders {
  readonly dialect: DialectName;
  readonly headers: HeaderList;
  /**
   * Those of a request, in lower case, that no trait tells: a store of another dialect cannot be told them, so that it
   * must refuse the request.
   */
  readonly beyondTraits?: readonly string[] | undefined;
}

/** Classes that more than one vendor has. Others keep the vendor's word, which only that vendor understands. */
export type StorageClass =
  | 'standard'
  | 'infrequent-access'
  | 'archive'
  | 'deep-archive'
  | { readonly dialect: DialectName; readonly word: string };

export type Tag = readonly [name: string, value: string];

/** Whether an object may be deleted or replaced before some date. */
export interface ObjectLock {
  readonly mode?: 'governance' | 'compliance' | undefined;
  readonly retainUntil?: Date | undefined;
  readonly legalHold?: boolean | undefined;
}

/** What vendors have in common of the settings of an object, in no vendor's words. Absent: nothing was said. */
export interface ObjectTraits {
  readonly acl?: 'private' | 'public-read' | 'public-read-write' | 'authenticated-read' | undefined;
  readonly storageClass?: StorageClass | undefined;
  readonly tags?: readonly Tag[] | undefined;
  readonly lock?: ObjectLock | undefined;
  /** Where a website sends the browser instead of showing the object. */
  readonly redirect?: string | undefined;
}

/** What a client sets of an object beside its metadata, which protection does not touch. */
export interface ObjectSettings {
  /** Goes unchanged to a store of the same dialect. */
  readonly vendor?: VendorHeaders | undefined;
  /** For a store of another dialect; and for any store, what `vendor` does not say. */
  readonly traits?: ObjectTraits | undefined;
}

/** What a client stores beside an object's bytes. */
export interface ObjectMetadata extends ObjectSettings {
  readonly content: ContentHeaders;
  readonly user: readonly MetadataEntry[];
}

export type ChecksumAlgorithm =
  | 'CRC32'
  | 'CRC32C'
  | 'CRC64NVME'
  | 'SHA1'
  | 'SHA256'
  | 'SHA512'
  | 'MD5'
  | 'XXHASH64'
  | 'XXHASH3'
  | 'XXHASH128';

/** A checksum of the plaintext: of all its bytes, or, if it is composite, of the checksums of its parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Buffer;
  /** The number of parts that a composite checksum is made of; undefined: it is not composite. */
  readonly parts?: number | undefined;
}

/** The checksum that a client wants of an object that it sends in parts. */
export interface AskedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly composite: boolean;
}

/** What a stored object is, in the client's terms: sizes are plaintext bytes, the ETag is the gateway's, unquoted. */
export interface ObjectFacts {
  /**
   * undefined of an archived object whose end, which alone tells it, cannot be read now: a HEAD then tells no length.
   */
  readonly plaintextBytes: Proven<number> | undefined;
  readonly etag: string;
  /** undefined where it lies in the store as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly lastModified: Date;
  readonly metadata: ObjectMetadata;
  readonly checksum?: Checksum | undefined;
  readonly versionId?: string | undefined;
}
