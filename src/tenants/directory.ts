import type { KeyRings } from '../keys/key-rings.ts';
import type { Records } from '../keys/records.ts';
import { keyStoreUnavailable } from '../keys/store/record-store.ts';
import type { Secret } from '../secret.ts';
import type { BackendKey } from './backend-key.ts';
import { BUCKET_CLAIMS, type BucketClaim, CLAIMS_ID } from './bucket-claims.ts';
import { BUCKET_DEFAULTS, bucketDefaultsId } from './bucket-defaults.ts';
import { BucketIndex } from './bucket-index.ts';
import { CREDENTIAL, isAccessKeyId } from './credential.ts';
import { RuleSets } from './rules/rule-sets.ts';
import type { Tenant, TenantKind } from './tenant.ts';

/** How often a tenant's record is read again because its rules were replaced just now. */
const ATTEMPTS = 5;

/** To whom an access key belongs, and the secret with which its requests must be signed. */
export interface Caller {
  readonly tenant: Tenant;
  readonly accessKeyId: string;
  readonly secret: Secret;
  /**
   * The key with which the caller's requests go to the backend: its own, or else its tenant's; undefined means the
   * gateway's.
   */
  readonly backend: BackendKey | undefined;
}

/**
 * Finds the caller of an access key. It is used by every request, which mostly costs two cached lookups and no request
 * to the store.
 */
export class Directory {
  readonly #records: Records;
  readonly #keyRings: KeyRings;
  readonly #tenants: TenantKind;
  readonly #ruleSets: RuleSets;
  /** The index of each cached record of claims; when the record changes, a new index is made. */
  readonly #indexes = new WeakMap<readonly BucketClaim[], BucketIndex>();

  constructor(records: Records, keyRings: KeyRings, tenants: TenantKind) {
    this.#records = records;
    this.#keyRings = keyRings;
    this.#tenants = tenants;
    this.#ruleSets = new RuleSets(records, tenants);
  }

  /**
   * Returns whose access key it is; undefined if nobody's.
   * @throws GatewayError KeyStoreUnavailable, KeyUnavailable if a record cannot be read
   */
  async caller(accessKeyId: string): Promise<Caller | undefined> {
    if (!isAccessKeyId(accessKeyId)) return undefined;
    const credential = await this.#records.get(CREDENTIAL, accessKeyId);
    if (credential === undefined) return undefined;
    const tenant = await this.#records.get(this.#tenants, credential.tenant);
    if (tenant === undefined || tenant.id !== credential.tenantId) return undefined;
    const ruled = tenant.ruleSet === undefined ? tenant : await this.#ruled(tenant);
    if (ruled === undefined) return undefined;
    return { tenant: ruled, accessKeyId, secret: credential.secret, backend: credential.backend ?? tenant.backend };
  }

  /**
   * Returns the tenant one of whose patterns matches the bucket; undefined if there is none. Unsigned requests use it.
   * @throws GatewayError KeyStoreUnavailable, KeyUnavailable if a record cannot be read
   */
  async owner(bucket: string): Promise<Tenant | undefined> {
    const claims = await this.#records.get(BUCKET_CLAIMS, CLAIMS_ID);
    if (claims === undefined) return undefined;
    let index = this.#indexes.get(claims);
    if (index === undefined) {
      index = new BucketIndex(claims);
      this.#indexes.set(claims, index);
    }
    const name = index.tenantOf(bucket);
    const tenant = name === undefined ? undefined : await this.#records.get(this.#tenants, name);
    return tenant && this.#ruled(tenant);
  }

  /** Returns the tenant with its rules; undefined if it was removed meanwhile. */
  async #ruled(tenant: Tenant): Promise<Tenant | undefined> {
    let newest: Tenant | undefined = tenant;
    for (let attempt = 1; newest?.id === tenant.id && attempt <= ATTEMPTS; attempt++) {
      const ruled = await this.#ruleSets.ruled(newest);
      if (ruled !== undefined) return ruled;
      newest = await this.#records.refresh(this.#tenants, tenant.name);
    }
    if (newest?.id !== tenant.id) return undefined;
    throw keyStoreUnavailable(new Error('the rules of the tenant are gone'));
  }

  /**
   * Reads every credential, tenant, rule, claim, current key and default of a bucket into the cache. The first requests
   * are then fast, and all records are served while the store is unreachable, not only the busy ones. Records that were
   * deleted meanwhile are skipped.
   */
  async warm(): Promise<void> {
    // They come first, because what is read later stays in the cache where it has no room for all.
    await this.#keyRings.warmNamed();
    await this.#records.get(BUCKET_CLAIMS, CLAIMS_ID);
    for (const accessKeyId of await this.#records.list(CREDENTIAL)) await this.#records.get(CREDENTIAL, accessKeyId);
    for (const name of await this.#records.list(this.#tenants)) {
      const tenant = await this.#records.get(this.#tenants, name);
      if (tenant === undefined) continue;
      await this.#records.get(BUCKET_DEFAULTS, bucketDefaultsId(name), 'find');
      await this.#ruled(tenant).catch(() => undefined);
      await this.#keyRings.current(tenant.ringId).catch(() => undefined);
    }
  }
}
