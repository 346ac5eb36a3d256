import type { Capabilities, Capability } from '../capabilities.ts';

/** What an operator has set about the store. It takes the place of what the gateway finds out. */
export interface StoreOverrides {
  /**
   * True says: uploads that break off replace the object before them, and a Complete that made nothing may be
   * acknowledged.
   */
  readonly careful?: boolean | undefined;
  /** Whether the store obeys conditions on PutObject and CompleteMultipartUpload. */
  readonly conditionalUploads?: boolean | undefined;
  /** Whether it obeys If-Match on deletions. */
  readonly conditionalDeletes?: boolean | undefined;
  /** Whether keys are paths of files or names. */
  readonly keys?: 'paths' | 'names' | undefined;
}

/** Returns the capabilities that the operator has set, with their values. */
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
    // This setting is false for Ceph RGW 16, whose PutObject obeys conditions nevertheless.
    said.conditionalPuts = true;
  }
  if (set.conditionalDeletes !== undefined) said.conditionalDeletes = set.conditionalDeletes;
  if (set.keys !== undefined) {
    said.verbatimKeys = set.keys === 'names';
    said.distinctFirstSlash = set.keys === 'names';
  }
  return said;
}
