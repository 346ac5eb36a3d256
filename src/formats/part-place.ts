import type { ByteRange } from '../wire/range.ts';
import type { ObjectPart } from './object-details.ts';

/**
 * Finds the range of a part in the plaintext; undefined where there is no such part. For a part without bytes, the
 * range's `last` is its `first` - 1.
 * @param part counts the parts from 1 without gaps, whatever numbers the client gave them
 */
export function placeAmong(
  parts: readonly ObjectPart[],
  part: number,
): { readonly range: ByteRange; readonly partsCount: number } | undefined {
  const entry = parts[part - 1];
  if (entry === undefined) return undefined;
  const first = parts.slice(0, part - 1).reduce((bytes, { plaintextBytes }) => bytes + plaintextBytes, 0);
  return { range: { first, last: first + entry.plaintextBytes - 1 }, partsCount: parts.length };
}
