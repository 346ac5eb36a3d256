import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { clientError } from '../../errors.ts';
import type { RecordKind, Records } from '../../keys/records.ts';
import { RevisionConflict } from '../../keys/store/record-store.ts';
import type { BucketPolicy } from '../bucket-policy.ts';
import type { SidecarViews } from '../sidecar-views.ts';
import type { Tenant, TenantKind } from '../tenant.ts';
import type { BucketRule } from './rule.ts';
import { partIds, partsOf, type RulePart, type RuleSetName, ruleKind } from './rule-records.ts';
import { describeTie, findTies } from './ties.ts';

/** A tenant with the rules that are in force for it, and the revision of its record. */
export interface TenantRules {
  readonly tenant: Tenant;
  readonly revision: number;
  readonly rules: readonly BucketRule[];
}

export interface RuleAdministrationOptions {
  readonly records: Records;
  readonly tenants: TenantKind;
  /** What sidecars read; undefined where there are none. */
  readonly views?: SidecarViews | undefined;
  readonly now?: () => Date;
  readonly randomBytes?: (byteCount: number) => Buffer;
}

/** Records of rules that no tenant names, and that are older than this, were left by a command that died. */
const LEFT_AFTER_MILLISECONDS = 60 * 60 * 1000;

/**
 * Reads the rules that are in force, and replaces them. The records of new rules are written first, under names that
 * nobody knows; then the records of all tenants whose rules change are written together, so that all rules are in force
 * or none.
 */
export class RuleAdministration {
  readonly #records: Records;
  readonly #tenants: TenantKind;
  readonly #rules: RecordKind<RulePart>;
  readonly #views: SidecarViews | undefined;
  readonly #now: () => Date;
  readonly #randomBytes: (byteCount: number) => Buffer;

  constructor({ records, tenants, views, now, randomBytes }: RuleAdministrationOptions) {
    this.#records = records;
    this.#tenants = tenants;
    this.#rules = ruleKind(tenants.protections);
    this.#views = views;
    this.#now = now ?? (() => new Date());
    this.#randomBytes = randomBytes ?? nodeRandomBytes;
  }

  /** Returns every tenant with its rules, sorted by name, as the store holds them now. */
  async read(): Promise<TenantRules[]> {
    const found: TenantRules[] = [];
    for (const name of await this.#records.list(this.#tenants)) {
      const held = await this.#records.read(this.#tenants, name);
      if (held === undefined) continue;
      const rules = await readRules(this.#records, this.#rules, held.value.ruleSet);
      if (rules === undefined) throw changedMeanwhile();
      found.push({ tenant: held.value, revision: held.revision, rules });
    }
    return found;
  }

  /**
   * Puts rules in the place of others, for several tenants at once: all of them or none. What sidecars read is
   * published in any case, even if nothing changes, because an earlier change may have failed to reach them.
   * @param changes the tenants as they were read, and the rules that each shall have
   * @throws GatewayError InvalidArgument if one of the tenants was changed since it was read; KeyStoreUnavailable
   */
  async replace(changes: readonly { readonly before: TenantRules; readonly rules: readonly BucketRule[] }[]) {
    const written: string[] = [];
    try {
      const puts = [];
      for (const { before, rules } of changes) {
        const { name } = before.tenant;
        const value = { ...before.tenant, ruleSet: await this.#write(rules, written) };
        puts.push({ id: name, value, expected: before.revision });
      }
      await this.#records.putTogether(this.#tenants, puts);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      // Nobody names these records, and nobody will.
      for (const id of written) await this.#records.delete(this.#rules, id);
      throw changedMeanwhile();
    }
    if (this.#views !== undefined) {
      for (const name of await this.#records.list(this.#tenants)) await this.#views.publish(name);
    }
    for (const { before } of changes) await removeRules(this.#records, this.#tenants, before.tenant.ruleSet);
    await this.#removeLeft();
  }

  /** Writes the records of new rules, and adds their names to `written`. */
  async #write(rules: readonly BucketRule[], written: string[]): Promise<RuleSetName | undefined> {
    if (rules.length === 0) return undefined;
    const parts = partsOf(rules, this.#now());
    const name = { id: this.#randomBytes(8).toString('hex'), parts: parts.length };
    for (const [at, id] of partIds(name).entries()) {
      await this.#records.put(this.#rules, id, parts[at] as RulePart, 'absent');
      written.push(id);
    }
    return name;
  }

  /** Removes what commands left that died between the records of rules and those of tenants. */
  async #removeLeft(): Promise<void> {
    const named = new Set<string>();
    const ids = await this.#records.list(this.#rules);
    for (const name of await this.#records.list(this.#tenants)) {
      const ruleSet = (await this.#records.read(this.#tenants, name))?.value.ruleSet;
      for (const id of ruleSet === undefined ? [] : partIds(ruleSet)) named.add(id);
    }
    for (const id of ids.filter((each) => !named.has(each))) {
      const createdAt = (await this.#records.read(this.#rules, id))?.value.createdAt;
      // Another command may be about to name those that it has just written.
      if (createdAt !== undefined && this.#now().getTime() - createdAt.getTime() > LEFT_AFTER_MILLISECONDS) {
        await this.#records.delete(this.#rules, id);
      }
    }
  }
}

/** Returns the rules that a tenant's record names, as the store holds them; undefined if they are gone. */
export async function readRules(
  records: Records,
  kind: RecordKind<RulePart>,
  name: RuleSetName | undefined,
): Promise<readonly BucketRule[] | undefined> {
  const rules: BucketRule[] = [];
  for (const id of name === undefined ? [] : partIds(name)) {
    const part = await records.read(kind, id);
    if (part === undefined) return undefined;
    rules.push(...part.value.rules);
  }
  return rules;
}

/** Removes rules that no tenant's record names any more. */
export async function removeRules(records: Records, { protections }: TenantKind, name: RuleSetName | undefined) {
  const kind = ruleKind(protections);
  for (const id of name === undefined ? [] : partIds(name)) await records.delete(kind, id);
}

/**
 * Refuses bucket options that are as specific as a rule in force, and speak of the same.
 * @throws GatewayError InvalidArgument
 */
export async function refuseTies(
  options: readonly BucketPolicy[],
  { name, ruleSet }: Tenant,
  records: Records,
  { protections }: TenantKind,
): Promise<void> {
  const rules = await readRules(records, ruleKind(protections), ruleSet);
  const [tie] = findTies(rules ?? [], options, protections[0]);
  if (tie !== undefined) throw clientError('InvalidArgument', `Tenant ${name}: ${describeTie(tie)}`);
}

function changedMeanwhile(): Error {
  return clientError('InvalidArgument', 'Tenants or their rules were changed by someone else. Try again.');
}
