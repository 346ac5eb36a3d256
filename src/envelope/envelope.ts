import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { corrupted, requireLength, requireZero, sameBytes } from './corruption.ts';
import {
  commitOf,
  ENVELOPE_BYTES,
  type EnvelopeHead,
  readEnvelopeHead,
  requireKnownFormat,
  writeEnvelopeHead,
} from './envelope-head.ts';
import { hmacSha256 } from './hmac.ts';
import { DEK_BYTES, ObjectKeys, SALT_BYTES, SHORT_TAG_BYTES } from './object-keys.ts';
import { TAG_BYTES } from './sizes.ts';
import { readU64, writeU64 } from './u64.ts';

export { ENVELOPE_BYTES, type EnvelopeHead, readEnvelopeHead };

/** The name of the envelope's entry in the user metadata. It is never shown to a client, nor taken from one. */
export const ENVELOPE_ENTRY = 'sx1';

const CLEAR_BYTES = 80;
const SEALED_BYTES = 88;
const SALT_OFFSET = 32;
const KEK_BYTES = 32;
const MAX_TENANT_BYTES = 0xffff;
const ENVELOPE_LABEL = Buffer.from('sx1/env');
const FIRST_BLOCK = Buffer.from([1]);
/** The nonce may be constant, because each envelope key is used for one sealing only (FORMAT.md §3). */
const ZERO_NONCE = Buffer.alloc(12);
const ONES = 0xffff_ffff;

/** The fields of an envelope that are encrypted together with the DEK. */
export interface SealedFields {
  /** loc_tag, 16 bytes. Readers check it where the head says so. */
  readonly locationTag: Buffer;
  /** meta_tag, 16 bytes. Readers check it where the head says so. */
  readonly metadataTag: Buffer;
  /** The salt of the only part of an object that was sent by one PUT; 16 zero bytes for a multipart object. */
  readonly partSalt: Buffer;
  /** The size of the plaintext in bytes; undefined for a multipart object, and only then. */
  readonly plaintextBytes: number | undefined;
}

/** An envelope that was opened. It holds the DEK, which a copy's envelope needs, so it must never be logged. */
export interface OpenEnvelope {
  readonly head: EnvelopeHead;
  readonly keys: ObjectKeys;
  readonly fields: SealedFields;
  readonly dek: Buffer;
}

/** The text of an envelope in metadata: 246 characters of base64url without padding. */
export function encodeEnvelope(bytes: Buffer): string {
  requireLength(bytes, ENVELOPE_BYTES, 'An envelope');
  return bytes.toString('base64url');
}

/** Reads the text of an envelope. @throws GatewayError ObjectCorrupted for anything but the exact text of 184 bytes */
export function decodeEnvelope(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  // Node skips characters that are not base64. If one envelope had several texts, an attacker could mark objects by
  // them.
  if (bytes.toString('base64url') !== text) throw corrupted();
  requireKnownFormat(bytes);
  return bytes;
}

/**
 * Seals a DEK and the secret fields under a KEK.
 * @param asked `envelopeSalt` must be 16 fresh random bytes at every sealing, re-wrapping included, because it makes
 *   the envelope key single-use. `keys` must be derived from `dek`.
 * @throws RangeError for fields that no envelope can hold
 */
export function sealEnvelope(asked: {
  readonly head: EnvelopeHead;
  readonly keys: ObjectKeys;
  readonly dek: Buffer;
  readonly fields: SealedFields;
  readonly kek: KeyObject;
  readonly tenant: string;
  readonly envelopeSalt: Buffer;
}): Buffer {
  const { head, keys, dek, fields, kek, tenant, envelopeSalt } = asked;
  requireLength(dek, DEK_BYTES, 'A DEK');
  requireLength(envelopeSalt, SALT_BYTES, 'An envelope salt');
  const envelope = Buffer.allocUnsafe(ENVELOPE_BYTES).fill(0);
  writeEnvelopeHead(envelope, head, envelopeSalt, keys.commit);
  const clear = envelope.subarray(0, CLEAR_BYTES);
  const secret = encodeFields(dek, fields, head);
  const cipher = createCipheriv('aes-256-gcm', envelopeKey(kek, clear), ZERO_NONCE, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(clear, tenant));
  cipher.update(secret).copy(envelope, CLEAR_BYTES);
  cipher.final();
  cipher.getAuthTag().copy(envelope, CLEAR_BYTES + SEALED_BYTES);
  secret.fill(0);
  return envelope;
}

