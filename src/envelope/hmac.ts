import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) by node's one-shot hash. A request makes a dozen of these, each under a key used once, and
 * `createHmac` spends twice the time on its key object and stream as on hashing (bench/envelope.ts).
 * @throws RangeError for a key longer than a block, which SX1 has none of
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
  // Hex is the encoding that node is quickest at; its own Buffer would be memory outside the pool, for 32 bytes.
  outer.write(hash('sha256', inner, 'hex'), BLOCK_BYTES, 'hex');
  return Buffer.from(hash('sha256', outer, 'hex'), 'hex');
}
