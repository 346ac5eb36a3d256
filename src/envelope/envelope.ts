import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { corrupted, requireLength, requireZero, sameBytes } from './corruption.ts';
import { type EncryptionContext, openContext } from './encryption-context.ts';
import { boundTo, CLEAR_BYTES, type KekBytes, keyUnderKek, ZERO_NONCE } from './envelope-binding.ts';
import {
  commitOf,
  ENVELOPE_BYTES,
  type EnvelopeHead,
  readEnvelopeHead,
  requireKnownFormat,
  writeEnvelopeHead,
} from './envelope-head.ts';
import { DEK_BYTES, ObjectKeys, SALT_BYTES, SHORT_TAG_BYTES } from './object-keys.ts';
import { TAG_BYTES } from './sizes.ts';
import { readU64, writeU64 } from './u64.ts';

export { ENVELOPE_BYTES, type EnvelopeHead, readEnvelopeHead };

/** The name of the envelope's entry in the user metadata. It is never shown to a client, nor taken from one. */
export const ENVELOPE_ENTRY = 'sx1';

const SEALED_BYTES = 88;
const ENVELOPE_LABEL = Buffer.from('sx1/env');
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
  /** The encryption context to which the envelope is bound; undefined where its head says that there is none. */
  readonly context: EncryptionContext | undefined;
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
 *   the envelope key single-use. `keys` must be derived from `dek`. `context` must be there where the head says so;
 *   its own entry is sealed by `sealContext`.
 * @throws RangeError for fields that no envelope can hold
 */
export function sealEnvelope(asked: {
  readonly head: EnvelopeHead;
  readonly keys: ObjectKeys;
  readonly dek: Buffer;
  readonly fields: SealedFields;
  readonly kek: KekBytes;
  readonly tenant: string;
  readonly envelopeSalt: Buffer;
  readonly context?: EncryptionContext | undefined;
}): Buffer {
  const { head, keys, dek, fields, kek, tenant, envelopeSalt, context } = asked;
  if (head.hasContext !== (context !== undefined)) {
    throw new RangeError('An envelope is bound to a context exactly where its head says so.');
  }
  requireLength(dek, DEK_BYTES, 'A DEK');
  requireLength(envelopeSalt, SALT_BYTES, 'An envelope salt');
  const envelope = Buffer.allocUnsafe(ENVELOPE_BYTES).fill(0);
  writeEnvelopeHead(envelope, head, envelopeSalt, keys.commit);
  const clear = envelope.subarray(0, CLEAR_BYTES);
  const secret = encodeFields(dek, fields, head);
  const cipher = createCipheriv('aes-256-gcm', envelopeKey(kek, clear), ZERO_NONCE, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundToAll(clear, tenant, context));
  cipher.update(secret).copy(envelope, CLEAR_BYTES);
  cipher.final();
  cipher.getAuthTag().copy(envelope, CLEAR_BYTES + SEALED_BYTES);
  secret.fill(0);
  return envelope;
}

/**
 * Opens an envelope and checks its key commitment. The caller must check that place and metadata of the object are
 * those that were sealed, by `keys.locationTag` and `keys.metadataTag`.
 * @param key `context` is the text of the entry beside the envelope, or the context itself where a person knows it and
 *   the entry was lost. It is used where the envelope's head says that it has one.
 * @throws GatewayError ObjectCorrupted, the same for a wrong KEK, a wrong tenant and altered bytes
 */
export function openEnvelope(
  bytes: Buffer,
  key: {
    readonly kek: KekBytes;
    readonly tenant: string;
    readonly context?: string | EncryptionContext | undefined;
  },
): OpenEnvelope {
  const { kek, tenant } = key;
  const head = readEnvelopeHead(bytes);
  const context = head.hasContext ? contextOf(bytes, key) : undefined;
  const clear = bytes.subarray(0, CLEAR_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', envelopeKey(kek, clear), ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundToAll(clear, tenant, context));
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
  return { head, keys, fields: decodeFields(secret, head), dek, context };
}

/** Derives K_env (FORMAT.md §2). */
function envelopeKey(kek: KekBytes, clear: Buffer): KeyObject {
  return keyUnderKek(kek, ENVELOPE_LABEL, clear);
}

function contextOf(bytes: Buffer, { context, ...key }: Parameters<typeof openEnvelope>[1]): EncryptionContext {
  if (context === undefined) throw corrupted();
  return typeof context === 'string' ? openContext(bytes, context, key) : context;
}

/** The AAD: the clear fields and the tenant, and behind them the encryption context where there is one. */
function boundToAll(clear: Buffer, tenant: string, context: EncryptionContext | undefined): Buffer {
  const bound = boundTo(clear, tenant);
  if (context === undefined) return bound;
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16BE(context.canonical.length);
  return Buffer.concat([bound, length, context.canonical]);
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
