import { createHmac } from 'node:crypto';
import type { KeyField } from './log.ts';

/** 96 bits: two keys of one deployment never share a hash, and nobody finds the secret. */
const HASH_HEX_DIGITS = 24;

/**
 * How keys of objects stand in the log: as they are, or as an HMAC under a secret of the deployment. The names of
 * objects are often guessable (an invoice's number, a person's address): a hash without a secret would only seem to
 * hide them. The same key has the same hash in every gateway, so that its lines can be found.
 */
export function keyField(style: 'clear' | 'hashed', secret: Buffer): KeyField {
  if (style === 'clear') return (key) => ({ key });
  return (key) => ({ keyHash: hashOfKey(key, secret) });
}

/** What stands in the log for an object's key. */
export function hashOfKey(key: string, secret: Buffer): string {
  return createHmac('sha256', secret).update(key, 'utf8').digest('hex').slice(0, HASH_HEX_DIGITS);
}
