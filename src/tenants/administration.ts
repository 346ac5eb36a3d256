import { randomBytes as nodeRandomBytes } from 'node:crypto';
import type { KeyRing } from '../keys/key-ring.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import type { Records } from '../keys/records.ts';
import { RevisionConflict } from '../keys/store/record-store.ts';
import type { BackendKeyOwner, CredentialSummary, IssuedCredential, RemovedTenant } from './administered.ts';
import {
  accessKeyTaken,
  asSecret,
  type CredentialInput,
  checkCredential,
  checkTenantName,
  exists,
  policiesOf,
  refused,
  type TenantChange,
  type TenantInput,
  unknownTenant,
} from './administration-input.ts';
import { checkBackendKey } from './backend-key.ts';
import { claimBuckets } from './bucket-claims.ts';
import { BUCKET_DEFAULTS, bucketDefaultsId } from './bucket-defaults.ts';
import { CREDENTIAL, type Credential, isAccessKeyId, randomAccessKeyId, randomSecret } from './credential.ts';
import { addNamedKey } from './named-keys.ts';
import { refuseTies, removeRules } from './rules/rule-administration.ts';
import { RuleSets } from './rules/rule-sets.ts';
import type { Tenant, TenantKind } from './tenant.ts';

export interface AdministrationOptions {
  readonly records: Records;
  readonly keyRings: KeyRings;
  readonly tenants: TenantKind;
  readonly now?: () => Date;
  readonly randomBytes?: (byteCount: number) => Buffer;
}

/**
 * Makes and removes tenants, credentials and policies. It reads past the cache and writes by compare-and-set, so that
 * of two administrators at once one gets an error, and changes are never mixed. Mistakes are GatewayError
 * InvalidArgument, whose message is shown in the terminal; every method may throw KeyStoreUnavailable.
 */
export class Administration {
  readonly #records: Records;
  readonly #keyRings: KeyRings;
  readonly #tenants: TenantKind;
  readonly #now: () => Date;
  readonly #randomBytes: (byteCount: number) => Buffer;

  constructor({ records, keyRings, tenants, now, randomBytes }: AdministrationOptions) {
    this.#records = records;
    this.#keyRings = keyRings;
    this.#tenants = tenants;
    this.#now = now ?? (() => new Date());
    this.#randomBytes = randomBytes ?? nodeRandomBytes;
  }

