import type { KeyObject } from 'node:crypto';
import type { StoreKey } from '../dialects/store-encryption.ts';
import type { StoredObject, StoreGet } from '../dialects/store-exchange.ts';
import type { Proof, Proven } from '../errors.ts';
import type { AskedEncryption, EncryptionFacts } from '../operations/encryption.ts';
import type { Checksum, ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { StoreEncrypter } from '../store/encrypting/encrypter.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange, RangeRequest } from '../wire/range.ts';
import type { FormatDesk } from './format-desk.ts';
import type {
  NoSuchPart,
  ObjectDetails,
  ObjectPart,
  PartPlace,
  RelocatedObject,
  StoredSpan,
} from './object-details.ts';
import type { NewObject, ObjectWriter, PieceWriter } from './object-writer.ts';
import type { PeekedContent } from './peeked-content.ts';

/** A range of stored bytes to ask a store for. */
export type StoredRange = NonNullable<StoreGet['range']>;

/**
 * How objects are stored: which bytes and metadata the store gets for a client's object, and how the object is read
 * from them again. A format is a folder and a row in table.ts (FormatRow).
 */
export interface ObjectFormat {
  readonly name: string;
  /** Whether objects are stored as they were sent. Then the store's sizes, parts and ETags are those of the objects. */
  readonly asSent: boolean;
  /**
   * Whether an object's metadata says that it is of this format, which proves nothing. It is only asked of formats that
   * the bucket's policy allows, so an object cannot choose how it is read.
   */
  isMarked(metadata: ObjectMetadata): boolean;
  /** Removes this format's own entries from the metadata of an object that is read by another format. */
  clientMetadata(metadata: ObjectMetadata): ObjectMetadata;
  /**
   * Identifies an object of this format, and verifies what its metadata and stored size can prove.
   * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
   */
  identify(found: FoundObject, desk: FormatDesk): Promise<IdentifiedObject>;
  /**
   * Whether an object without a mark looks like one of this format that lost it. It is asked in buckets that also hold
   * plain objects, so that no client gets ciphertext as if it were a plain object. Absent for a format whose objects
   * cannot be recognised without their mark.
   * @throws ObjectReplaced, and what a GET throws
   */
  hasLostMark?(found: FoundObject, desk: FormatDesk): Promise<boolean>;
  /**
   * Guesses which stored bytes hold a range of plaintext, before anything is known of the object. They are asked for in
   * the first request, and checked against the object when it answers. A wrong guess costs another request, nothing
   * else.
   */
  guess(range: RangeRequest, ref: ObjectRef, desk: FormatDesk): StoredRange;
  /** What is remembered of the object that was last seen at a place. Another one may be there by now. */
  remembered(ref: ObjectRef, desk: FormatDesk): RememberedObject | undefined;
  /** Forgets what is remembered of a place, because another object is there now. */
  forget(ref: ObjectRef, desk: FormatDesk): void;
  /** The stored size, in bytes, of a new object with so many bytes of plaintext, whether or not it is sent in parts. */
  storedBytes(plaintextBytes: number, policy: BucketPolicy): number;
  /** The inverse of `storedBytes`; undefined for a size that no object has which was written under this policy. */
  plaintextBytes(storedBytes: number, policy: BucketPolicy): number | undefined;
  /**
   * The plaintext size of a marked object, for listings. It follows from mark and stored size, without verification.
   * @throws GatewayError ObjectCorrupted for a mark that cannot be read
   */
  claimedBytes(stored: StoredObject): number;
  /**
   * How many of an object's last bytes to ask for in order to have its details (`IdentifiedObject.detailsIn`). 0 for a
   * stored size that no object of this format can have.
   */
  endBytes(storedBytes: number): number;
  /**
   * Begins an object of known length.
   * @throws GatewayError MetadataTooLarge, InvalidArgument, and what `keys` throws
   */
  begin(object: NewObject, plaintextBytes: number, desk: FormatDesk): Promise<ObjectWriter>;
  /** Begins an object of unknown length, which is stored by a multipart upload. @throws what `begin` throws */
  beginPieces(object: NewObject, desk: FormatDesk): Promise<PieceWriter>;
  /**
   * Makes the metadata that the store must keep with an object that is moved to another place in a bucket that writes
   * this format, without the key of the client that alone can open it. Absent where no object needs such a key.
   * @returns undefined for an object that the tenant's keys open: it is moved as it is copied (`relocated`)
   * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
   */
  movedUnopened?(found: FoundObject, place: ObjectRef, desk: FormatDesk): Promise<ObjectMetadata | undefined>;
  /**
   * Says how the store is asked to encrypt the objects of one request by itself. Absent for a format that does not
   * leave it to the store.
   * @param asked what the request asks of encryption
   */
  encrypter?(desk: Omit<FormatDesk, 'store'>, asked: AskedEncryption | undefined): StoreEncrypter;
  /**
   * How objects are made of parts that clients send. Absent where the store's own parts are the client's (`asSent`),
   * and in a sealing format that takes no multipart uploads.
   */
  readonly uploads?: UploadFormat;
}

/** A store's answer about an object that is not identified yet. */
export interface FoundObject {
  /** The place for which the store was asked. */
  readonly ref: ObjectRef;
  /** The object's head. Its metadata still contain the entries that formats add. */
  readonly stored: StoredObject;
  /** The stored bytes that are arriving. Set only where they begin at the object's first byte. */
  readonly content?: PeekedContent | undefined;
}

/** What is remembered of an object that was read before. Requests that use it must be pinned to its ETag. */
export interface RememberedObject {
  /** The backend's ETag, unquoted. */
  readonly etag: string;
  /** The same as in `ObjectDetails`. */
  readonly parts: readonly ObjectPart[] | undefined;
}

/**
 * An object whose format is known, and whose envelope or other mark was verified. Its methods verify what they read. It
 * holds the desk of the request that found it, so it must not be kept for another request.
 */
export interface IdentifiedObject extends Proof {
  readonly format: ObjectFormat;
  /** The place for which the store was asked. */
  readonly ref: ObjectRef;
  /** The object's head as the store tells it, but with the client's metadata: the entries of formats are removed. */
  readonly stored: StoredObject;
  /** The object id, 16 bytes: it tells apart objects to which the store gives the same ETag. undefined for `asSent`. */
  readonly id: Buffer | undefined;
  /** What clients are told of the object's encryption; undefined for one that is stored as it was sent. */
  readonly encryption: EncryptionFacts | undefined;
  /**
   * What a request would ask for whose object shall be encrypted as this one is. undefined for a managed key, a
   * customer's key, and an object that is stored as it was sent.
   */
  readonly askedAgain?: AskedEncryption | undefined;
  /** The size of the plaintext in bytes, computed from the stored size that the store claims. */
  readonly claimedBytes: number;
  /** The size of the plaintext in bytes, where the envelope proves it; undefined where only the footer does. */
  readonly provenBytes: Proven<number> | undefined;
  /**
   * What the object's footer tells. It costs at most one request, pinned to this object, and is remembered.
   * @throws ObjectReplaced, GatewayError ObjectCorrupted, and what a GET throws
   */
  details(): ObjectDetails | Promise<ObjectDetails>;
  /**
   * The same, from bytes that were read already.
   * @param tail the object's last bytes: at least as many as hold the footer
   * @throws GatewayError ObjectCorrupted
   */
  detailsIn(tail: Buffer): ObjectDetails;
  /**
   * Finds one of the parts in which the object was sent. They are counted from 1 without gaps, whatever numbers the
   * client gave them, so that reading parts 1, 2, 3 … up to their count reads the object. An object that was sent by
   * one PUT is its own only part.
   * @throws ObjectReplaced, and what `details` throws
   */
  part(part: number): Promise<PartPlace | NoSuchPart>;
  /**
   * Finds the stored bytes that hold a range of the plaintext.
   * @param range must be within the object; undefined stands for the whole object
   * @throws what `details` throws
   */
  locate(range: ByteRange | undefined): StoredSpan | Promise<StoredSpan>;
  /**
   * Opens all of a small object at once, so that an answer begins only after every byte was verified. Absent where
   * opening verifies nothing.
   * @param stored all stored bytes
   * @throws GatewayError ObjectCorrupted
   */
  openWhole?(stored: Buffer): readonly Buffer[] | Promise<readonly Buffer[]>;
  /**
   * Makes the metadata that the store must keep with a copy of the same stored bytes at another place, in a bucket that
   * writes this format.
   * @param metadata the copy's metadata in the client's terms
   * @param desk the desk of the request that writes the copy
   * @returns undefined where the stored bytes cannot be used there: then the object must be opened and written anew
   * @throws GatewayError MetadataTooLarge, KeyUnavailable, KeyStoreUnavailable
   */
  relocated(place: ObjectRef, metadata: ObjectMetadata, desk: FormatDesk): Promise<RelocatedObject | undefined>;
  /**
   * The key that the store must be sent to read the object, as the source of a copy. Absent, or undefined, where it
   * needs none.
   */
  storeKey?(): Promise<StoreKey | undefined>;
}

/**
 * How a format makes an object of parts that its client sends one by one, in any order and any number of times. The
 * gateway keeps the upload's state (uploads/): the header that `begin` makes, and a record of each part.
 */
export interface UploadFormat {
  /** The highest number that a client's part may have. */
  readonly lastPartNumber: number;
  /** The number of the backend part that holds the footer, where no staged part is sent together with the footer. */
  readonly endPartNumber: number;
  /** The stored size of a part in bytes, without the footer. */
  storedPartBytes(plaintextBytes: number): number;
  /** The plaintext size of the largest part whose stored size is at most `storedBytes`. */
  largestPartPlaintext(storedBytes: number): number;
  /** Whether the header of an upload says that it is of this format, which proves nothing. */
  isHeader(header: Buffer): boolean;
  /** Begins an upload. @throws GatewayError MetadataTooLarge, InvalidArgument, KeyUnavailable, KeyStoreUnavailable */
  begin(object: NewObject, desk: FormatDesk): Promise<BegunUpload>;
  /** Opens an upload that was begun. @throws GatewayError ObjectCorrupted, KeyUnavailable, KeyStoreUnavailable */
  open(header: Buffer, ref: ObjectRef, desk: FormatDesk): Promise<UploadWriter>;
}

/** An upload that was just begun. */
export interface BegunUpload {
  /** The metadata that the store keeps with the object. */
  readonly metadata: ObjectMetadata;
  readonly writer: UploadWriter;
}

/** One attempt at a part that arrived. Another attempt at the same part has another salt, and other stored bytes. */
export interface SentPart extends ObjectPart {
  /** 16 random bytes. */
  readonly partSalt: Buffer;
}

/** What the object of an upload is made of. */
export interface UploadContents {
  readonly plaintextBytes: number;
  /** The MD5 of the parts' MD5s; undefined unless all parts have one. */
  readonly md5: Buffer | undefined;
  readonly checksum: Checksum | undefined;
  /** The parts in their order. */
  readonly parts: readonly SentPart[];
}

/** What is kept of an upload that was completed. It opens none of its bytes. */
export interface EndedUpload {
  /** The same as in `UploadWriter`. */
  readonly header: Buffer;
  /** The key that seals what is told of the completed upload. */
  stateKey(): KeyObject;
}

/** Makes the object of one upload. Every request of the upload opens one of its own. */
export interface UploadWriter {
  /** What clients are told of the encryption of the object and its parts. */
  readonly encryption: EncryptionFacts | undefined;
  readonly format: UploadFormat;
  /** The object id of the object that the upload will make. */
  readonly id: Buffer;
  /**
   * Opens the upload again (`UploadFormat.open`). It is authenticated, and tells nothing to anyone without the keys.
   */
  readonly header: Buffer;
  /** The key that seals the upload's state. */
  stateKey(): KeyObject;
  /**
   * Checks that the request may add parts. Absent where every request may.
   * @throws GatewayError CustomerKeyNeeded
   */
  mustTakeParts?(): void;
  /** What is kept of the upload once it was completed. Absent where `header` and `stateKey` are. */
  ended?(): EndedUpload;
  /**
   * Identifies the object at the upload's key without the key of its client. Absent where `ObjectFormat.identify` does.
   * @returns undefined where it is not the upload's; `unopened` where it is, and cannot be opened any more
   * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
   */
  identifyOwn?(found: FoundObject): Promise<IdentifiedObject | 'unopened' | undefined>;
  /** Seals a part. The last of its stored bytes come only after `plaintext` has ended without an error. */
  part(plaintext: ByteSource, part: SentPart): ByteSource;
  /**
   * Passes on the stored bytes of a staged part, and verifies them. An error may come only at the end, so whoever takes
   * the bytes must be able to drop them then.
   * @throws GatewayError ObjectCorrupted
   */
  checked(stored: ByteSource, part: SentPart): ByteSource;
  /** The size of the footer in bytes; undefined where the parts are too many and too small for it. */
  endBytes(contents: UploadContents): number | undefined;
  /** Makes the footer. Each attempt to complete the upload makes a new one. */
  end(contents: UploadContents): Buffer;
  /** Remembers the object, so that its first read need not fetch the footer. @param etag the backend's, unquoted */
  remember(contents: UploadContents, etag: string): void;
  /**
   * Whether an object that has this upload's id is made of exactly these attempts.
   * @throws what its `details` throws
   */
  made(object: IdentifiedObject, parts: readonly SentPart[]): Promise<boolean>;
}
