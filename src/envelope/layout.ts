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

/** A contiguous run of stored bytes: the whole segments of one part that hold wanted plaintext. */
export interface Slice {
  readonly partNumber: number;
  readonly partSalt: Buffer;
  readonly partPlaintextBytes: number;
  /** The offset of the first byte in the stored object. */
  readonly storedFirst: number;
  /** The offset of the last byte in the stored object, inclusive. */
  readonly storedLast: number;
  /** The index of the first segment within the part. */
  readonly firstSegment: number;
  /** The index of the last segment within the part, inclusive. */
  readonly lastSegment: number;
  /** How many bytes of the first segment's plaintext come before the wanted ones. */
  readonly skipBytes: number;
  /** How many bytes of plaintext are wanted; 0 for an empty part, of which only the tag is verified. */
  readonly takeBytes: number;
  /** The part header is never in a slice. It is the 64 bytes before segment 0. */
  readonly includesHeader: false;
}

/** A part and its place in the object. */
interface PlacedPart {
  readonly partNumber: number;
  readonly partSalt: Buffer;
  readonly plaintextBytes: number;
  readonly plaintextFirst: number;
  /** The offset of the part's header in the stored object. */
  readonly storedFirst: number;
}

/** Computes which stored bytes of an object hold which plaintext. Nothing is read for that. */
export class Layout {
  readonly plaintextBytes: number;
  /** The size of what comes before the footer. */
  readonly bodyBytes: number;
  /** The stored size of the whole object, E(n). */
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

  /** The layout of an object that was sent by one PUT. It has one part of number 0, which the envelope describes. */
  static single(part: {
    readonly plaintextBytes: number;
    readonly partSalt: Buffer;
    readonly quantum: QuantumId;
  }): Layout {
    return new Layout([{ partNumber: 0, partSalt: part.partSalt, plaintextBytes: part.plaintextBytes }], part.quantum);
  }

  /**
   * The layout of a multipart object, by the manifest in its opened footer.
   * @throws RangeError for the manifest of an object that was sent by one PUT; `single` makes its layout
   */
  static fromManifest(manifest: Manifest, quantum: QuantumId): Layout {
    if (!manifest.multipart) throw new RangeError('The manifest of a PutObject holds no layout.');
    return new Layout(manifest.parts, quantum);
  }

  /**
   * Finds the stored bytes that hold a range of plaintext (inclusive): a slice for each part that it touches, in order.
   * Without a range they are all segments of all parts. Those of empty parts are included, because the whole object is
   * verified only if their tags are, too.
   * @throws RangeError for a range that is not within the object
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

  /** The index of the last part that begins at or before an offset in the plaintext. */
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

/** Makes a slice of a part. `first` and `last` are offsets in the part's plaintext, inclusive. */
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
