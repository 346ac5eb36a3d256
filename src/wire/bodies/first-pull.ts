import type { ByteSource } from '../message.ts';
import { held } from './held-body.ts';

/**
 * A body whose first bytes were pulled already, so that what fails there is still an error answer and not a broken
 * connection. `release` as for `held`; where the first pull fails, it is the caller's.
 */
export async function primed(source: ByteSource, release: () => void): Promise<ByteSource> {
  const pieces = source[Symbol.asyncIterator]();
  return held(pieces, release, await pieces.next());
}
