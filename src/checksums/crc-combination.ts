import { setImmediate } from 'node:timers/promises';

/** The CRCs that can be computed from those of pieces. All are reflected; initial value and final XOR are all ones. */
export type CrcAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'CRC64XZ';

/**
 * The field in which a CRC is computed: polynomials over GF(2), modulo that of the CRC. They are reflected, so that the
 * lowest term is the highest bit.
 */
interface CrcField {
  /** The size of the CRC. */
  readonly bits: bigint;
  /** The CRC's polynomial without its highest term. */
  readonly polynomial: bigint;
  /** x^(2^i) at index i, computed as far as it was needed. */
  readonly squares: bigint[];
}

const FIELDS: Readonly<Record<CrcAlgorithm, CrcField>> = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n, squares: [] },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n, squares: [] },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n, squares: [] },
  CRC64XZ: { bits: 64n, polynomial: 0xc96c5795d7870f42n, squares: [] },
};

/**
 * How many pieces are combined before other requests get a turn. If all have different lengths, they take some
 * milliseconds.
 */
const FAIR_PIECES = 100;

/** One piece of an object: its CRC and its length. */
export interface CrcPiece {
  /** Big-endian. */
  readonly value: Buffer;
  readonly bytes: number;
}

/**
 * Returns the CRC of all pieces together, in their order, big-endian. For each piece the CRC so far is multiplied by
 * x^(8·length), modulo the CRC's polynomial, and the piece's CRC is added (as zlib's crc32_combine does). That factor
 * is computed once for all pieces of the same length.
 */
export async function combinedCrc(algorithm: CrcAlgorithm, pieces: readonly CrcPiece[]): Promise<Buffer> {
  const field = FIELDS[algorithm];
  const factors = new Map<number, bigint>();
  let crc = 0n;
  for (const [at, { value, bytes }] of pieces.entries()) {
    if (at % FAIR_PIECES === FAIR_PIECES - 1) await setImmediate();
    const factor = factors.get(bytes) ?? shiftBy(bytes, field);
    factors.set(bytes, factor);
    crc = multiply(factor, crc, field) ^ BigInt(`0x${value.toString('hex')}`);
  }
  return Buffer.from(crc.toString(16).padStart(Number(field.bits) / 4, '0'), 'hex');
}

/** Returns x^(8·bytes). */
function shiftBy(bytes: number, field: CrcField): bigint {
  let power = 1n << (field.bits - 1n); // This is x^0.
  let left = BigInt(bytes) * 8n;
  for (let exponent = 0; left > 0n; exponent++, left >>= 1n) {
    if ((left & 1n) === 1n) power = multiply(square(exponent, field), power, field);
  }
  return power;
}

/** Returns x^(2^exponent). */
function square(exponent: number, field: CrcField): bigint {
  const { squares } = field;
  if (squares.length === 0) squares.push(1n << (field.bits - 2n)); // This is x^1.
  while (squares.length <= exponent) {
    const last = squares[squares.length - 1] as bigint;
    squares.push(multiply(last, last, field));
  }
  return squares[exponent] as bigint;
}

function multiply(one: bigint, other: bigint, { bits, polynomial }: CrcField): bigint {
  let product = 0n;
  let factor = other;
  for (let bit = 1n << (bits - 1n); bit > 0n; bit >>= 1n) {
    if ((one & bit) !== 0n) product ^= factor;
    factor = (factor & 1n) === 1n ? (factor >> 1n) ^ polynomial : factor >> 1n;
  }
  return product;
}