/**
 * Opens an envelope and checks its key commitment. The caller must check that place and metadata of the object are
 * those that were sealed, by `keys.locationTag` and `keys.metadataTag`.
 * @throws GatewayError ObjectCorrupted, the same for a wrong KEK, a wrong tenant and altered bytes
 */
export function openEnvelope(
  bytes: Buffer,
  { kek, tenant }: { readonly kek: KeyObject; readonly tenant: string },
): OpenEnvelope {
  const head = readEnvelopeHead(bytes);
  const clear = bytes.subarray(0, CLEAR_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', envelopeKey(kek, clear), ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(clear, tenant));
  decipher.setAuthTag(bytes.subarray(CLEAR_BYTES + SEALED_BYTES));
  const secret = decipher.update(bytes.subarray(CLEAR_BYTES, CLEAR_BYTES + SEALED_BYTES));
  try {
    decipher.final();
  } catch {
    throw corrupted();
  }
  const dek = secret.subarray(0, DEK_BYTES);
  const keys = new ObjectKeys(dek, head.oid);
  // With GCM alone, a ciphertext can be made that opens under two keys. The commitment fixes the DEK (FORMAT.md §3).
  if (!sameBytes(keys.commit, commitOf(bytes))) throw corrupted();
  return { head, keys, fields: decodeFields(secret, head), dek };
}

/** Derives K_env (FORMAT.md §2). */
function envelopeKey(kek: KeyObject, clear: Buffer): KeyObject {
  if (kek.symmetricKeySize !== KEK_BYTES) throw new RangeError('A KEK must have 32 bytes.');
  const secret = kek.export();
  const extracted = hmacSha256(clear.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES), secret);
  secret.fill(0);
  return createSecretKey(hmacSha256(extracted, Buffer.concat([ENVELOPE_LABEL, clear, FIRST_BLOCK])));
}

/** The AAD: the clear fields, and the tenant, so that an envelope opens for its own tenant only (FORMAT.md §3). */
function boundTo(clear: Buffer, tenant: string): Buffer {
  const tenantBytes = Buffer.byteLength(tenant);
  if (tenantBytes > MAX_TENANT_BYTES) throw new RangeError('A tenant id must fit in 65,535 bytes.');
  const bound = Buffer.allocUnsafe(CLEAR_BYTES + 2 + tenantBytes);
  clear.copy(bound);
  bound.writeUInt16BE(tenantBytes, CLEAR_BYTES);
  bound.write(tenant, CLEAR_BYTES + 2);
  return bound;
}

function encodeFields(dek: Buffer, fields: SealedFields, head: EnvelopeHead): Buffer {
  const { locationTag, metadataTag, partSalt, plaintextBytes } = fields;
  requireLength(locationTag, SHORT_TAG_BYTES, 'A location tag');
  requireLength(metadataTag, SHORT_TAG_BYTES, 'A metadata tag');
  requireLength(partSalt, SALT_BYTES, 'A part salt');
  if (head.multipart !== (plaintextBytes === undefined)) {
    throw new RangeError('An envelope holds the plaintext length exactly when it is not multipart.');
  }
  if (head.hasLocationEntry && locationTag.some((byte) => byte !== 0)) {
    throw new RangeError('An envelope whose location claim lies beside it has a zero location tag.');
  }
  const secret = Buffer.allocUnsafe(SEALED_BYTES).fill(0);
  dek.copy(secret, 0);
  locationTag.copy(secret, 32);
  metadataTag.copy(secret, 48);
  if (plaintextBytes === undefined) {
    if (partSalt.some((byte) => byte !== 0)) throw new RangeError('A multipart envelope has a zero part salt.');
    secret.fill(0xff, 80);
  } else {
    partSalt.copy(secret, 64);
    writeU64(secret, plaintextBytes, 80);
  }
  return secret;
}

function decodeFields(secret: Buffer, head: EnvelopeHead): SealedFields {
  const allOnes = secret.readUInt32BE(80) === ONES && secret.readUInt32BE(84) === ONES;
  const plaintextBytes = allOnes ? undefined : readU64(secret, 80);
  if (allOnes !== head.multipart || (!allOnes && plaintextBytes === undefined)) throw corrupted();
  if (head.multipart) requireZero(secret, 64, 80);
  if (head.hasLocationEntry) requireZero(secret, 32, 48);
  return {
    locationTag: secret.subarray(32, 48),
    metadataTag: secret.subarray(48, 64),
    partSalt: secret.subarray(64, 80),
    plaintextBytes,
  };
}
