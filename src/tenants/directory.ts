import type { KeyRings } from '../keys/key-rings.ts';
import type { Records } from '../keys/records.ts';
import type { Secret } from '../secret.ts';
import type { BackendKey } from './backend-key.ts';
import { BUCKET_CLAIMS, type BucketClaim, CLAIMS_ID } from './bucket-claims.ts';
import { BucketIndex } from './bucket-index.ts';
import { CREDENTIAL, isAccessKeyId } from './credential.ts';
import type { Tenant, TenantKind } from './tenant.ts';

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
  /** The index of each cached record of claims; when the record changes, a new index is made. */
  readonly #indexes = new WeakMap<readonly BucketClaim[], BucketIndex>();

  constructor(records: Records, keyRings: KeyRings, tenants: TenantKind) {
    this.#records = records;
    this.#keyRings = keyRings;
    this.#tenants = tenants;
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
    return { tenant, accessKeyId, secret: credential.secret, backend: credential.backend ?? tenant.backend };
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
    return name === undefined ? undefined : this.#records.get(this.#tenants, name);
  }

  /**
   * Reads every credential, tenant, claim and current key into the cache. The first requests are then fast, and all
   * records are served while the store is unreachable, not only the busy ones. Records that were deleted meanwhile are
   * skipped.
   */
  async warm(): Promise<void> {
    // There may be more named keys than the cache has room for. What is read later stays.
    await this.#keyRings.warmNamed();
    await this.#records.get(BUCKET_CLAIMS, CLAIMS_ID);
    for (const accessKeyId of await this.#records.list(CREDENTIAL)) await this.#records.get(CREDENTIAL, accessKeyId);
    for (const name of await this.#records.list(this.#tenants)) {
      const tenant = await this.#records.get(this.#tenants, name);
      if (tenant !== undefined) await this.#keyRings.current(tenant.ringId).catch(() => undefined);
    }
  }
}
