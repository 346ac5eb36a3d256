import type { KeyObject } from 'node:crypto';
import type { StoredObject, StoreGet } from '../dialects/store-exchange.ts';
import type { Proof, Proven } from '../errors.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { Checksum, ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange, RangeRequest } from '../wire/range.ts';
import type { FormatDesk } from './format-desk.ts';
import type { NewObject, ObjectWriter, PieceWriter } from './object-writer.ts';
import type { PeekedContent } from './peeked-content.ts';

/** A range of stored bytes to ask a store for. */
export type StoredRange = NonNullable<StoreGet['range']>;

/**
 * A way in which an object lies in a store: which bytes and which metadata the store gets for a client's object, and how
 * they are read again. A format is a folder and a row in table.ts; protection.ts says which buckets use it.
 */
export interface ObjectFormat {
  readonly name: string;
  /** The stored bytes are the client's own: the store's sizes, parts and ETags are the object's, and nothing is sealed. */
  readonly asSent: boolean;
  /**
   * Whether an object's metadata says that it is of this format. It proves nothing. It is asked only of formats that the
   * bucket's policy reads: an object never chooses its own reader.
   */
  isMarked(metadata: ObjectMetadata): boolean;
  /** Stored metadata as the client sent it, of an object that is read by another format: without this one's own entries. */
  clientMetadata(metadata: ObjectMetadata): ObjectMetadata;
  /**
   * Tells what a store's answer describes, and verifies what its head can prove.
   * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
   */
  identify(found: FoundObject, desk: FormatDesk): Promise<IdentifiedObject>;
  /**
   * Whether an unmarked object is one of this format whose mark was lost. Buckets that also keep plain objects ask it, so
   * that nobody gets ciphertext for a plain object. Absent where nothing would tell.
   * @throws ObjectReplaced, and what a GET throws
   */
  hasLostMark?(found: FoundObject, desk: FormatDesk): Promise<boolean>;
  /**
   * The stored bytes to ask for before it is known what object there is. The answer is held against the object itself,
   * so this decides how many requests a range costs, and nothing else.
   */
  guess(range: RangeRequest, ref: ObjectRef, desk: FormatDesk): StoredRange;
  /** What is remembered of the object that last lay at a place; another one may lie there by now. */
  remembered(ref: ObjectRef, desk: FormatDesk): RememberedObject | undefined;
  /** Another object lies there than the one that is remembered. */
  forget(ref: ObjectRef, desk: FormatDesk): void;
  /** Bytes that a store holds of a new object with so many bytes of plaintext, however it was sent. */
  storedBytes(plaintextBytes: number, policy: BucketPolicy): number;
  /** The inverse; undefined for a size that no object has which was written under this policy. */
  plaintextBytes(storedBytes: number, policy: BucketPolicy): number | undefined;
  /**
   * The plaintext's length as the head of a marked object has it, for listings: nothing is opened, and nothing is proven.
   * @throws GatewayError ObjectCorrupted for a mark that cannot be read
   */
  claimedBytes(stored: StoredObject): number;
  /**
   * How many of an object's last bytes hold its details (`IdentifiedObject.detailsIn`), whatever it is; 0 for a size that
   * no object of this format has.
   */
  endBytes(storedBytes: number): number;
  /**
   * Begins an object of known length, which one request stores.
   * @throws GatewayError MetadataTooLarge, InvalidArgument, KeyUnavailable, KeyStoreUnavailable
   */
  begin(object: NewObject, plaintextBytes: number, desk: FormatDesk): Promise<ObjectWriter>;
  /** Begins an object of unknown length, which an upload in parts stores. @throws as `begin` */
  beginPieces(object: NewObject, desk: FormatDesk): Promise<PieceWriter>;
  /**
   * How objects are made of parts that clients send. Absent where the store's own parts are the client's (`asSent`); a
   * format that seals and has none takes no multipart uploads.
   */
  readonly uploads?: UploadFormat;
}

/** A store's answer about an object, before anybody knows what it is. */
export interface FoundObject {
  /** Where it was asked for. */
  readonly ref: ObjectRef;
  /** Its metadata still has the entries of formats. */
  readonly stored: StoredObject;
  /** The object's bytes on their way, from its first on, where they are at hand. */
  readonly content?: PeekedContent | undefined;
}

