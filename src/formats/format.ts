import type { BodyProof } from '../dialects/front-dialect.ts';
import type { StoredObject, StoreGet } from '../dialects/store-exchange.ts';
import type { Proof, Proven } from '../errors.ts';
import type { Checksum, ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { ByteSource, OutgoingBody } from '../wire/message.ts';
import type { ByteRange, RangeRequest } from '../wire/range.ts';
import type { FormatDesk } from './format-desk.ts';
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
  /** Bytes that a store holds of an object with so many bytes of plaintext, however it was sent. */
  storedBytes(plaintextBytes: number, policy: BucketPolicy): number;
  /**
   * Begins an object of known length, which one request stores.
   * @throws GatewayError MetadataTooLarge, InvalidArgument, KeyUnavailable, KeyStoreUnavailable
   */
  begin(object: NewObject, plaintextBytes: number, desk: FormatDesk): Promise<ObjectWriter>;
  /** Begins an object of unknown length, which an upload in parts stores. @throws as `begin` */
  beginPieces(object: NewObject, desk: FormatDesk): Promise<PieceWriter>;
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
  relocated(place: ObjectRef, metadata: ObjectMetadata, desk: FormatDesk): Promise<ObjectMetadata | undefined>;
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

/** An object that is about to be written. */
export interface NewObject {
  readonly ref: ObjectRef;
  /** The client's. */
  readonly metadata: ObjectMetadata;
}

/** What is known of a new object before any of its bytes. */
interface BegunObject {
  /** As in IdentifiedObject. */
  readonly id: Buffer | undefined;
  /** What the store keeps beside the bytes. */
  readonly metadata: ObjectMetadata;
}

/** Writes one object of known length. Call `whole` or `stream`, once. */
export interface ObjectWriter extends BegunObject {
  /**
   * What the store gets, in one buffer: for a small object, of which nothing is there before its body ended cleanly.
   * @param plaintext a body that verifies itself to its end
   * @param proof what the body proved, asked once it ended
   * @throws whatever the body throws
   */
  whole(plaintext: ByteSource, proof: () => BodyProof): Promise<Buffer>;
  /** The same as it comes. Its last bytes come only after the body ended cleanly, so a bad body makes no object. */
  stream(plaintext: ByteSource, proof: () => BodyProof): OutgoingBody;
}

/** Writes one object piece by piece; what the store gets of them, one after the other, is the object. */
export interface PieceWriter extends BegunObject {
  /** @param plaintext must stay as it is until what comes back was read */
  piece(plaintext: Buffer): OutgoingBody;
  /** What follows the last piece, once the body ended cleanly. */
  end(proof: BodyProof): Buffer | undefined;
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
