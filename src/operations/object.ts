import type { Proven } from '../errors.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { EncryptionFacts } from './encryption.ts';

/**
 * The name of a dialect, such as `s3`. A vendor's front and back have the same name. dialects/table.ts has the rows.
 */
export type DialectName = string;

/** What a request is about: an object, a bucket, or the whole service where both are undefined. */
export interface Resource {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

/** Names an object, or one version of it. */
export interface ObjectRef {
  readonly bucket: string;
  /** The key exactly as the client means it, decoded and never normalised. */
  readonly key: string;
  readonly versionId?: string | undefined;
}

/**
 * One entry of user metadata. The name is in lower case and without the vendor's prefix (`x-amz-meta-`). The value
 * holds the bytes of the header as latin1 characters.
 */
export type MetadataEntry = readonly [name: string, value: string];

/** The content headers (RFC 9110 §8) that a store keeps with an object, with the values that the client sent. */
export interface ContentHeaders {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
}

/**
 * Headers that only one vendor understands, unchanged. Only the dialect of that name may render them
 * (dialects/vendor-headers.ts).
 */
export interface VendorHeaders {
  readonly dialect: DialectName;
  readonly headers: HeaderList;
  /**
   * The names, in lower case, of those headers of a request that no trait expresses. Over a store of another dialect
   * the request must be refused because of them.
   */
  readonly beyondTraits?: readonly string[] | undefined;
}

/** A storage class. Those that several vendors have are neutral names; another one is a vendor's own word. */
export type StorageClass =
  | 'standard'
  | 'infrequent-access'
  | 'archive'
  | 'deep-archive'
  | { readonly dialect: DialectName; readonly word: string };

export type Tag = readonly [name: string, value: string];

/** Protects a version of an object from being deleted (S3 Object Lock). */
export interface ObjectLock {
  readonly mode?: 'governance' | 'compliance' | undefined;
  readonly retainUntil?: Date | undefined;
  readonly legalHold?: boolean | undefined;
}

/** The settings of an object that several vendors have, in neutral terms. An absent one was not mentioned. */
export interface ObjectTraits {
  readonly acl?: 'private' | 'public-read' | 'public-read-write' | 'authenticated-read' | undefined;
  readonly storageClass?: StorageClass | undefined;
  readonly tags?: readonly Tag[] | undefined;
  readonly lock?: ObjectLock | undefined;
  /** The address to which a bucket that serves as a website redirects browsers, in place of showing the object. */
  readonly redirect?: string | undefined;
}

/** The settings of an object beside its metadata, such as ACL and tags. They are not sealed. */
export interface ObjectSettings {
  /** Headers that a store of the same dialect gets unchanged. */
  readonly vendor?: VendorHeaders | undefined;
  /** The settings in neutral terms. A store of the same dialect gets those of them that are not in `vendor`. */
  readonly traits?: ObjectTraits | undefined;
}

/** The metadata and settings that a client stores with an object's bytes. */
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

/** A checksum of the plaintext. A composite one is made of the checksums of the parts instead of all the bytes. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Buffer;
  /** The number of parts that a composite checksum is made of; undefined for one that is not composite. */
  readonly parts?: number | undefined;
}

/** The checksum that a client wants of an object that it sends in parts. */
export interface AskedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly composite: boolean;
}

/** What clients are told of a stored object. */
export interface ObjectFacts {
  /**
   * The size of the plaintext in bytes. undefined where nobody asked for it, and for an archived object whose footer,
   * which tells it, cannot be read: a HEAD is then answered without a length.
   */
  readonly plaintextBytes: Proven<number> | undefined;
  /** The ETag that clients see, unquoted. */
  readonly etag: string;
  /** How the object is encrypted; undefined where it is stored as it was sent. */
  readonly encryption?: EncryptionFacts | undefined;
  readonly lastModified: Date;
  readonly metadata: ObjectMetadata;
  readonly checksum?: Checksum | undefined;
  /**
   * The CRC-64/XZ of the whole plaintext, 8 bytes, for a range too. undefined where the dialect does not tell it, and
   * where it is not known.
   */
  readonly crc64?: Buffer | undefined;
  readonly versionId?: string | undefined;
}
