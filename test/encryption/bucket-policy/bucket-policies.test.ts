import { describe, expect, it } from 'vitest';
import { BucketDefaults } from '../../../src/encryption/bucket-default.ts';
import { BucketPolicies, type PolicyStore } from '../../../src/encryption/bucket-policy/bucket-policies.ts';
import { clientError, GatewayError } from '../../../src/errors.ts';
import type { AskedPolicy, HeldStatement } from '../../../src/operations/bucket-policy.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import { BucketDefaultRecords } from '../../../src/tenants/bucket-defaults.ts';
import { copyOf, putOf, refusalOf } from '../../pipeline/in-process.ts';
import { openTenancy } from '../../tenants/fixture.ts';

const BUCKET = 'acme-b';
/** A store that takes `/a` and `a` for two objects. */
const DISTINCT = { foldsFirstSlash: false };
const MADE = new Date('2026-01-01');
const OTHER_DATE = new Date('2026-02-02');
const AES256: AskedEncryption = { kind: 'managed', algorithm: 'AES256' };
const KMS: AskedEncryption = { kind: 'kms', keyId: 'cards', context: undefined };

function demands(name: string, method: string): HeldStatement {
  return {
    name,
    actions: ['s3:PutObject'],
    resources: [`${BUCKET}/*`],
    conditions: [{ key: 'method', operator: 'StringNotEquals', values: [method] }],
  };
}

const plain = (text: string): AskedPolicy => ({ document: Buffer.from(text), held: [], passed: Buffer.from(text) });
const MANAGED_ONLY: AskedPolicy = {
  document: Buffer.from('managed only'),
  held: [demands('managed', 'AES256')],
  passed: undefined,
};
const KMS_ONLY: AskedPolicy = {
  document: Buffer.from('kms only'),
  held: [demands('kms', 'aws:kms')],
  passed: Buffer.from('the rest'),
};

/** The store did not answer, or the request to it was broken off. */
const UNCLEAR = (['BackendUnavailable', 'RequestTimeout'] as const).map(
  (code) => new GatewayError(code, 'No answer.', { source: 'backend' }),
);

async function stand() {
  const tenancy = await openTenancy();
  const { tenant } = await tenancy.administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
  let made: Date | undefined = MADE;
  let seconds = 0;
  const now = () => new Date(1_800_000_000_000 + 1000 * seconds++);
  const madeAt = async () => made;
  const defaults = new BucketDefaults({ records: tenancy.bucketDefaults, madeAt, newBuckets: 'allow', now });
  let id = 0;
  const over = (records: Pick<BucketDefaultRecords, 'read' | 'change'>) =>
    new BucketPolicies({ records, defaults, madeNow: madeAt, now, newId: () => String(++id) });
  const policies = over(tenancy.bucketDefaults);
  /** What the store has, and what it does when it is asked to change it. */
  const backend = { has: undefined as string | undefined, asked: 0, meanwhile: async () => undefined as unknown };
  const store: PolicyStore = {
    mayChange: async () => undefined,
    async change(document) {
      backend.asked++;
      await backend.meanwhile();
      backend.has = document?.toString();
    },
  };
  const denies = async (encryption?: AskedEncryption) =>
    (
      await policies.denial(
        { ...putOf('k'), ref: { bucket: BUCKET, key: 'k' }, encryption },
        { bucket: BUCKET, tenant, store: DISTINCT },
      )
    )?.name;
  return {
    ...{ tenancy, tenant, policies, defaults, backend, store, over, denies },
    put: (asked: AskedPolicy, by = policies) => by.put(tenant, BUCKET, asked, store),
    remove: () => policies.remove(tenant, BUCKET, store),
    document: async () => (await policies.read(tenant, BUCKET))?.document,
    kept: () => tenancy.bucketDefaults.read(tenant, BUCKET),
    /** What is denied of requests that say nothing, AES256, and KMS. */
    verdicts: async () => [await denies(), await denies(AES256), await denies(KMS)],
    makeAnew: (date: Date | undefined) => {
      made = date;
    },
    wait: (more: number) => {
      seconds += more;
    },
  };
}

