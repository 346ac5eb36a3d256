import { setImmediate } from 'node:timers/promises';
import { clientError, type GatewayError } from '../../errors.ts';
import type { AskedPolicy, HeldStatement } from '../../operations/bucket-policy.ts';
import type { Operation } from '../../operations/operation.ts';
import type { BucketDefault, BucketDefaultRecords } from '../../tenants/bucket-defaults.ts';
import type { KeptPolicy } from '../../tenants/kept-policy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { type BucketDefaults, isOf, isRefusal, UNSET } from '../bucket-default.ts';
import { actionsOf, type FoldingStore, sourceAction } from './actions.ts';
import { denyingStatement } from './judge.ts';

/** A change that did not end within this time has broken off. It is longer than a store may take for its part. */
const CHANGE_MILLISECONDS = 60_000;

/**
 * After so many actions, which take some milliseconds to judge by a large policy, other requests have their turn.
 * DeleteObjects may have a thousand.
 */
const FAIR_ACTIONS = 10;

/** The store's part in a change. */
export interface PolicyStore {
  /** Checks that the bucket is there, and that the caller may change its policy. @throws GatewayError */
  readonly mayChange: () => Promise<void>;
  /** Sets the store's policy of the bucket; undefined removes it. @throws GatewayError */
  readonly change: (document: Buffer | undefined) => Promise<void>;
}

export interface BucketPoliciesOptions {
  readonly records: Pick<BucketDefaultRecords, 'read' | 'change'>;
  /** Tells what is in force for a bucket. */
  readonly defaults: Pick<BucketDefaults, 'inForce'>;
  /** Tells when a bucket was made; undefined where that cannot be told. */
  readonly madeNow: (bucket: string) => Promise<Date | undefined>;
  readonly now: () => Date;
  /** Makes a name for a change that no other one has. */
  readonly newId: () => string;
}

/**
 * Holds the statements of buckets' policies that no store can hold, because they are about what requests ask of
 * encryption. What it holds goes with the bucket, as the bucket's default encryption does.
 */
export class BucketPolicies {
  readonly #options: BucketPoliciesOptions;

  constructor(options: BucketPoliciesOptions) {
    this.#options = options;
  }

  /**
   * Finds the statement that denies an operation; undefined where none does.
   * @param bucket the operation's bucket; undefined for one on the whole service
   * @param store the store that is asked to carry the operation out
   * @throws GatewayError KeyStoreUnavailable
   */
  async denial(
    operation: Operation,
    {
      bucket,
      tenant,
      store,
    }: { readonly bucket: string | undefined; readonly tenant: Tenant; readonly store: FoldingStore },
  ): Promise<HeldStatement | undefined> {
    const held = await this.#statements(tenant, bucket);
    if (held.length > 0) {
      for (const [at, judged] of actionsOf(operation, store).entries()) {
        const denying = denyingStatement(held, judged);
        if (denying !== undefined) return denying;
        if (at % FAIR_ACTIONS === FAIR_ACTIONS - 1) await setImmediate();
      }
    }
    if (!('source' in operation)) return undefined;
    const judged = sourceAction(operation, store);
    return judged && denyingStatement(await this.#statements(tenant, operation.source.ref.bucket), judged);
  }

  /** What is kept of a bucket's policy, as the key store has it now. @throws GatewayError KeyStoreUnavailable */
  async read(tenant: Tenant, bucket: string): Promise<KeptPolicy | undefined> {
    const { records, madeNow } = this.#options;
    const held = await records.read(tenant, bucket);
    return held?.policy !== undefined && isOf(held, await madeNow(bucket)) ? held.policy : undefined;
  }

  /**
   * Sets a bucket's policy. The new statements are held before the store has its part, and those that were held before
   * until then. So a failure on the way leaves more in force than the client was told, never less.
   * @throws GatewayError OperationAborted while another request changes it; KeyStoreUnavailable; what the store throws
   */
  async put(tenant: Tenant, bucket: string, asked: AskedPolicy, store: PolicyStore): Promise<void> {
    const { document, held, passed } = asked;
    if (held.length === 0) return this.#changeStore(tenant, bucket, () => store.change(document));
    await store.mayChange();
    const next = { document: document.toString('utf8'), statements: held, passes: passed !== undefined };
    await this.#change(tenant, bucket, next, () => store.change(passed));
  }

  /** Removes a bucket's policy. @throws as `put` */
  remove(tenant: Tenant, bucket: string, store: PolicyStore): Promise<void> {
    return this.#changeStore(tenant, bucket, () => store.change(undefined));
  }

  /** Changes a policy to one of which nothing is held. */
  async #changeStore(tenant: Tenant, bucket: string, act: () => Promise<void>): Promise<void> {
    const { records } = this.#options;
    if ((await records.read(tenant, bucket))?.policy !== undefined) {
      return this.#change(tenant, bucket, undefined, act);
    }
    await act();
    // Somebody else has set a policy of which something is held. Which one the store has now is not known.
    if ((await records.read(tenant, bucket))?.policy !== undefined) throw aborted();
  }

