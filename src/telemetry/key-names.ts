import { createHmac } from 'node:crypto';
import type { KeyField } from './log.ts';

/** 96 bits: no two keys of one deployment share a hash, and the secret cannot be found by trying. */
const HASH_HEX_DIGITS = 24;

/**
 * Returns how the log shows keys of objects: as they are, or as an HMAC under a secret of the deployment. Names of
 * objects are often guessable (an invoice's number, a person's address), so that a hash without a secret would hide
 * nothing. The same key has the same hash in every gateway, so that its lines can be found.
 */
export function keyField(style: 'clear' | 'hashed', secret: Buffer): KeyField {
  if (style === 'clear') return (key) => ({ key });
  return (key) => ({ keyHash: hashOfKey(key, secret) });
}

/** Returns what the log shows for an object's key: 24 hex digits of the HMAC-SHA256 of the key in UTF-8. */
export function hashOfKey(key: string, secret: Buffer): string {
  return createHmac('sha256', secret).update(key, 'utf8').digest('hex').slice(0, HASH_HEX_DIGITS);
}
