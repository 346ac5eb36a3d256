const TWO_32 = 0x1_0000_0000;

/** Reads a big-endian u64; undefined for a value that a JavaScript number cannot hold exactly (2^53 and more). */
export function readU64(bytes: Buffer, offset: number): number | undefined {
  const value = bytes.readUInt32BE(offset) * TWO_32 + bytes.readUInt32BE(offset + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Writes a big-endian u64. @throws RangeError for anything but a safe, non-negative integer */
export function writeU64(bytes: Buffer, value: number, offset: number): void {
  requireSize(value);
  bytes.writeUInt32BE(Math.floor(value / TWO_32), offset);
  bytes.writeUInt32BE(value % TWO_32, offset + 4);
}

/** Checks a size. @throws RangeError for anything but a safe, non-negative integer */
export function requireSize(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError('A size must be a safe, non-negative integer.');
}
