import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import { endHeldBack } from '../../wire/bodies/end-held-back.ts';
import { only } from '../../wire/bodies/only.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import type { ObjectWriter, PieceWriter } from '../object-writer.ts';

/** Stores a client's bytes as they are. Even so, the last of them is sent only after the body was verified. */
export class PlainWriter implements ObjectWriter, PieceWriter {
  readonly id = undefined;
  readonly encryption: EncryptionFacts | undefined;
  readonly metadata: ObjectMetadata;
  readonly #bytes: number;

  /**
   * @param bytes the size of the object in bytes; undefined where it is written in pieces
   * @param encryption what clients are told of the object's encryption; undefined where it has none
   */
  constructor(metadata: ObjectMetadata, bytes: number | undefined, encryption?: EncryptionFacts) {
    this.encryption = encryption;
    this.metadata = metadata;
    this.#bytes = bytes ?? 0;
  }

  async whole(plaintext: ByteSource): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of plaintext) pieces.push(Buffer.from(piece)); // the source may reuse its buffer
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, this.#bytes);
  }

  stream(plaintext: ByteSource): OutgoingBody {
    return { bytes: this.#bytes, source: endHeldBack(plaintext, this.#bytes) };
  }

  piece(plaintext: Buffer): OutgoingBody {
    return { bytes: plaintext.length, source: only(plaintext) };
  }

  end(): undefined {
    return undefined;
  }
}
