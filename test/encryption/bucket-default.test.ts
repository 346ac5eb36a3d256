import { describe, expect, it } from 'vitest';
import { BucketDefaults } from '../../src/encryption/bucket-default.ts';
import { beginsObject, writesObject } from '../../src/encryption/rules.ts';
import { clientError } from '../../src/errors.ts';
import type { AskedBucketEncryption } from '../../src/operations/bucket-encryption.ts';
import { type AskedEncryption, CustomerKey } from '../../src/operations/encryption.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { getOf, putOf, refusalOf } from '../pipeline/in-process.ts';
import { openTenancy } from '../tenants/fixture.ts';

const BUCKET = 'acme-b';
const ref = { bucket: BUCKET, key: 'k' };
const CUSTOMER: AskedEncryption = { kind: 'customer', key: new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 2)) };
const MANAGED: AskedEncryption = { kind: 'managed', algorithm: 'AES256' };
const KMS = { kind: 'kms', keyId: 'cards', context: undefined, bucketKey: true } as const satisfies AskedEncryption;

const NOTHING: AskedBucketEncryption = { method: undefined, bucketKey: undefined, customerKeys: undefined };
const CARDS: AskedBucketEncryption = { ...NOTHING, method: { form: 'kms', keyId: 'cards' }, bucketKey: true };
const BLOCK: AskedBucketEncryption = { ...NOTHING, customerKeys: 'blocked' };
const UNSET = { form: 'managed', keyId: undefined, bucketKey: false, customerKeys: undefined };

const metadata = putOf('k').metadata;
const source = { ref, conditions: {} };
const part = { ref, uploadId: 'u', partNumber: 1 };
const put: Operation = { ...putOf('k'), ref };
const BEGINNING: readonly Operation[] = [
  put,
  { ...putOf('k'), ref, kind: 'PostObject', reply: { redirect: undefined, status: 204 } },
  { kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined },
  {
    kind: 'CopyObject',
    ref,
    source,
    replacement: undefined,
    tags: 'copy',
    checksumAlgorithm: undefined,
    conditions: {},
  },
];
const CONTINUING: readonly Operation[] = [
  { kind: 'UploadPart', ...part },
  { kind: 'UploadPartCopy', ...part, source, range: undefined },
];
const OTHERS: readonly Operation[] = [
  { ...getOf('k'), ref },
  { ...getOf('k'), ref, kind: 'HeadObject' },
  { kind: 'GetObjectAttributes', ref, attributes: new Set(), partNumberMarker: 0, maxParts: 1 },
  { kind: 'DeleteObject', ref, conditions: {} },
  { kind: 'HeadBucket', bucket: BUCKET },
];

async function stand({ newBuckets = 'allow' as 'allow' | 'block' } = {}) {
  const tenancy = await openTenancy();
  const { tenant } = await tenancy.administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
  const store = { made: new Date('2026-01-01') as Date | undefined, exists: true as boolean | undefined };
  let seconds = 0;
  const defaults = new BucketDefaults({
    records: tenancy.bucketDefaults,
    madeAt: async () => store.made,
    newBuckets,
    now: () => new Date(1_800_000_000_000 + seconds++),
  });
  const make = async (over: { fails?: Error; seals?: boolean; meanwhile?: () => Promise<void> } = {}) =>
    defaults.creating(tenant, BUCKET, {
      seals: over.seals ?? true,
      exists: async () => store.exists,
      make: async () => {
        await over.meanwhile?.();
        if (over.fails !== undefined) throw over.fails;
        store.exists = true;
      },
    });
  const remove = (fails?: Error) =>
    defaults.deleting(tenant, BUCKET, async () => {
      if (fails !== undefined) throw fails;
      store.exists = false;
    });
  const got = (operation: Operation) => defaults.encryptionFor(operation, tenant);
  const set = (asked: AskedBucketEncryption) => defaults.set(tenant, BUCKET, asked);
  const told = () => defaults.read(tenant, BUCKET);
  return { ...tenancy, tenant, store, defaults, make, remove, got, set, told };
}

const asking = (operation: Operation, encryption: AskedEncryption) => ({ ...operation, encryption }) as Operation;
const noSuchBucket = () => clientError('NoSuchBucket', 'none');

