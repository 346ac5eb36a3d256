import { corrupted, requireLength, requireZero, sameBytes } from './corruption.ts';
import { BOUND_HEADER_BYTES, type ObjectKeys, OID_BYTES, SALT_BYTES } from './object-keys.ts';
import { PART_HEADER_BYTES } from './sizes.ts';
import { readU64, writeU64 } from './u64.ts';

const MAGIC = Buffer.from('SXP1');
/** How many first bytes of an object `beginsAsPart` looks at. */
export const PART_MAGIC_BYTES = MAGIC.length;
const LENGTH_OFFSET = 8;
const OID_OFFSET = 16;
const SALT_OFFSET = 32;

/** Names one attempt at a part. Another attempt at the same part has another salt and so another key. */
export interface PartIdentity {
  readonly oid: Buffer;
  /** 0 for the only part of an object that was sent by one PUT. */
  readonly partNumber: number;
  readonly partSalt: Buffer;
  readonly plaintextBytes: number;
}

/** Whether an object's first bytes are those of a sealed object. They prove nothing, because anyone can write them. */
export function beginsAsPart(first: Buffer): boolean {
  return first.subarray(0, PART_MAGIC_BYTES).equals(MAGIC);
}

/** Makes bytes 0..47 of the part header, to which K_part and the header's MAC are bound (FORMAT.md §4). */
export function boundPartHeader(part: PartIdentity): Buffer {
  requireLength(part.oid, OID_BYTES, 'An oid');
  requireLength(part.partSalt, SALT_BYTES, 'A part salt');
  const header = Buffer.allocUnsafe(BOUND_HEADER_BYTES).fill(0);
  MAGIC.copy(header);
  header.writeUInt16BE(part.partNumber, 4);
  writeU64(header, part.plaintextBytes, LENGTH_OFFSET);
  part.oid.copy(header, OID_OFFSET);
  part.partSalt.copy(header, SALT_OFFSET);
  return header;
}

/** Makes the whole part header of 64 bytes. @param header48 what `boundPartHeader` made */
export function sealPartHeader(header48: Buffer, keys: ObjectKeys): Buffer {
  return Buffer.concat([header48, keys.partHeaderTag(header48)], PART_HEADER_BYTES);
}

/** Verifies a stored part header. @throws GatewayError ObjectCorrupted where the 64 bytes are not this part's header */
export function checkPartHeader(stored: Buffer, part: PartIdentity, keys: ObjectKeys): void {
  if (!sameBytes(stored, sealPartHeader(boundPartHeader(part), keys))) throw corrupted();
}

/**
 * Reads a part header whose fields are not known from elsewhere, in a recovery. The MAC is verified before any field is
 * used.
 * @throws GatewayError ObjectCorrupted
 */
export function readPartHeader(
  bytes: Buffer,
  keys: ObjectKeys,
): { readonly partNumber: number; readonly plaintextBytes: number; readonly partSalt: Buffer; readonly oid: Buffer } {
  if (bytes.length !== PART_HEADER_BYTES) throw corrupted();
  const header48 = bytes.subarray(0, BOUND_HEADER_BYTES);
  if (!sameBytes(keys.partHeaderTag(header48), bytes.subarray(BOUND_HEADER_BYTES))) throw corrupted();
  if (!sameBytes(bytes.subarray(0, 4), MAGIC)) throw corrupted();
  requireZero(bytes, 6, 8);
  const plaintextBytes = readU64(bytes, LENGTH_OFFSET);
  if (plaintextBytes === undefined) throw corrupted();
  return {
    partNumber: bytes.readUInt16BE(4),
    plaintextBytes,
    partSalt: Buffer.from(bytes.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES)),
    oid: Buffer.from(bytes.subarray(OID_OFFSET, OID_OFFSET + OID_BYTES)),
  };
}
