import { clientError, type GatewayError } from '../errors.ts';
import { laterFlag, laterObject, listField, type Payload, PayloadInvalid, textField } from '../keys/payload.ts';
import type { RecordKind, Records } from '../keys/records.ts';
import { RevisionConflict } from '../keys/store/record-store.ts';
import type { BucketEncryption } from '../operations/bucket-encryption.ts';
import { decodePolicy, encodePolicy, type KeptPolicy } from './kept-policy.ts';
import type { Tenant } from './tenant.ts';

/** What clients have set of one bucket: its encryption (S3's PutBucketEncryption), and what is kept of its policy. */
export interface BucketDefault extends BucketEncryption {
  readonly bucket: string;
  /**
   * When the bucket was made, as the store told it while the default was set. A bucket with another date is another
   * bucket. undefined where the store's dates do not last.
   */
  readonly made: Date | undefined;
  /** When it was set. */
  readonly setAt: Date;
  /** The policy of the bucket, where the gateway holds statements of it. */
  readonly policy?: KeptPolicy | undefined;
}

/** The defaults of one tenant's buckets, by the bucket's name. */
export interface TenantBucketDefaults {
  /** The id of the tenant. A tenant that was made again under the same name has another one, and no defaults. */
  readonly tenantId: string;
  readonly buckets: ReadonlyMap<string, BucketDefault>;
  readonly createdAt: Date;
}

/**
 * The kind of record that holds the defaults of a tenant's buckets (docs/keys.md, "Defaults of buckets"). There is one
 * for a tenant and not one for a bucket, so that requests for buckets without a default take no place in the cache. It
 * is a canary by its name, and has a canary's field, because gateways of release 0.1 do not start over records of kinds
 * that they do not know.
 */
export const BUCKET_DEFAULTS: RecordKind<TenantBucketDefaults> = {
  name: 'canary',
  decode: (payload) => ({
    tenantId: textField(payload, 'tenantId'),
    buckets: new Map(
      listField(payload, 'buckets')
        .map(decodeDefault)
        .map((each) => [each.bucket, each]),
    ),
    createdAt: new Date(textField(payload, 'createdAt')),
  }),
  encode: ({ tenantId, buckets, createdAt }) => ({
    tenantId,
    buckets: [...buckets.values()].map(encodeDefault),
    createdAt: createdAt.toISOString(),
  }),
};

/** The id of the record with the defaults of a tenant's buckets. */
export function bucketDefaultsId(tenant: string): string {
  return `bucket-defaults.${tenant}`;
}

function decodeDefault(entry: Payload): BucketDefault {
  const { form, made, keyId, customerKeys } = entry;
  const policy = laterObject(entry, 'policy');
  if (form !== 'managed' && form !== 'kms') throw new PayloadInvalid('form');
  if (customerKeys !== undefined && customerKeys !== 'allowed' && customerKeys !== 'blocked') {
    throw new PayloadInvalid('customerKeys');
  }
  return Object.freeze({
    bucket: textField(entry, 'bucket'),
    made: made === undefined ? undefined : new Date(textField(entry, 'made')),
    setAt: new Date(textField(entry, 'setAt')),
    form,
    keyId: keyId === undefined ? undefined : textField(entry, 'keyId'),
    bucketKey: laterFlag(entry, 'bucketKey'),
    customerKeys,
    policy: policy && decodePolicy(policy),
  });
}

/** Encodes a default. The fields have one order, so that `isSameDefault` can compare texts. */
function encodeDefault({ made, setAt, policy, ...kept }: BucketDefault): Payload {
  const { bucket, form, keyId, bucketKey, customerKeys } = kept;
  const dates = { made: made?.toISOString(), setAt: setAt.toISOString() };
  return { bucket, ...dates, form, keyId, bucketKey, customerKeys, policy: policy && encodePolicy(policy) };
}

/** Whether two defaults are one and the same: of the same bucket, and set by the same request. */
export function isSameDefault(a: BucketDefault | undefined, b: BucketDefault | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return JSON.stringify(encodeDefault(a)) === JSON.stringify(encodeDefault(b));
}

const ATTEMPTS = 20;
/** All policies of a tenant's buckets lie in one record, which each change of one of them writes anew. */
const MOST_POLICY_CHARACTERS = 1024 * 1024;
/** The date of a record without any default, which is not written. */
const NEVER = new Date(0);

