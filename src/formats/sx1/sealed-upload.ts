import type { KeyObject } from 'node:crypto';
import { checkedPart } from '../../envelope/checked-part.ts';
import { ENVELOPE_BYTES } from '../../envelope/envelope.ts';
import { type Manifest, multipartFooterBytes, sealFooter } from '../../envelope/footer.ts';
import { Layout } from '../../envelope/layout.ts';
import type { ObjectKeys } from '../../envelope/object-keys.ts';
import {
  FOOTER_PART_NUMBER,
  LAST_PART_NUMBER,
  largestPartPlaintext,
  type QuantumId,
  sealedBytes,
  sealedPartBytes,
} from '../../envelope/sizes.ts';
import { sealPart } from '../../envelope/streams.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { BegunUpload, IdentifiedObject, SentPart, UploadContents, UploadFormat, UploadWriter } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { NewObject } from '../object-writer.ts';
import type { LayoutCache } from './layout-cache.ts';
import { openUnderItsKek } from './opening.ts';
import { SealedObject } from './sealed-object.ts';
import { type NewEnvelope, newEnvelope } from './sealing.ts';

/**
 * Multipart uploads in SX1 (FORMAT.md §6). The upload's header is the object's envelope, and behind it the sealed
 * encryption context, where there is one.
 */
export class SealedUploads implements UploadFormat {
  readonly lastPartNumber = LAST_PART_NUMBER;
  readonly endPartNumber = FOOTER_PART_NUMBER;
  readonly storedPartBytes = sealedPartBytes;
  readonly largestPartPlaintext = largestPartPlaintext;
  /** The cache of the format's objects. The footer of a completed upload is remembered there. */
  readonly layouts: LayoutCache;

  constructor(layouts: LayoutCache) {
    this.layouts = layouts;
  }

  isHeader(): boolean {
    return true; // a header of another format would fail to open
  }

  async begin({ ref, metadata }: NewObject, desk: FormatDesk): Promise<BegunUpload> {
    const object = await newEnvelope(ref, metadata, undefined, desk);
    const { keys, oid, encryption } = object;
    const header = headerOf(object);
    const { quantum } = desk.policy;
    const writer = new SealedUpload(this, { keys, oid, encryption, quantum, header, ref }, desk);
    return { metadata: object.metadata, writer };
  }

  async open(header: Buffer, ref: ObjectRef, desk: FormatDesk): Promise<UploadWriter> {
    const { opened, encryption } = await openUnderItsKek(envelopeIn(header), contextIn(header), desk);
    const { oid, quantum } = opened.head;
    return new SealedUpload(this, { keys: opened.keys, oid, encryption, quantum, header, ref }, desk);
  }
}

function headerOf({ envelope, contextText }: NewEnvelope): Buffer {
  return contextText === undefined ? envelope : Buffer.concat([envelope, Buffer.from(contextText, 'base64url')]);
}

function envelopeIn(header: Buffer): Buffer {
  return header.subarray(0, ENVELOPE_BYTES);
}

function contextIn(header: Buffer): string | undefined {
  return header.length > ENVELOPE_BYTES ? header.toString('base64url', ENVELOPE_BYTES) : undefined;
}

interface OpenedUpload {
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  readonly encryption: EncryptionFacts;
  /** The quantum with which the upload was begun. The bucket's policy may have another by now. */
  readonly quantum: QuantumId;
  readonly header: Buffer;
  readonly ref: ObjectRef;
}

class SealedUpload implements UploadWriter {
  readonly format: SealedUploads;
  readonly #upload: OpenedUpload;
  readonly #desk: FormatDesk;

  constructor(format: SealedUploads, upload: OpenedUpload, desk: FormatDesk) {
    this.format = format;
    this.#upload = upload;
    this.#desk = desk;
  }

  get id(): Buffer {
    return this.#upload.oid;
  }

  get encryption(): EncryptionFacts {
    return this.#upload.encryption;
  }

  get header(): Buffer {
    return this.#upload.header;
  }

  stateKey(): KeyObject {
    return this.#upload.keys.stateKey();
  }

  part(plaintext: ByteSource, { partNumber, partSalt, plaintextBytes }: SentPart): ByteSource {
    const { keys, oid } = this.#upload;
    const { trace } = this.#desk;
    return sealPart(plaintext, {
      keys,
      oid,
      partNumber,
      partSalt,
      plaintextBytes,
      onCipher: (seconds) => {
        trace.sealSeconds += seconds;
      },
    });
  }

  checked(stored: ByteSource, { partNumber, partSalt, plaintextBytes }: SentPart): ByteSource {
    const { keys, oid } = this.#upload;
    return checkedPart(stored, { keys, oid, partNumber, partSalt, plaintextBytes });
  }

  endBytes({ parts, checksum }: UploadContents): number | undefined {
    return multipartFooterBytes(parts, this.#upload.quantum, checksum);
  }

  end(contents: UploadContents): Buffer {
    const { keys, oid, header } = this.#upload;
    const footerBytes = this.endBytes(contents);
    if (footerBytes === undefined) throw new RangeError('The list of parts does not fit in the footer.');
    const footerSalt = this.#desk.randomBytes(16);
    return sealFooter({
      keys,
      oid,
      envelope: envelopeIn(header),
      manifest: manifestOf(contents),
      footerBytes,
      footerSalt,
    });
  }

  remember(contents: UploadContents, etag: string): void {
    const { oid, quantum, ref } = this.#upload;
    const { keys } = this.#desk;
    const manifest = manifestOf(contents);
    const storedBytes = sealedBytes(manifest.plaintextBytes, quantum);
    const layout = Layout.fromManifest(manifest, quantum);
    this.format.layouts.set(keys.scope, ref, { backendEtag: etag, oid, storedBytes, manifest, layout });
  }

  async made(object: IdentifiedObject, parts: readonly SentPart[]): Promise<boolean> {
    if (!(object instanceof SealedObject)) return false;
    const made = (await object.manifest()).parts;
    return (
      made.length === parts.length &&
      made.every((part, at) => {
        const other = parts[at] as SentPart;
        return part.partNumber === other.partNumber && part.partSalt.equals(other.partSalt);
      })
    );
  }
}

function manifestOf({ plaintextBytes, md5, checksum, parts }: UploadContents): Manifest {
  return {
    multipart: true,
    plaintextBytes,
    md5,
    checksum: checksum && { ...checksum, composite: checksum.parts !== undefined },
    parts,
  };
}