describe('a policy', () => {
  it('is held from when it is set until it is removed', async () => {
    const { put, remove, verdicts, document, kept, backend } = await stand();
    expect(await verdicts()).toEqual([undefined, undefined, undefined]);
    await put(MANAGED_ONLY);
    expect(await verdicts()).toEqual(['managed', undefined, 'managed']);
    expect([await document(), backend.has]).toEqual(['managed only', undefined]);
    await put(KMS_ONLY);
    expect(await verdicts()).toEqual(['kms', 'kms', undefined]);
    expect([await document(), backend.has]).toEqual(['kms only', 'the rest']);
    await remove();
    expect(await verdicts()).toEqual([undefined, undefined, undefined]);
    expect([await document(), backend.has, await kept()]).toEqual([undefined, undefined, undefined]);
  });

  it('of which nothing is held is the store’s alone', async () => {
    const { put, verdicts, document, kept, backend } = await stand();
    await put(plain('public'));
    expect([await document(), backend.has, await kept()]).toEqual([undefined, 'public', undefined]);
    await put(MANAGED_ONLY);
    await put(plain('public again'));
    expect([await document(), backend.has, await kept()]).toEqual([undefined, 'public again', undefined]);
    expect(await verdicts()).toEqual([undefined, undefined, undefined]);
  });

  it('and the bucket’s default encryption leave each other as they are', async () => {
    const { put, remove, defaults, tenant, denies, kept } = await stand();
    const method = { form: 'kms', keyId: 'cards' } as const;
    await put(KMS_ONLY);
    await defaults.set(tenant, BUCKET, { method, bucketKey: true, customerKeys: undefined });
    // What the default makes of a request is not what the request says.
    expect([await denies(), await denies(KMS)]).toEqual(['kms', undefined]);
    await put(MANAGED_ONLY);
    expect(await kept()).toMatchObject({ form: 'kms', keyId: 'cards', bucketKey: true });
    await defaults.reset(tenant, BUCKET);
    expect(await kept()).toMatchObject({ form: 'managed', keyId: undefined, bucketKey: false });
    expect(await denies()).toBe('managed');
    await defaults.set(tenant, BUCKET, { method, bucketKey: undefined, customerKeys: 'blocked' });
    await remove();
    expect(await kept()).toMatchObject({ form: 'kms', customerKeys: 'blocked', policy: undefined });
  });

  it('goes with its bucket', async () => {
    for (const date of [OTHER_DATE, MADE]) {
      const { put, verdicts, document, makeAnew } = await stand();
      await put(MANAGED_ONLY);
      makeAnew(date);
      expect([(await verdicts())[0], await document()]).toEqual(
        date === MADE ? ['managed', 'managed only'] : [undefined, undefined],
      );
    }
    // A store that does not tell dates makes no bucket another one.
    const { put, verdicts, makeAnew } = await stand();
    await put(MANAGED_ONLY);
    makeAnew(undefined);
    expect((await verdicts())[0]).toBe('managed');
  });

  it('of a bucket before it is nothing to a new one’s', async () => {
    const { put, verdicts, makeAnew, kept } = await stand();
    await put(MANAGED_ONLY);
    makeAnew(OTHER_DATE);
    await put(KMS_ONLY);
    expect(await verdicts()).toEqual(['kms', 'kms', undefined]);
    expect(await kept()).toMatchObject({ made: OTHER_DATE, policy: { former: [], change: undefined } });
  });

  it('has room', async () => {
    const { put, remove, verdicts, kept, tenant, policies, store } = await stand();
    const of = (characters: number) => ({ ...MANAGED_ONLY, document: Buffer.alloc(characters, 'x') });
    await policies.put(tenant, 'acme-large', of(1024 * 1024 - 20), store);
    expect(await refusalOf(put(of(21)))).toBe('InvalidRequest');
    expect(await verdicts()).toEqual([undefined, undefined, undefined]);
    await put(of(20));
    expect((await kept())?.policy?.document).toHaveLength(20);
    await remove();
    await policies.remove(tenant, 'acme-large', store);
    await put(of(21));
    expect(await verdicts()).toEqual(['managed', undefined, 'managed']);
  });
});

