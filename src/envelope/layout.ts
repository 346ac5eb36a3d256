import type { Manifest } from './manifest.ts';
import {
  PART_HEADER_BYTES,
  type QuantumId,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
  sealedBytes,
  sealedPartBytes,
  segmentCount,
} from './sizes.ts';

/** One contiguous run of stored bytes: whole segments of one part that hold wanted plaintext. */
export interface Slice {
  readonly partNumber: number;
  readonly partSalt: Buffer;
  readonly partPlaintextBytes: number;
  /** Absolute offsets in the stored object, inclusive. */
  readonly storedFirst: number;
  readonly storedLast: number;
  /** Indices within the part, inclusive. */
  readonly firstSegment: number;
  readonly lastSegment: number;
  /** Plaintext of the first segment that comes before the range. */
  readonly skipBytes: number;
  /** Plaintext wanted from this slice; 0 for an empty part, which is read for its tag alone. */
  readonly takeBytes: number;
  /** The part header is never among a slice's bytes; it is the 64 bytes before segment 0. */
  readonly includesHeader: false;
}

/** A part and where it lies. */
interface PlacedPart {
  readonly partNumber: number;
  readonly partSalt: Buffer;
  readonly plaintextBytes: number;
  readonly plaintextFirst: number;
  /** Of its header. */
  readonly storedFirst: number;
}

/** Where an object's plaintext lies among its stored bytes. Arithmetic only: nothing is read. */
export class Layout {
  readonly plaintextBytes: number;
  /** Stored bytes before the footer. */
  readonly bodyBytes: number;
  /** E(n). */
  readonly storedBytes: number;
  readonly #parts: readonly PlacedPart[];

  private constructor(
    parts: readonly { readonly partNumber: number; readonly partSalt: Buffer; readonly plaintextBytes: number }[],
    quantum: QuantumId,
  ) {
    const placed: PlacedPart[] = [];
    let plaintextFirst = 0;
    let storedFirst = 0;
    for (const { partNumber, partSalt, plaintextBytes } of parts) {
      placed.push({ partNumber, partSalt, plaintextBytes, plaintextFirst, storedFirst });
      plaintextFirst += plaintextBytes;
      storedFirst += sealedPartBytes(plaintextBytes);
    }
    this.#parts = placed;
    this.plaintextBytes = plaintextFirst;
    this.bodyBytes = storedFirst;
    this.storedBytes = sealedBytes(plaintextFirst, quantum);
  }

  /** A PutObject: one part, number 0, known from the envelope alone. */
  static single(part: {
    readonly plaintextBytes: number;
    readonly partSalt: Buffer;
    readonly quantum: QuantumId;
  }): Layout {
    return new Layout([{ partNumber: 0, partSalt: part.partSalt, plaintextBytes: part.plaintextBytes }], part.quantum);
  }

  /**
   * A multipart object, from its opened footer.
   * @throws RangeError for a PutObject's manifest, whose part salt is in the envelope: use `single`
   */
  static fromManifest(manifest: Manifest, quantum: QuantumId): Layout {
    if (!manifest.multipart) throw new RangeError('The manifest of a PutObject holds no layout.');
    return new Layout(manifest.parts, quantum);
  }

  /**
   * The stored bytes that hold a plaintext range (inclusive), a slice a part, in order. Without a range: every
   * segment of every part, empty parts included, because their tags are part of what "whole" means.
   * @throws RangeError for a range that does not lie within the object
   */
  locate(range: { readonly first: number; readonly last: number } | undefined): Slice[] {
    if (range === undefined) return this.#parts.map((part) => slice(part, 0, Math.max(0, part.plaintextBytes - 1)));
    const { first, last } = range;
    if (!(Number.isSafeInteger(first) && first >= 0 && first <= last && last < this.plaintextBytes)) {
      throw new RangeError('The range does not lie within the object.');
    }
    const slices: Slice[] = [];
    for (let at = this.#partAt(first); at < this.#parts.length; at++) {
      const part = this.#parts[at] as PlacedPart;
      if (part.plaintextFirst > last) break;
      if (part.plaintextBytes === 0) continue;
      const from = Math.max(0, first - part.plaintextFirst);
      slices.push(slice(part, from, Math.min(part.plaintextBytes - 1, last - part.plaintextFirst)));
    }
    return slices;
  }

  /** Index of the last part that begins at or before a plaintext offset. */
  #partAt(offset: number): number {
    let low = 0;
    let high = this.#parts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#parts[middle] as PlacedPart).plaintextFirst <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** `first` and `last` are plaintext offsets within the part. */
function slice(part: PlacedPart, first: number, last: number): Slice {
  const { partNumber, partSalt, plaintextBytes } = part;
  const firstSegment = Math.floor(first / SEGMENT_BYTES);
  const lastSegment = Math.floor(last / SEGMENT_BYTES);
  const segmentsFirst = part.storedFirst + PART_HEADER_BYTES;
  const endsPart = lastSegment === segmentCount(plaintextBytes) - 1;
  const storedEnd = endsPart
    ? part.storedFirst + sealedPartBytes(plaintextBytes)
    : segmentsFirst + (lastSegment + 1) * SEALED_SEGMENT_BYTES;
  return {
    partNumber,
    partSalt,
    partPlaintextBytes: plaintextBytes,
    storedFirst: segmentsFirst + firstSegment * SEALED_SEGMENT_BYTES,
    storedLast: storedEnd - 1,
    firstSegment,
    lastSegment,
    skipBytes: first - firstSegment * SEGMENT_BYTES,
    takeBytes: plaintextBytes === 0 ? 0 : last - first + 1,
    includesHeader: false,
  };
}
