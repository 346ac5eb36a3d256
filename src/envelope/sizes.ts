import { requireSize } from './u64.ts';

/** Plaintext bytes of a whole segment (FORMAT.md §4). */
export const SEGMENT_BYTES = 65_536;
export const TAG_BYTES = 16;
export const PART_HEADER_BYTES = 64;
/** A whole segment as stored. */
export const SEALED_SEGMENT_BYTES = SEGMENT_BYTES + TAG_BYTES;

/** What every object carries beside segments: part header, envelope copy, manifest, trailer (FORMAT.md §5). */
const FIXED_BYTES = 512;
/** Room that each quantum of plaintext adds for one more part: its header, its manifest entry, its split segment. */
const PART_ROOM_BYTES = 128;
/**
 * The number of a footer that is stored as a part of its own (FORMAT.md §6). No part of a client has it, so the footer
 * overwrites none of them, not even one that this Complete leaves out and the next one names.
 */
export const FOOTER_PART_NUMBER = 10_000;
/** The highest number of a client's part. */
export const LAST_PART_NUMBER = FOOTER_PART_NUMBER - 1;
/** An object has at most 10,000 parts, and FIXED_BYTES pays for one of them. */
const MAX_EXTRA_PARTS = 9_999;

/** Identifies P, the bucket's smallest non-last part; the envelope records it (FORMAT.md §3). */
export type QuantumId = 0 | 1 | 2;

const QUANTUM_BYTES = [1_048_576, 5_242_880, 102_400] as const satisfies Record<QuantumId, number>;

export const QUANTA: readonly QuantumId[] = [0, 1, 2];

/** P in bytes. */
export function quantumBytes(quantum: QuantumId): number {
  return QUANTUM_BYTES[quantum];
}

/** At least one, so that an empty part is an authenticated tag. */
export function segmentCount(plaintextBytes: number): number {
  return Math.max(1, Math.ceil(plaintextBytes / SEGMENT_BYTES));
}

/** Part header and segments of one part. */
export function sealedPartBytes(plaintextBytes: number): number {
  requireSize(plaintextBytes);
  return PART_HEADER_BYTES + plaintextBytes + TAG_BYTES * segmentCount(plaintextBytes);
}

/** The inverse for a limit: plaintext bytes of the largest part that has at most so many stored bytes. */
export function largestPartPlaintext(storedBytes: number): number {
  const segmentsBytes = storedBytes - PART_HEADER_BYTES;
  return segmentsBytes - TAG_BYTES * Math.ceil(segmentsBytes / SEALED_SEGMENT_BYTES);
}

/**
 * E(n): stored bytes of an object of n plaintext bytes, however many parts it has (FORMAT.md §5).
 * @throws RangeError when n or E(n) is not a safe, non-negative integer
 */
export function sealedBytes(plaintextBytes: number, quantum: QuantumId): number {
  requireSize(plaintextBytes);
  const storedBytes = expand(plaintextBytes, quantum);
  requireSize(storedBytes);
  return storedBytes;
}

/**
 * The inverse of E: plaintext bytes, or undefined for a stored size that is no E(n), which no SX1 object has.
 *
 * Exact and without search: with D = P + 16·P/S + 128 (an integer for every P), Q(n) = q implies
 * q·D ≤ E(n) − 512 < (q+1)·D, so q is read off by division; what is left is n and its tags.
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

/** Whether an SX1 object of any quantum may have this stored size. Most sizes are one. */
export function isSealedSize(storedBytes: number): boolean {
  return QUANTA.some((quantum) => plaintextBytesOf(storedBytes, quantum) !== undefined);
}

/**
 * The most that the footer of an object of n plaintext bytes can take, so that one suffix GET fetches it: reached
 * when there is one part, since every further part's header comes out of the same total.
 */
export function maxFooterBytes(plaintextBytes: number, quantum: QuantumId): number {
  return sealedBytes(plaintextBytes, quantum) - sealedPartBytes(plaintextBytes);
}

function expand(plaintextBytes: number, quantum: QuantumId): number {
  const extraParts = Math.min(MAX_EXTRA_PARTS, Math.floor(plaintextBytes / QUANTUM_BYTES[quantum]));
  return plaintextBytes + TAG_BYTES * segmentCount(plaintextBytes) + FIXED_BYTES + PART_ROOM_BYTES * extraParts;
}