describe('while a policy is changed', () => {
  it('the new one and the one before are both held until the store has its part', async () => {
    const { put, verdicts, backend } = await stand();
    let during: unknown;
    backend.meanwhile = async () => {
      during = await verdicts();
    };
    await put(MANAGED_ONLY);
    expect(during).toEqual(['managed', undefined, 'managed']);
    await put(KMS_ONLY);
    expect(during).toEqual(['kms', 'kms', 'managed']);
    expect(await verdicts()).toEqual(['kms', 'kms', undefined]);
  });

  it('to nothing that is held, or removed, the one before is held', async () => {
    const { put, remove, verdicts, backend } = await stand();
    let during: unknown;
    backend.meanwhile = async () => {
      during = await verdicts();
    };
    await put(MANAGED_ONLY);
    await put(plain('public'));
    expect(during).toEqual(['managed', undefined, 'managed']);
    await put(MANAGED_ONLY);
    during = undefined;
    await remove();
    expect(during).toEqual(['managed', undefined, 'managed']);
  });

  it('another change waits its turn', async () => {
    const { put, remove, verdicts, document, backend } = await stand();
    const others: string[] = [];
    backend.meanwhile = async () => {
      if (others.length > 0) return;
      others.push('begun');
      for (const other of [put(KMS_ONLY), put(plain('public')), remove()]) others.push(await refusalOf(other));
    };
    await put(MANAGED_ONLY);
    expect(others).toEqual(['begun', 'OperationAborted', 'OperationAborted', 'OperationAborted']);
    expect([await document(), backend.has, backend.asked]).toEqual(['managed only', undefined, 1]);
    expect(await verdicts()).toEqual(['managed', undefined, 'managed']);
  });

  it('one of which nothing is held does not pass for set when another was set meanwhile', async () => {
    const { put, backend, verdicts } = await stand();
    let nested = false;
    backend.meanwhile = async () => {
      if (nested) return;
      nested = true;
      await put(MANAGED_ONLY);
    };
    expect(await refusalOf(put(plain('public')))).toBe('OperationAborted');
    expect(await verdicts()).toEqual(['managed', undefined, 'managed']);
  });

  it('one that never ended is taken over after a minute, and all of it stays in force until then', async () => {
    const { put, verdicts, backend, wait, kept } = await stand();
    await put(MANAGED_ONLY);
    let end: (() => void) | undefined;
    backend.meanwhile = () =>
      new Promise<void>((resolve) => {
        end ??= resolve;
        if (end !== resolve) resolve();
      });
    const slow = put(KMS_ONLY);
    await expect.poll(() => end).toBeDefined();
    expect(await refusalOf(put(MANAGED_ONLY))).toBe('OperationAborted');
    expect(await verdicts()).toEqual(['kms', 'kms', 'managed']);
    wait(60);
    await put(MANAGED_ONLY);
    expect(await verdicts()).toEqual(['managed', undefined, 'managed']);
    end?.();
    // Its own client is not told that it was set.
    expect(await refusalOf(slow)).toBe('OperationAborted');
    expect((await kept())?.policy).toMatchObject({ document: 'managed only', former: [], change: undefined });
  });
});

