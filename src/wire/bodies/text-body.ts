import type { ByteSource } from '../message.ts';

/** The size of a piece: large enough to make few writes, and small enough to hold little memory for a slow reader. */
const PIECE_BYTES = 64 * 1024;
/** The most bytes of UTF-8 for one UTF-16 unit. */
const BYTES_A_UNIT = 3;

/**
 * Makes a body of a document's texts. A short document is one buffer. A long one is made piece by piece as the consumer
 * pulls it, so that only one piece of it is held in memory at a time. The pieces share one buffer.
 */
export function textBody(texts: Iterable<string>): Buffer | ByteSource {
  const pieces = inPieces(texts);
  const first = pieces.next();
  // A first piece that is not full is the whole document.
  if (first.done || first.value.length < PIECE_BYTES) return first.done ? Buffer.alloc(0) : first.value;
  return rest(first.value, pieces);
}

/**
 * Yields pieces of at least PIECE_BYTES, except for the last. Texts are written one by one and not joined before,
 * because with one character that is not latin1, V8 would keep two bytes for every character of the joined text.
 */
function* inPieces(texts: Iterable<string>): Generator<Buffer, void, void> {
  let buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let filled = 0;
  for (const text of texts) {
    const needed = filled + text.length * BYTES_A_UNIT;
    if (needed > buffer.length) {
      const larger = Buffer.allocUnsafeSlow(needed + Math.min(buffer.length, SPARE_BYTES));
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    }
    filled += buffer.write(text, filled);
    if (filled < PIECE_BYTES) continue;
    yield buffer.subarray(0, filled);
    filled = 0;
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/** The size of the first buffer. Most documents fit in it. */
const FIRST_BYTES = 8 * 1024;
/** What a buffer gets beyond what is needed now, so that it grows only a few times for a long document. */
const SPARE_BYTES = 32 * 1024;

async function* rest(first: Buffer, others: Iterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield first;
  yield* others;
}
