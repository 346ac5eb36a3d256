import type { KeySource } from '../encryption/key-source.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Store } from '../store/store.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { Tenant } from '../tenants/tenant.ts';

/** What a format may use while it reads or writes objects for one request. The pipeline's OperationContext is one. */
export interface FormatDesk {
  /** Gives the keys that seal and open the request's objects. */
  readonly keys: KeySource;
  /** The store, which is asked with the requester's rights. */
  readonly store: Store;
  /** The memory that the request may take for bytes in flight: its sharer's share. */
  readonly budget: Budget;
  /** Gives random bytes from a cryptographic source. Salts, object ids and DEKs come from here. */
  readonly randomBytes: (bytes: number) => Buffer;
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  readonly signal: AbortSignal;
  readonly trace: FormatNotes;
}

/** What a format notes for the log and the metrics of a request. */
export interface FormatNotes {
  /** The claims of an object (`location`, `metadata`) that did not hold and that the bucket's policy let pass. */
  warnings: string[] | undefined;
  /** How many sealed objects were refused because the store has lost their envelopes. */
  lostEnvelopes: number;
  /** How many objects were met that the store should have encrypted by itself, and has not. */
  unprotected: number;
  /** Seconds that the cipher took to seal. */
  sealSeconds: number;
  /** Seconds that the cipher took to open. */
  openSeconds: number;
}
