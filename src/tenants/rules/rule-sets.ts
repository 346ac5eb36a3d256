import { LRUCache } from 'lru-cache';
import type { Records } from '../../keys/records.ts';
import type { Tenant, TenantKind } from '../tenant.ts';
import { CompiledRules } from './compiled-rules.ts';
import type { BucketRule } from './rule.ts';
import { partIds, type RuleSetName, ruleKind } from './rule-records.ts';

/** How many rules of all tenants a process keeps compiled. */
const MOST_COMPILED = 100_000;

/**
 * Finds the rules that were applied for tenants. A tenant's record names them, so a change of the rules is a change of
 * that record, and is seen as fast. Rules themselves never change: other rules have another name.
 */
export class RuleSets {
  readonly #records: Records;
  readonly #tenants: TenantKind;
  readonly #compiled = new LRUCache<string, CompiledRules>({
    maxSize: MOST_COMPILED,
    sizeCalculation: ({ rules }) => rules.length,
  });
  readonly #loading = new Map<string, Promise<CompiledRules | undefined>>();
  readonly #ruled = new WeakMap<Tenant, Tenant>();

  constructor(records: Records, tenants: TenantKind) {
    this.#records = records;
    this.#tenants = tenants;
  }

  /**
   * Returns the tenant with its rules; always the same one for one record. undefined where the rules that the record
   * names are gone, because others took their place: the record must then be read again.
   * @throws GatewayError KeyStoreUnavailable, KeyUnavailable if a record cannot be read
   */
  async ruled(tenant: Tenant): Promise<Tenant | undefined> {
    if (tenant.ruleSet === undefined) return tenant;
    const known = this.#ruled.get(tenant);
    if (known !== undefined) return known;
    const rules = await this.#rulesOf(tenant.ruleSet);
    if (rules === undefined) return undefined;
    const ruled = Object.freeze({ ...tenant, rules });
    this.#ruled.set(tenant, ruled);
    return ruled;
  }

  /** Loads rules once for all who ask at a time. */
  async #rulesOf(name: RuleSetName): Promise<CompiledRules | undefined> {
    const compiled = this.#compiled.get(name.id);
    if (compiled !== undefined) return compiled;
    let loading = this.#loading.get(name.id);
    if (loading === undefined) {
      loading = this.#load(name).finally(() => this.#loading.delete(name.id));
      this.#loading.set(name.id, loading);
    }
    const rules = await loading;
    if (rules !== undefined) this.#compiled.set(name.id, rules);
    return rules;
  }

  async #load(name: RuleSetName): Promise<CompiledRules | undefined> {
    const kind = ruleKind(this.#tenants.protections);
    const parts = await Promise.all(partIds(name).map((id) => this.#records.get(kind, id)));
    const rules: BucketRule[] = [];
    for (const part of parts) {
      if (part === undefined) return undefined;
      rules.push(...part.rules);
    }
    return new CompiledRules(rules, this.#tenants.protections[0]);
  }
}
