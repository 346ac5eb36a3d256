import { corrupted, requireLength, requireZero } from './corruption.ts';
import { SALT_BYTES } from './object-keys.ts';

import { readU64, requireSize, writeU64 } from './u64.ts';

const VERSION = 1;
const MULTIPART = 1;
/** Set where the manifest ends in the CRC-64 of the object. Gateways that do not know the flag refuse the object. */
const HAS_CRC64 = 2;
const CHECKSUM_OFFSET = 28;
const CHECKSUM_VALUE_BYTES = 32;
/** The size of what a checksum's field does not hold and what follows the part list: the second half of a SHA-512. */
const MAX_VALUE_REST_BYTES = 32;
const PARTS_OFFSET = 64;
const PART_ENTRY_BYTES = 48;
const MD5_BYTES = 16;
const CRC64_BYTES = 8;
const MAX_PART_BYTES = 2 ** 48 - 1;
/** The largest part number of any dialect. The smallest is 0, in QingStor. */
const MAX_PART_NUMBER = 10_000;
const COMPOSITE = 1;

/** The ids and lengths of checksums (FORMAT.md §4). */
export const CHECKSUMS = [
  { algorithm: 'CRC32', id: 1, bytes: 4 },
  { algorithm: 'CRC32C', id: 2, bytes: 4 },
  { algorithm: 'CRC64NVME', id: 3, bytes: 8 },
  { algorithm: 'SHA1', id: 4, bytes: 20 },
  { algorithm: 'SHA256', id: 5, bytes: 32 },
  { algorithm: 'SHA512', id: 6, bytes: 64 },
  { algorithm: 'MD5', id: 7, bytes: 16 },
  { algorithm: 'XXHASH64', id: 8, bytes: 8 },
  { algorithm: 'XXHASH3', id: 9, bytes: 8 },
  { algorithm: 'XXHASH128', id: 10, bytes: 16 },
] as const;

export type ChecksumRow = (typeof CHECKSUMS)[number];
export type ChecksumAlgorithm = ChecksumRow['algorithm'];

/** A checksum of the plaintext, which was verified or computed by the gateway. */
export interface TypedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Buffer;
  /** Whether it is made of the parts' checksums instead of the object's bytes. */
  readonly composite?: boolean | undefined;
}

/** A part in the manifest's list. */
export interface PartEntry {
  readonly partNumber: number;
  readonly plaintextBytes: number;
  readonly partSalt: Buffer;
  readonly md5?: Buffer | undefined;
  readonly crc64?: Buffer | undefined;
}

/** What the footer says of an object: its length, its digests and its parts (FORMAT.md §4). */
export interface Manifest {
  readonly multipart: boolean;
  readonly plaintextBytes: number;
  /** The MD5 of the plaintext, or of the parts' MD5s (FORMAT.md §8). */
  readonly md5: Buffer | undefined;
  readonly checksum: TypedChecksum | undefined;
  /**
   * The CRC-64/XZ of the plaintext, 8 bytes, where it was computed and does not follow from those of the parts.
   */
  readonly crc64?: Buffer | undefined;
  /** The parts in their order. Empty for an object that was sent by one PUT, and only then. */
  readonly parts: readonly PartEntry[];
}

/** The size of a manifest in bytes, without padding. */
export function manifestBytes({
  parts,
  checksum,
  crc64,
}: {
  readonly parts: { readonly length: number };
  readonly checksum: { readonly algorithm: ChecksumAlgorithm } | undefined;
  readonly crc64?: Buffer | undefined;
}): number {
  const row = CHECKSUMS.find(({ algorithm }) => algorithm === checksum?.algorithm);
  const crcBytes = crc64 === undefined ? 0 : CRC64_BYTES;
  return PARTS_OFFSET + PART_ENTRY_BYTES * parts.length + restBytes(row) + crcBytes;
}

