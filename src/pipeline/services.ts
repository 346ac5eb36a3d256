import type { PassThroughLane } from '../backend/pass-through-lane.ts';
import type { FrontDialect, FrontSettings } from '../dialects/front-dialect.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import type { Budget, MemoryBudget } from '../shares/memory-budget.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { Directory } from '../tenants/directory.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { UploadStates } from '../uploads/upload-states.ts';
import type { EnvelopeCache } from './envelope-cache.ts';
import type { KnownEtags } from './known-etags.ts';
import type { KnownUploads } from './known-uploads.ts';
import type { LayoutCache } from './layout-cache.ts';
import type { OriginRules } from './origin-rules.ts';
import type { PlainSizeCache } from './plain-sizes.ts';
import type { Staging } from './staging.ts';
import type { StagingRights } from './staging-rights.ts';
import type { Store } from './store.ts';
import type { RequestTrace } from './trace.ts';
import type { UploadQuota } from './upload-quota.ts';

/** What the pipeline is made of; composed by hand in gateway.ts. */
export interface PipelineServices {
  /** In order of trial; the last one takes what nobody recognises. */
  readonly fronts: readonly FrontDialect[];
  readonly settings: FrontSettings;
  readonly directory: Directory;
  readonly keyRings: KeyRings;
  /** Asks with the rights of whoever made the request (askers.ts). What is the gateway's own business takes another. */
  readonly store: Store;
  readonly lane: PassThroughLane;
  /** Whether an upload that breaks off may replace what lies there, and an acknowledged Complete may have made nothing. */
  readonly careful: boolean;
  /** Whether the backend holds to If-Match on deletions. */
  readonly conditionalDeletes: boolean;
  /** Whether it holds to If-Match and If-None-Match on CompleteMultipartUpload. */
  readonly conditionalUploads: boolean;
  /** The memory: of a request's services, its sharer's part of it. */
  readonly budget: Budget;
  readonly envelopes: EnvelopeCache;
  readonly layouts: LayoutCache;
  readonly plainSizes: PlainSizeCache;
  readonly originRules: OriginRules;
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
  readonly now: () => Date;
  /** Cryptographically strong; salts, object ids and DEKs come from here. */
  readonly randomBytes: (bytes: number) => Buffer;
}

/** The services before it is known for whom they work: the memory is all of it. */
export interface GatewayServices extends PipelineServices {
  readonly budget: MemoryBudget;
}

/** What an operation's file gets beside its operation: who asks, under which policy, and what it may use. */
export interface OperationContext {
  readonly services: PipelineServices;
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  readonly signal: AbortSignal;
  readonly trace: RequestTrace;
}
