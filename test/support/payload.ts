import { createHash } from 'node:crypto';

/**
 * Bytes that look random, the same for the same seed and length: a wrong, missing or shifted byte shows, and so does
 * plaintext at rest.
 */
export function payload(bytes: number, seed = 1): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  const words = new Int32Array(buffer.buffer, 0, bytes >>> 2);
  let state = (seed * 0x9e3779b9) >>> 0 || 1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  for (let at = words.length * 4; at < bytes; at++) buffer[at] = (state >>> ((at % 4) * 8)) & 0xff;
  return buffer;
}

/** In pieces of odd sizes, as a network would bring it. */
export function* inPieces(buffer: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < buffer.length; at += pieceBytes) yield buffer.subarray(at, at + pieceBytes);
}

export function sha256(buffer: Buffer | Uint8Array): string {
  return createHash('sha256').update(buffer).digest('hex');
}
