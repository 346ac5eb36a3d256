import type { KeyRings } from '../keys/key-rings.ts';
import type { Records } from '../keys/records.ts';
import type { Secret } from '../secret.ts';
import type { BackendKey } from './backend-key.ts';
import { BUCKET_CLAIMS, type BucketClaim, CLAIMS_ID } from './bucket-claims.ts';
import { BucketIndex } from './bucket-index.ts';
import { CREDENTIAL, isAccessKeyId } from './credential.ts';
import { TENANT, type Tenant } from './tenant.ts';

/** Who an access key belongs to, and the secret that its signatures must show. */
export interface Caller {
  readonly tenant: Tenant;
  readonly accessKeyId: string;
  readonly secret: Secret;
  /** With which the caller's requests go to the backend: its own, else its tenant's; undefined: the gateway's. */
  readonly backend: BackendKey | undefined;
}

/** Access keys to callers, on every request's path: two cached lookups, no request to the store in steady state. */
export class Directory {
  readonly #records: Records;
  readonly #keyRings: KeyRings;
  /** Of the cached record: another record, another index. */
  readonly #indexes = new WeakMap<readonly BucketClaim[], BucketIndex>();

  constructor(records: Records, keyRings: KeyRings) {
    this.#records = records;
    this.#keyRings = keyRings;
  }

  /**
   * Undefined when nobody has this access key.
   * @throws GatewayError KeyStoreUnavailable, KeyUnavailable when a record cannot be read
   */
  async caller(accessKeyId: string): Promise<Caller | undefined> {
    if (!isAccessKeyId(accessKeyId)) return undefined;
    const credential = await this.#records.get(CREDENTIAL, accessKeyId);
    if (credential === undefined) return undefined;
    const tenant = await this.#records.get(TENANT, credential.tenant);
    if (tenant === undefined || tenant.id !== credential.tenantId) return undefined;
    return { tenant, accessKeyId, secret: credential.secret, backend: credential.backend ?? tenant.backend };
  }

  /**
   * The tenant among whose patterns a bucket is, by a request that nobody signed. Undefined when it is nobody's.
   * @throws GatewayError KeyStoreUnavailable, KeyUnavailable when a record cannot be read
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
    return name === undefined ? undefined : this.#records.get(TENANT, name);
  }

  /**
   * Reads every credential, tenant, claim and current key into the cache, so that the first requests are quick and that all
   * of them, not only the busy ones, are served while the store is away. Records that are gone meanwhile are skipped.
   */
  async warm(): Promise<void> {
    await this.#records.get(BUCKET_CLAIMS, CLAIMS_ID);
    for (const accessKeyId of await this.#records.list(CREDENTIAL)) await this.#records.get(CREDENTIAL, accessKeyId);
    for (const name of await this.#records.list(TENANT)) {
      const tenant = await this.#records.get(TENANT, name);
      if (tenant !== undefined) await this.#keyRings.current(tenant.ringId).catch(() => undefined);
    }
  }
}
