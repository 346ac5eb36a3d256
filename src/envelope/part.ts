import type { CipherGCM } from 'node:crypto';
import { releaseBuffer } from '../memory/release.ts';
import { corrupted, lengthMismatch } from './corruption.ts';
import type { ObjectKeys } from './object-keys.ts';
import { boundPartHeader, type PartIdentity, readPartHeader, sealPartHeader } from './part-header.ts';
import { SegmentCipher } from './segment.ts';
import { SEALED_SEGMENT_BYTES, SEGMENT_BYTES, segmentCount, TAG_BYTES } from './sizes.ts';

export { type PartIdentity, readPartHeader };

/**
 * Smaller pieces are gathered before they are encrypted, because a call of the cipher costs as much as copying 16 KiB.
 */
const GATHER_BYTES = 16_384;

/**
 * Seals one part: a header, then segments (FORMAT.md §4). It is synchronous. Nothing of the last segment comes out
 * before `finish()`, so a body whose verification fails at its end never becomes a complete part.
 */
export class PartSealer {
  readonly #header48: Buffer;
  readonly #keys: ObjectKeys;
  readonly #segments: SegmentCipher;
  readonly #lastIndex: number;
  #index = 0;
  #cipher: CipherGCM | undefined;
  /** How many bytes of plaintext the part still needs. */
  #partLeft: number;
  /** How many bytes of plaintext the current segment still needs. */
  #segmentLeft: number;
  #gather: Buffer | undefined;
  #gathered = 0;
  #withheld: Buffer[] | undefined = [];

  /** @param part `partSalt` must be fresh for every attempt at a part, because it makes K_part single-use */
  constructor(part: PartIdentity & { readonly keys: ObjectKeys }) {
    const segments = segmentCount(part.plaintextBytes);
    this.#keys = part.keys;
    this.#header48 = boundPartHeader(part);
    this.#segments = new SegmentCipher(part.keys.partKey(this.#header48), segments);
    this.#lastIndex = segments - 1;
    this.#partLeft = part.plaintextBytes;
    this.#segmentLeft = Math.min(SEGMENT_BYTES, part.plaintextBytes);
  }

