import { clientError, type ErrorCode, GatewayError } from '../errors.ts';
import type { AskedBucketEncryption, BucketEncryption } from '../operations/bucket-encryption.ts';
import type { AskedEncryption } from '../operations/encryption.ts';
import type { Operation } from '../operations/operation.ts';
import { type BucketDefault, type BucketDefaultRecords, isSameDefault } from '../tenants/bucket-defaults.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { askedEncryption, beginsObject, writesObject } from './rules.ts';

type AskedKms = Extract<AskedEncryption, { readonly kind: 'kms' }>;

/** The encryption of a bucket for which nobody has set anything. S3 tells the same since 2023. */
export const UNSET: BucketEncryption = { form: 'managed', keyId: undefined, bucketKey: false, customerKeys: undefined };

export interface BucketDefaultsOptions {
  readonly records: Pick<BucketDefaultRecords, 'get' | 'read' | 'change'>;
  /**
   * Tells when a bucket was made; undefined where that cannot be told. `lately` believes what the store told a moment
   * ago.
   */
  readonly madeAt: (bucket: string, asks: 'now' | 'lately') => Promise<Date | undefined>;
  /** Whether new buckets take objects under keys of customers (setting `customerKeys.newBuckets`). */
  readonly newBuckets: 'allow' | 'block';
  readonly now: () => Date;
}

/**
 * Says how new objects of a bucket are encrypted where the request does not say it. The gateway keeps what clients set
 * (S3's PutBucketEncryption) and never gives it to the store. It goes with the bucket: what was set for one that has
 * been deleted since is not in force for another of its name.
 */
export class BucketDefaults {
  readonly #options: BucketDefaultsOptions;

  constructor(options: BucketDefaultsOptions) {
    this.#options = options;
  }

  /**
   * The encryption that an operation gets: what its request asks for, or else the bucket's default where it begins an
   * object or an upload. undefined leaves it to managed keys.
   * @throws GatewayError AccessDenied for a write with a customer key where the bucket blocks them; KeyStoreUnavailable
   */
  async encryptionFor(operation: Operation, tenant: Tenant): Promise<AskedEncryption | undefined> {
    const asked = askedEncryption(operation);
    if (asked === undefined) {
      if (!beginsObject(operation)) return undefined;
      const held = await this.inForce(tenant, operation.ref.bucket);
      return held && defaultOf(held);
    }
    if (asked.kind === 'kms' && beginsObject(operation)) {
      return completed(asked, await this.inForce(tenant, operation.ref.bucket));
    }
    if (asked.kind === 'customer' && writesObject(operation)) {
      const held = await this.inForce(tenant, operation.ref.bucket);
      if (held?.customerKeys === 'blocked') throw customerKeysBlocked();
    }
    return asked;
  }

  /** What a client is told of a bucket that exists. @throws GatewayError KeyStoreUnavailable */
  async read(tenant: Tenant, bucket: string): Promise<BucketEncryption> {
    const { records, madeAt } = this.#options;
    const held = await records.read(tenant, bucket);
    return held !== undefined && isOf(held, await madeAt(bucket, 'now')) ? held : UNSET;
  }

  /** Sets what a client asks for a bucket that exists. @throws GatewayError KeyStoreUnavailable */
  async set(tenant: Tenant, bucket: string, asked: AskedBucketEncryption): Promise<void> {
    const { records, madeAt, now } = this.#options;
    const made = await madeAt(bucket, 'now');
    await records.change(tenant, bucket, (held) => {
      const kept = held !== undefined && isOf(held, made) ? held : undefined;
      const before = kept ?? UNSET;
      const { form, keyId } = asked.method ?? before;
      return {
        bucket,
        made: made ?? kept?.made,
        setAt: now(),
        form,
        keyId,
        bucketKey: asked.bucketKey ?? (asked.method === undefined ? before.bucketKey : false),
        customerKeys: asked.customerKeys ?? before.customerKeys,
        policy: kept?.policy,
      };
    });
  }

  /**
   * Takes back what a client has set as the default of a bucket. Whether customer keys are blocked stays, because only
   * a client that speaks of it should open a bucket for them. So does the bucket's policy.
   * @throws GatewayError KeyStoreUnavailable
   */
  async reset(tenant: Tenant, bucket: string): Promise<void> {
    const { records, madeAt, now } = this.#options;
    const made = await madeAt(bucket, 'now');
    await records.change(tenant, bucket, (held) => {
      if (held === undefined || !isOf(held, made)) return undefined;
      if (held.customerKeys === undefined && held.policy === undefined) return undefined;
      return { ...held, ...UNSET, customerKeys: held.customerKeys, setAt: now() };
    });
  }

  /**
   * Deletes a bucket, and with it what was set for it.
   * @param remove deletes the bucket in the store
   * @throws what `remove` throws
   */
  async deleting(tenant: Tenant, bucket: string, remove: () => Promise<void>): Promise<void> {
    // While the key store is away the bucket is deleted all the same; `isOf` and `creating` find what is left of it.
    const held = await this.#options.records.read(tenant, bucket).catch(() => undefined);
    try {
      await remove();
    } catch (error) {
      if (held !== undefined && isNoSuchBucket(error)) await this.#forgetAfterwards(tenant, held);
      throw error;
    }
    if (held !== undefined) await this.#forgetAfterwards(tenant, held);
  }

