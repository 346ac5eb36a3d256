import type { KeyObject } from 'node:crypto';
import type { WrappingKey } from '../../encryption/key-source.ts';
import { uploadKeyNeeded, uploadKeyOther } from '../../encryption/refusals.ts';
import {
  decodeEnvelope,
  ENVELOPE_BYTES,
  type OpenEnvelope,
  openEnvelope,
  readEnvelopeHead,
  sealEnvelope,
} from '../../envelope/envelope.ts';
import { commitOf } from '../../envelope/envelope-head.ts';
import { completedKey, openHeld, sealHeld } from '../../envelope/held-envelope.ts';
import { GatewayError } from '../../errors.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { timingSafeEqualBytes } from '../../secret.ts';
import type { EndedUpload, FoundObject, IdentifiedObject, UploadWriter } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import { corrupted } from '../refusals.ts';
import { heldLocation, tenantKeysOf } from './location.ts';
import { sealedEntries } from './opening.ts';
import { type OpenedUpload, SealedUpload, type UploadsOfFormat } from './upload-writer.ts';

/**
 * Uploads under a customer's key (docs/keys.md, "Customer keys"). S3 sends no key with CompleteMultipartUpload and
 * ListParts. So while an upload is open, its state also holds the DEK under the tenant's KEK. Once it was completed,
 * nothing of that is kept.
 */

/**
 * The first byte of the header. An envelope begins with 1, and gateways that know nothing of customer keys take another
 * number for a later version, which they refuse.
 */
const OPEN = 2;
const COMPLETED = 3;
const OID_BYTES = 16;
const COMPLETED_BYTES = 1 + 8 + 4 + OID_BYTES;
const NONCE_BYTES = 12;

/** An envelope that was opened, and what clients are told of its object's encryption. */
export interface OpenedEnvelope {
  readonly opened: OpenEnvelope;
  readonly encryption: EncryptionFacts;
}

/** Identifies objects whose envelope was opened already: it verifies their claims and their sizes. */
export interface Identifier {
  /** @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable */
  identifyOpened(found: FoundObject, opened: OpenedEnvelope, desk: FormatDesk): Promise<IdentifiedObject>;
}

/** The format's uploads, with what finds the object of one. */
interface Uploads extends UploadsOfFormat {
  readonly objects: Identifier;
}

/** Whether the header of an upload says that it is, or was, under a customer's key. It proves nothing. */
export function isCustomerHeader(header: Buffer): boolean {
  return header[0] === OPEN || header[0] === COMPLETED;
}

/**
 * Begins an upload whose object's envelope was sealed under the request's customer key just now.
 * @throws GatewayError KeyUnavailable, KeyStoreUnavailable
 */
export async function beginCustomerUpload(
  uploads: Uploads,
  envelope: Buffer,
  ref: ObjectRef,
  desk: FormatDesk,
): Promise<UploadWriter> {
  const { keys, tenant, randomBytes } = desk;
  const customers = await keys.forNew();
  const opened = openEnvelope(envelope, { kek: customers.key, tenant: tenant.name });
  const kek = await tenantKeysOf(desk).forNew();
  const { ringId: keyRingId, version: kekVersion } = kek;
  const tenantEnvelope = sealEnvelope({
    ...opened,
    head: { ...opened.head, hasLocationEntry: false, requested: 0, keyRingId, kekVersion },
    kek: kek.key,
    tenant: tenant.name,
    envelopeSalt: randomBytes(16),
  });
  const held = sealHeld(envelope, { keys: opened.keys, tenantEnvelope }, randomBytes(NONCE_BYTES));
  const header = Buffer.concat([Buffer.from([OPEN]), tenantEnvelope, held]);
  return customerUpload(uploads, { opened, kek, envelope, header, ref, customers }, desk);
}

/**
 * Opens an upload under a customer's key, whether or not the request brings the key.
 * @throws GatewayError CustomerKeyUnneeded where the request brings another key; ObjectCorrupted, KeyUnavailable,
 *   KeyStoreUnavailable
 */
export async function openCustomerUpload(
  uploads: Uploads,
  header: Buffer,
  ref: ObjectRef,
  desk: FormatDesk,
): Promise<UploadWriter> {
  if (header[0] === COMPLETED) return openCompleted(uploads, header, desk);
  const tenantEnvelope = header.subarray(1, 1 + ENVELOPE_BYTES);
  const { keyRingId: ringId, kekVersion: version } = readEnvelopeHead(tenantEnvelope);
  const kek = await tenantKeysOf(desk).forExisting({ ringId, version });
  const opened = openEnvelope(tenantEnvelope, { kek: kek.key, tenant: desk.tenant.name });
  const envelope = openHeld(header.subarray(1 + ENVELOPE_BYTES), { keys: opened.keys, tenantEnvelope });
  const customers = desk.keys.tenantKeys && (await desk.keys.forNew());
  if (customers !== undefined && !opens(customers, envelope, desk)) throw uploadKeyOther();
  return customerUpload(uploads, { opened, kek, envelope, header, ref, customers }, desk);
}