describe('a request', () => {
  it('that begins an object gets the default, unless it says itself what it wants', async () => {
    const { got, set } = await stand();
    for (const operation of BEGINNING) expect(await got(operation)).toBeUndefined();
    await set(CARDS);
    for (const operation of BEGINNING) {
      expect(await got(operation)).toEqual(KMS);
      for (const asked of [MANAGED, CUSTOMER, { ...KMS, keyId: 'other' }]) {
        expect(await got(asking(operation, asked))).toBe(asked);
      }
    }
    await set({ ...NOTHING, method: { form: 'managed', keyId: undefined } });
    for (const operation of BEGINNING) expect(await got(operation)).toBeUndefined();
  });

  it('for a KMS key that leaves open which gets the default’s, and its bucket key', async () => {
    const { got, set } = await stand();
    const open: AskedEncryption = { kind: 'kms', keyId: undefined, context: 'e30=' };
    for (const operation of BEGINNING) expect(await got(asking(operation, open))).toBe(open);
    await set(CARDS);
    for (const operation of BEGINNING) {
      expect(await got(asking(operation, open))).toEqual({ ...open, keyId: 'cards', bucketKey: true });
      const other = { ...open, keyId: 'other', bucketKey: false } as const;
      expect(await got(asking(operation, other))).toBe(other);
      expect(await got(asking(operation, { ...open, keyId: 'other' }))).toMatchObject({
        keyId: 'other',
        bucketKey: true,
      });
    }
    await set({ ...NOTHING, method: { form: 'managed', keyId: undefined } });
    for (const operation of BEGINNING) expect(await got(asking(operation, open))).toBe(open);
  });

  it('about what lies there already gets none', async () => {
    const { got, set } = await stand();
    await set(CARDS);
    for (const operation of [...CONTINUING, ...OTHERS]) expect(await got(operation)).toBeUndefined();
  });

  it('that writes with a customer key is refused where they are blocked, and one that reads is not', async () => {
    const { got, set } = await stand();
    await set(BLOCK);
    const malformed = CustomerKey.malformed(clientError('InvalidArgument', 'no key'));
    for (const operation of [...BEGINNING, ...CONTINUING]) {
      expect(await refusalOf(got(asking(operation, CUSTOMER)))).toBe('AccessDenied');
      // Nobody looks at the key, so nobody hears that it is none.
      expect(await refusalOf(got(asking(operation, { kind: 'customer', key: malformed })))).toBe('AccessDenied');
      expect(await got(operation)).toBeUndefined();
    }
    for (const operation of OTHERS.slice(0, 3)) expect(await got(asking(operation, CUSTOMER))).toBe(CUSTOMER);
    const copied = { ...(BEGINNING[3] as object), source: { ...source, encryption: CUSTOMER } } as Operation;
    expect(await got(copied)).toBeUndefined();
    await set({ ...NOTHING, customerKeys: 'allowed' });
    expect(await got(asking(put, CUSTOMER))).toBe(CUSTOMER);
  });

  it('is one of these', () => {
    expect(BEGINNING.filter(beginsObject)).toEqual(BEGINNING);
    expect([...CONTINUING, ...OTHERS].filter(beginsObject)).toEqual([]);
    expect([...BEGINNING, ...CONTINUING, ...OTHERS].filter(writesObject)).toEqual([...BEGINNING, ...CONTINUING]);
  });

  it('for another bucket, or of another tenant’s, gets nothing', async () => {
    const { defaults, set, administration } = await stand();
    await set(CARDS);
    const { tenant } = await administration.addTenant({ name: 'beta', buckets: ['beta-*'] });
    expect(await defaults.encryptionFor(put, tenant)).toBeUndefined();
  });
});

