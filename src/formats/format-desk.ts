import type { KeySource } from '../encryption/key-source.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Store } from '../store/store.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { Tenant } from '../tenants/tenant.ts';

/** What a format may use while it reads or writes objects for one request. A pipeline's context is one. */
export interface FormatDesk {
  /** Which keys seal and open the request's objects. */
  readonly keys: KeySource;
  /** Asks with the rights of whoever made the request. */
  readonly store: Store;
  /** The memory for bytes in flight: of one request, its sharer's part of it. */
  readonly budget: Budget;
  /** Cryptographically strong; salts, object ids and DEKs come from here. */
  readonly randomBytes: (bytes: number) => Buffer;
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  readonly signal: AbortSignal;
  readonly trace: FormatNotes;
}

/** What a format notes for the request's log line. */
export interface FormatNotes {
  /** Claims of an object (`location`, `metadata`) that did not hold, where the bucket's policy lets it pass all the same. */
  warnings: string[] | undefined;
  /** Sealed objects that were refused because the store had lost their envelope. */
  lostEnvelopes: number;
  /** Seconds spent in the cipher. */
  sealSeconds: number;
  openSeconds: number;
}
