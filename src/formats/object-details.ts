import type { Proven } from '../errors.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { Checksum, ObjectMetadata } from '../operations/object.ts';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';

/** What belongs to a copy of the same stored bytes. */
export interface RelocatedObject {
  /** The metadata that the store keeps with the copy. */
  readonly metadata: ObjectMetadata;
  /** The same as in `IdentifiedObject`, for the copy. */
  readonly encryption: EncryptionFacts | undefined;
}

/** What an object's footer tells. */
export interface ObjectDetails {
  readonly plaintextBytes: Proven<number>;
  /**
   * The MD5 of the plaintext, or of the MD5s of an upload's parts. undefined where none was computed, or for `asSent`.
   */
  readonly md5: Buffer | undefined;
  /** The checksum of the plaintext. undefined for plain objects, even where the store may know one. */
  readonly checksum: Checksum | undefined;
  /** The CRC-64/XZ of the plaintext, where the footer has it. Otherwise it may follow from those of the parts. */
  readonly crc64?: Buffer | undefined;
  /** The parts in their order. undefined for an object that was sent by one PUT, and for plain objects. */
  readonly parts: readonly ObjectPart[] | undefined;
}

/** A part of an object, as its client sent it. */
export interface ObjectPart {
  /** The number that the client gave the part. */
  readonly partNumber: number;
  readonly plaintextBytes: number;
  /** The MD5 of the part's plaintext, where it was computed. */
  readonly md5?: Buffer | undefined;
  /** The CRC-64/XZ of the part's plaintext, where it was computed. */
  readonly crc64?: Buffer | undefined;
}

/** The range of a part in the plaintext. */
export interface PartPlace {
  /** For a part without bytes, `last` is `first` - 1. */
  readonly range: ByteRange;
  /** The number of the object's parts; undefined where it was sent by one PUT. */
  readonly partsCount: number | undefined;
}

/** Says that the object has no such part, and how many parts it has. */
export interface NoSuchPart {
  readonly range: undefined;
  readonly partsCount: number;
}

/** The stored bytes that hold a range of the plaintext. */
export interface StoredSpan {
  /** The offset of the first byte in the stored object. */
  readonly first: number;
  /** The offset of the last byte in the stored object, inclusive. */
  readonly last: number;
  /**
   * How many bytes before the span an answer of the store may begin and still be used. 0 means that it must begin and
   * end exactly with the span.
   */
  readonly slackBytes: number;
  /**
   * Opens the range. Each piece of plaintext comes only after it was verified, and is valid until the next is asked
   * for.
   * @param source stored bytes that contain the span
   * @param storedFirst the offset of the first of them in the stored object
   * @throws GatewayError ObjectCorrupted where the bytes fail verification or end early, and what the source throws
   */
  open(source: ByteSource, storedFirst: number): ByteSource;
}