describe('what is set', () => {
  it('stays where it is not spoken of', async () => {
    const { set, told } = await stand();
    expect(await told()).toEqual(UNSET);
    await set(CARDS);
    await set(BLOCK);
    expect(await told()).toMatchObject({ form: 'kms', keyId: 'cards', bucketKey: true, customerKeys: 'blocked' });
    await set({ ...NOTHING, method: { form: 'managed', keyId: undefined } });
    expect(await told()).toMatchObject({ ...UNSET, customerKeys: 'blocked' });
  });

  it('is taken back, but for what blocks customer keys', async () => {
    const { set, told, defaults, tenant, records } = await stand();
    await set(CARDS);
    await defaults.reset(tenant, BUCKET);
    expect(await told()).toEqual(UNSET);
    expect((await records.names()).filter((name) => name.includes('bucket-defaults'))).toEqual([]);
    await set(BLOCK);
    await set(CARDS);
    await defaults.reset(tenant, BUCKET);
    expect(await told()).toMatchObject({ ...UNSET, customerKeys: 'blocked' });
  });

  it('costs a write no request to the key store, whether there is something or not', async () => {
    const { got, set, observer } = await stand();
    await got(put);
    const before = observer.counts['get ok'];
    for (let at = 0; at < 10; at++) await got(put);
    expect(observer.counts['get ok']).toBe(before);
    await set(CARDS);
    expect(await got(put)).toEqual(KMS);
    const after = observer.counts['get ok'];
    for (let at = 0; at < 10; at++) await got(put);
    expect(observer.counts['get ok']).toBe(after);
  });

  it('goes with the tenant', async () => {
    const { administration, defaults, set } = await stand();
    await set(CARDS);
    await administration.removeTenant('acme');
    const { tenant } = await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
    expect(await defaults.encryptionFor(put, tenant)).toBeUndefined();
  });

  it('is of one tenant’s id, and none of the next tenant of its name', async () => {
    const { defaults, bucketDefaults, tenant, set } = await stand();
    await set(CARDS);
    const next = { ...tenant, id: 'f'.repeat(16) };
    expect(await defaults.encryptionFor(put, next)).toBeUndefined();
    expect(await defaults.read(next, BUCKET)).toEqual(UNSET);
    await defaults.set(next, 'acme-other', BLOCK);
    expect(await bucketDefaults.read(next, BUCKET)).toBeUndefined();
  });
});

describe('with its bucket', () => {
  it('goes what is set', async () => {
    const { remove, make, got, set, told } = await stand();
    await set(CARDS);
    await remove();
    expect(await told()).toEqual(UNSET);
    await make();
    expect(await got(put)).toBeUndefined();
  });

  it('stays what is set while the bucket stays', async () => {
    const { remove, make, got, set } = await stand();
    await set(CARDS);
    const notEmpty = clientError('BucketNotEmpty', 'not empty');
    expect(await refusalOf(remove(notEmpty))).toBe('BucketNotEmpty');
    await make(); // a store may say that all is well where its caller has the bucket already
    expect(await got(put)).toEqual(KMS);
  });

  it('goes what is set for a bucket that is found gone', async () => {
    const { remove, got, set, store } = await stand();
    await set(CARDS);
    store.made = undefined;
    expect(await refusalOf(remove(noSuchBucket()))).toBe('NoSuchBucket');
    expect(await got(put)).toBeUndefined();
  });

  it('goes what is set where another one was made past the gateway', async () => {
    const { got, set, told, store } = await stand();
    await set({ ...CARDS, customerKeys: 'blocked' });
    store.made = new Date('2026-01-02');
    expect(await got(put)).toBeUndefined();
    expect(await got(asking(put, CUSTOMER))).toBe(CUSTOMER);
    expect(await told()).toEqual(UNSET);
    // It is gone for good, also where the store's dates cannot be had any more.
    store.made = undefined;
    await expect.poll(told).toEqual(UNSET);
    await set(NOTHING);
    expect(await told()).toMatchObject(UNSET);
  });

  it('is nothing that another one would keep when something is set for it', async () => {
    const { set, told, store } = await stand();
    await set(CARDS);
    store.made = new Date('2026-01-02');
    await set(BLOCK);
    expect(await told()).toMatchObject({ ...UNSET, customerKeys: 'blocked', made: store.made });
  });

  it('stays what is set while the store does not tell its date, and is bound to it all the same', async () => {
    const { got, set, told, store } = await stand();
    await set(CARDS);
    const made = store.made;
    store.made = undefined;
    expect(await got(put)).toEqual(KMS);
    await set(BLOCK);
    expect(await told()).toMatchObject({ form: 'kms', keyId: 'cards', customerKeys: 'blocked' });
    store.made = made;
    expect(await got(put)).toEqual(KMS);
    store.made = new Date('2026-01-02');
    expect(await got(put)).toBeUndefined();
  });

  it('goes what is left of one that was deleted past the gateway when the gateway makes the next', async () => {
    const { make, got, set, store } = await stand();
    store.made = undefined; // this store's dates do not last
    await set(CARDS);
    store.exists = false;
    await make();
    expect(await got(put)).toBeUndefined();
  });

  it('a deletion does not remove what was set for the next bucket meanwhile', async () => {
    const { defaults, tenant, set, got } = await stand();
    await set(CARDS);
    await defaults.deleting(tenant, BUCKET, async () => {
      await set({ ...CARDS, method: { form: 'kms', keyId: 'next' } });
    });
    expect(await got(put)).toEqual({ ...KMS, keyId: 'next' });
  });
});

