import { isNamedRingOf, NAMED_RING } from '../keys/key-names.ts';
import { RING } from '../keys/key-ring.ts';
import { openView, tenantWrapKey, viewPlace, wrapView } from '../keys/ledger/tenant-view.ts';
import { wrapPayload } from '../keys/payload.ts';
import { recordName } from '../keys/record-name.ts';
import type { RecordKind, Records } from '../keys/records.ts';
import { type RootKey, rootKeyFromText } from '../keys/root/root-key.ts';
import { CANARY, CANARY_ID } from '../keys/self-test.ts';
import { type RecordStore, RevisionConflict } from '../keys/store/record-store.ts';
import { RecordUnreadable } from '../keys/wrapped-record.ts';
import type { Secret } from '../secret.ts';
import { unknownTenant } from './administration-input.ts';
import { BUCKET_CLAIMS, CLAIMS_ID } from './bucket-claims.ts';
import { BUCKET_DEFAULTS, bucketDefaultsId } from './bucket-defaults.ts';
import { CREDENTIAL } from './credential.ts';
import { partIds, ruleKind } from './rules/rule-records.ts';
import type { Tenant, TenantKind } from './tenant.ts';

const ATTEMPTS = 20;

export interface SidecarViewsOptions {
  readonly store: RecordStore;
  readonly records: Records;
  readonly tenants: TenantKind;
  readonly rootKey: RootKey;
  readonly now: () => Date;
}

/** Writes what sidecars read: for each tenant that has one, a view under the tenant's own wrap key. */
export class SidecarViews {
  readonly #options: SidecarViewsOptions;

  constructor(options: SidecarViewsOptions) {
    this.#options = options;
  }

  /**
   * Makes the tenant's view, or makes it again.
   * @returns the wrap key that opens it
   * @throws GatewayError InvalidArgument
   */
  async create(name: string): Promise<Secret> {
    const tenant = (await this.#options.records.read(this.#options.tenants, name))?.value;
    if (tenant === undefined) throw unknownTenant(name);
    await this.#write(name);
    return tenantWrapKey(this.#options.rootKey, name, tenant.id);
  }

  /** Removes the tenant's view, so that its sidecars admit nobody any more. Returns whether there was a view. */
  remove(name: string): Promise<boolean> {
    return this.#options.store.delete(viewPlace(name));
  }

  /** Writes the view again after a change, if the tenant has one. If the tenant is gone, the view is removed. */
  async publish(name: string): Promise<void> {
    if ((await this.#options.store.revision(viewPlace(name))) !== undefined) await this.#write(name);
  }

  async #write(name: string): Promise<void> {
    const { store, records, tenants, rootKey, now } = this.#options;
    const place = viewPlace(name);
    for (let attempt = 1; ; attempt++) {
      // The view is read before the records, so that whoever writes a view later has seen the records later.
      const held = await store.get(place);
      const tenant = (await records.read(tenants, name))?.value;
      try {
        if (tenant === undefined) {
          await store.delete(place, held && { expectedRevision: held.revision });
          return;
        }
        const key = rootKeyFromText((await tenantWrapKey(rootKey, name, tenant.id)).reveal());
        // The generation is the time, so that a view which is made again, after it was removed or put back, is above
        // those that sidecars saw.
        const generation = Math.max((await generationOf(name, held?.bytes, key)) + 1, now().getTime());
        const bytes = await wrapView(name, { generation, records: await this.#recordsOf(tenant, key) }, key);
        const evenIfFull = held !== undefined; // the new view may say what was revoked
        await store.put(place, bytes, { expectedRevision: held?.revision ?? 'absent', evenIfFull });
        return;
      } catch (error) {
        if (!(error instanceof RevisionConflict) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #recordsOf(tenant: Tenant, key: RootKey): Promise<Map<string, Buffer>> {
    const { records, tenants, now } = this.#options;
    const view = new Map<string, Buffer>();
    const add = async <T>(kind: RecordKind<T>, id: string, value: T): Promise<void> => {
      const name = recordName(kind.name, id);
      view.set(name, await wrapPayload(name, kind.encode(value), key));
    };
    await add(CANARY, CANARY_ID, { createdAt: now().toISOString() });
    await add(tenants, tenant.name, tenant);
    const rules = ruleKind(tenants.protections);
    for (const id of tenant.ruleSet === undefined ? [] : partIds(tenant.ruleSet)) {
      const part = (await records.read(rules, id))?.value;
      if (part === undefined) throw new RevisionConflict(recordName(rules.name, id)); // others took their place
      await add(rules, id, part);
    }
    const claims = (await records.read(BUCKET_CLAIMS, CLAIMS_ID))?.value ?? [];
    await add(
      BUCKET_CLAIMS,
      CLAIMS_ID,
      claims.filter((claim) => claim.tenant === tenant.name),
    );
    const defaults = (await records.read(BUCKET_DEFAULTS, bucketDefaultsId(tenant.name)))?.value;
    if (defaults !== undefined) await add(BUCKET_DEFAULTS, bucketDefaultsId(tenant.name), defaults);
    for (const id of await records.list(CREDENTIAL)) {
      const credential = (await records.read(CREDENTIAL, id))?.value;
      if (credential?.tenant === tenant.name && credential.tenantId === tenant.id)
        await add(CREDENTIAL, id, credential);
    }
    for (const id of await records.list(RING)) {
      const ring = (await records.read(RING, id))?.value;
      if (ring?.tenant === tenant.name) await add(RING, id, ring);
    }
    for (const id of await records.list(NAMED_RING)) {
      const named = isNamedRingOf(tenant.name, id) ? (await records.read(NAMED_RING, id))?.value : undefined;
      if (named !== undefined) await add(NAMED_RING, id, named);
    }
    return view;
  }
}

/** Returns the generation of a view; 0 if there is none, or only that of an earlier tenant of this name. */
async function generationOf(name: string, wrapped: Buffer | undefined, key: RootKey): Promise<number> {
  if (wrapped === undefined) return 0;
  try {
    return (await openView(name, wrapped, key)).generation;
  } catch (error) {
    if (error instanceof RecordUnreadable) return 0;
    throw error;
  }
}