/** An object that was read before: what may be asked for at once, pinned to its ETag. */
export interface RememberedObject {
  /** The backend's, unquoted. */
  readonly etag: string;
  /** As in ObjectDetails. */
  readonly parts: readonly ObjectPart[] | undefined;
}

/**
 * An object of which a format knows what it is. Its head was verified; the methods verify what they read besides. It
 * keeps the desk of the request that found it.
 */
export interface IdentifiedObject extends Proof {
  readonly format: ObjectFormat;
  /** Where it was asked for. */
  readonly ref: ObjectRef;
  /** What the store says of it, but for its metadata, which are the client's: without the entries of formats. */
  readonly stored: StoredObject;
  /** 16 bytes that tell it from another object that a store gives the same ETag. undefined for one that lies as it was sent. */
  readonly id: Buffer | undefined;
  /** What clients may be told of its encryption. undefined for one that lies as it was sent. */
  readonly encryption: EncryptionFacts | undefined;
  /** The plaintext's length as it follows from the size that the store claims. */
  readonly claimedBytes: number;
  /** The plaintext's length, where the head proves it. undefined: only the details do. */
  readonly provenBytes: Proven<number> | undefined;
  /**
   * What only the object's end tells. It costs at most one request, pinned to this object, and is remembered.
   * @throws ObjectReplaced, GatewayError ObjectCorrupted, and what a GET throws
   */
  details(): ObjectDetails | Promise<ObjectDetails>;
  /**
   * The same, from bytes that are at hand.
   * @param tail the object's last bytes, as many as hold its end, or all of them
   * @throws GatewayError ObjectCorrupted
   */
  detailsIn(tail: Buffer): ObjectDetails;
  /**
   * One of the parts that the object was sent in, counted from 1 without gaps, whatever numbers the client gave: whoever
   * reads 1, 2, 3 … up to the number of parts has read the object. An object that was sent in one go is its only part.
   * @throws ObjectReplaced, and what `details` throws
   */
  part(part: number): Promise<PartPlace | NoSuchPart>;
  /**
   * Where a range of the plaintext lies.
   * @param range within the object; undefined for all of it
   * @throws what `details` throws
   */
  locate(range: ByteRange | undefined): StoredSpan | Promise<StoredSpan>;
  /**
   * Opens all of a small object at once, so that an answer begins only when every byte was verified. Absent where opening
   * verifies nothing.
   * @param stored all stored bytes; `details` is free once `detailsIn` had them
   * @throws GatewayError ObjectCorrupted
   */
  openWhole?(stored: Buffer): readonly Buffer[] | Promise<readonly Buffer[]>;
  /**
   * What a store must keep beside a copy of these bytes at another place of a bucket that writes this format.
   * @param metadata the copy's, in the client's terms
   * @param desk of whoever writes the copy
   * @returns undefined where the bytes are not what would be written there: then they are opened and written anew
   * @throws GatewayError MetadataTooLarge, KeyUnavailable, KeyStoreUnavailable
   */
  relocated(place: ObjectRef, metadata: ObjectMetadata, desk: FormatDesk): Promise<RelocatedObject | undefined>;
}

/** What lies beside a copy of the same bytes. */
export interface RelocatedObject {
  /** What the store keeps. */
  readonly metadata: ObjectMetadata;
  /** As in IdentifiedObject. */
  readonly encryption: EncryptionFacts | undefined;
}

/** What lies at an object's end. */
export interface ObjectDetails {
  readonly plaintextBytes: Proven<number>;
  /** Of the plaintext, or of a multipart upload's parts' MD5s. undefined where none was computed, and of plain objects. */
  readonly md5: Buffer | undefined;
  /** Of the plaintext; of plain objects the store may know one, which is nowhere told. */
  readonly checksum: Checksum | undefined;
  /** In the object's order. undefined for an object that was sent in one go, and for plain ones. */
  readonly parts: readonly ObjectPart[] | undefined;
}

export interface ObjectPart {
  /** The client's. */
  readonly partNumber: number;
  readonly plaintextBytes: number;
  readonly md5?: Buffer | undefined;
}

/** Where a part lies in the plaintext. */
export interface PartPlace {
  /** Of a part without bytes, `last` comes before `first`. */
  readonly range: ByteRange;
  /** How many parts the object was sent in; undefined when it was sent in one go. */
  readonly partsCount: number | undefined;
}

