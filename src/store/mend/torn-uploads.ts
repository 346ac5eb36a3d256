import type { StoreFindings } from '../capabilities.ts';

/** Copies of an object onto itself up to here are read and written anew, by one PUT on the condition that it is still there. */
const REWRITTEN_BYTES = 16 * 1024 * 1024;
/** The same where the PUT must be gathered whole before it is sent: it has to fit in memory. */
const REWRITTEN_WHOLE_BYTES = 8 * 1024 * 1024;

/**
 * Whether an object may be sent while its bytes still come. A client may go away at any time, and some stores (Versity
 * S3 Gateway 1.8) then keep what came as the object, in place of what lay there. Such a store gets every PUT whole.
 */
export function mayStream({ capabilities }: StoreFindings): boolean {
  return capabilities.tornUploadsVanish;
}

/** The largest object, in bytes of plaintext, that is cheaper to write anew than to copy onto itself within the store. */
export function mostRewrittenBytes(findings: StoreFindings): number {
  return mayStream(findings) ? REWRITTEN_BYTES : REWRITTEN_WHOLE_BYTES;
}