  /**
   * Makes a bucket, for which nothing is set but what the settings say of new buckets.
   * @param seals whether the bucket's objects are encrypted at all
   * @param exists says whether the store has the bucket already; undefined where it does not tell the gateway
   * @param make makes the bucket in the store
   * @throws GatewayError KeyStoreUnavailable; what `exists` and `make` throw
   */
  async creating(
    tenant: Tenant,
    bucket: string,
    {
      seals,
      exists,
      make,
    }: {
      readonly seals: boolean;
      readonly exists: () => Promise<boolean | undefined>;
      readonly make: () => Promise<void>;
    },
  ): Promise<void> {
    const { records, newBuckets } = this.#options;
    const left = await records.read(tenant, bucket);
    const blocks = seals && newBuckets === 'block';
    // A store may answer with success where the caller has the bucket already: such an answer makes no new one.
    if (left === undefined && !blocks) return make();
    const there = await exists();
    if (there === true) return make();
    const fresh = blocks ? this.#blocked(bucket) : undefined;
    if (there === undefined && left !== undefined) return this.#makingUnseen(tenant, left, { fresh, make });
    // It is written before the bucket is there, so that no object comes into a bucket that does not block yet.
    await records.change(tenant, bucket, () => fresh);
    try {
      await make();
    } catch (error) {
      if (isRefusal(error)) {
        const undone = records.change(tenant, bucket, (held) => (isSameDefault(held, fresh) ? left : held));
        await undone.catch(() => undefined);
      }
      throw error;
    }
    if (fresh === undefined) return;
    const made = await this.#options.madeAt(bucket, 'now');
    await records.change(tenant, bucket, () => ({ ...fresh, made }));
  }

  /**
   * Makes a bucket of which the gateway may not see whether it is there. A store may acknowledge what was there before,
   * so what was set stays in force, unless the bucket's date shows that it is another one. Otherwise whoever may make
   * buckets could take back what only others may change.
   */
  async #makingUnseen(
    tenant: Tenant,
    left: BucketDefault,
    { fresh, make }: { readonly fresh: BucketDefault | undefined; readonly make: () => Promise<void> },
  ): Promise<void> {
    await make();
    const { records, madeAt } = this.#options;
    const made = await madeAt(left.bucket, 'now');
    if (isOf(left, made)) return;
    await records.change(tenant, left.bucket, (held) =>
      isSameDefault(held, left) ? fresh && { ...fresh, made } : held,
    );
  }

  #blocked(bucket: string): BucketDefault {
    return { ...UNSET, bucket, made: undefined, setAt: this.#options.now(), customerKeys: 'blocked' };
  }

  /** What clients have set of a bucket; undefined for nothing. @throws GatewayError KeyStoreUnavailable */
  async inForce(tenant: Tenant, bucket: string): Promise<BucketDefault | undefined> {
    const { records, madeAt } = this.#options;
    const held = await records.get(tenant, bucket);
    if (held?.made === undefined) return held;
    if (isOf(held, await madeAt(bucket, 'lately'))) return held;
    void this.#forgetAfterwards(tenant, held);
    return undefined;
  }

  /**
   * Removes what was set for a bucket that is gone, unless something else was set meanwhile. Never rejects: after a
   * failure the bucket's date, or the next CreateBucket, shows that it is of another bucket.
   */
  async #forgetAfterwards(tenant: Tenant, gone: BucketDefault): Promise<void> {
    const { records } = this.#options;
    await records
      .change(tenant, gone.bucket, (held) => (isSameDefault(held, gone) ? undefined : held))
      .catch(() => undefined);
  }
}

/** Whether what was set is of the bucket that was made then. A date that is not known speaks for no other bucket. */
export function isOf({ made }: BucketDefault, madeAt: Date | undefined): boolean {
  return made === undefined || madeAt === undefined || made.getTime() === madeAt.getTime();
}

/** What a request without a word about encryption asks for in a bucket with a default. */
function defaultOf({ form, keyId, bucketKey }: BucketEncryption): AskedEncryption | undefined {
  return form === 'managed' ? undefined : { kind: 'kms', keyId, context: undefined, bucketKey };
}

/** What a request for a KMS key asks for: what it leaves open is the default's, where the bucket has one. */
function completed(asked: AskedKms, held: BucketEncryption | undefined): AskedKms {
  if (held?.form !== 'kms' || (asked.keyId !== undefined && asked.bucketKey !== undefined)) return asked;
  return { ...asked, keyId: asked.keyId ?? held.keyId, bucketKey: asked.bucketKey ?? held.bucketKey };
}

function customerKeysBlocked(): GatewayError {
  return clientError(
    'AccessDenied',
    'Objects of this bucket may not be encrypted with keys of customers (SSE-C): PutBucketEncryption blocks them.',
  );
}

/** Whether a store that was to make or change something has not. After other errors it may have. */
export function isRefusal(error: unknown): boolean {
  return error instanceof GatewayError && !MAY_HAVE_BEEN_DONE.has(error.code);
}

const MAY_HAVE_BEEN_DONE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BackendError',
  'BackendUnavailable',
  'InternalError',
  'RequestTimeout', // The client left, and the request to the store was broken off.
  'SlowDown',
]);

function isNoSuchBucket(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'NoSuchBucket';
}
