import { createSecretKey, type KeyObject } from 'node:crypto';
import { hmacSha256 } from './hmac.ts';
import { SALT_BYTES } from './object-keys.ts';

/** This file makes the keys and the AAD of what is sealed under a KEK together with an envelope (FORMAT.md §2, §3). */

/** How many bytes of an envelope are in clear. Keys and AAD bind them. */
export const CLEAR_BYTES = 80;

/** The nonce may be constant, because each of these keys is used for one sealing only (FORMAT.md §3). */
export const ZERO_NONCE = Buffer.alloc(12);

const SALT_OFFSET = 32;
const KEK_BYTES = 32;
const MAX_TENANT_BYTES = 0xffff;
const FIRST_BLOCK = Buffer.from([1]);

/**
 * The bytes of a KEK, as a KeyObject of node's has them. A customer's key is none, because node keeps the memory of a
 * KeyObject until the collector comes by.
 */
export interface KekBytes {
  readonly symmetricKeySize?: number | undefined;
  /** Gives a copy, which the caller erases. */
  export(): Buffer;
}

/**
 * Derives a key from a KEK and the clear fields of an envelope, whose salt is fresh at every sealing.
 * @throws RangeError unless the KEK has 32 bytes
 */
export function keyUnderKek(kek: KekBytes, label: Buffer, clear: Buffer): KeyObject {
  return createSecretKey(bytesUnderKek(kek, label, clear));
}

/** The same as bytes, for an HMAC. @throws RangeError unless the KEK has 32 bytes */
export function bytesUnderKek(kek: KekBytes, label: Buffer, clear: Buffer): Buffer {
  if (kek.symmetricKeySize !== KEK_BYTES) throw new RangeError('A KEK must have 32 bytes.');
  const secret = kek.export();
  const extracted = hmacSha256(clear.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES), secret);
  secret.fill(0);
  return hmacSha256(extracted, Buffer.concat([label, clear, FIRST_BLOCK]));
}

/** The clear fields and the tenant, so that what is bound to them opens for its own tenant only (FORMAT.md §3). */
export function boundTo(clear: Buffer, tenant: string): Buffer {
  const tenantBytes = Buffer.byteLength(tenant);
  if (tenantBytes > MAX_TENANT_BYTES) throw new RangeError('A tenant id must fit in 65,535 bytes.');
  const bound = Buffer.allocUnsafe(CLEAR_BYTES + 2 + tenantBytes);
  clear.copy(bound);
  bound.writeUInt16BE(tenantBytes, CLEAR_BYTES);
  bound.write(tenant, CLEAR_BYTES + 2);
  return bound;
}
