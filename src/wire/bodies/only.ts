/** A body that consists of one piece. */
export async function* only(buffer: Buffer): AsyncGenerator<Buffer, void, void> {
  yield buffer;
}
