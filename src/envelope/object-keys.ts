import { createSecretKey, type KeyObject } from 'node:crypto';
import { requireLength } from './corruption.ts';
import { hmacSha256 } from './hmac.ts';

/** SX1 suite 1: AES-256-GCM with HMAC-SHA-256 and HKDF-SHA-256. */
export const SUITE = 1;

export const DEK_BYTES = 32;
export const OID_BYTES = 16;
export const SALT_BYTES = 16;
/** Where a MAC is cut: claims and part headers (FORMAT.md §3, §4). */
export const SHORT_TAG_BYTES = 16;
/** The part header's bytes that its key and its MAC cover. */
export const BOUND_HEADER_BYTES = 48;

/** HKDF-Expand's block counter; every key here is one block. */
const FIRST_BLOCK = Buffer.from([1]);
const NOTHING = Buffer.alloc(0);
/** HKDF labels as bytes. */
const COMMIT = Buffer.concat([Buffer.from('sx1/commit'), Buffer.from([SUITE])]);
const HEADER = Buffer.from('sx1/hdr');
const PART = Buffer.from('sx1/part');
const FOOTER = Buffer.from('sx1/foot');
const LOCATION = Buffer.from('sx1/loc');
const METADATA = Buffer.from('sx1/meta');
const STATE = Buffer.from('sx1/state');

/**
 * All that derives from one object's DEK and oid (FORMAT.md §2). Keys are derived when first asked for and, where
 * they do not depend on a salt, once. Cipher keys are KeyObjects: a raw one costs node 10 µs more for every cipher.
 */
export class ObjectKeys {
  readonly #pseudorandomKey: Buffer;
  #commit: Buffer | undefined;
  #header: Buffer | undefined;
  #location: Buffer | undefined;
  #metadata: Buffer | undefined;
  #state: KeyObject | undefined;
  /** The last part's: an object that is read again mostly has one. */
  #part: { readonly header: Buffer; readonly key: KeyObject } | undefined;

  /** @throws RangeError unless the DEK has 32 bytes and the oid 16 */
  constructor(dek: Buffer, oid: Buffer) {
    requireLength(dek, DEK_BYTES, 'A DEK');
    requireLength(oid, OID_BYTES, 'An oid');
    this.#pseudorandomKey = hmacSha256(oid, dek);
  }

  /** Key commitment: no other DEK gives the same 32 bytes. */
  get commit(): Buffer {
    this.#commit ??= this.#expand(COMMIT);
    return this.#commit;
  }

  /** K_part, for the segments of the part that these 48 header bytes announce. */
  partKey(header48: Buffer): KeyObject {
    requireLength(header48, BOUND_HEADER_BYTES, 'A bound part header');
    if (this.#part?.header.equals(header48) !== true) {
      this.#part = { header: Buffer.from(header48), key: createSecretKey(this.#expand(PART, header48)) };
    }
    return this.#part.key;
  }

  /** K_foot. */
  footerKey(salt: Buffer): KeyObject {
    requireLength(salt, SALT_BYTES, 'A footer salt');
    return createSecretKey(this.#expand(FOOTER, salt));
  }

  /** The part header's MAC, 16 bytes. */
  partHeaderTag(header48: Buffer): Buffer {
    requireLength(header48, BOUND_HEADER_BYTES, 'A bound part header');
    this.#header ??= this.#expand(HEADER);
    return shortTag(this.#header, header48);
  }

  /** loc_tag: the claim that the object belongs at this exact bucket and key, 16 bytes. */
  locationTag(bucket: string, key: string): Buffer {
    this.#location ??= this.#expand(LOCATION);
    const bucketBytes = Buffer.byteLength(bucket);
    const place = Buffer.allocUnsafe(2 + bucketBytes + Buffer.byteLength(key));
    place.writeUInt16BE(bucketBytes, 0);
    place.write(bucket, 2);
    place.write(key, 2 + bucketBytes);
    return shortTag(this.#location, place);
  }

  /** meta_tag over what claims.ts made of the client's metadata, 16 bytes. */
  metadataTag(canonical: Buffer): Buffer {
    this.#metadata ??= this.#expand(METADATA);
    return shortTag(this.#metadata, canonical);
  }

  /** K_state, for the MACs of an upload's part records (FORMAT.md §6). */
  stateKey(): KeyObject {
    this.#state ??= createSecretKey(this.#expand(STATE));
    return this.#state;
  }

  #expand(label: Buffer, context: Buffer = NOTHING): Buffer {
    return hmacSha256(this.#pseudorandomKey, Buffer.concat([label, context, FIRST_BLOCK]));
  }
}

function shortTag(key: Buffer, message: Buffer): Buffer {
  return hmacSha256(key, message).subarray(0, SHORT_TAG_BYTES);
}
