import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/**
 * This file seals and opens the entries of the index of ETags (docs/keys.md, "Index of ETags"). An entry is sealed
 * under a key that is derived from the tenant's KEK, and bound to tenant, place and backend ETag. Entries with a CRC-64
 * have one length, and all others another. So a dump of the store reveals no digest, nor which objects have an MD5.
 */

const VERSION = 1;
/** The version of entries with a CRC-64. Gateways that do not know it take them for missing, and read the footer. */
const WITH_CRC64 = 2;
const HEAD_BYTES = 9;
const NONCE_BYTES = 12;
const FIELDS_BYTES = 35;
const CRC64_BYTES = 8;
const TAG_BYTES = 16;
const OID_BYTES = 16;
const NAME_BYTES = 16;
/** The length of an entry without a CRC-64, in bytes. */
export const ENTRY_BYTES = HEAD_BYTES + NONCE_BYTES + FIELDS_BYTES + TAG_BYTES;

/** The lengths of entries in bytes, by their version. */
const BYTES_OF_VERSION: Readonly<Record<number, number>> = {
  [VERSION]: ENTRY_BYTES,
  [WITH_CRC64]: ENTRY_BYTES + CRC64_BYTES,
};

const PLAIN = 0;
const SEALED = 1;
const SEALED_WITH_MD5 = 2;
const NO_MD5 = Buffer.alloc(16);
const NO_OID = Buffer.alloc(OID_BYTES);
const NOTHING = Buffer.alloc(0);

/** Names a stored object. */
export interface EtagPlace {
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
  /** Unquoted. */
  readonly backendEtag: string;
}

/** The length of an entry that begins with this byte, in bytes; undefined for a byte with which none begins. */
export function entryBytes(version: number | undefined): number | undefined {
  return BYTES_OF_VERSION[version ?? 0];
}

/** What an object's footer says of its digests, or that the object has no footer. */
export interface KnownDigest {
  /** Whether the object is stored as it was sent. Its ETag is then the backend's own. */
  readonly plain: boolean;
  /** The MD5 of the plaintext, or of the parts' MD5s; undefined where it was not computed. */
  readonly md5: Buffer | undefined;
  /** From how many parts' MD5s `md5` was made; 0 for the MD5 of the plaintext. */
  readonly parts: number;
  /** The CRC-64/XZ of the plaintext, 8 bytes; undefined where nobody has computed it or asked the footer for it. */
  readonly crc64?: Buffer | undefined;
  /** The object id (FORMAT.md §2). It tells the object from others to which the store may give the same ETag. */
  readonly oid: Buffer;
}

/** The digest of every object that is stored as it was sent. */
export const PLAIN_OBJECT: KnownDigest = { plain: true, md5: undefined, parts: 0, oid: NO_OID };

/** The KEK from which the key of an entry is derived. */
interface EtagKek {
  readonly version: number;
  readonly key: KeyObject;
}

/** The keys that were derived already, by KEK. A KEK's object lives as long as the cache of key rings holds it. */
const derived = new WeakMap<KeyObject, KeyObject>();

function entryKey(kek: KeyObject): KeyObject {
  let key = derived.get(kek);
  if (key === undefined) {
    key = createSecretKey(Buffer.from(hkdfSync('sha256', kek, NOTHING, 'sealgate/etag-index/v1', 32)));
    derived.set(kek, key);
  }
  return key;
}

/**
 * The name of an object's entry: 16 bytes of a hash. If two objects ever had the same name, the entry of one would not
 * open for the other and would be ignored.
 */
export function entryName(place: EtagPlace): Buffer {
  return createHash('sha256').update(boundTo(place)).digest().subarray(0, NAME_BYTES);
}

/**
 * Seals an entry.
 * @param nonce 12 fresh random bytes. Random nonces are safe for the 2^32 entries for which GCM allows one key.
 */
export function sealEntry(
  digest: KnownDigest,
  place: EtagPlace,
  {
    kek,
    nonce,
    writtenAtSeconds,
  }: { readonly kek: EtagKek; readonly nonce: Buffer; readonly writtenAtSeconds: number },
): Buffer {
  const { plain, md5, parts, crc64, oid } = digest;
  const version = crc64 === undefined ? VERSION : WITH_CRC64;
  const entry = Buffer.allocUnsafe(BYTES_OF_VERSION[version] as number);
  entry[0] = version;
  entry.writeUInt32BE(kek.version, 1);
  entry.writeUInt32BE(writtenAtSeconds, 5);
  nonce.copy(entry, HEAD_BYTES, 0, NONCE_BYTES);
  const fields = Buffer.allocUnsafe(FIELDS_BYTES + (crc64?.length ?? 0));
  fields[0] = plain ? PLAIN : md5 === undefined ? SEALED : SEALED_WITH_MD5;
  fields.writeUInt16BE(parts, 1);
  (md5 ?? NO_MD5).copy(fields, 3);
  oid.copy(fields, 19);
  crc64?.copy(fields, FIELDS_BYTES);
  const cipher = createCipheriv('aes-256-gcm', entryKey(kek.key), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([entry.subarray(0, HEAD_BYTES), boundTo(place)]));
  cipher.update(fields).copy(entry, HEAD_BYTES + NONCE_BYTES);
  cipher.final();
  cipher.getAuthTag().copy(entry, entry.length - TAG_BYTES);
  return entry;
}

/**
 * Reads what an entry says in clear: the version of the KEK under which it is sealed, and when it was written.
 * undefined for bytes that are no entry.
 */
export function readEntryHead(
  entry: Buffer,
): { readonly kekVersion: number; readonly writtenAtSeconds: number } | undefined {
  if (entry.length !== entryBytes(entry[0])) return undefined;
  return { kekVersion: entry.readUInt32BE(1), writtenAtSeconds: entry.readUInt32BE(5) };
}

/** Opens an entry; undefined for one that was altered or belongs to another object. */
export function openEntry(entry: Buffer, place: EtagPlace, kek: KeyObject): KnownDigest | undefined {
  const nonce = entry.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', entryKey(kek), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([entry.subarray(0, HEAD_BYTES), boundTo(place)]));
  decipher.setAuthTag(entry.subarray(entry.length - TAG_BYTES));
  const fields = decipher.update(entry.subarray(HEAD_BYTES + NONCE_BYTES, entry.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return {
    plain: fields[0] === PLAIN,
    md5: fields[0] === SEALED_WITH_MD5 ? fields.subarray(3, 19) : undefined,
    parts: fields.readUInt16BE(1),
    oid: fields.subarray(19, 35),
    ...(entry[0] === WITH_CRC64 && { crc64: fields.subarray(FIELDS_BYTES) }),
  };
}

/** The bytes to which an entry is bound. JSON keeps the fields apart whatever characters they contain. */
function boundTo({ tenant, bucket, key, backendEtag }: EtagPlace): Buffer {
  return Buffer.from(JSON.stringify([tenant, bucket, key, backendEtag]));
}
