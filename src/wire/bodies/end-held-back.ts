import type { ByteSource } from '../message.ts';

/**
 * Passes a body on, but withholds its last piece until the source has ended cleanly. So a source that verifies its
 * bytes, and fails only at its end, is never passed on as a complete body.
 * @param bytes the length of the body
 */
export async function* endHeldBack(source: ByteSource, bytes: number): AsyncGenerator<Buffer, void, void> {
  const end: Buffer[] = [];
  let seenBytes = 0;
  for await (const piece of source) {
    seenBytes += piece.length;
    if (seenBytes < bytes) yield piece;
    else end.push(Buffer.from(piece)); // A copy is needed, because the source may reuse its buffer.
  }
  yield* end;
}
