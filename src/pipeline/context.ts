import type { KeySource } from '../encryption/key-source.ts';
import type { KeySources } from '../encryption/key-sources.ts';
import type { KnownEtags } from '../etags/known-etags.ts';
import type { BucketFormats } from '../formats/bucket-formats.ts';
import type { FormatDesk } from '../formats/format-desk.ts';
import type { StoreFindings } from '../store/capabilities.ts';
import type { KnownUploads } from '../store/known-uploads.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { UploadQuota } from '../uploads/quota.ts';
import type { Staging } from '../uploads/staging.ts';
import type { StagingRights } from '../uploads/staging-rights.ts';
import type { UploadStates } from '../uploads/upload-states.ts';
import type { RequestTrace } from './trace.ts';

/**
 * What operations use of the gateway, whatever is asked and whoever asks. Its store asks the backend with an asker's
 * rights (admission/askers.ts); of a request's tools, store, staging and memory are its sharer's part.
 */
export interface OperationTools extends Omit<FormatDesk, 'tenant' | 'policy' | 'keys' | 'signal' | 'trace'> {
  /** Makes the keys of a request, and a copy's second ones for its source. */
  readonly keySources: KeySources;
  /** What the store at hand does, as far as the gateway has found out. */
  readonly findings: StoreFindings;
  /** How objects lie in buckets of a policy. */
  readonly formatsFor: (policy: BucketPolicy) => BucketFormats;
  /** What objects are shown as where ETags are MD5s. */
  readonly etags: KnownEtags;
  readonly uploads: UploadStates;
  readonly uploadQuota: UploadQuota;
  /** Uploads of which the gateway keeps no state. */
  readonly knownUploads: KnownUploads;
  readonly staging: Staging;
  readonly stagingRights: StagingRights;
  /** How long an upload that nobody adds to is kept. */
  readonly uploadKeepSeconds: number;
  /** The region that clients sign for: what they are told of every bucket. */
  readonly region: string;
  readonly now: () => Date;
}

/** What an operation's file gets beside its operation: who asks, under which policy, and what it may use. */
export interface OperationContext extends OperationTools {
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  readonly keys: KeySource;
  /** How objects lie in the bucket: what writes there, and what may be read there. */
  readonly formats: BucketFormats;
  readonly signal: AbortSignal;
  readonly trace: RequestTrace;
}