/** The object has no such part, but this many. */
export interface NoSuchPart {
  readonly range: undefined;
  readonly partsCount: number;
}

/** The stored bytes that hold a range of the plaintext. */
export interface StoredSpan {
  /** Absolute offsets in the stored object, inclusive. */
  readonly first: number;
  readonly last: number;
  /** How many bytes before the span an answer may begin to be of use. 0: it must begin and end with the span. */
  readonly slackBytes: number;
  /**
   * The plaintext of the range, each piece only after it was verified and good until the next is asked for.
   * @param source stored bytes, the span among them
   * @param storedFirst where they begin
   * @throws GatewayError ObjectCorrupted when they fail or end early; whatever the source throws
   */
  open(source: ByteSource, storedFirst: number): ByteSource;
}

/**
 * How a format makes an object of parts that its client sends one by one, in any order and any number of times. The
 * gateway keeps the upload's state (uploads/): the header that `begin` makes, and a record of each part.
 */
export interface UploadFormat {
  /** The highest number that a client's part may have. */
  readonly lastPartNumber: number;
  /** The number of what ends the object, where no client's part is near enough to its end to be stored together with it. */
  readonly endPartNumber: number;
  /** Bytes that a store holds of a part, without the object's end. */
  storedPartBytes(plaintextBytes: number): number;
  /** The plaintext of the largest part that has at most so many stored bytes. */
  largestPartPlaintext(storedBytes: number): number;
  /** Whether an upload's header is one of this format. It proves nothing. */
  isHeader(header: Buffer): boolean;
  /** @throws GatewayError MetadataTooLarge, InvalidArgument, KeyUnavailable, KeyStoreUnavailable */
  begin(object: NewObject, desk: FormatDesk): Promise<BegunUpload>;
  /** @throws GatewayError ObjectCorrupted, KeyUnavailable, KeyStoreUnavailable */
  open(header: Buffer, ref: ObjectRef, desk: FormatDesk): Promise<UploadWriter>;
}

export interface BegunUpload {
  /** What the store keeps beside the object's bytes. */
  readonly metadata: ObjectMetadata;
  readonly writer: UploadWriter;
}

/** A part as it was sent once. Another attempt at it has another salt, and other stored bytes. */
export interface SentPart extends ObjectPart {
  /** 16 random bytes. */
  readonly partSalt: Buffer;
}

/** What an upload's object is made of. */
export interface UploadContents {
  readonly plaintextBytes: number;
  /** Of the parts' MD5s, where each has one. */
  readonly md5: Buffer | undefined;
  readonly checksum: Checksum | undefined;
  /** In the object's order. */
  readonly parts: readonly SentPart[];
}

/** Makes one upload's object, over as many requests as there are parts. */
export interface UploadWriter {
  /** As in IdentifiedObject: of the upload's object and parts. */
  readonly encryption: EncryptionFacts | undefined;
  readonly format: UploadFormat;
  /** As in IdentifiedObject: of the object that will be. */
  readonly id: Buffer;
  /** What opens the upload again. It authenticates itself, and tells nothing of the object to who has no keys. */
  readonly header: Buffer;
  /** The key that seals the upload's state. */
  stateKey(): KeyObject;
  /** A part's stored bytes. The last of them come only after `plaintext` ended cleanly. */
  part(plaintext: ByteSource, part: SentPart): ByteSource;
  /**
   * A part's stored bytes as they come from the place where they waited, verified on the way: whoever gets them must be
   * able to take them back.
   * @throws GatewayError ObjectCorrupted
   */
  checked(stored: ByteSource, part: SentPart): ByteSource;
  /** How many bytes end the object; undefined where their parts are too many and too small for this format. */
  endBytes(contents: UploadContents): number | undefined;
  /** What follows the last part. Made anew for every attempt. */
  end(contents: UploadContents): Buffer;
  /** Keeps in mind what the object is, so that its first reader need not ask. @param etag the backend's, unquoted */
  remember(contents: UploadContents, etag: string): void;
  /** Whether an object with this upload's id is made of exactly these attempts. @throws as `details` of the object */
  made(object: IdentifiedObject, parts: readonly SentPart[]): Promise<boolean>;
}