  /** Makes the part header, 64 bytes, which comes first. */
  header(): Buffer {
    return sealPartHeader(this.#header48, this.#keys);
  }

  /**
   * Encrypts more plaintext. The caller may reuse `chunk` afterwards.
   * @returns the ciphertext that may be sent now: no buffer, one or several, which the caller may keep
   * @throws GatewayError InternalError where more plaintext comes than was announced
   */
  push(chunk: Buffer): Buffer[] {
    if (this.#withheld === undefined || chunk.length > this.#partLeft) throw lengthMismatch();
    const sealed: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      const take = Math.min(chunk.length - at, this.#segmentLeft);
      const out = this.#index === this.#lastIndex ? this.#withheld : sealed;
      this.#add(take === chunk.length ? chunk : chunk.subarray(at, at + take), out);
      at += take;
      this.#partLeft -= take;
      this.#segmentLeft -= take;
      if (this.#segmentLeft === 0 && this.#index !== this.#lastIndex) this.#closeSegment(sealed);
    }
    return sealed;
  }

  /**
   * Gives the last segment.
   * @throws GatewayError InternalError where less plaintext came than was announced
   */
  finish(): Buffer[] {
    const sealed = this.#withheld;
    if (sealed === undefined || this.#partLeft !== 0) throw lengthMismatch();
    this.#withheld = undefined;
    this.#closeSegment(sealed);
    return sealed;
  }

  #add(piece: Buffer, out: Buffer[]): void {
    if (piece.length < GATHER_BYTES && piece.length < this.#segmentLeft) {
      this.#gather ??= Buffer.allocUnsafe(GATHER_BYTES);
      if (piece.length > GATHER_BYTES - this.#gathered) this.#encipherGathered(out);
      this.#gathered += piece.copy(this.#gather, this.#gathered);
      return;
    }
    // A large piece, and one that completes the segment, is not gathered. What was gathered before it comes first.
    this.#encipherGathered(out);
    out.push(this.#current().update(piece));
  }

  #encipherGathered(out: Buffer[]): void {
    if (this.#gathered === 0 || this.#gather === undefined) return;
    out.push(this.#current().update(this.#gather.subarray(0, this.#gathered)));
    this.#gathered = 0;
  }

  #current(): CipherGCM {
    this.#cipher ??= this.#segments.encipher(this.#index);
    return this.#cipher;
  }

  #closeSegment(out: Buffer[]): void {
    this.#encipherGathered(out);
    const cipher = this.#current();
    cipher.final();
    out.push(cipher.getAuthTag());
    this.#cipher = undefined;
    this.#index++;
    this.#segmentLeft = Math.min(SEGMENT_BYTES, this.#partLeft);
  }
}

/**
 * Opens a run of segments of one part. It is synchronous. It takes exactly their stored bytes, in pieces of any size,
 * and gives the plaintext of each segment after its tag was verified. Every failure is the same ObjectCorrupted.
 */
export class SegmentOpener {
  readonly #segments: SegmentCipher;
  readonly #lastWanted: number;
  readonly #lastIndex: number;
  readonly #lastSealedBytes: number;
  #index: number;
  /** The stored bytes of a segment that comes in pieces. The buffer is reused, since plaintext comes in new buffers. */
  #gather: Buffer | undefined;
  #gathered = 0;

  /** @param run `firstSegment` and `lastSegment` are indices within the part, both inclusive */
  constructor(run: {
    readonly keys: ObjectKeys;
    readonly header: PartIdentity;
    readonly firstSegment: number;
    readonly lastSegment: number;
  }) {
    const { keys, header, firstSegment, lastSegment } = run;
    const count = segmentCount(header.plaintextBytes);
    if (!(firstSegment >= 0 && firstSegment <= lastSegment && lastSegment < count)) {
      throw new RangeError('The run of segments does not lie within its part.');
    }
    this.#segments = new SegmentCipher(keys.partKey(boundPartHeader(header)), count);
    this.#index = firstSegment;
    this.#lastWanted = lastSegment;
    this.#lastIndex = count - 1;
    this.#lastSealedBytes = header.plaintextBytes - (count - 1) * SEGMENT_BYTES + TAG_BYTES;
  }

  /**
   * Takes stored bytes, and gives the plaintext of the segments that they complete.
   * @throws GatewayError ObjectCorrupted for a segment whose tag is wrong, and for bytes after the run
   */
  push(chunk: Buffer): Buffer[] {
    const opened: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#index > this.#lastWanted) throw corrupted();
      const sealedBytes = this.#index === this.#lastIndex ? this.#lastSealedBytes : SEALED_SEGMENT_BYTES;
      const take = Math.min(chunk.length - at, sealedBytes - this.#gathered);
      if (take === sealedBytes) opened.push(this.#open(chunk.subarray(at, at + take)));
      else {
        this.#gather ??= Buffer.allocUnsafeSlow(this.#index === this.#lastWanted ? sealedBytes : SEALED_SEGMENT_BYTES);
        this.#gathered += chunk.copy(this.#gather, this.#gathered, at, at + take);
        if (this.#gathered === sealedBytes) opened.push(this.#open(this.#gather.subarray(0, sealedBytes)));
      }
      at += take;
    }
    return opened;
  }

  /** Ends the run. @throws GatewayError ObjectCorrupted where a segment of the run is missing or incomplete */
  finish(): void {
    if (this.#index <= this.#lastWanted) throw corrupted();
    if (this.#gather !== undefined) releaseBuffer(this.#gather);
    this.#gather = undefined;
  }

  #open(sealed: Buffer): Buffer {
    const plaintext = this.#segments.open(this.#index, sealed);
    this.#index++;
    this.#gathered = 0;
    return plaintext;
  }
}