export interface BucketDefaultRecordsOptions {
  readonly records: Records;
  /** Is called after each change, and makes sidecars see it. */
  readonly publish: (tenant: string) => Promise<void>;
  /** Whether the key store is a sidecar's, which cannot be written. */
  readonly readOnly: boolean;
}

/** Reads and changes the defaults of tenants' buckets. */
export class BucketDefaultRecords {
  readonly #options: BucketDefaultRecordsOptions;

  constructor(options: BucketDefaultRecordsOptions) {
    this.#options = options;
  }

  /** The default of a bucket, from the cache, which knows of tenants without any too. */
  async get(tenant: Pick<Tenant, 'id' | 'name'>, bucket: string): Promise<BucketDefault | undefined> {
    const held = await this.#options.records.get(BUCKET_DEFAULTS, bucketDefaultsId(tenant.name), 'find');
    return held?.tenantId === tenant.id ? held.buckets.get(bucket) : undefined;
  }

  /** The default of a bucket as the key store has it now. */
  async read(tenant: Pick<Tenant, 'id' | 'name'>, bucket: string): Promise<BucketDefault | undefined> {
    const held = (await this.#options.records.read(BUCKET_DEFAULTS, bucketDefaultsId(tenant.name)))?.value;
    return held?.tenantId === tenant.id ? held.buckets.get(bucket) : undefined;
  }

  /**
   * Changes the default of a bucket. A change that was made before is published again, because that may have failed.
   * @param change is given the bucket's default and returns the new one; undefined removes it. It may be called again.
   * @throws GatewayError KeyStoreUnavailable, NotImplemented in a sidecar, and what `change` throws
   */
  async change(
    tenant: Pick<Tenant, 'id' | 'name'>,
    bucket: string,
    change: (held: BucketDefault | undefined) => BucketDefault | undefined,
  ): Promise<void> {
    const { records, publish, readOnly } = this.#options;
    if (readOnly) throw notInSidecars();
    const id = bucketDefaultsId(tenant.name);
    for (let attempt = 1; ; attempt++) {
      const held = await records.read(BUCKET_DEFAULTS, id);
      const before = held?.value.tenantId === tenant.id ? held.value.buckets : new Map<string, BucketDefault>();
      const wanted = change(before.get(bucket));
      if (isSameDefault(wanted, before.get(bucket))) break;
      const buckets = new Map(before);
      if (wanted === undefined) buckets.delete(bucket);
      else buckets.set(bucket, wanted);
      checkRoom(before, buckets);
      const value = { tenantId: tenant.id, buckets, createdAt: held?.value.createdAt ?? wanted?.setAt ?? NEVER };
      try {
        if (buckets.size > 0) await records.put(BUCKET_DEFAULTS, id, value, held?.revision ?? 'absent');
        else if (held !== undefined) await records.delete(BUCKET_DEFAULTS, id, held.revision);
        break;
      } catch (error) {
        if (!(error instanceof RevisionConflict) || attempt === ATTEMPTS) throw error;
      }
    }
    await publish(tenant.name);
  }
}

/**
 * Checks that the policies of a tenant's buckets are not too large for one record.
 * @throws GatewayError InvalidRequest where they are, and this change makes them larger
 */
function checkRoom(before: ReadonlyMap<string, BucketDefault>, after: ReadonlyMap<string, BucketDefault>): void {
  const characters = charactersOf(after);
  if (characters <= MOST_POLICY_CHARACTERS || characters <= charactersOf(before)) return;
  throw clientError(
    'InvalidRequest',
    'The gateway keeps the policies of buckets that speak of encryption, and at most ' +
      `${MOST_POLICY_CHARACTERS} characters of them for a tenant. Make policies shorter, or remove some.`,
  );
}

function charactersOf(buckets: ReadonlyMap<string, BucketDefault>): number {
  let characters = 0;
  for (const { policy } of buckets.values()) characters += policy?.document.length ?? 0;
  return characters;
}

function notInSidecars(): GatewayError {
  return clientError(
    'NotImplemented',
    'A sidecar does not change how a bucket is encrypted, nor what its policy says of that. Send the request to a gateway that has the root key.',
  );
}
