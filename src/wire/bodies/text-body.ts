import type { ByteSource } from '../message.ts';

/** Large enough that writes do not count, small enough that a slow reader holds little of a long document. */
const PIECE_BYTES = 64 * 1024;
/** UTF-8 takes at most so many bytes for one UTF-16 unit. */
const BYTES_A_UNIT = 3;

/**
 * A document as its text is put together: one buffer when it is short, else made piece by piece as the reader takes
 * it, so that beside what it is made from only a piece of it is ever held. The pieces share one buffer.
 */
export function textBody(texts: Iterable<string>): Buffer | ByteSource {
  const pieces = inPieces(texts);
  const first = pieces.next();
  // With room for a whole piece left, there was no more to write.
  if (first.done || first.value.length < PIECE_BYTES) return first.done ? Buffer.alloc(0) : first.value;
  return rest(first.value, pieces);
}

/** At least PIECE_BYTES each, but for the last. Texts are written one by one: joined, one that is not ASCII would make V8 keep two bytes for every character of all. */
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

/** Most listings are short. */
const FIRST_BYTES = 8 * 1024;
/** Room beside what is needed now, so that a long document grows its buffer a few times only. */
const SPARE_BYTES = 32 * 1024;

async function* rest(first: Buffer, others: Iterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield first;
  yield* others;
}
