import { createSecretKey, type KeyObject } from 'node:crypto';
import { requireLength } from './corruption.ts';
import { hmacSha256 } from './hmac.ts';

/** The number of the only suite of SX1: AES-256-GCM with HMAC-SHA-256 and HKDF-SHA-256 (FORMAT.md). */
export const SUITE = 1;

export const DEK_BYTES = 32;
export const OID_BYTES = 16;
export const SALT_BYTES = 16;
/** The length to which the HMACs of claims and part headers are cut (FORMAT.md §3, §4). */
export const SHORT_TAG_BYTES = 16;
/** How many bytes of the part header are bound by its MAC and by the part's key. */
export const BOUND_HEADER_BYTES = 48;

/** The block counter of HKDF-Expand. Every key here is a single block. */
const FIRST_BLOCK = Buffer.from([1]);
const NOTHING = Buffer.alloc(0);
/** The HKDF labels. */
const COMMIT = Buffer.concat([Buffer.from('sx1/commit'), Buffer.from([SUITE])]);
const HEADER = Buffer.from('sx1/hdr');
const PART = Buffer.from('sx1/part');
const FOOTER = Buffer.from('sx1/foot');
const LOCATION = Buffer.from('sx1/loc');
const METADATA = Buffer.from('sx1/meta');
const STATE = Buffer.from('sx1/state');

/**
 * Derives all keys of one object from its DEK and object id (FORMAT.md §2). A key is derived when it is first asked
 * for, and kept if it does not depend on a salt. Keys for ciphers are KeyObjects, because a raw key costs node 10 µs
 * more for each cipher.
 */
export class ObjectKeys {
  readonly #pseudorandomKey: Buffer;
  #commit: Buffer | undefined;
  #header: Buffer | undefined;
  #location: Buffer | undefined;
  #metadata: Buffer | undefined;
  #state: KeyObject | undefined;
  /** The key of the part that was asked for last. Most objects that are read repeatedly have one part. */
  #part: { readonly header: Buffer; readonly key: KeyObject } | undefined;

  /** @throws RangeError unless the DEK has 32 bytes and the oid 16 */
  constructor(dek: Buffer, oid: Buffer) {
    requireLength(dek, DEK_BYTES, 'A DEK');
    requireLength(oid, OID_BYTES, 'An oid');
    this.#pseudorandomKey = hmacSha256(oid, dek);
  }

  /** The key commitment, 32 bytes. No other DEK has the same one. */
  get commit(): Buffer {
    this.#commit ??= this.#expand(COMMIT);
    return this.#commit;
  }

  /** K_part, which seals the segments of a part. @param header48 bytes 0..47 of the part's header */
  partKey(header48: Buffer): KeyObject {
    requireLength(header48, BOUND_HEADER_BYTES, 'A bound part header');
    if (this.#part?.header.equals(header48) !== true) {
      this.#part = { header: Buffer.from(header48), key: createSecretKey(this.#expand(PART, header48)) };
    }
    return this.#part.key;
  }

  /** K_foot, which seals the footer. */
  footerKey(salt: Buffer): KeyObject {
    requireLength(salt, SALT_BYTES, 'A footer salt');
    return createSecretKey(this.#expand(FOOTER, salt));
  }

  /** The MAC of a part's header, 16 bytes. */
  partHeaderTag(header48: Buffer): Buffer {
    requireLength(header48, BOUND_HEADER_BYTES, 'A bound part header');
    this.#header ??= this.#expand(HEADER);
    return shortTag(this.#header, header48);
  }

  /** loc_tag, which binds the object to this bucket and key, 16 bytes. */
  locationTag(bucket: string, key: string): Buffer {
    this.#location ??= this.#expand(LOCATION);
    return shortTag(this.#location, placeBytes(bucket, key));
  }

  /** meta_tag, 16 bytes. @param canonical the canonical form of the client's metadata (claims.ts) */
  metadataTag(canonical: Buffer): Buffer {
    this.#metadata ??= this.#expand(METADATA);
    return shortTag(this.#metadata, canonical);
  }

  /** K_state, which seals the records of an upload's state (FORMAT.md §6). */
  stateKey(): KeyObject {
    this.#state ??= createSecretKey(this.#expand(STATE));
    return this.#state;
  }

  #expand(label: Buffer, context: Buffer = NOTHING): Buffer {
    return hmacSha256(this.#pseudorandomKey, Buffer.concat([label, context, FIRST_BLOCK]));
  }
}

/** What location tags are made of: bucket and key, of which no two have the same bytes (FORMAT.md §3). */
export function placeBytes(bucket: string, key: string): Buffer {
  const bucketBytes = Buffer.byteLength(bucket);
  const place = Buffer.allocUnsafe(2 + bucketBytes + Buffer.byteLength(key));
  place.writeUInt16BE(bucketBytes, 0);
  place.write(bucket, 2);
  place.write(key, 2 + bucketBytes);
  return place;
}

function shortTag(key: Buffer, message: Buffer): Buffer {
  return hmacSha256(key, message).subarray(0, SHORT_TAG_BYTES);
}
