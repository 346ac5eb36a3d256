import { releaseBuffer } from '../memory/release.ts';
import type { Slice } from './layout.ts';
import type { ObjectKeys } from './object-keys.ts';
import { SegmentOpener } from './part.ts';
import { checkPartHeader, type PartIdentity } from './part-header.ts';
import { PART_HEADER_BYTES } from './sizes.ts';

/** Opens the slices of one object from a stream of its stored bytes. It is synchronous, and streams.ts drives it. */
export class SliceOpener {
  readonly #keys: ObjectKeys;
  readonly #oid: Buffer;
  readonly #slices: readonly Slice[];
  /** The index of the slice that is being read, or comes next. */
  #at = 0;
  /** The offset in the stored object of the next byte that comes. */
  #position: number;
  #opener: SegmentOpener | undefined;
  #skipLeft = 0;
  #takeLeft = 0;
  #header: Buffer | undefined;

  constructor(asked: {
    readonly keys: ObjectKeys;
    readonly oid: Buffer;
    readonly slices: readonly Slice[];
    readonly storedFirst: number;
  }) {
    this.#keys = asked.keys;
    this.#oid = asked.oid;
    this.#slices = asked.slices;
    this.#position = asked.storedFirst;
    let free = asked.storedFirst;
    for (const slice of asked.slices) {
      if (slice.storedFirst < free)
        throw new RangeError('The source begins after the slices, or they are out of order.');
      free = slice.storedLast + 1;
    }
  }

  /** Whether all slices came and were verified. */
  get done(): boolean {
    return this.#at === this.#slices.length;
  }

  /**
   * Takes stored bytes, and gives the wanted plaintext of the segments that they complete. Bytes between the slices and
   * after the last are skipped.
   * @throws GatewayError ObjectCorrupted
   */
  push(chunk: Buffer): Buffer[] {
    const opened: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      const slice = this.#slices[this.#at];
      if (slice === undefined) break;
      const end = this.#position < slice.storedFirst ? slice.storedFirst : slice.storedLast + 1;
      const take = Math.min(chunk.length - at, end - this.#position);
      const bytes = chunk.subarray(at, at + take);
      if (this.#position < slice.storedFirst) this.#passOver(bytes, slice);
      else this.#open(bytes, slice, opened);
      at += take;
      this.#position += take;
      if (this.#position > slice.storedLast) this.#closeSlice();
    }
    return opened;
  }

  #open(bytes: Buffer, slice: Slice, opened: Buffer[]): void {
    if (this.#opener === undefined) {
      const { firstSegment, lastSegment } = slice;
      this.#opener = new SegmentOpener({ keys: this.#keys, header: this.#part(slice), firstSegment, lastSegment });
      this.#skipLeft = slice.skipBytes;
      this.#takeLeft = slice.takeBytes;
    }
    for (const plaintext of this.#opener.push(bytes)) {
      const wanted = cutOut(plaintext, this.#skipLeft, this.#takeLeft);
      this.#skipLeft = 0;
      this.#takeLeft -= wanted.length;
      if (wanted.length > 0) opened.push(wanted);
    }
  }

  #closeSlice(): void {
    this.#opener?.finish();
    this.#opener = undefined;
    this.#at++;
  }

  /** Takes bytes that come before a slice. If they contain the whole header of its part, the header is verified. */
  #passOver(bytes: Buffer, slice: Slice): void {
    if (slice.firstSegment !== 0) return;
    const headerFirst = slice.storedFirst - PART_HEADER_BYTES;
    const from = Math.max(0, headerFirst - this.#position);
    if (from >= bytes.length) return;
    const gathered = this.#header === undefined ? bytes.subarray(from) : Buffer.concat([this.#header, bytes]);
    const whole = this.#position + bytes.length === slice.storedFirst;
    // What must wait for the next chunk is copied, because the source may reuse this one.
    this.#header = whole ? undefined : Buffer.from(gathered);
    if (whole && gathered.length === PART_HEADER_BYTES) checkPartHeader(gathered, this.#part(slice), this.#keys);
  }

  #part(slice: Slice): PartIdentity {
    const { partNumber, partSalt, partPlaintextBytes } = slice;
    return { oid: this.#oid, partNumber, partSalt, plaintextBytes: partPlaintextBytes };
  }
}

/**
 * Cuts the wanted bytes out of a segment's plaintext. They are copied to memory of their own, so that the segment can
 * be freed at once, and the copy after use. Otherwise many ranges, each with two cut segments, would cause a full
 * garbage collection every 64 MiB.
 */
function cutOut(plaintext: Buffer, skipBytes: number, takeBytes: number): Buffer {
  const end = Math.min(plaintext.length, skipBytes + takeBytes);
  if (skipBytes === 0 && end === plaintext.length) return plaintext;
  const wanted = Buffer.allocUnsafeSlow(end - skipBytes);
  plaintext.copy(wanted, 0, skipBytes, end);
  releaseBuffer(plaintext);
  return wanted;
}
