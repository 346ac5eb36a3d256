import type { Proven } from '../errors.ts';
import type { HeaderList } from '../wire/headers.ts';

/** The dialects the gateway knows; a row each in dialects/table.ts. */
export type DialectName = 's3' | 'qingstor';

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

/** What a client stores beside an object's bytes. */
export interface ObjectMetadata {
  readonly content: ContentHeaders;
  readonly user: readonly MetadataEntry[];
  /**
   * Headers of the dialect that protection does not touch (ACL, tags, storage class …), raw. They reach a backend of
   * the same dialect unchanged; a backend of another dialect refuses what it cannot translate.
   */
  readonly vendor: HeaderList;
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

/** Of the plaintext: of all its bytes, or composite, of the checksums of its parts. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Buffer;
  /** Set for a composite one: of how many parts. */
  readonly parts?: number | undefined;
}

/** The checksum that a client wants of an object that it sends in parts. */
export interface AskedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly composite: boolean;
}

/** What a stored object is, in the client's terms: sizes are plaintext bytes, the ETag is the gateway's, unquoted. */
export interface ObjectFacts {
  /** undefined of an archived object whose end, which alone tells it, cannot be read now: a HEAD then tells no length. */
  readonly plaintextBytes: Proven<number> | undefined;
  readonly etag: string;
  /** Whether it lies in the store as ciphertext. */
  readonly sealed?: boolean | undefined;
  readonly lastModified: Date;
  readonly metadata: ObjectMetadata;
  readonly checksum?: Checksum | undefined;
  readonly versionId?: string | undefined;
}
