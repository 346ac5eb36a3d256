import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { CHECKSUMS, type ChecksumAlgorithm, type ChecksumRow } from '../envelope/manifest.ts';
import { GatewayError } from '../errors.ts';

/**
 * This file seals and opens the entries of an upload's state (docs/keys.md, "Uploads under way"). Each entry is sealed
 * under K_state with a fresh nonce, and bound to its upload and its kind. So a dump of the store reveals nothing of
 * them, and an entry that was altered or moved from another upload is refused.
 */

const HEADER = 0;
const PART = 1;
const COMPLETED = 2;
const VERSION = 1;
/**
 * The version of a header with a checksum algorithm that the first gateways do not know. They refuse the version, and
 * so do not complete the upload without its checksum.
 */
const LATER_VERSION = 2;
const LAST_EARLY_CHECKSUM_ID = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const MD5_BYTES = 16;
const CRC64_BYTES = 8;
const DIGEST_BYTES = 32;
/** The bytes at the end of a header entry, behind the format's own header: nonce, creation time, checksum and tag. */
const HEADER_FIELDS_BYTES = NONCE_BYTES + 8 + TAG_BYTES;

/** The checksum that the client asked for when it began the upload. */
export interface AskedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Whether the checksum is made of the parts' checksums instead of the object's bytes. */
  readonly composite: boolean;
}

/** What the header of an upload's state says beside the format's own header. */
export interface UploadHeader {
  readonly createdAt: Date;
  readonly checksum: AskedChecksum | undefined;
}

/** One attempt at one part that arrived completely. */
export interface PartRecord {
  readonly partNumber: number;
  /** Whether the part is in the staging bucket. Otherwise it is in the backend's upload. */
  readonly staged: boolean;
  readonly plaintextBytes: number;
  readonly partSalt: Buffer;
  readonly storedAt: Date;
  /** The MD5 of the plaintext, where it was computed. */
  readonly md5: Buffer | undefined;
  /** The CRC-64/XZ of the plaintext, where it was computed. */
  readonly crc64?: Buffer | undefined;
  /** The checksum of the plaintext, which the client sent or the gateway computed. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: Buffer } | undefined;
  /** The backend's ETag of the stored part, unquoted. */
  readonly etag: string;
}

/** What remains of an upload that was completed, for a client that asks to complete it again. */
export interface CompletedRecord {
  /** The SHA-256 of the list of parts that the client named. */
  readonly listDigest: Buffer;
  /** The backend's ETag of the object, unquoted. */
  readonly etag: string;
  readonly versionId: string | undefined;
}

/** Gives the key that seals an upload's state. */
export interface StateKeys {
  stateKey(): KeyObject;
}

/** Seals and opens the entries of one upload. */
export class UploadRecords {
  readonly #keys: StateKeys;
  readonly #id: Buffer;
  readonly #randomBytes: (bytes: number) => Buffer;

  constructor(upload: {
    /** The name of the upload's state (`stateId`). */
    readonly id: string;
    readonly keys: StateKeys;
    readonly randomBytes: (bytes: number) => Buffer;
  }) {
    this.#keys = upload.keys;
    this.#id = Buffer.from(upload.id, 'hex');
    this.#randomBytes = upload.randomBytes;
  }

