import type { Capabilities, Capability } from '../capabilities.ts';

/** What an operator says of the store. What is set takes the place of what the gateway finds. */
export interface StoreOverrides {
  /** True: uploads that break off replace what lay there, and a Complete may be acknowledged that made nothing. */
  readonly careful?: boolean | undefined;
  /** Whether the store holds to conditions on PutObject and CompleteMultipartUpload. */
  readonly conditionalUploads?: boolean | undefined;
  /** Whether it holds to If-Match on deletions. */
  readonly conditionalDeletes?: boolean | undefined;
  /** Whether keys are paths of files or names. */
  readonly keys?: 'paths' | 'names' | undefined;
}

/** The capabilities that the operator has spoken of, and what was said. */
export function overridden(set: StoreOverrides): Partial<Capabilities> {
  const said: { -readonly [Name in Capability]?: boolean } = {};
  if (set.careful !== undefined) {
    said.tornUploadsVanish = !set.careful;
    said.truthfulCompletes = !set.careful;
    said.atomicCompletes = !set.careful;
  }
  if (set.conditionalUploads !== undefined) {
    said.conditionalCompletes = set.conditionalUploads;
    said.matchesOwnEtag = set.conditionalUploads;
    // Ceph RGW 16, for which it is set to false, replaces nothing by a PUT that a condition forbids.
    said.conditionalPuts = true;
  }
  if (set.conditionalDeletes !== undefined) said.conditionalDeletes = set.conditionalDeletes;
  if (set.keys !== undefined) {
    said.verbatimKeys = set.keys === 'names';
    said.distinctFirstSlash = set.keys === 'names';
  }
  return said;
}
