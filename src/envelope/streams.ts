import { releaseBuffer } from '../memory/release.ts';
import { BlockWriter } from './block-writer.ts';
import { corrupted } from './corruption.ts';
import { sealFooter } from './footer.ts';
import type { Slice } from './layout.ts';
import type { TypedChecksum } from './manifest.ts';
import type { ObjectKeys } from './object-keys.ts';
import { PartSealer } from './part.ts';
import { maxFooterBytes, type QuantumId, SEALED_SEGMENT_BYTES, sealedBytes, sealedPartBytes } from './sizes.ts';
import { SliceOpener } from './slice-opener.ts';

/** The size of the blocks that are sent to the backend. Four segments cost one write, and a request holds no more. */
const BLOCK_BYTES = 4 * SEALED_SEGMENT_BYTES;

/** The digests of a PutObject, as far as they were computed. */
export interface ObjectDigests {
  readonly md5?: Buffer | undefined;
  readonly checksum?: TypedChecksum | undefined;
  /** The CRC-64/XZ of the plaintext, 8 bytes. */
  readonly crc64?: Buffer | undefined;
}

interface SealPart {
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  /** 16 fresh random bytes. */
  readonly partSalt: Buffer;
  readonly plaintextBytes: number;
  /** Called once, at the end, with the seconds that encryption took. */
  readonly onCipher?: ((seconds: number) => void) | undefined;
}

/** What is needed to seal an object of one part. */
export interface SealObject extends SealPart {
  readonly quantum: QuantumId;
  readonly envelope: Buffer;
  /** 16 fresh random bytes. */
  readonly footerSalt: Buffer;
  /** Gives the digests. It is called once the source has ended. */
  readonly manifest: () => ObjectDigests;
}

/**
 * Seals an object of one part: header, segments and footer, which are `sealedBytes(plaintextBytes, quantum)` bytes in
 * all. The last segment and the footer come only after `source` has ended without an error. A small object comes in one
 * buffer. Each buffer of a larger one is valid until the next is asked for. Ending the iteration early ends the
 * source's as well.
 * @throws GatewayError InternalError where the source has another length, and what the source throws
 */
export function sealObject(source: AsyncIterable<Buffer>, options: SealObject): AsyncGenerator<Buffer, void, void> {
  const totalBytes = sealedBytes(options.plaintextBytes, options.quantum);
  return seal(source, { ...options, partNumber: 0 }, totalBytes, () => objectFooter(options));
}

/**
 * Seals a small object of one part into one buffer, which is returned after `source` has ended without an error.
 * @throws GatewayError InternalError where the source has another length, and what the source throws
 */
export async function sealObjectWhole(source: AsyncIterable<Buffer>, options: SealObject): Promise<Buffer> {
  const watch = new Stopwatch(options.onCipher);
  watch.start();
  const totalBytes = sealedBytes(options.plaintextBytes, options.quantum);
  const sealer = new PartSealer({ ...options, partNumber: 0 });
  const block = new BlockWriter({ totalBytes, blockBytes: totalBytes });
  block.append(sealer.header());
  watch.stop();
  for await (const chunk of source) {
    watch.start();
    block.takeAll(sealer.push(chunk));
    watch.stop();
  }
  watch.start();
  block.takeAll(sealer.finish());
  block.append(objectFooter(options));
  watch.stop();
  watch.report();
  return block.take()[0] as Buffer;
}

function objectFooter({ keys, oid, plaintextBytes, quantum, envelope, footerSalt, manifest }: SealObject): Buffer {
  const { md5, checksum, crc64 } = manifest();
  return sealFooter({
    keys,
    oid,
    envelope,
    manifest: { multipart: false, plaintextBytes, md5, checksum, crc64, parts: [] },
    footerBytes: maxFooterBytes(plaintextBytes, quantum), // an object of one part has the largest footer
    footerSalt,
  });
}

