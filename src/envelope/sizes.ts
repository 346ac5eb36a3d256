import { requireSize } from './u64.ts';

/** The plaintext size of a whole segment (FORMAT.md §4). */
export const SEGMENT_BYTES = 65_536;
export const TAG_BYTES = 16;
export const PART_HEADER_BYTES = 64;
/** The stored size of a whole segment. */
export const SEALED_SEGMENT_BYTES = SEGMENT_BYTES + TAG_BYTES;

/**
 * What every object has beside its segments: a part header, the envelope's copy, manifest and trailer (FORMAT.md §5).
 */
const FIXED_BYTES = 512;
/**
 * The room that each quantum of plaintext adds for one more part: its header, its entry in the manifest, and one more
 * tag where the part's last segment is short.
 */
const PART_ROOM_BYTES = 128;
/**
 * The number of the backend part that holds the footer, where it is stored as a part of its own (FORMAT.md §6). No part
 * of a client has this number, so the footer never replaces one, not even one that another Complete may name.
 */
export const FOOTER_PART_NUMBER = 10_000;
/** The highest number that a client's part may have. */
export const LAST_PART_NUMBER = FOOTER_PART_NUMBER - 1;
/** For how many more parts an object has room. It has at most 10,000, and FIXED_BYTES has room for one. */
const MAX_EXTRA_PARTS = 9_999;

/**
 * The id of a quantum P, which is the smallest part, the last one excepted, for which a bucket's footers have room. The
 * envelope records it (FORMAT.md §3).
 */
export type QuantumId = 0 | 1 | 2;

const QUANTUM_BYTES = [1_048_576, 5_242_880, 102_400] as const satisfies Record<QuantumId, number>;

/** All quantum ids. */
export const QUANTA: readonly QuantumId[] = [0, 1, 2];

/** The size of a quantum in bytes. */
export function quantumBytes(quantum: QuantumId): number {
  return QUANTUM_BYTES[quantum];
}

/** The number of segments in a part. It is at least one, so that an empty part is authenticated by a tag. */
export function segmentCount(plaintextBytes: number): number {
  return Math.max(1, Math.ceil(plaintextBytes / SEGMENT_BYTES));
}

/** The stored size of a part in bytes, header and segments. */
export function sealedPartBytes(plaintextBytes: number): number {
  requireSize(plaintextBytes);
  return PART_HEADER_BYTES + plaintextBytes + TAG_BYTES * segmentCount(plaintextBytes);
}

/** The plaintext size of the largest part whose stored size is at most `storedBytes`. */
export function largestPartPlaintext(storedBytes: number): number {
  const segmentsBytes = storedBytes - PART_HEADER_BYTES;
  return segmentsBytes - TAG_BYTES * Math.ceil(segmentsBytes / SEALED_SEGMENT_BYTES);
}

/**
 * E(n): the stored size of an object of n bytes of plaintext, however many parts it has (FORMAT.md §5).
 * @throws RangeError where n or E(n) is not a safe, non-negative integer
 */
export function sealedBytes(plaintextBytes: number, quantum: QuantumId): number {
  requireSize(plaintextBytes);
  const storedBytes = expand(plaintextBytes, quantum);
  requireSize(storedBytes);
  return storedBytes;
}

/**
 * The inverse of E: the plaintext size for a stored size. undefined for a stored size that is no E(n), which no SX1
 * object has.
 *
 * It is exact and needs no search. With D = P + 16·P/S + 128, which is an integer for every P, Q(n) = q implies
 * q·D ≤ E(n) − 512 < (q+1)·D. So a division gives q, and what then remains is n and its tags.
 */
export function plaintextBytesOf(storedBytes: number, quantum: QuantumId): number | undefined {
  if (!Number.isSafeInteger(storedBytes) || storedBytes < FIXED_BYTES + TAG_BYTES) return undefined;
  const part = QUANTUM_BYTES[quantum];
  const stride = part + (part / SEGMENT_BYTES) * TAG_BYTES + PART_ROOM_BYTES;
  const extraParts = Math.min(MAX_EXTRA_PARTS, Math.floor((storedBytes - FIXED_BYTES) / stride));
  const segmentsBytes = storedBytes - FIXED_BYTES - PART_ROOM_BYTES * extraParts;
  const plaintextBytes = segmentsBytes - TAG_BYTES * Math.ceil(segmentsBytes / SEALED_SEGMENT_BYTES);
  if (plaintextBytes < 0 || expand(plaintextBytes, quantum) !== storedBytes) return undefined;
  return plaintextBytes;
}

/** Whether an SX1 object of any quantum can have this stored size. It is true for most sizes, so it proves little. */
export function isSealedSize(storedBytes: number): boolean {
  return QUANTA.some((quantum) => plaintextBytesOf(storedBytes, quantum) !== undefined);
}

/**
 * The size of the largest footer that an object of n bytes of plaintext can have, so that one GET of the object's end
 * can fetch it. An object of one part has it, because the headers of further parts take room from the same total.
 */
export function maxFooterBytes(plaintextBytes: number, quantum: QuantumId): number {
  return sealedBytes(plaintextBytes, quantum) - sealedPartBytes(plaintextBytes);
}

function expand(plaintextBytes: number, quantum: QuantumId): number {
  const extraParts = Math.min(MAX_EXTRA_PARTS, Math.floor(plaintextBytes / QUANTUM_BYTES[quantum]));
  return plaintextBytes + TAG_BYTES * segmentCount(plaintextBytes) + FIXED_BYTES + PART_ROOM_BYTES * extraParts;
}
