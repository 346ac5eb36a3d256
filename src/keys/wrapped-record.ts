import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { parseRecordName, RECORD_KINDS } from './record-name.ts';

/**
 * The layout of docs/keys.md, "Wrapped record": version 1, kind 1, zero 2, root-key id 12, salt 32; then ciphertext and
 * tag.
 */
const VERSION = 1;
const HEADER_BYTES = 48;
const SALT_OFFSET = 16;
const TAG_BYTES = 16;
export const ROOT_KEY_ID_BYTES = 12;
export const SALT_BYTES = 32;
/** How many bytes longer a wrapped record is than its payload. */
export const WRAP_OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;

/** Each wrap key is used once, so the nonce need not differ (as in FORMAT.md §3). */
const ZERO_NONCE = Buffer.alloc(12);
const WRAP_KEY_INFO = 'sealgate/record/v1';

/**
 * A record exists and cannot be opened: it was tampered with, moved to another name, or wrapped under another root key.
 */
export class RecordUnreadable extends GatewayError {
  readonly record: string;

  constructor(record: string, reason: string, cause?: unknown) {
    super('KeyUnavailable', `The record ${record} of the key store cannot be read: ${reason}.`, {
      source: 'keys',
      cause,
    });
    this.name = 'RecordUnreadable';
    this.record = record;
  }
}

/** A record to wrap, and what to wrap it with. */
export interface WrapInput {
  readonly rootKey: KeyObject;
  /** Hex digits of ROOT_KEY_ID_BYTES bytes. */
  readonly rootKeyId: string;
  readonly name: string;
  readonly plaintext: Buffer;
  /** SALT_BYTES fresh random bytes. */
  readonly salt: Buffer;
}

/**
 * Wraps a record under the root key (docs/keys.md, "Wrapped record").
 * @throws RecordUnreadable if the name is not that of a record
 */
export function wrapRecord(input: WrapInput): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = VERSION;
  header[1] = kindByte(input.name);
  header.write(input.rootKeyId, 4, 'hex');
  input.salt.copy(header, SALT_OFFSET);
  const cipher = createCipheriv('aes-256-gcm', wrapKey(input.rootKey, input.salt), ZERO_NONCE);
  cipher.setAAD(additionalData(input.name, header));
  return Buffer.concat([header, cipher.update(input.plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** A wrapped record, and the key under which it should be. */
export interface UnwrapInput {
  readonly rootKey: KeyObject;
  readonly rootKeyId: string;
  readonly name: string;
  readonly wrapped: Buffer;
}

/**
 * Unwraps a record.
 * @throws RecordUnreadable
 */
export function unwrapRecord({ rootKey, rootKeyId, name, wrapped }: UnwrapInput): Buffer {
  if (wrapped.length < WRAP_OVERHEAD_BYTES) throw new RecordUnreadable(name, 'it is too short to be a wrapped record');
  const header = wrapped.subarray(0, HEADER_BYTES);
  checkHeader(name, header, rootKeyId);
  const salt = header.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', wrapKey(rootKey, salt), ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(name, header));
  decipher.setAuthTag(wrapped.subarray(wrapped.length - TAG_BYTES));
  const plaintext = decipher.update(wrapped.subarray(HEADER_BYTES, wrapped.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new RecordUnreadable(name, 'its authentication fails (it was altered, or stored under another name)');
  }
  return plaintext;
}

/** Checks the header only for a better message; what proves it is the authentication tag, which covers the header. */
function checkHeader(name: string, header: Buffer, rootKeyId: string): void {
  if (header[0] !== VERSION) throw new RecordUnreadable(name, `its format version ${header[0]} is unknown`);
  if (header[1] !== kindByte(name)) throw new RecordUnreadable(name, 'it is a record of another kind');
  const recordRootKeyId = header.toString('hex', 4, 4 + ROOT_KEY_ID_BYTES);
  if (recordRootKeyId !== rootKeyId) {
    throw new RecordUnreadable(
      name,
      `it is wrapped under the root key with id ${recordRootKeyId}, and the configured root key has id ${rootKeyId}`,
    );
  }
}

function kindByte(name: string): number {
  const parsed = parseRecordName(name);
  if (parsed === undefined) throw new RecordUnreadable(name, 'its name is not that of a Sealgate record');
  return RECORD_KINDS[parsed.kind];
}

/** Node takes a key object in a tenth of the time that it takes for finding out that bytes are none. */
function wrapKey(rootKey: KeyObject, salt: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', rootKey, salt, WRAP_KEY_INFO, 32)));
}

/** The name comes first and the header's length is fixed, so no two pairs of name and header give the same bytes. */
function additionalData(name: string, header: Buffer): Buffer {
  return Buffer.concat([Buffer.from(name, 'utf8'), header]);
}