/** What a manifest of this length contains; undefined for a length that no manifest can have. */
export function contentsOf(
  manifestLength: number,
): { readonly parts: number; readonly longChecksum: boolean; readonly crc64: boolean } | undefined {
  const listed = manifestLength - PARTS_OFFSET;
  const rest = listed % PART_ENTRY_BYTES;
  const crc64 = rest % MAX_VALUE_REST_BYTES === CRC64_BYTES;
  const longChecksum = rest >= MAX_VALUE_REST_BYTES;
  const expected = (longChecksum ? MAX_VALUE_REST_BYTES : 0) + (crc64 ? CRC64_BYTES : 0);
  if (listed < 0 || rest !== expected) return undefined;
  return { parts: (listed - rest) / PART_ENTRY_BYTES, longChecksum, crc64 };
}

function restBytes(row: ChecksumRow | undefined): number {
  return row === undefined ? 0 : Math.max(0, row.bytes - CHECKSUM_VALUE_BYTES);
}

/**
 * Encodes a manifest, and pads it with zeros to `paddedBytes`.
 * @throws RangeError for a manifest that is inconsistent or does not fit
 */
export function encodeManifest(manifest: Manifest, paddedBytes: number): Buffer {
  const { multipart, plaintextBytes, md5, checksum, crc64, parts } = manifest;
  const end = manifestBytes(manifest);
  if (end > paddedBytes) throw new RangeError('The part list does not fit in the footer.');
  if (!addsUp(manifest)) throw new RangeError('The manifest does not describe an object.');
  const bytes = Buffer.allocUnsafe(paddedBytes).fill(0);
  bytes[0] = VERSION;
  bytes[1] = (multipart ? MULTIPART : 0) | (crc64 === undefined ? 0 : HAS_CRC64);
  bytes.writeUInt16BE(parts.length, 2);
  writeU64(bytes, plaintextBytes, 4);
  copyOptional(md5, bytes, 12, MD5_BYTES);
  const checksumEnd = crc64 === undefined ? end : end - CRC64_BYTES;
  if (checksum !== undefined) writeChecksum(checksum, bytes, checksumEnd);
  copyOptional(crc64, bytes, checksumEnd, CRC64_BYTES);
  let at = PARTS_OFFSET;
  for (const part of parts) {
    requireLength(part.partSalt, SALT_BYTES, 'A part salt');
    bytes.writeUInt16BE(part.partNumber, at);
    bytes.writeUIntBE(part.plaintextBytes, at + 2, 6);
    part.partSalt.copy(bytes, at + 8);
    copyOptional(part.md5, bytes, at + 24, MD5_BYTES);
    copyOptional(part.crc64, bytes, at + 40, CRC64_BYTES);
    at += PART_ENTRY_BYTES;
  }
  return bytes;
}

/**
 * Reads a manifest that was authenticated. It is checked even so, because a faulty writer may have sealed an
 * inconsistent one, and the offsets that are computed from it would be wrong.
 * @throws GatewayError ObjectCorrupted
 */
export function decodeManifest(bytes: Buffer): Manifest {
  const version = bytes.readUInt8(0);
  const flags = bytes.readUInt8(1);
  const plaintextBytes = readU64(bytes, 4);
  if (version !== VERSION || (flags & ~(MULTIPART | HAS_CRC64)) !== 0 || plaintextBytes === undefined)
    throw corrupted();
  const partCount = bytes.readUInt16BE(2);
  const row = checksumRow(bytes);
  const listEnd = PARTS_OFFSET + PART_ENTRY_BYTES * partCount;
  const checksumEnd = listEnd + restBytes(row);
  const hasCrc64 = (flags & HAS_CRC64) !== 0;
  const end = checksumEnd + (hasCrc64 ? CRC64_BYTES : 0);
  if (end > bytes.length) throw corrupted();
  requireZero(bytes, end, bytes.length);
  const parts: PartEntry[] = [];
  for (let at = PARTS_OFFSET; at < listEnd; at += PART_ENTRY_BYTES) {
    parts.push({
      partNumber: bytes.readUInt16BE(at),
      plaintextBytes: bytes.readUIntBE(at + 2, 6),
      partSalt: bytes.subarray(at + 8, at + 24),
      md5: optional(bytes.subarray(at + 24, at + 40)),
      crc64: optional(bytes.subarray(at + 40, at + 48)),
    });
  }
  const manifest: Manifest = {
    multipart: (flags & MULTIPART) !== 0,
    plaintextBytes,
    md5: optional(bytes.subarray(12, 28)),
    checksum: row && readChecksum(row, bytes, checksumEnd),
    ...(hasCrc64 && { crc64: bytes.subarray(checksumEnd, end) }),
    parts,
  };
  if (!addsUp(manifest)) throw corrupted();
  return manifest;
}

