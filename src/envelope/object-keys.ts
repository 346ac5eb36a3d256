import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { requireLength } from './corruption.ts';

/** SX1 suite 1: AES-256-GCM with HMAC-SHA-256 and HKDF-SHA-256. */
export const SUITE = 1;

export const DEK_BYTES = 32;
export const OID_BYTES = 16;
export const SALT_BYTES = 16;
/** Where a MAC is cut: claims and part headers (FORMAT.md §3, §4). */
export const SHORT_TAG_BYTES = 16;
/** The part header's bytes that its key and its MAC cover. */
export const BOUND_HEADER_BYTES = 48;

const COMMIT_LABEL = Buffer.concat([Buffer.from('sx1/commit'), Buffer.from([SUITE])]);
/** HKDF-Expand's block counter; every key here is one block. */
const FIRST_BLOCK = Buffer.from([1]);

/**
 * All that derives from one object's DEK and oid (FORMAT.md §2). Keys are derived when first asked for and, where
 * they do not depend on a salt, once. Kept as KeyObjects: node expands a raw key anew for every cipher, at 10 µs each.
 */
export class ObjectKeys {
  readonly #pseudorandomKey: KeyObject;
  #commit: Buffer | undefined;
  #header: KeyObject | undefined;
  #location: KeyObject | undefined;
  #metadata: KeyObject | undefined;
  #state: KeyObject | undefined;

  /** @throws RangeError unless the DEK has 32 bytes and the oid 16 */
  constructor(dek: Buffer, oid: Buffer) {
    requireLength(dek, DEK_BYTES, 'A DEK');
    requireLength(oid, OID_BYTES, 'An oid');
    this.#pseudorandomKey = createSecretKey(createHmac('sha256', oid).update(dek).digest());
  }

  /** Key commitment: no other DEK gives the same 32 bytes. */
  get commit(): Buffer {
    this.#commit ??= this.#expand(COMMIT_LABEL);
    return this.#commit;
  }

  /** K_part, for the segments of the part that these 48 header bytes announce. */
  partKey(header48: Buffer): KeyObject {
    requireLength(header48, BOUND_HEADER_BYTES, 'A bound part header');
    return createSecretKey(this.#expand('sx1/part', header48));
  }

  /** K_foot. */
  footerKey(salt: Buffer): KeyObject {
    requireLength(salt, SALT_BYTES, 'A footer salt');
    return createSecretKey(this.#expand('sx1/foot', salt));
  }

  /** The part header's MAC, 16 bytes. */
  partHeaderTag(header48: Buffer): Buffer {
    requireLength(header48, BOUND_HEADER_BYTES, 'A bound part header');
    this.#header ??= createSecretKey(this.#expand('sx1/hdr'));
    return shortTag(this.#header, header48);
  }

  /** loc_tag: the claim that the object belongs at this exact bucket and key, 16 bytes. */
  locationTag(bucket: string, key: string): Buffer {
    this.#location ??= createSecretKey(this.#expand('sx1/loc'));
    const bucketBytes = Buffer.byteLength(bucket);
    const place = Buffer.allocUnsafe(2 + bucketBytes + Buffer.byteLength(key));
    place.writeUInt16BE(bucketBytes, 0);
    place.write(bucket, 2);
    place.write(key, 2 + bucketBytes);
    return shortTag(this.#location, place);
  }

  /** meta_tag over what claims.ts made of the client's metadata, 16 bytes. */
  metadataTag(canonical: Buffer): Buffer {
    this.#metadata ??= createSecretKey(this.#expand('sx1/meta'));
    return shortTag(this.#metadata, canonical);
  }

  /** K_state, for the MACs of an upload's part records (FORMAT.md §6). */
  stateKey(): KeyObject {
    this.#state ??= createSecretKey(this.#expand('sx1/state'));
    return this.#state;
  }

  #expand(label: string | Buffer, context?: Buffer): Buffer {
    const hmac = createHmac('sha256', this.#pseudorandomKey).update(label);
    if (context !== undefined) hmac.update(context);
    return hmac.update(FIRST_BLOCK).digest();
  }
}

function shortTag(key: KeyObject, message: Buffer): Buffer {
  return createHmac('sha256', key).update(message).digest().subarray(0, SHORT_TAG_BYTES);
}
