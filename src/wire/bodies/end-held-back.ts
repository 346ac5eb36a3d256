import type { ByteSource } from '../message.ts';

/**
 * A body whose last bytes come only once its source ended cleanly: a source that verifies itself to its end can still
 * refuse it before anybody has all of it.
 * @param bytes how many the source has
 */
export async function* endHeldBack(source: ByteSource, bytes: number): AsyncGenerator<Buffer, void, void> {
  const end: Buffer[] = [];
  let seenBytes = 0;
  for await (const piece of source) {
    seenBytes += piece.length;
    if (seenBytes < bytes) yield piece;
    else end.push(Buffer.from(piece)); // the source may reuse its buffer
  }
  yield* end;
}
