import type { KeyObject } from 'node:crypto';
import { checkedPart } from '../../envelope/checked-part.ts';
import { type Manifest, multipartFooterBytes, sealFooter } from '../../envelope/footer.ts';
import { Layout } from '../../envelope/layout.ts';
import type { ObjectKeys } from '../../envelope/object-keys.ts';
import { type QuantumId, sealedBytes } from '../../envelope/sizes.ts';
import { sealPart } from '../../envelope/streams.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { IdentifiedObject, SentPart, UploadContents, UploadFormat, UploadWriter } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { LayoutCache } from './layout-cache.ts';
import { SealedObject } from './sealed-object.ts';

/** An upload that was opened, or just begun. */
export interface OpenedUpload {
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  readonly encryption: EncryptionFacts;
  /** The quantum with which the upload was begun. The bucket's policy may have another by now. */
  readonly quantum: QuantumId;
  /** The object's envelope, of which the footer has a copy. */
  readonly envelope: Buffer;
  readonly header: Buffer;
  readonly ref: ObjectRef;
}

/** What the writer needs of the format's uploads. */
export interface UploadsOfFormat extends UploadFormat {
  readonly layouts: LayoutCache;
}

/** Makes the object of one upload. */
export class SealedUpload<Format extends UploadsOfFormat = UploadsOfFormat> implements UploadWriter {
  readonly format: Format;
  protected readonly upload: OpenedUpload;
  protected readonly desk: FormatDesk;

  constructor(format: Format, upload: OpenedUpload, desk: FormatDesk) {
    this.format = format;
    this.upload = upload;
    this.desk = desk;
  }

  get id(): Buffer {
    return this.upload.oid;
  }

  get encryption(): EncryptionFacts {
    return this.upload.encryption;
  }

  get header(): Buffer {
    return this.upload.header;
  }

  stateKey(): KeyObject {
    return this.upload.keys.stateKey();
  }

  part(plaintext: ByteSource, { partNumber, partSalt, plaintextBytes }: SentPart): ByteSource {
    const { keys, oid } = this.upload;
    const { trace } = this.desk;
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
    const { keys, oid } = this.upload;
    return checkedPart(stored, { keys, oid, partNumber, partSalt, plaintextBytes });
  }

  endBytes({ parts, checksum }: UploadContents): number | undefined {
    return multipartFooterBytes(parts, this.upload.quantum, checksum);
  }

  end(contents: UploadContents): Buffer {
    const { keys, oid, envelope } = this.upload;
    const footerBytes = this.endBytes(contents);
    if (footerBytes === undefined) throw new RangeError('The list of parts does not fit in the footer.');
    const footerSalt = this.desk.randomBytes(16);
    return sealFooter({ keys, oid, envelope, manifest: manifestOf(contents), footerBytes, footerSalt });
  }

  remember(contents: UploadContents, etag: string): void {
    const { oid, quantum, ref } = this.upload;
    const { keys } = this.desk;
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
