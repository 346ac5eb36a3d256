import { OWN_BUSINESS, type Sharer } from './sharer.ts';

/**
 * A tenant may hold this many times what is still free, and a client of it this many times what its tenant could still
 * take. So one tenant alone may hold four fifths of everything (and a single client of it 16 parts in 21), ten tenants
 * that want all they can get hold 4 parts in 41 each, and something is always left for one that holds nothing yet,
 * without anything being taken back. These are the "dynamic thresholds" of shared-memory switches: Choudhury and Hahne,
 * IEEE/ACM Transactions on Networking 6(2), 1998.
 */
const BORROWING = 4;

interface TenantShare {
  taken: number;
  readonly clients: Map<string, number>;
}

/** Counts who holds how much of something of which there is a fixed amount: places, or bytes. */
export class FairShares {
  readonly limit: number;
  readonly #tenants = new Map<string, TenantShare>();
  #taken = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  takenByTenant(tenant: string): number {
    return this.#tenants.get(tenant)?.taken ?? 0;
  }

  takenByClient({ tenant, client }: Sharer): number {
    return this.#tenants.get(tenant)?.clients.get(client) ?? 0;
  }

  /**
   * Whether this much more is free and within the sharer's share. A tenant that holds nothing may take whatever is
   * free. So may the gateway for itself, because it takes little and everybody waits for it.
   */
  fits({ tenant, client }: Sharer, amount: number): boolean {
    const free = this.limit - this.#taken - amount;
    if (free < 0) return false;
    if (tenant === OWN_BUSINESS.tenant) return true;
    const share = this.#tenants.get(tenant);
    if (share === undefined) return true;
    const tenantRest = BORROWING * free - share.taken - amount;
    if (tenantRest < 0) return false;
    const taken = share.clients.get(client);
    return taken === undefined || taken + amount <= BORROWING * tenantRest;
  }

  /** Takes this much. It does not check whether that fits (`fits`). */
  take({ tenant, client }: Sharer, amount: number): void {
    if (amount === 0) return;
    this.#taken += amount;
    let share = this.#tenants.get(tenant);
    if (share === undefined) {
      share = { taken: 0, clients: new Map() };
      this.#tenants.set(tenant, share);
    }
    share.taken += amount;
    share.clients.set(client, (share.clients.get(client) ?? 0) + amount);
  }

  /** Gives this much back. A sharer that holds nothing is forgotten. */
  give({ tenant, client }: Sharer, amount: number): void {
    if (amount === 0) return;
    const share = this.#tenants.get(tenant);
    if (share === undefined) throw new Error('A sharer gave back more than it had taken.');
    this.#taken -= amount;
    share.taken -= amount;
    const rest = (share.clients.get(client) ?? 0) - amount;
    if (rest === 0) share.clients.delete(client);
    else share.clients.set(client, rest);
    if (share.clients.size === 0) this.#tenants.delete(tenant);
  }
}
