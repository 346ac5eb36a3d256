import type { ToldOfObjects } from '../dialects/front-dialect.ts';
import type { BucketDefaults } from '../encryption/bucket-default.ts';
import type { BucketPolicies } from '../encryption/bucket-policy/bucket-policies.ts';
import type { KeySource } from '../encryption/key-source.ts';
import type { KeySources } from '../encryption/key-sources.ts';
import type { RegisteredKeys } from '../encryption/registered-keys.ts';
import type { KnownEtags } from '../etags/known-etags.ts';
import type { BucketFormats } from '../formats/bucket-formats.ts';
import type { FormatDesk } from '../formats/format-desk.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { StoreFindings } from '../store/capabilities.ts';
import type { KnownUploads } from '../store/known-uploads.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { UploadQuota } from '../uploads/quota.ts';
import type { Staging } from '../uploads/staging.ts';
import type { StagingRights } from '../uploads/staging-rights.ts';
import type { UploadStates } from '../uploads/upload-states.ts';
import type { WireClient } from '../wire/message.ts';
import type { RequestTrace } from './trace.ts';

/**
 * The parts of the gateway that operations work with. They are the same for every request, except that `store` sends
 * its requests with one asker's rights (admission/askers.ts), and that `store`, `staging` and `budget` draw on the
 * connections and the memory that the request's sharer is allowed (admission/admission.ts).
 */
export interface OperationTools extends Omit<FormatDesk, 'tenant' | 'policy' | 'keys' | 'signal' | 'trace'> {
  /** Makes the source of keys for a request. A copy has a second one made, for reading its source. */
  readonly keySources: KeySources;
  /** What clients have set of the encryption of buckets. */
  readonly bucketDefaults: BucketDefaults;
  /** What clients' policies of buckets say of encryption. */
  readonly bucketPolicies: BucketPolicies;
  /** Knows the customer keys that tenants have registered. */
  readonly registeredKeys: RegisteredKeys;
  /** What the gateway has found out about the store's abilities. */
  readonly findings: StoreFindings;
  /** Gives the formats in which objects lie in the buckets of a policy. */
  readonly formatsFor: (policy: BucketPolicy) => BucketFormats;
  /** Knows the MD5s of objects, for buckets whose policy says that ETags are MD5s. */
  readonly etags: KnownEtags;
  readonly uploads: UploadStates;
  readonly uploadQuota: UploadQuota;
  /** Knows multipart uploads for which the gateway keeps no state, such as those to unsealed buckets. */
  readonly knownUploads: KnownUploads;
  readonly staging: Staging;
  readonly stagingRights: StagingRights;
  /** The dialects that tell the CRC-64 of objects, by name. */
  readonly crc64Dialects: ReadonlySet<string>;
  /** Whether every write computes the CRC-64, because the settings give such a dialect a port of its own. */
  readonly keepsCrc64: boolean;
  /** After how many seconds without a new part the state of an upload expires. */
  readonly uploadKeepSeconds: number;
  /** The region that clients put in their signatures. The gateway names it as the region of every bucket. */
  readonly region: string;
  readonly now: () => Date;
}

/** What the function that carries out an operation gets beside the operation itself. It is made for one request. */
export interface OperationContext extends OperationTools {
  /** The tenant whose bucket and keys are used. */
  readonly tenant: Tenant;
  /** The policy of the bucket; for an operation without a bucket, that of the tenant's first pattern. */
  readonly policy: BucketPolicy;
  /**
   * Whether the CRC-64 of plaintext is computed. `told` means that the request's dialect tells it, `kept` that it is
   * computed at each write because the bucket may be used in such a dialect; undefined where nobody asks for it.
   */
  readonly crc64?: 'told' | 'kept' | undefined;
  /** What the request's dialect tells of objects; undefined where no request is behind the operation. */
  readonly dialect?: ToldOfObjects | undefined;
  /** Who sent the request. */
  readonly client: WireClient;
  /** Gives the keys that new objects are sealed with, and those that existing ones are opened with. */
  readonly keys: KeySource;
  /** The format in which the bucket's objects are written, and those in which they may be read. */
  readonly formats: BucketFormats;
  /** It aborts when the client's connection ends. */
  readonly signal: AbortSignal;
  readonly trace: RequestTrace;
  /**
   * Is told what the answer will say of encryption, as soon as that is known: an answer that begins before its outcome
   * says it, too. undefined where no such answer is possible.
   */
  readonly foretell?: ((encryption: EncryptionFacts | undefined) => void) | undefined;
}
