import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * Computes an HMAC-SHA-256 (RFC 2104) with node's one-shot hash. A request computes a dozen, each under another key,
 * and `createHmac` takes twice as long for its key object and its stream as for the hashing (bench/envelope.ts).
 * @throws RangeError for a key that is longer than 64 bytes, which no key of SX1 is
 */
export function hmacSha256(key: Buffer, message: Buffer): Buffer {
  if (key.length > BLOCK_BYTES) throw new RangeError('An HMAC key must fit in one block.');
  const inner = Buffer.allocUnsafe(BLOCK_BYTES + message.length);
  const outer = Buffer.allocUnsafe(BLOCK_BYTES + DIGEST_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = key[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  message.copy(inner, BLOCK_BYTES);
  // Node is quickest with hex. A digest that it returns as a Buffer would take memory outside the pool for 32 bytes.
  outer.write(hash('sha256', inner, 'hex'), BLOCK_BYTES, 'hex');
  const digest = Buffer.from(hash('sha256', outer, 'hex'), 'hex');
  // Both may hold a key, and a buffer of the pool is handed on as it is.
  inner.fill(0);
  outer.fill(0);
  return digest;
}
