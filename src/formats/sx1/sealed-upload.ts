import { uploadKeyUnneeded } from '../../encryption/refusals.ts';
import { ENVELOPE_BYTES } from '../../envelope/envelope.ts';
import { FOOTER_PART_NUMBER, LAST_PART_NUMBER, largestPartPlaintext, sealedPartBytes } from '../../envelope/sizes.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { BegunUpload, UploadFormat, UploadWriter } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { NewObject } from '../object-writer.ts';
import { beginCustomerUpload, type Identifier, isCustomerHeader, openCustomerUpload } from './customer-upload.ts';
import type { LayoutCache } from './layout-cache.ts';
import { openUnderItsKek } from './opening.ts';
import { type NewEnvelope, newEnvelope } from './sealing.ts';
import { SealedUpload } from './upload-writer.ts';

/**
 * Multipart uploads in SX1 (FORMAT.md §6). The upload's header is the object's envelope, and behind it the sealed
 * encryption context, where there is one. Under a customer's key it is another one (customer-upload.ts).
 */
export class SealedUploads implements UploadFormat {
  readonly lastPartNumber = LAST_PART_NUMBER;
  readonly endPartNumber = FOOTER_PART_NUMBER;
  readonly storedPartBytes = sealedPartBytes;
  readonly largestPartPlaintext = largestPartPlaintext;
  /** The cache of the format's objects. The footer of a completed upload is remembered there. */
  readonly layouts: LayoutCache;
  readonly objects: Identifier;

  constructor(layouts: LayoutCache, objects: Identifier) {
    this.layouts = layouts;
    this.objects = objects;
  }

  isHeader(): boolean {
    return true; // a header of another format would fail to open
  }

  async begin({ ref, metadata }: NewObject, desk: FormatDesk): Promise<BegunUpload> {
    const object = await newEnvelope(ref, metadata, undefined, desk);
    if (desk.keys.tenantKeys !== undefined) {
      return { metadata: object.metadata, writer: await beginCustomerUpload(this, object.envelope, ref, desk) };
    }
    const { keys, oid, encryption, envelope } = object;
    const header = headerOf(object);
    const { quantum } = desk.policy;
    const writer = new SealedUpload(this, { keys, oid, encryption, quantum, envelope, header, ref }, desk);
    return { metadata: object.metadata, writer };
  }

  async open(header: Buffer, ref: ObjectRef, desk: FormatDesk): Promise<UploadWriter> {
    if (isCustomerHeader(header)) return openCustomerUpload(this, header, ref, desk);
    if (desk.keys.tenantKeys !== undefined) throw uploadKeyUnneeded();
    const envelope = envelopeIn(header);
    const { opened, encryption } = await openUnderItsKek(envelope, contextIn(header), desk);
    const { oid, quantum } = opened.head;
    return new SealedUpload(this, { keys: opened.keys, oid, encryption, quantum, envelope, header, ref }, desk);
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
