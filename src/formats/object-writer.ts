import type { BodyProof } from '../dialects/front-dialect.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { ByteSource, OutgoingBody } from '../wire/message.ts';

/** An object that is about to be written. */
export interface NewObject {
  readonly ref: ObjectRef;
  /** The metadata that the client sent. */
  readonly metadata: ObjectMetadata;
}

/** What is decided about a new object before its first byte is written. */
export interface BegunObject {
  /** The same as in `IdentifiedObject`. */
  readonly id: Buffer | undefined;
  /** The same as in `IdentifiedObject`. */
  readonly encryption: EncryptionFacts | undefined;
  /** The metadata that the store keeps with the object. */
  readonly metadata: ObjectMetadata;
}

/** Writes one object of known length. Either `whole` or `stream` must be called, once. */
export interface ObjectWriter extends BegunObject {
  /**
   * Makes the stored bytes of a small object in one buffer, after its whole body was verified.
   * @param plaintext the body. It throws where verification fails.
   * @param proof gives what was proven of the body; it is called after the body has ended
   * @throws what the body throws
   */
  whole(plaintext: ByteSource, proof: () => BodyProof): Promise<Buffer>;
  /**
   * Makes the stored bytes of an object while its body arrives. The last of them come only after the body has ended and
   * was verified, so a bad body never becomes an object.
   */
  stream(plaintext: ByteSource, proof: () => BodyProof): OutgoingBody;
}

/** Writes one object of unknown length in pieces. The stored bytes of the pieces and of the end make up the object. */
export interface PieceWriter extends BegunObject {
  /** Makes a piece's stored bytes. @param plaintext must not be changed before those were read */
  piece(plaintext: Buffer): OutgoingBody;
  /** Makes what follows the last piece, once the body was verified; undefined where nothing does. */
  end(proof: BodyProof): Buffer | undefined;
}