describe('when a change fails', () => {
  it('and the store refused its part, the one before is in force as it was', async () => {
    const { put, remove, verdicts, document, backend, kept } = await stand();
    backend.meanwhile = async () => {
      throw clientError('InvalidArgument', 'No such policy.');
    };
    expect(await refusalOf(put(MANAGED_ONLY))).toBe('InvalidArgument');
    expect([await verdicts(), await kept()]).toEqual([[undefined, undefined, undefined], undefined]);
    backend.meanwhile = async () => undefined;
    await put(MANAGED_ONLY);
    const before = await kept();
    backend.meanwhile = async () => {
      throw clientError('AccessDenied', 'No.');
    };
    for (const change of [() => put(KMS_ONLY), () => put(plain('public')), remove]) {
      expect(await refusalOf(change())).toBe('AccessDenied');
      expect(await kept()).toEqual(before);
    }
    expect([await verdicts(), await document()]).toEqual([['managed', undefined, 'managed'], 'managed only']);
  });

  it.each(UNCLEAR)(
    'and nobody knows what the store did ($code), both stay in force until the next',
    async (unclear) => {
      const { put, remove, verdicts, backend, kept } = await stand();
      await put(MANAGED_ONLY);
      backend.meanwhile = async () => {
        throw unclear;
      };
      for (let times = 0; times < 2; times++) {
        expect(await refusalOf(put(KMS_ONLY))).toBe(unclear.code);
        expect(await verdicts()).toEqual(['kms', 'kms', 'managed']);
        expect((await kept())?.policy?.former).toHaveLength(1);
      }
      expect(await refusalOf(put(plain('public')))).toBe(unclear.code);
      expect(await refusalOf(remove())).toBe(unclear.code);
      expect(await verdicts()).toEqual(['kms', 'kms', 'managed']);
      backend.meanwhile = async () => undefined;
      await put(KMS_ONLY);
      expect(await verdicts()).toEqual(['kms', 'kms', undefined]);
    },
  );

  it('and the key store is away, more is in force than was told, and never less', async () => {
    const { put, verdicts, backend, over, tenancy, kept, wait } = await stand();
    await put(MANAGED_ONLY);
    const away = new GatewayError('KeyStoreUnavailable', 'Away.', { source: 'keys' });
    let changes = 0;
    const failing = (from: number) => {
      changes = 0;
      return over({
        read: (...asked) => tenancy.bucketDefaults.read(...asked),
        change: async (...asked) => {
          if (++changes >= from) throw away;
          await tenancy.bucketDefaults.change(...asked);
        },
      });
    };
    // Before the store was asked: nothing has changed.
    expect(await refusalOf(put(KMS_ONLY, failing(1)))).toBe('KeyStoreUnavailable');
    expect([await verdicts(), backend.has]).toEqual([['managed', undefined, 'managed'], undefined]);
    // After the store was asked.
    expect(await refusalOf(put(KMS_ONLY, failing(2)))).toBe('KeyStoreUnavailable');
    expect([await verdicts(), backend.has]).toEqual([['kms', 'kms', 'managed'], 'the rest']);
    // After the store refused its part, so that nothing could be undone.
    wait(60);
    backend.meanwhile = async () => {
      throw clientError('AccessDenied', 'No.');
    };
    expect(await refusalOf(put(MANAGED_ONLY, failing(2)))).toBe('AccessDenied');
    expect(await verdicts()).toEqual(['managed', 'kms', 'managed']);
    expect((await kept())?.policy).toMatchObject({ document: 'managed only', former: [KMS_ONLY.held[0]] });
  });

  it('for who may not change it, nothing is in force even for a moment', async () => {
    const { policies, tenant, store, kept, backend } = await stand();
    const refused = policies.put(tenant, BUCKET, MANAGED_ONLY, {
      ...store,
      mayChange: async () => {
        throw clientError('AccessDenied', 'No.');
      },
    });
    expect(await refusalOf(refused)).toBe('AccessDenied');
    expect([await kept(), backend.asked]).toEqual([undefined, 0]);
  });

  it('in a sidecar, because it cannot write the key store', async () => {
    const { tenancy, put, over, kept } = await stand();
    const options = { records: tenancy.records, publish: async () => undefined, readOnly: true };
    const sidecar = over(new BucketDefaultRecords(options));
    expect(await refusalOf(put(MANAGED_ONLY, sidecar))).toBe('NotImplemented');
    expect(await kept()).toBeUndefined();
    await put(plain('public'), sidecar);
    await put(MANAGED_ONLY);
    expect(await refusalOf(put(plain('public'), sidecar))).toBe('NotImplemented');
  });
});

it('the source of a copy is read under the policy of its own bucket', async () => {
  const { tenant, put, policies } = await stand();
  await put({ ...MANAGED_ONLY, held: [{ ...demands('reads', 'AES256'), actions: ['s3:*'] }] });
  const ref = { bucket: 'acme-other', key: 'k' };
  const copy = { ...copyOf(`${BUCKET}/k`, 'k'), ref, encryption: AES256 };
  expect((await policies.denial(copy, { bucket: 'acme-other', tenant, store: DISTINCT }))?.name).toBe('reads');
  const elsewhere = { ...copy, source: { ref, conditions: {} } };
  expect(await policies.denial(elsewhere, { bucket: 'acme-other', tenant, store: DISTINCT })).toBeUndefined();
});