  /**
   * Seals the first entry.
   * @param header the format's own header. It is stored as it is, because it reveals nothing to anyone without the
   *   keys.
   */
  sealHeader(header: Buffer, { createdAt, checksum }: UploadHeader): Buffer {
    const fields = Buffer.alloc(8);
    fields.writeUIntBE(createdAt.getTime(), 0, 6);
    const algorithm = checksumId(checksum?.algorithm);
    fields[6] = algorithm;
    fields[7] = checksum?.composite === true ? 1 : 0;
    const version = algorithm > LAST_EARLY_CHECKSUM_ID ? LATER_VERSION : VERSION;
    return Buffer.concat([Buffer.from([HEADER, version]), header, this.#seal(HEADER, fields)]);
  }

  /** Opens the first entry. @throws GatewayError ObjectCorrupted */
  openHeader(entry: Buffer): UploadHeader {
    const fields = this.#open(HEADER, entry.subarray(entry.length - HEADER_FIELDS_BYTES));
    const algorithm = checksumOf(fields.readUInt8(6))?.algorithm;
    return {
      createdAt: new Date(fields.readUIntBE(0, 6)),
      checksum: algorithm && { algorithm, composite: fields[7] === 1 },
    };
  }

  sealPart(record: PartRecord): Buffer {
    return Buffer.concat([Buffer.from([PART]), this.#seal(PART, encodePart(record))]);
  }

  sealCompleted({ listDigest, etag, versionId }: CompletedRecord): Buffer {
    const fields = Buffer.concat([listDigest, Buffer.from(`${etag}\n${versionId ?? ''}`, 'latin1')]);
    return Buffer.concat([Buffer.from([COMPLETED]), this.#seal(COMPLETED, fields)]);
  }

  /**
   * Opens an entry that is not the header.
   * @throws GatewayError ObjectCorrupted
   */
  open(entry: Buffer): { readonly part: PartRecord } | { readonly completed: CompletedRecord } {
    const kind = entry[0] ?? HEADER;
    if (kind !== PART && kind !== COMPLETED) throw altered();
    const fields = this.#open(kind, entry.subarray(1));
    if (kind === PART) return { part: decodePart(fields) };
    const [etag = '', versionId = ''] = fields.toString('latin1', DIGEST_BYTES).split('\n');
    return { completed: { listDigest: fields.subarray(0, DIGEST_BYTES), etag, versionId: versionId || undefined } };
  }

  #seal(kind: number, fields: Buffer): Buffer {
    const nonce = this.#randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.stateKey(), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#boundTo(kind));
    return Buffer.concat([nonce, cipher.update(fields), cipher.final(), cipher.getAuthTag()]);
  }

  #open(kind: number, sealed: Buffer): Buffer {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) throw altered();
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#keys.stateKey(), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(this.#boundTo(kind));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const fields = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      throw altered();
    }
    return fields;
  }

  #boundTo(kind: number): Buffer {
    return Buffer.concat([this.#id, Buffer.from([kind, VERSION])]);
  }
}

/** Whether an entry is the mark of a completed upload. The entry is not authenticated by this. */
export function isCompletedMark(entry: Buffer): boolean {
  return entry[0] === COMPLETED;
}

/**
 * The format's own header in a header entry. It is not authenticated here: the format does that when it opens it.
 * @throws GatewayError ObjectCorrupted
 */
export function formatHeader(entry: Buffer): Buffer {
  const [kind, version] = entry;
  if (kind !== HEADER || (version !== VERSION && version !== LATER_VERSION)) throw altered();
  if (entry.length < 2 + HEADER_FIELDS_BYTES) throw altered();
  return entry.subarray(2, entry.length - HEADER_FIELDS_BYTES);
}

const STAGED = 1;
const HAS_MD5 = 2;
/** Set where the ETag is an MD5 in lower-case hex, as most stores make them. It is then stored in half the bytes. */
const HEX_ETAG = 4;
/**
 * Gateways that do not know this flag take the CRC for the beginning of the ETag. So they know no such part, and answer
 * InvalidPart to a Complete that names it.
 */
const HAS_CRC64 = 8;
const PART_FIXED_BYTES = 32;

function encodePart(record: PartRecord): Buffer {
  const { partNumber, staged, plaintextBytes, partSalt, storedAt, md5, crc64, checksum, etag } = record;
  const hexEtag = /^[0-9a-f]{32}$/.test(etag);
  const fixed = Buffer.alloc(PART_FIXED_BYTES);
  fixed.writeUInt16BE(partNumber, 0);
  const digests = (md5 === undefined ? 0 : HAS_MD5) | (crc64 === undefined ? 0 : HAS_CRC64);
  fixed[2] = (staged ? STAGED : 0) | digests | (hexEtag ? HEX_ETAG : 0);
  fixed[3] = checksumId(checksum?.algorithm);
  fixed.writeUIntBE(plaintextBytes, 4, 6);
  fixed.writeUIntBE(storedAt.getTime(), 10, 6);
  partSalt.copy(fixed, 16);
  const etagBytes = Buffer.from(etag, hexEtag ? 'hex' : 'latin1');
  return Buffer.concat([fixed, md5 ?? NOTHING, checksum?.value ?? NOTHING, crc64 ?? NOTHING, etagBytes]);
}

const NOTHING = Buffer.alloc(0);

function decodePart(fields: Buffer): PartRecord {
  if (fields.length < PART_FIXED_BYTES) throw altered();
  const flags = fields.readUInt8(2);
  const row = checksumOf(fields.readUInt8(3));
  const checksumAt = PART_FIXED_BYTES + ((flags & HAS_MD5) === 0 ? 0 : MD5_BYTES);
  const crcAt = checksumAt + (row?.bytes ?? 0);
  const etagAt = crcAt + ((flags & HAS_CRC64) === 0 ? 0 : CRC64_BYTES);
  return {
    partNumber: fields.readUInt16BE(0),
    staged: (flags & STAGED) !== 0,
    plaintextBytes: fields.readUIntBE(4, 6),
    storedAt: new Date(fields.readUIntBE(10, 6)),
    partSalt: fields.subarray(16, 16 + SALT_BYTES),
    md5: (flags & HAS_MD5) === 0 ? undefined : fields.subarray(PART_FIXED_BYTES, checksumAt),
    checksum: row && { algorithm: row.algorithm, value: fields.subarray(checksumAt, crcAt) },
    ...(etagAt > crcAt && { crc64: fields.subarray(crcAt, etagAt) }),
    etag: fields.toString((flags & HEX_ETAG) === 0 ? 'latin1' : 'hex', etagAt),
  };
}

function checksumId(algorithm: ChecksumAlgorithm | undefined): number {
  return CHECKSUMS.find((row) => row.algorithm === algorithm)?.id ?? 0;
}

/** @throws GatewayError ObjectCorrupted for an algorithm of a later gateway, because what follows would be misread */
function checksumOf(id: number): ChecksumRow | undefined {
  const row = CHECKSUMS.find((candidate) => candidate.id === id);
  if (row === undefined && id !== 0) throw altered();
  return row;
}

/** Makes the error for an entry that does not authenticate. It means that somebody else writes to the key store. */
function altered(): GatewayError {
  return new GatewayError(
    'ObjectCorrupted',
    'The state of this upload fails authentication: it was altered in the key store. Abort the upload and begin anew.',
    { source: 'keys' },
  );
}
