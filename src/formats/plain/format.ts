import { proven } from '../../errors.ts';
import type { ObjectFormat } from '../format.ts';
import { PlainObject } from './plain-object.ts';
import { PlainWriter } from './plain-writer.ts';

/**
 * The format of objects that are stored as they were sent. They have no mark, and nothing in them can be verified, so
 * they are read only where a bucket's policy allows this format.
 */
export const plain: ObjectFormat = {
  name: 'plain',
  asSent: true,
  isMarked: () => false,
  clientMetadata: (metadata) => metadata,
  // What the store says of a plain object cannot be verified. It counts as proven, because the policy accepts that.
  identify: async ({ ref, stored }, desk) => proven(new PlainObject({ format: plain, desk, ref, stored })),
  guess: (range) => (range.kind === 'suffix' ? { suffixBytes: range.bytes } : { first: range.first, last: range.last }),
  remembered: () => undefined,
  forget: () => undefined,
  storedBytes: (plaintextBytes) => plaintextBytes,
  plaintextBytes: (storedBytes) => storedBytes,
  claimedBytes: ({ storedBytes }) => storedBytes,
  endBytes: () => 0,
  begin: async ({ metadata }, plaintextBytes) => new PlainWriter(metadata, plaintextBytes),
  beginPieces: async ({ metadata }) => new PlainWriter(metadata, undefined),
};