  /** Makes a tenant with a key ring and a first access key. If it fails half-way, what was made is removed. */
  async addTenant(input: TenantInput): Promise<IssuedCredential> {
    const { name } = input;
    const { buckets, legacySignatures, backend } = input;
    policiesOf(buckets, this.#tenants.protections);
    checkTenantName(name);
    // The backend key belongs to the tenant, so its first access key gets none.
    const first: CredentialInput = { accessKeyId: input.accessKeyId, secret: input.secret };
    checkCredential(first);
    if (backend) checkBackendKey(backend);
    await this.#refuseTakenAccessKey(input.accessKeyId);
    if ((await this.#read(name)) !== undefined) throw exists(name);
    const ring = await this.#ringFor(input);
    try {
      await this.#reserve(name, ring.id);
    } catch (error) {
      if (input.ringId === undefined) await this.#keyRings.remove(ring.id);
      throw error;
    }
    try {
      await this.changeTenant(name, { buckets, legacySignatures, backend });
      return await this.addCredential(name, first);
    } catch (error) {
      await this.removeTenant(name).catch(() => undefined); // the first error says more
      if (input.ringId === undefined) await this.#keyRings.remove(ring.id).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Removes a tenant, its access keys and its claim on buckets. After a failure it can be repeated. Keys are kept,
   * unless `destroyKeys` is set: then no object of the tenant can ever be opened again.
   */
  async removeTenant(name: string, options: { readonly destroyKeys?: boolean } = {}): Promise<RemovedTenant> {
    const ruleSet = (await this.#records.read(this.#tenants, name))?.value.ruleSet;
    // The tenant is removed first: from here on nobody is admitted, and addCredential removes what it adds.
    const existed = await this.#records.delete(this.#tenants, name);
    const credentials = await this.#orphanedCredentials(name);
    await this.#records.deleteAll(CREDENTIAL, credentials);
    const rings = await this.#orphanedRings(name);
    const destroyedRings = options.destroyKeys === true ? rings : [];
    await this.#keyRings.removeAll(destroyedRings);
    // A tenant that was made under this name meanwhile keeps its named keys.
    if (options.destroyKeys === true && (await this.#read(name)) === undefined) await this.#keyRings.removeNames(name);
    await removeRules(this.#records, this.#tenants, ruleSet);
    await this.#records.delete(BUCKET_DEFAULTS, bucketDefaultsId(name));
    const claimed = await claimBuckets(this.#records, name, []);
    if (!existed && !claimed && credentials.length === 0 && destroyedRings.length === 0) throw unknownTenant(name);
    return { credentials, destroyedRings };
  }

  /** Replaces the settings that are given, and keeps the tenant's others. */
  async changeTenant(name: string, change: TenantChange): Promise<Tenant> {
    const policies = change.buckets && policiesOf(change.buckets, this.#tenants.protections);
    if (change.backend) checkBackendKey(change.backend);
    const held = await this.#records.read(this.#tenants, name);
    if (held === undefined) throw unknownTenant(name);
    const { buckets: old, legacySignatures, backend } = held.value;
    const tenant: Tenant = {
      ...held.value,
      buckets: policies ?? old,
      legacySignatures: change.legacySignatures ?? legacySignatures,
      backend: change.backend === undefined ? backend : (change.backend ?? undefined),
    };
    if (policies !== undefined) await refuseTies(policies, held.value, this.#records, this.#tenants);
    const patterns = tenant.buckets.map(({ pattern }) => pattern);
    // It claims old and new patterns before the change, and only the new ones after it, so that every pattern in force
    // is claimed.
    await claimBuckets(this.#records, name, [...new Set([...old.map(({ pattern }) => pattern), ...patterns])]);
    try {
      await this.#records.put(this.#tenants, name, tenant, held.revision);
    } catch (error) {
      if (error instanceof RevisionConflict)
        throw refused(`The tenant ${name} was changed by someone else. Try again.`);
      throw error;
    }
    await claimBuckets(this.#records, name, patterns);
    return tenant;
  }

  /** Returns all tenants with their rules, sorted by name. */
  async listTenants(): Promise<Tenant[]> {
    const sets = new RuleSets(this.#records, this.#tenants);
    const tenants: Tenant[] = [];
    for (const name of await this.#records.list(this.#tenants)) {
      const held = await this.#records.read(this.#tenants, name);
      const tenant = held && (await sets.ruled(held.value));
      if (tenant !== undefined) tenants.push(tenant);
    }
    return tenants;
  }

  /** Makes another access key for a tenant. */
  async addCredential(name: string, input: CredentialInput = {}): Promise<IssuedCredential> {
    checkCredential(input);
    const tenant = await this.#existing(name);
    const accessKeyId = input.accessKeyId ?? randomAccessKeyId(this.#randomBytes);
    const secret = input.secret === undefined ? randomSecret(this.#randomBytes) : asSecret(input.secret);
    const backend = input.backend ?? undefined;
    const ours = { tenant: name, tenantId: tenant.id, createdAt: this.#now() };
    const credential: Credential = { accessKeyId, secret, backend, ...ours };
    try {
      await this.#records.put(CREDENTIAL, accessKeyId, credential, 'absent');
    } catch (error) {
      if (error instanceof RevisionConflict) throw accessKeyTaken(accessKeyId);
      throw error;
    }
    // The tenant was removed meanwhile, and its credentials were deleted before this one was there.
    if ((await this.#read(name))?.id !== tenant.id) {
      await this.#records.delete(CREDENTIAL, accessKeyId);
      throw unknownTenant(name);
    }
    return { tenant, accessKeyId, secret };
  }

  /** Gives an access key another backend key, or takes it away. */
  async changeCredential(accessKeyId: string, { backend }: Required<Pick<CredentialInput, 'backend'>>): Promise<void> {
    if (backend) checkBackendKey(backend);
    const held = isAccessKeyId(accessKeyId) ? await this.#records.read(CREDENTIAL, accessKeyId) : undefined;
    if (held === undefined) throw refused(`There is no access key ${accessKeyId}.`);
    const credential: Credential = { ...held.value, backend: backend ?? undefined };
    try {
      await this.#records.put(CREDENTIAL, accessKeyId, credential, held.revision);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      throw refused(`The access key ${accessKeyId} was changed by someone else. Try again.`);
    }
  }

  /** Revokes an access key, which ends everywhere within a second. Returns whether there was one. */
  async revokeCredential(accessKeyId: string): Promise<boolean> {
    return isAccessKeyId(accessKeyId) && (await this.#records.delete(CREDENTIAL, accessKeyId));
  }

  /** Returns all access keys, sorted by id, without their secrets. */
  async listCredentials(tenant?: string): Promise<CredentialSummary[]> {
    const credentials: CredentialSummary[] = [];
    for (const id of await this.#records.list(CREDENTIAL)) {
      const held = await this.#records.read(CREDENTIAL, id);
      if (held === undefined || (tenant !== undefined && held.value.tenant !== tenant)) continue;
      const { accessKeyId, tenant: owner, createdAt, backend } = held.value;
      credentials.push({ accessKeyId, tenant: owner, createdAt, backendAccessKeyId: backend?.accessKeyId });
    }
    return credentials;
  }

  /** Returns every backend key, with its secret and its owner, so that it can be checked. */
  async listBackendKeys(): Promise<BackendKeyOwner[]> {
    const owners: BackendKeyOwner[] = [];
    for (const { name, backend } of await this.listTenants()) {
      if (backend !== undefined) owners.push({ tenant: name, accessKeyId: undefined, key: backend });
    }
    for (const id of await this.#records.list(CREDENTIAL)) {
      const credential = (await this.#records.read(CREDENTIAL, id))?.value;
      if (credential?.backend === undefined) continue;
      owners.push({ tenant: credential.tenant, accessKeyId: id, key: credential.backend });
    }
    return owners;
  }

  /** Returns the key rings, oldest first, those of removed tenants included. */
  async listKeys(tenant?: string): Promise<KeyRing[]> {
    const rings = await this.#keyRings.list();
    return tenant === undefined ? rings : rings.filter((ring) => ring.tenant === tenant);
  }

  /** Makes a named key for a tenant. Clients may ask for it from then on (S3's SSE-KMS). */
  async addKey(name: string, keyName: string): Promise<KeyRing> {
    await this.#existing(name);
    return addNamedKey(this.#keyRings, name, keyName);
  }

  /** Makes a new key version, for what the tenant writes from now on. */
  async rotateKey(name: string): Promise<KeyRing> {
    return this.#keyRings.rotate((await this.#existing(name)).ringId);
  }

  async #read(name: string): Promise<Tenant | undefined> {
    return (await this.#records.read(this.#tenants, name))?.value;
  }

  async #existing(name: string): Promise<Tenant> {
    const tenant = await this.#read(name);
    if (tenant === undefined) throw unknownTenant(name);
    return tenant;
  }

  /**
   * Returns the credentials of removed tenants of this name. Another tenant of this name may have been made this very
   * moment.
   */
  async #orphanedCredentials(name: string): Promise<string[]> {
    const orphans: string[] = [];
    for (const id of await this.#records.list(CREDENTIAL)) {
      const credential = (await this.#records.read(CREDENTIAL, id))?.value;
      if (credential?.tenant !== name) continue;
      if (credential.tenantId !== (await this.#read(name))?.id) orphans.push(id);
    }
    return orphans;
  }

  async #orphanedRings(name: string): Promise<string[]> {
    const rings = await this.listKeys(name);
    const inUse = (await this.#read(name))?.ringId;
    const left = inUse === undefined ? rings : rings.filter((ring) => ring.id !== inUse && ring.name === undefined);
    return left.map(({ id }) => id);
  }

  async #ringFor({ name, ringId }: TenantInput): Promise<KeyRing> {
    if (ringId === undefined) return this.#keyRings.create(name);
    const ring = await this.#keyRings.read(ringId);
    // Envelopes are bound to the tenant's name, so the ring of another tenant would open nothing.
    if (ring?.tenant !== name) throw refused(`There is no key ring ${ringId} of a tenant ${name}.`);
    return ring;
  }

  /** Takes the name. The tenant has no buckets yet, so nobody can do anything with it. */
  async #reserve(name: string, ringId: string): Promise<void> {
    const id = this.#randomBytes(8).toString('hex');
    const unset = { buckets: [], legacySignatures: 'none' as const, backend: undefined };
    try {
      await this.#records.put(this.#tenants, name, { name, id, ringId, ...unset, createdAt: this.#now() }, 'absent');
    } catch (error) {
      if (error instanceof RevisionConflict) throw exists(name);
      throw error;
    }
  }

  async #refuseTakenAccessKey(accessKeyId: string | undefined): Promise<void> {
    if (accessKeyId === undefined) return;
    if ((await this.#records.read(CREDENTIAL, accessKeyId)) !== undefined) throw accessKeyTaken(accessKeyId);
  }
}
