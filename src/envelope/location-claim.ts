import { bytesUnderKek, CLEAR_BYTES, type KekBytes } from './envelope-binding.ts';
import { hmacSha256 } from './hmac.ts';
import { OID_BYTES, placeBytes, SHORT_TAG_BYTES } from './object-keys.ts';

/**
 * This file makes the location claim of objects that are sealed under a customer's key (FORMAT.md §3.4). The claim of
 * other objects lies in their envelope. An envelope under a customer's key can be sealed only while a request brings
 * that key. So the claim lies beside it and is made under the tenant's key: the object can be moved without its key.
 */

/** The name of the claim's entry in the user metadata. It is never shown to a client, nor taken from one. */
export const LOCATION_ENTRY = 'sx1l';

const RING_BYTES = 8;
const CLAIM_BYTES = RING_BYTES + 4 + SHORT_TAG_BYTES;
/** The length of the entry's text. */
export const LOCATION_TEXT_LENGTH = Math.ceil((CLAIM_BYTES * 4) / 3);
const LABEL = Buffer.from('sx1/tloc');
const FIRST_BLOCK = Buffer.from([1]);

/** Where an envelope's clear fields have the version of its key, and the object's id (FORMAT.md §3). */
const KEY_VERSION_OFFSET = 12;
const OID_OFFSET = 16;

/** A location claim as it is read. The key's name is not authenticated; the tag is, once it was computed again. */
export interface LocationClaim {
  /** The tenant's key under which the claim was made: 16 hex digits, and the version in that key ring. */
  readonly keyRingId: string;
  readonly kekVersion: number;
  /** 16 bytes. */
  readonly tag: Buffer;
}

/**
 * The tag that binds an envelope to this bucket and key, under a key of the tenant: 16 bytes. A copy of an object keeps
 * its oid and gets an envelope of its own, so the envelope is bound. Claims of the first gateways bind the oid alone,
 * and their envelopes have key version 0 (FORMAT.md §3.4).
 * @param envelope its clear fields are enough
 * @throws RangeError
 */
export function locationTagUnder(
  kek: KekBytes,
  envelope: Buffer,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): Buffer {
  if (envelope.length < CLEAR_BYTES) throw new RangeError('The clear fields of an envelope have 80 bytes.');
  const bindsEnvelope = envelope.readUInt32BE(KEY_VERSION_OFFSET) !== 0;
  const claimKey = bindsEnvelope
    ? bytesUnderKek(kek, LABEL, envelope.subarray(0, CLEAR_BYTES))
    : bytesOfOid(kek, envelope.subarray(OID_OFFSET, OID_OFFSET + OID_BYTES));
  return hmacSha256(claimKey, placeBytes(bucket, key)).subarray(0, SHORT_TAG_BYTES);
}

/** Derives the key of the claims that the first gateways wrote. */
function bytesOfOid(kek: KekBytes, oid: Buffer): Buffer {
  const secret = kek.export();
  const claimKey = hmacSha256(secret, Buffer.concat([LABEL, oid, FIRST_BLOCK]));
  secret.fill(0);
  return claimKey;
}

/** The text of the entry: 38 characters of base64url without padding. */
export function encodeLocationClaim({ keyRingId, kekVersion, tag }: LocationClaim): string {
  const bytes = Buffer.alloc(CLAIM_BYTES);
  if (bytes.write(keyRingId, 0, 'hex') !== RING_BYTES) throw new RangeError('A key-ring id must be 16 hex digits.');
  bytes.writeUInt32BE(kekVersion, RING_BYTES);
  if (tag.copy(bytes, RING_BYTES + 4) !== SHORT_TAG_BYTES) throw new RangeError('A location tag must have 16 bytes.');
  return bytes.toString('base64url');
}

/** Reads the text of the entry; undefined unless it is the exact text that a writer makes. */
export function decodeLocationClaim(text: string): LocationClaim | undefined {
  if (text.length !== LOCATION_TEXT_LENGTH) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== CLAIM_BYTES || bytes.toString('base64url') !== text) return undefined;
  return {
    keyRingId: bytes.toString('hex', 0, RING_BYTES),
    kekVersion: bytes.readUInt32BE(RING_BYTES),
    tag: bytes.subarray(RING_BYTES + 4),
  };
}
