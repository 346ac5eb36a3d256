import { createCRC64, type IHasher } from 'hash-wasm';
import { combinedCrc } from './crc-combination.ts';
import type { RunningDigest } from './digest.ts';

/**
 * The polynomial of CRC-64/XZ (ECMA-182), reflected. Its initial value and final XOR are all ones, as hash-wasm
 * assumes. OSS and COS tell this CRC of the plaintext.
 */
const CRC64_XZ = 'c96c5795d7870f42';

/** The CRC of no bytes. */
const EMPTY = Buffer.alloc(8);

/** How many instances wait for their next body. Each holds some 100 KiB of memory, and takes 80 µs to make. */
const MOST_IDLE = 32;
const idle: IHasher[] = [];

/** Starts a CRC-64/XZ. Its value has 8 bytes, big-endian. */
export async function startCrc64(): Promise<RunningDigest> {
  const hasher = idle.pop() ?? (await createCRC64(CRC64_XZ));
  hasher.init();
  return {
    update: (chunk) => {
      hasher.update(chunk);
    },
    digest: () => {
      const value = Buffer.from(hasher.digest('binary'));
      // An instance whose body broke off is left to the garbage collector.
      if (idle.length < MOST_IDLE) idle.push(hasher);
      return value;
    },
  };
}

/** Returns the CRC-64/XZ of bytes that are at hand. */
export async function crc64Of(pieces: readonly Buffer[]): Promise<Buffer> {
  const digest = await startCrc64();
  for (const piece of pieces) digest.update(piece);
  return digest.digest();
}

/** A piece of an object. */
interface Crc64Piece {
  readonly plaintextBytes: number;
  readonly crc64?: Buffer | undefined;
}

/** Computes the CRC-64/XZ of all pieces together, in their order; undefined unless it is known of each of them. */
export async function crc64OfPieces(pieces: readonly Crc64Piece[]): Promise<Buffer | undefined> {
  const known: { value: Buffer; bytes: number }[] = [];
  for (const { plaintextBytes, crc64 } of pieces) {
    // The footer has zeros for a CRC that was not computed, and so for that of an empty part.
    const value = crc64 ?? (plaintextBytes === 0 ? EMPTY : undefined);
    if (value === undefined) return undefined;
    known.push({ value, bytes: plaintextBytes });
  }
  return combinedCrc('CRC64XZ', known);
}