/**
 * Seals one part of a multipart upload: header and segments, which are `sealedPartBytes(plaintextBytes)` bytes in all.
 * The last segment comes only after `source` has ended without an error.
 * @throws GatewayError InternalError where the source has another length, and what the source throws
 */
export function sealPart(
  source: AsyncIterable<Buffer>,
  options: SealPart & { readonly partNumber: number },
): AsyncGenerator<Buffer, void, void> {
  return seal(source, options, sealedPartBytes(options.plaintextBytes), undefined);
}

/**
 * Opens slices of an object (layout.ts) from a stream of its stored bytes. The wanted plaintext comes in order, each
 * segment only after its tag was verified, and each buffer is valid until the next is asked for. Part headers among the
 * bytes are verified as well. After the last slice it stops, and ends the source's iteration.
 * @param options `storedFirst` is the offset in the stored object of the first byte that `source` gives
 * @throws GatewayError ObjectCorrupted where a tag is wrong or the source ends early, and what the source throws
 */
export async function* openSlices(
  source: AsyncIterable<Buffer>,
  options: {
    readonly keys: ObjectKeys;
    readonly oid: Buffer;
    readonly slices: readonly Slice[];
    readonly storedFirst: number;
    /** Called once, at the end, with the seconds that decryption took. */
    readonly onCipher?: ((seconds: number) => void) | undefined;
  },
): AsyncGenerator<Buffer, void, void> {
  const watch = new Stopwatch(options.onCipher);
  const opener = new SliceOpener(options);
  for await (const chunk of source) {
    watch.start();
    const opened = opener.push(chunk);
    watch.stop();
    for (const plaintext of opened) {
      yield plaintext;
      releaseBuffer(plaintext);
    }
    if (opener.done) break;
  }
  if (!opener.done) throw corrupted();
  watch.report();
}

/**
 * Opens slices of an object from one buffer that holds all its stored bytes.
 * @throws GatewayError ObjectCorrupted
 */
export function openWhole(
  stored: Buffer,
  options: { readonly keys: ObjectKeys; readonly oid: Buffer; readonly slices: readonly Slice[] },
): Buffer[] {
  const opener = new SliceOpener({ ...options, storedFirst: 0 });
  const opened = opener.push(stored);
  if (!opener.done) throw corrupted();
  return opened;
}

async function* seal(
  source: AsyncIterable<Buffer>,
  options: SealPart & { readonly partNumber: number },
  totalBytes: number,
  footer: (() => Buffer) | undefined,
): AsyncGenerator<Buffer, void, void> {
  const watch = new Stopwatch(options.onCipher);
  watch.start();
  const sealer = new PartSealer(options);
  const blocks = new BlockWriter({ totalBytes, blockBytes: BLOCK_BYTES });
  blocks.append(sealer.header());
  watch.stop();
  for await (const chunk of source) {
    watch.start();
    blocks.takeAll(sealer.push(chunk));
    watch.stop();
    for (const block of blocks.take()) {
      yield block;
      blocks.giveBack(block);
    }
  }
  watch.start();
  blocks.takeAll(sealer.finish());
  if (footer !== undefined) blocks.append(footer());
  watch.stop();
  for (const block of blocks.take()) {
    yield block;
    blocks.giveBack(block);
  }
  watch.report();
}

/** Sums up the time that the cipher takes, if anyone wants to know it. */
class Stopwatch {
  readonly #report: ((seconds: number) => void) | undefined;
  #startedMs = 0;
  #totalMs = 0;

  constructor(report: ((seconds: number) => void) | undefined) {
    this.#report = report;
  }

  start(): void {
    if (this.#report !== undefined) this.#startedMs = performance.now();
  }

  stop(): void {
    if (this.#report !== undefined) this.#totalMs += performance.now() - this.#startedMs;
  }

  report(): void {
    this.#report?.(this.#totalMs / 1000);
  }
}
