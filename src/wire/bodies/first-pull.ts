import type { ByteSource } from '../message.ts';
import { held } from './held-body.ts';

/**
 * Pulls the first bytes of a body, before the status line is sent, so that a failure there can still be answered with
 * an error instead of a broken connection. Returns the whole body.
 * @param release as for `held`; where the first pull fails it is not called, and the caller must release
 */
export async function primed(source: ByteSource, release: () => void): Promise<ByteSource> {
  const pieces = source[Symbol.asyncIterator]();
  return held(pieces, release, await pieces.next());
}
