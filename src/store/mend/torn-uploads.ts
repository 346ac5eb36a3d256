import type { StoreFindings } from '../capabilities.ts';

/**
 * An object up to this size is copied onto itself by reading it and writing it anew, with one PUT on the condition that
 * it is unchanged.
 */
const REWRITTEN_BYTES = 16 * 1024 * 1024;
/** The same size if the PUT must be collected whole before it is sent, so that it has to fit in memory. */
const REWRITTEN_WHOLE_BYTES = 8 * 1024 * 1024;

/**
 * Whether an object may be sent while its bytes still arrive. A client may disconnect at any time, and some stores
 * (Versity S3 Gateway 1.8) then keep what arrived as the object, in place of the object before it. Such a store gets
 * every PUT whole.
 */
export function mayStream({ capabilities }: StoreFindings): boolean {
  return capabilities.tornUploadsVanish;
}

/**
 * The largest object, in bytes of plaintext, that is written anew because that is cheaper than a copy onto itself
 * within the store.
 */
export function mostRewrittenBytes(findings: StoreFindings): number {
  return mayStream(findings) ? REWRITTEN_BYTES : REWRITTEN_WHOLE_BYTES;
}