/** Whether a manifest is consistent: part numbers rise, lengths sum up, and only a multipart object lists parts. */
function addsUp({ multipart, plaintextBytes, parts }: Manifest): boolean {
  if (multipart !== parts.length > 0) return false;
  let sumBytes = 0;
  let lastNumber = -1;
  for (const part of parts) {
    const number = part.partNumber;
    if (!Number.isInteger(number) || number <= lastNumber || number > MAX_PART_NUMBER) return false;
    requireSize(part.plaintextBytes);
    if (part.plaintextBytes > MAX_PART_BYTES) return false;
    lastNumber = number;
    sumBytes += part.plaintextBytes;
  }
  return !multipart || sumBytes === plaintextBytes;
}

/** @param end where the checksum ends; the bytes before it hold what the field does not hold of the checksum */
function writeChecksum(checksum: TypedChecksum, bytes: Buffer, end: number): void {
  const row = CHECKSUMS.find(({ algorithm }) => algorithm === checksum.algorithm);
  if (row === undefined || checksum.value.length !== row.bytes) throw new RangeError('SX1 has no such checksum.');
  bytes[CHECKSUM_OFFSET] = row.id;
  bytes[CHECKSUM_OFFSET + 1] = checksum.composite === true ? COMPOSITE : 0;
  checksum.value.subarray(0, CHECKSUM_VALUE_BYTES).copy(bytes, CHECKSUM_OFFSET + 4);
  checksum.value.subarray(CHECKSUM_VALUE_BYTES).copy(bytes, end - restBytes(row));
}

/** Reads the algorithm of the checksum; undefined where there is none. @throws GatewayError ObjectCorrupted */
function checksumRow(bytes: Buffer): ChecksumRow | undefined {
  const field = bytes.subarray(CHECKSUM_OFFSET, CHECKSUM_OFFSET + 4 + CHECKSUM_VALUE_BYTES);
  const id = field.readUInt8(0);
  if (id === 0) {
    requireZero(field, 1, field.length);
    return undefined;
  }
  const row = CHECKSUMS.find((candidate) => candidate.id === id);
  if (row === undefined || field.readUInt8(1) > COMPOSITE) throw corrupted();
  requireZero(field, 2, 4);
  requireZero(field, 4 + Math.min(row.bytes, CHECKSUM_VALUE_BYTES), field.length);
  return row;
}

function readChecksum(row: ChecksumRow, bytes: Buffer, end: number): TypedChecksum {
  const at = CHECKSUM_OFFSET + 4;
  const begin = bytes.subarray(at, at + Math.min(row.bytes, CHECKSUM_VALUE_BYTES));
  const rest = bytes.subarray(end - restBytes(row), end);
  return {
    algorithm: row.algorithm,
    value: rest.length === 0 ? begin : Buffer.concat([begin, rest]),
    composite: bytes.readUInt8(CHECKSUM_OFFSET + 1) === COMPOSITE,
  };
}

/** A digest from its field. A field of zeros means that it was not computed (FORMAT.md §4). */
function optional(bytes: Buffer): Buffer | undefined {
  return bytes.some((byte) => byte !== 0) ? bytes : undefined;
}

function copyOptional(value: Buffer | undefined, into: Buffer, offset: number, length: number): void {
  if (value === undefined) return;
  requireLength(value, length, 'A digest');
  value.copy(into, offset);
}