describe('customer keys in new buckets', () => {
  it('are blocked where the settings say so, before there is anything in them', async () => {
    const { make, got, told, store } = await stand({ newBuckets: 'block' });
    store.exists = false;
    const seen: string[] = [];
    await make({ meanwhile: async () => void seen.push(await refusalOf(got(asking(put, CUSTOMER)))) });
    expect([...seen, await refusalOf(got(asking(put, CUSTOMER)))]).toEqual(['AccessDenied', 'AccessDenied']);
    expect(await told()).toMatchObject({ ...UNSET, customerKeys: 'blocked', made: store.made });
    store.made = new Date('2026-01-02');
    expect(await got(asking(put, CUSTOMER))).toBe(CUSTOMER);
  });

  it.each([
    ['is there already', { exists: true }, {}],
    ['could not be made', { exists: false }, { fails: clientError('BucketAlreadyExists', 'taken') }],
    ['is kept without encryption', { exists: false }, { seals: false }],
  ])('stay as they were in one that %s', async (_what, state, over) => {
    const { make, got, store } = await stand({ newBuckets: 'block' });
    Object.assign(store, state);
    await make(over).catch(() => undefined);
    expect(await got(asking(put, CUSTOMER))).toBe(CUSTOMER);
  });

  it.each([
    'BackendUnavailable',
    'RequestTimeout', // the client left
  ] as const)('are blocked in one of which nobody knows whether it was made (%s)', async (code) => {
    const { make, got, store } = await stand({ newBuckets: 'block' });
    store.exists = false;
    await make({ fails: clientError(code, 'away') }).catch(() => undefined);
    expect(await refusalOf(got(asking(put, CUSTOMER)))).toBe('AccessDenied');
  });

  it('and all that was set stay where the store has the bucket after all', async () => {
    const { make, got, set, store } = await stand({ newBuckets: 'block' });
    await set({ ...CARDS, customerKeys: 'allowed' });
    store.exists = false; // the gateway may not see it
    await make({ fails: clientError('BucketAlreadyOwnedByYou', 'it is there') }).catch(() => undefined);
    expect([await got(put), await got(asking(put, CUSTOMER))]).toEqual([expect.objectContaining(KMS), CUSTOMER]);
  });

  it('and all that was set are in force while a bucket is made that the gateway may not see, and afterwards', async () => {
    const { make, got, set, store } = await stand();
    await set({ ...CARDS, customerKeys: 'blocked' });
    store.exists = undefined;
    const verdict = async () => [await got(put), await refusalOf(got(asking(put, CUSTOMER)))];
    const held = [expect.objectContaining(KMS), 'AccessDenied'];
    const seen: unknown[] = [];
    // The store says yes to whoever has the bucket already.
    await make({ meanwhile: async () => void seen.push(await verdict()) });
    expect([...seen, await verdict()]).toEqual([held, held]);
    store.exists = undefined;
    await make({ fails: clientError('BucketAlreadyOwnedByYou', 'it is there') }).catch(() => undefined);
    expect(await verdict()).toEqual(held);
    Object.assign(store, { exists: undefined, made: undefined }); // the store does not tell the date either
    await make();
    store.made = new Date('2026-01-01');
    expect(await verdict()).toEqual(held);
  });

  it.each([
    ['allow', UNSET.customerKeys],
    ['block', 'blocked'],
  ] as const)(
    'are as the settings say (%s) where an unseen bucket shows by its date to be another',
    async (newBuckets, customerKeys) => {
      const { make, set, told, store } = await stand({ newBuckets });
      await set({ ...CARDS, customerKeys: 'allowed' });
      store.exists = undefined;
      const meanwhile = async () => {
        store.made = new Date('2026-01-02');
      };
      await make({ meanwhile });
      expect(await told()).toMatchObject({ ...UNSET, customerKeys });
    },
  );

  it('are taken where the settings do not block them', async () => {
    const { make, got, store } = await stand();
    store.exists = false;
    await make();
    expect(await got(asking(put, CUSTOMER))).toBe(CUSTOMER);
  });
});
