import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { corrupted, requireLength } from './corruption.ts';
import type { KekBytes } from './envelope-binding.ts';
import { ENVELOPE_BYTES } from './envelope-head.ts';
import { hmacSha256 } from './hmac.ts';
import type { ObjectKeys } from './object-keys.ts';
import { TAG_BYTES } from './sizes.ts';

/**
 * This file seals what the state of an upload under a customer's key holds (docs/keys.md, "Customer keys"). That is the
 * object's envelope, which the footer needs: a dump of the state offers nothing against which a key could be tried.
 */

const NONCE_BYTES = 12;
const HELD_BYTES = NONCE_BYTES + ENVELOPE_BYTES + TAG_BYTES;
const HELD_LABEL = Buffer.from('sx1/held');
const DONE_LABEL = Buffer.from('sx1/done');
const FIRST_BLOCK = Buffer.from([1]);

interface Holder {
  /** The object's keys. */
  readonly keys: ObjectKeys;
  /** The envelope under the tenant's key that holds the same DEK. What is sealed is bound to it. */
  readonly tenantEnvelope: Buffer;
}

/** Seals the object's envelope, which is under a customer's key. @param nonce 12 fresh random bytes */
export function sealHeld(envelope: Buffer, { keys, tenantEnvelope }: Holder, nonce: Buffer): Buffer {
  requireLength(envelope, ENVELOPE_BYTES, 'An envelope');
  requireLength(nonce, NONCE_BYTES, 'A nonce');
  const cipher = createCipheriv('aes-256-gcm', keys.stateKey(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([HELD_LABEL, tenantEnvelope]));
  return Buffer.concat([nonce, cipher.update(envelope), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what `sealHeld` sealed. @throws GatewayError ObjectCorrupted */
export function openHeld(held: Buffer, { keys, tenantEnvelope }: Holder): Buffer {
  if (held.length !== HELD_BYTES) throw corrupted();
  const nonce = held.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keys.stateKey(), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([HELD_LABEL, tenantEnvelope]));
  decipher.setAuthTag(held.subarray(HELD_BYTES - TAG_BYTES));
  const envelope = decipher.update(held.subarray(NONCE_BYTES, HELD_BYTES - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    throw corrupted();
  }
  return envelope;
}

/**
 * The key that seals what is told of an upload under a customer's key once it was completed. It is made of the tenant's
 * KEK and the object id, and opens nothing of the object.
 */
export function completedKey(kek: KekBytes, oid: Buffer): KeyObject {
  const secret = kek.export();
  const key = createSecretKey(hmacSha256(secret, Buffer.concat([DONE_LABEL, oid, FIRST_BLOCK])));
  secret.fill(0);
  return key;
}
