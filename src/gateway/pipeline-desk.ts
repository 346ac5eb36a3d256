import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { BackendConnection } from '../backend/connection.ts';
import type { PassThroughLane } from '../backend/pass-through-lane.ts';
import { OriginRules } from '../cross-origin/origin-rules.ts';
import type { BackendDialect } from '../dialects/backend-dialect.ts';
import type { FrontDialect, FrontSettings } from '../dialects/front-dialect.ts';
import { BucketDefaults } from '../encryption/bucket-default.ts';
import { BucketPolicies } from '../encryption/bucket-policy/bucket-policies.ts';
import { KeySources } from '../encryption/key-sources.ts';
import type { KeyTransport } from '../encryption/key-transport.ts';
import { RegisteredKeys } from '../encryption/registered-keys.ts';
import { KEY_SOURCES, type KeySourceTable } from '../encryption/sources/table.ts';
import type { EtagIndex } from '../etags/etag-index.ts';
import { KnownEtags, type KnownEtagsOptions } from '../etags/known-etags.ts';
import { Protections } from '../formats/protection.ts';
import { FORMATS } from '../formats/table.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import { createRandomPool } from '../keys/random-pool.ts';
import type { OperationTools } from '../pipeline/context.ts';
import type { HandlerServices } from '../pipeline/handler-services.ts';
import { MemoryBudget } from '../shares/memory-budget.ts';
import { BucketDates } from '../store/bucket-dates.ts';
import type { StoreFindings } from '../store/capabilities.ts';
import { KnownUploads } from '../store/known-uploads.ts';
import { Store } from '../store/store.ts';
import type { BucketDefaultRecords } from '../tenants/bucket-defaults.ts';
import type { Directory } from '../tenants/directory.ts';
import { UploadQuota } from '../uploads/quota.ts';
import { Staging } from '../uploads/staging.ts';
import { StagingRights } from '../uploads/staging-rights.ts';
import type { UploadStates } from '../uploads/upload-states.ts';

/** The memory in which each worker remembers MD5 ETags of objects: some 25,000 of them. */
const ETAG_CACHE_BYTES = 16 * 1024 * 1024;

const OVER_TLS: KeyTransport = { overHttp: 'never', listensOnLoopback: false };

/** What a pipeline is made of: the stores below it, and what the settings say. */
export interface PipelineParts {
  readonly fronts: readonly FrontDialect[];
  readonly settings: FrontSettings;
  /** The dialects that have a port of their own, by name. */
  readonly ownPorts?: readonly string[] | undefined;
  readonly directory: Directory;
  readonly keyRings: KeyRings;
  /** The formats that objects have, and how policies choose them; by default the product's own. */
  readonly protections?: Pick<Protections, 'formatsFor'> | undefined;
  /** The default is the product's own. */
  readonly keySources?: KeySourceTable | undefined;
  readonly bucketDefaults: BucketDefaultRecords;
  /** The section `customerKeys` of the configuration. */
  readonly customerKeys: { readonly newBuckets: 'allow' | 'block' };
  /** The section `encryption` of the configuration, which is the key sources' own. */
  readonly encryption: Readonly<Record<string, unknown>>;
  /** Over which connections customer keys are taken. The default is TLS alone. */
  readonly keyTransport?: KeyTransport | undefined;
  readonly backend: {
    readonly back: BackendDialect;
    readonly connection: BackendConnection;
    readonly lane: PassThroughLane;
    /** Buckets that the store has for purposes of its own, in lower case. */
    readonly reservedBuckets: ReadonlySet<string>;
  };
  /** What the gateway knows about its store. */
  readonly findings: StoreFindings;
  readonly uploads: UploadStates;
  readonly uploadLimits: { readonly openPerTenant: number; readonly keepSeconds: number };
  readonly stagingBucket: string;
  readonly etagIndex: EtagIndex;
  readonly etagKeepSeconds: number;
  readonly etagObserver: KnownEtagsOptions['observer'];
  readonly memoryBytes: number;
}

/** Composes a pipeline, for the gateway, for commands and for tests alike. Its caches are new and empty. */
export function composePipeline(parts: PipelineParts): HandlerServices {
  const { directory, keyRings, uploads, uploadLimits, stagingBucket } = parts;
  const { back, connection, lane, reservedBuckets } = parts.backend;
  const now = () => new Date();
  const memory = new MemoryBudget(parts.memoryBytes);
  const store = new Store(back, connection, { budget: memory, findings: parts.findings, reservedBuckets });
  const dates = new BucketDates(store, parts.findings, () => performance.now());
  const { keepSeconds } = uploadLimits;
  const protections = parts.protections ?? new Protections(FORMATS);
  const bucketDefaults = new BucketDefaults({
    records: parts.bucketDefaults,
    madeAt: (bucket, asks) => dates.of(bucket, asks),
    newBuckets: parts.customerKeys.newBuckets,
    now,
  });
  const crc64Dialects = new Set(
    parts.fronts.filter((front) => front.digests.includes('crc64')).map(({ name }) => name),
  );
  const tools: OperationTools = {
    findings: parts.findings,
    bucketDefaults,
    bucketPolicies: new BucketPolicies({
      records: parts.bucketDefaults,
      defaults: bucketDefaults,
      madeNow: (bucket) => dates.of(bucket, 'now'),
      now,
      newId: () => randomBytes(16).toString('hex'),
    }),
    registeredKeys: new RegisteredKeys(keyRings),
    keySources: new KeySources(parts.keySources ?? KEY_SOURCES, { keyRings }, parts.encryption),
    formatsFor: (policy) => protections.formatsFor(policy),
    store,
    budget: memory,
    etags: openEtags(parts),
    uploads,
    uploadQuota: new UploadQuota({ uploads, limit: uploadLimits.openPerTenant, keepSeconds }),
    knownUploads: new KnownUploads(),
    staging: new Staging({ bucket: stagingBucket, store }),
    stagingRights: new StagingRights(),
    crc64Dialects,
    keepsCrc64: parts.ownPorts?.some((dialect) => crc64Dialects.has(dialect)) === true,
    uploadKeepSeconds: keepSeconds,
    region: parts.settings.region,
    now,
    randomBytes: createRandomPool(),
  };
  return {
    fronts: parts.fronts,
    settings: parts.settings,
    keyTransport: parts.keyTransport ?? OVER_TLS,
    directory,
    lane,
    originRules: new OriginRules({ store, directory, stagingBucket, now }),
    memory,
    tools,
  };
}

/** What the objects of buckets with MD5 ETags are shown as. Its memory is new and empty. */
export function openEtags(
  parts: Pick<PipelineParts, 'etagIndex' | 'etagKeepSeconds' | 'etagObserver' | 'keyRings'>,
): KnownEtags {
  return new KnownEtags({
    index: parts.etagIndex,
    keyRings: parts.keyRings,
    memoryBytes: ETAG_CACHE_BYTES,
    keepSeconds: parts.etagKeepSeconds,
    now: () => new Date(),
    randomBytes,
    observer: parts.etagObserver,
  });
}