  async #change(
    tenant: Tenant,
    bucket: string,
    next: Pick<KeptPolicy, 'document' | 'statements' | 'passes'> | undefined,
    act: () => Promise<void>,
  ): Promise<void> {
    const { records, madeNow, now, newId } = this.#options;
    const made = await madeNow(bucket);
    const change = { id: newId(), since: now() };
    let before: KeptPolicy | undefined;
    await records.change(tenant, bucket, (held) => {
      const kept: BucketDefault =
        held !== undefined && isOf(held, made) ? held : { ...UNSET, bucket, made, setAt: change.since };
      const { policy } = kept;
      if (policy?.change !== undefined && isRecent(policy.change.since, change.since)) throw aborted();
      before = policy && { ...policy, change: undefined };
      if (next !== undefined) {
        const former = before === undefined ? [] : without(next.statements, inForce(before));
        return { ...kept, made: made ?? kept.made, policy: { ...next, former, change } };
      }
      return before === undefined ? withPolicy(kept, undefined) : { ...kept, policy: { ...before, change } };
    });
    /** Ends the change, unless another one has begun, or the bucket is gone. Returns false in the first case. */
    const end = async (policy: (mine: KeptPolicy) => KeptPolicy | undefined): Promise<boolean> => {
      let ended = true;
      await records.change(tenant, bucket, (held) => {
        if (held?.policy === undefined) return held;
        ended = held.policy.change?.id === change.id;
        return ended ? withPolicy(held, policy(held.policy)) : held;
      });
      return ended;
    };
    try {
      await act();
    } catch (error) {
      // A store that gave no clear answer may have changed its part. Then both policies stay in force.
      const undone = end((mine) => (isRefusal(error) ? before : { ...mine, change: undefined }));
      await undone.catch(() => undefined);
      throw error;
    }
    const ended = await end((mine) => (next === undefined ? undefined : { ...mine, former: [], change: undefined }));
    if (!ended) throw aborted();
  }

  async #statements(tenant: Tenant, bucket: string | undefined): Promise<readonly HeldStatement[]> {
    const policy = bucket && (await this.#options.defaults.inForce(tenant, bucket))?.policy;
    return policy ? inForce(policy) : NONE;
  }
}

const NONE: readonly HeldStatement[] = [];

/** The statements that are held: those of the policy, and those before it whose end is not sure. */
function inForce({ statements, former }: KeptPolicy): readonly HeldStatement[] {
  return former.length === 0 ? statements : [...statements, ...former];
}

function without(known: readonly HeldStatement[], statements: readonly HeldStatement[]): readonly HeldStatement[] {
  const texts = new Set(known.map((statement) => JSON.stringify(statement)));
  return statements.filter((statement) => !texts.has(JSON.stringify(statement)));
}

function isRecent(since: Date, now: Date): boolean {
  return now.getTime() - since.getTime() < CHANGE_MILLISECONDS;
}

/** What is kept of a bucket, with this policy; undefined where nothing else was set for it. */
function withPolicy(kept: BucketDefault, policy: KeptPolicy | undefined): BucketDefault | undefined {
  if (policy !== undefined) return { ...kept, policy };
  const { form, bucketKey, customerKeys } = kept;
  const isUnset = form === UNSET.form && bucketKey === UNSET.bucketKey && customerKeys === UNSET.customerKeys;
  return isUnset ? undefined : { ...kept, policy: undefined };
}

function aborted(): GatewayError {
  return clientError(
    'OperationAborted',
    'A conflicting conditional operation is currently in progress against this resource: another request changes ' +
      'the policy of this bucket. Try again.',
  );
}
