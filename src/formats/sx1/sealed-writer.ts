import type { BodyProof } from '../../dialects/front-dialect.ts';
import { footerHolds, type Manifest, type PartEntry, sealFooter } from '../../envelope/footer.ts';
import { sealedBytes, sealedPartBytes } from '../../envelope/sizes.ts';
import { type SealObject, sealObject, sealObjectWhole, sealPart } from '../../envelope/streams.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import { only } from '../../wire/bodies/only.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { BegunObject, ObjectWriter, PieceWriter } from '../object-writer.ts';
import type { NewEnvelope } from './sealing.ts';

/** A new object whose envelope is sealed already, and whose body is not. */
class BegunEnvelope implements BegunObject {
  protected readonly object: NewEnvelope;
  protected readonly desk: FormatDesk;

  constructor(object: NewEnvelope, desk: FormatDesk) {
    this.object = object;
    this.desk = desk;
  }

  get id(): Buffer {
    return this.object.oid;
  }

  get metadata(): ObjectMetadata {
    return this.object.metadata;
  }

  get encryption(): EncryptionFacts {
    return this.object.encryption;
  }
}

/** Seals a body of known length (FORMAT.md §4): header, segments, footer. */
export class SealedWriter extends BegunEnvelope implements ObjectWriter {
  readonly #plaintextBytes: number;

  constructor(object: NewEnvelope, plaintextBytes: number, desk: FormatDesk) {
    super(object, desk);
    this.#plaintextBytes = plaintextBytes;
  }

  whole(plaintext: ByteSource, proof: () => BodyProof): Promise<Buffer> {
    return sealObjectWhole(plaintext, this.#sealing(proof));
  }

  /** The last segment and the footer come only after `plaintext` has ended without an error. */
  stream(plaintext: ByteSource, proof: () => BodyProof): OutgoingBody {
    const bytes = sealedBytes(this.#plaintextBytes, this.desk.policy.quantum);
    return { bytes, source: sealObject(plaintext, this.#sealing(proof)) };
  }

  #sealing(proof: () => BodyProof): SealObject {
    const { keys, oid, partSalt, envelope } = this.object;
    const { policy, randomBytes, trace } = this.desk;
    return {
      keys,
      oid,
      partSalt,
      plaintextBytes: this.#plaintextBytes,
      quantum: policy.quantum,
      envelope,
      footerSalt: randomBytes(16),
      manifest: proof,
      onCipher: (seconds) => {
        trace.sealSeconds += seconds;
      },
    };
  }
}

/** Seals a body of unknown length in the multipart structure (FORMAT.md §6): each piece is a part. */
export class SealedPieces extends BegunEnvelope implements PieceWriter {
  readonly #entries: PartEntry[] = [];
  #plaintextBytes = 0;
  #storedBytes = 0;

  piece(plaintext: Buffer): OutgoingBody {
    const { keys, oid } = this.object;
    const plaintextBytes = plaintext.length;
    const partNumber = this.#entries.length + 1;
    const partSalt = this.desk.randomBytes(16);
    const bytes = sealedPartBytes(plaintextBytes);
    this.#plaintextBytes += plaintextBytes;
    this.#storedBytes += bytes;
    this.#entries.push({ partNumber, plaintextBytes, partSalt });
    return { bytes, source: sealPart(only(plaintext), { keys, oid, partNumber, partSalt, plaintextBytes }) };
  }

  end({ md5, checksum, crc64 }: BodyProof): Buffer {
    const { keys, oid, envelope } = this.object;
    const { randomBytes, policy } = this.desk;
    const plaintextBytes = this.#plaintextBytes;
    const footerBytes = sealedBytes(plaintextBytes, policy.quantum) - this.#storedBytes;
    const manifest: Manifest = { multipart: true, plaintextBytes, md5, checksum, parts: this.#entries };
    // Where there is no room for the CRC, the first reader who asks for it computes it.
    const withCrc64 = { ...manifest, crc64 };
    return sealFooter({
      keys,
      oid,
      envelope,
      manifest: footerHolds(withCrc64, footerBytes) ? withCrc64 : manifest,
      footerBytes,
      footerSalt: randomBytes(16),
    });
  }
}
