import { createCipheriv, createDecipheriv } from 'node:crypto';
import { corrupted } from './corruption.ts';
import { boundTo, CLEAR_BYTES, type KekBytes, keyUnderKek, ZERO_NONCE } from './envelope-binding.ts';
import { TAG_BYTES } from './sizes.ts';

/**
 * This file seals the encryption context of an object, which its client gave with it (FORMAT.md §3.5). The context lies
 * in an entry beside the envelope, and the envelope is bound to it.
 */

/** The name of that entry in the user metadata. It is never shown to a client, nor taken from one. */
export const CONTEXT_ENTRY = 'sx1c';

/** The size of the largest canonical context, in bytes. */
export const MAX_CONTEXT_BYTES = 1024;

const LABEL = Buffer.from('sx1/ctx');
const FLAGS_BYTES = 1;
const BUCKET_KEY = 0b1;
const UNKNOWN_FLAGS = 0b1111_1110;

/** What a client said about the key of an object, beside its name. */
export interface EncryptionContext {
  /** The canonical context: JSON in UTF-8, of at most 1,024 bytes. It is empty where the client gave none. */
  readonly canonical: Buffer;
  /** Whether the client asked for a bucket key. It is kept for answers, and means nothing else. */
  readonly bucketKey: boolean;
}

/**
 * Makes the canonical form of a context: a JSON object of strings without white space, its keys sorted by their UTF-8
 * bytes.
 * @param value what JSON was read to
 * @returns undefined for anything but an object of strings
 */
export function canonicalContext(value: unknown): Buffer | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value).map(([name, text]) => ({ name, bytes: Buffer.from(name), text }));
  if (!entries.every(({ name, text }) => typeof text === 'string' && text.isWellFormed() && name.isWellFormed())) {
    return undefined;
  }
  entries.sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  const pairs = entries.map(({ name, text }) => `${JSON.stringify(name)}:${JSON.stringify(text)}`);
  return Buffer.from(`{${pairs.join(',')}}`);
}

/** What the entry is sealed with. */
interface ContextKey {
  readonly kek: KekBytes;
  readonly tenant: string;
}

/** The length of the entry's text. */
export function contextTextLength({ canonical }: EncryptionContext): number {
  return Math.ceil(((FLAGS_BYTES + canonical.length + TAG_BYTES) * 4) / 3);
}

/**
 * Seals the text of the entry.
 * @param envelope the envelope beside which the entry lies: its clear fields are enough
 * @throws RangeError for a context that is too long
 */
export function sealContext(envelope: Buffer, { canonical, bucketKey }: EncryptionContext, key: ContextKey): string {
  if (canonical.length > MAX_CONTEXT_BYTES) throw new RangeError('An encryption context has at most 1,024 bytes.');
  const clear = envelope.subarray(0, CLEAR_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyUnderKek(key.kek, LABEL, clear), ZERO_NONCE, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(Buffer.concat([LABEL, boundTo(clear, key.tenant)]));
  const sealed = [cipher.update(Buffer.from([bucketKey ? BUCKET_KEY : 0])), cipher.update(canonical), cipher.final()];
  return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url');
}

/**
 * Opens the text of the entry.
 * @throws GatewayError ObjectCorrupted, the same whatever is wrong with it
 */
export function openContext(envelope: Buffer, text: string, key: ContextKey): EncryptionContext {
  const sealed = Buffer.from(text, 'base64url');
  const end = sealed.length - TAG_BYTES;
  if (sealed.toString('base64url') !== text || end < FLAGS_BYTES) throw corrupted();
  const clear = envelope.subarray(0, CLEAR_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyUnderKek(key.kek, LABEL, clear), ZERO_NONCE, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.concat([LABEL, boundTo(clear, key.tenant)]));
  decipher.setAuthTag(sealed.subarray(end));
  const opened = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch {
    throw corrupted();
  }
  const flags = opened.readUInt8(0);
  if ((flags & UNKNOWN_FLAGS) !== 0 || opened.length > FLAGS_BYTES + MAX_CONTEXT_BYTES) throw corrupted();
  return { canonical: opened.subarray(FLAGS_BYTES), bucketKey: (flags & BUCKET_KEY) !== 0 };
}