/** Whether an envelope opens under this key. @throws what is no refusal */
function opens(kek: WrappingKey, envelope: Buffer, { tenant }: FormatDesk): boolean {
  try {
    openEnvelope(envelope, { kek: kek.key, tenant: tenant.name });
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'ObjectCorrupted') return false;
    throw error;
  }
}

interface CustomerUploadParts extends Pick<OpenedUpload, 'envelope' | 'header' | 'ref'> {
  /** An envelope with the object's DEK: the object's own, or the one under the tenant's key. */
  readonly opened: OpenEnvelope;
  /** The tenant's key under which the DEK lies as well. */
  readonly kek: WrappingKey;
  /** The customer's key; undefined where the request brought none. */
  readonly customers: WrappingKey | undefined;
}

function customerUpload(uploads: Uploads, parts: CustomerUploadParts, desk: FormatDesk): CustomerUpload {
  const { opened, envelope, header, ref, customers } = parts;
  const { oid, quantum } = opened.head;
  const encryption = customers?.told ?? WITHOUT_KEY;
  const upload = { keys: opened.keys, oid, encryption, quantum, envelope, header, ref };
  return new CustomerUpload(uploads, { upload, parts }, desk);
}

/** What is told of an upload in an answer to a request that brought no key. */
const WITHOUT_KEY: EncryptionFacts = { kind: 'customer', keyMd5: undefined };

class CustomerUpload extends SealedUpload<Uploads> {
  readonly #parts: CustomerUploadParts;

  constructor(
    uploads: Uploads,
    { upload, parts }: { readonly upload: OpenedUpload; readonly parts: CustomerUploadParts },
    desk: FormatDesk,
  ) {
    super(uploads, upload, desk);
    this.#parts = parts;
  }

  mustTakeParts(): void {
    if (this.#parts.customers === undefined) throw uploadKeyNeeded();
  }

  ended(): EndedUpload {
    const { kek, opened } = this.#parts;
    return { header: completedHeader(kek, opened.head.oid), stateKey: () => completedKey(kek.key, opened.head.oid) };
  }

  async identifyOwn(found: FoundObject): Promise<IdentifiedObject | undefined> {
    const { opened } = this.#parts;
    const envelope = envelopeOf(found);
    if (envelope === undefined) return undefined;
    const head = readEnvelopeHead(envelope);
    if (!head.oid.equals(opened.head.oid)) return undefined;
    // The commitment stands for the DEK. What else the customer's envelope seals, this upload's own says as well.
    if (!timingSafeEqualBytes(commitOf(envelope), opened.keys.commit)) throw corrupted('It has another DEK.');
    const { encryption } = this.upload;
    return this.format.objects.identifyOpened(found, { opened: { ...opened, head }, encryption }, this.desk);
  }

  /** Nothing is remembered: requests that read the object have other keys than this one. */
  override remember(): void {}
}

function envelopeOf({ stored }: FoundObject): Buffer | undefined {
  const { envelope } = sealedEntries(stored.metadata);
  return envelope === undefined ? undefined : decodeEnvelope(envelope);
}

function completedHeader({ ringId, version }: WrappingKey, oid: Buffer): Buffer {
  const header = Buffer.alloc(COMPLETED_BYTES);
  header[0] = COMPLETED;
  header.write(ringId, 1, 'hex');
  header.writeUInt32BE(version, 9);
  oid.copy(header, 13);
  return header;
}

async function openCompleted(format: Uploads, header: Buffer, desk: FormatDesk): Promise<CompletedUpload> {
  if (header.length !== COMPLETED_BYTES) throw corrupted('The header of the upload has another length.');
  const named = { ringId: header.toString('hex', 1, 9), version: header.readUInt32BE(9) };
  const kek = await tenantKeysOf(desk).forExisting(named);
  return new CompletedUpload(format, { header, kek, oid: Buffer.from(header.subarray(13)) }, desk);
}

/** An upload that was completed. Its object takes the customer's key to open, so no method makes or reads bytes. */
class CompletedUpload implements UploadWriter {
  readonly format: Uploads;
  readonly header: Buffer;
  readonly id: Buffer;
  readonly encryption = WITHOUT_KEY;
  readonly #kek: WrappingKey;
  readonly #desk: FormatDesk;

  constructor(
    format: Uploads,
    upload: { readonly header: Buffer; readonly kek: WrappingKey; readonly oid: Buffer },
    desk: FormatDesk,
  ) {
    this.format = format;
    this.header = upload.header;
    this.id = upload.oid;
    this.#kek = upload.kek;
    this.#desk = desk;
  }

  stateKey(): KeyObject {
    return completedKey(this.#kek.key, this.id);
  }

  async identifyOwn(found: FoundObject): Promise<'unopened' | undefined> {
    const envelope = envelopeOf(found);
    if (envelope === undefined || !readEnvelopeHead(envelope).oid.equals(this.id)) return undefined;
    const { location } = sealedEntries(found.stored.metadata);
    await heldLocation(envelope, location, found, this.#desk);
    return 'unopened';
  }

  part(): never {
    throw over();
  }

  checked(): never {
    throw over();
  }

  endBytes(): never {
    throw over();
  }

  end(): never {
    throw over();
  }

  remember(): never {
    throw over();
  }

  made(): never {
    throw over();
  }
}

function over(): Error {
  return new Error('An upload that was completed takes no parts.');
}
