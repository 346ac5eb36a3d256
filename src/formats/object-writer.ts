import type { BodyProof } from '../dialects/front-dialect.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { ByteSource, OutgoingBody } from '../wire/message.ts';

/** An object that is about to be written. */
export interface NewObject {
  readonly ref: ObjectRef;
  /** The client's. */
  readonly metadata: ObjectMetadata;
}

/** What is known of a new object before any of its bytes. */
export interface BegunObject {
  /** As in IdentifiedObject. */
  readonly id: Buffer | undefined;
  /** As in IdentifiedObject. */
  readonly encryption: EncryptionFacts | undefined;
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
