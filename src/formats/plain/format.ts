import { proven } from '../../errors.ts';
import type { ObjectFormat } from '../format.ts';
import { PlainObject } from './plain-object.ts';
import { PlainWriter } from './plain-writer.ts';

/** The client's bytes as they were sent. Such objects bear no mark, and prove nothing: a policy must name this format. */
export const plain: ObjectFormat = {
  name: 'plain',
  asSent: true,
  isMarked: () => false,
  clientMetadata: (metadata) => metadata,
  // The policy lets it be, and then the store's word is all there is.
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
