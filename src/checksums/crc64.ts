import { combinedCrc } from './crc-combination.ts';
import { crc64Program } from './crc64-program.ts';
import type { RunningDigest } from './digest.ts';

/** The polynomial of CRC-64/XZ (ECMA-182), reflected. OSS and COS tell this CRC of the plaintext. */
const CRC64_XZ = 0xc96c5795d7870f42n;
/** Its initial value and its final XOR. */
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** The CRC of no bytes. */
const EMPTY = Buffer.alloc(8);

let program: ReturnType<typeof crc64Program> | undefined;

/** Starts a CRC-64/XZ. Its value has 8 bytes, big-endian. */
export function startCrc64(): RunningDigest {
  program ??= crc64Program(CRC64_XZ);
  const carryOn = program;
  let crc = ALL_ONES;
  return {
    update: (chunk) => {
      crc = carryOn(crc, chunk);
    },
    digest: () => {
      const value = Buffer.alloc(8);
      value.writeBigUInt64BE(crc ^ ALL_ONES);
      return value;
    },
  };
}

/** Returns the CRC-64/XZ of bytes that are at hand. */
export function crc64Of(pieces: readonly Buffer[]): Buffer {
  const digest = startCrc64();
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
