import { describe, expect, it } from 'vitest';
import { NamedKey } from '../../../src/encryption/sources/named-key.ts';
import { TenantRing } from '../../../src/encryption/sources/tenant-ring.ts';
import { RING, type RingState } from '../../../src/keys/key-ring.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import { refusalOf } from '../../pipeline/in-process.ts';
import { openTenancy } from '../../tenants/fixture.ts';
import { keySourceContract } from '../key-source-contract.ts';

type AskedKms = Extract<AskedEncryption, { readonly kind: 'kms' }>;

const asking = (keyId: string | undefined, over: Partial<AskedKms> = {}): AskedKms => ({
  kind: 'kms',
  keyId,
  context: undefined,
  ...over,
});

async function twoTenants() {
  const tenancy = await openTenancy();
  const { administration } = tenancy;
  const [{ tenant: acme }, { tenant: beta }] = [
    await administration.addTenant({ name: 'acme', buckets: ['acme'] }),
    await administration.addTenant({ name: 'beta', buckets: ['beta'] }),
  ];
  const cards = await administration.addKey('acme', 'cards');
  await administration.addKey('acme', 'pay/roll');
  await administration.addKey('beta', 'cards');
  const theirs = await administration.addKey('beta', 'theirs');
  const open = (keyId: string | undefined, over: Partial<AskedKms> = {}) =>
    new NamedKey(asking(keyId, over), acme, tenancy.keyRings);
  /** Puts a ring into another state, as an administrator will. */
  const setState = async (id: string, state: RingState) => {
    const held = await tenancy.records.read(RING, id);
    if (held === undefined) throw new Error('no such ring');
    await tenancy.records.put(RING, id, { ...held.value, state }, held.revision);
  };
  return { ...tenancy, acme, beta, cards, theirs, open, setState };
}

keySourceContract('a named key', async () => {
  const { acme, beta, cards, keyRings, open } = await twoTenants();
  return {
    open: () => open('cards'),
    otherTenants: () => new NamedKey(asking('cards'), beta, keyRings),
    unknown: [{ ringId: acme.ringId, version: 2 }],
    foreign: 'ObjectCorrupted',
    gone: [
      { ringId: cards.id, version: 2, form: 'kms' },
      { ringId: '00112233445566ff', version: 1, form: 'kms' },
    ],
  };
});

describe('a client names a key', () => {
  it.each([
    ['cards', 'cards'],
    ['alias/cards', 'cards'],
    ['arn:aws:kms:us-east-1:123456789012:key/cards', 'cards'],
    ['arn:aws:kms:us-east-1:123456789012:alias/cards', 'cards'],
    ['pay/roll', 'pay/roll'],
    ['alias/pay/roll', 'pay/roll'],
    [undefined, 'aws/s3'],
    ['aws/s3', 'aws/s3'],
    ['alias/aws/s3', 'aws/s3'],
    ['arn:aws:kms:us-east-1:123456789012:alias/aws/s3', 'aws/s3'],
  ])('as %s, and is told %s, which it may send back', async (keyId, name) => {
    const { open } = await twoTenants();
    const key = await open(keyId).forNew();
    expect(key.told).toEqual({ kind: 'kms', keyId: name });
    expect(await open(name).forNew()).toEqual(key);
  });

  it.each(['unknown', 'theirs', 'Cards', 'key/cards', '', 'alias/', 'aws/other', 'c a', 'arn:aws:kms:::grant/cards'])(
    'as %j, which it does not have: another tenant’s is not told apart',
    async (keyId) => {
      const { open } = await twoTenants();
      expect(await refusalOf((async () => open(keyId).forNew())())).toBe('KmsKeyNotFound');
    },
  );

  it('whose ring was destroyed', async () => {
    const { open, cards, keyRings } = await twoTenants();
    const sealing = await open('cards').forNew();
    await keyRings.remove(cards.id);
    expect(await refusalOf(open('cards').forNew())).toBe('KmsKeyNotFound');
    expect(await refusalOf(open('cards').forExisting({ ...sealing, form: 'kms' }))).toBe('KmsKeyNotFound');
  });
});

describe('the state of a key', () => {
  it.each([
    ['enabled', 'none', 'none'],
    ['decrypt-only', 'KmsKeyDisabled', 'none'],
    ['disabled', 'KmsKeyDisabled', 'KmsKeyDisabled'],
    ['pending', 'KmsKeyInvalidState', 'KmsKeyInvalidState'],
  ] as const)('%s: a new object gets %s, an existing one %s', async (state, sealing, opening) => {
    const { open, cards, setState, acme, keyRings } = await twoTenants();
    const named = { ...(await open('cards').forNew()), form: 'kms' } as const;
    await setState(cards.id, state);
    expect(await refusalOf(open('cards').forNew())).toBe(sealing);
    expect(await refusalOf(open('cards').forExisting(named))).toBe(opening);
    expect(await refusalOf(new TenantRing(acme, keyRings).forExisting(named))).toBe(opening);
    expect(await refusalOf(open('pay/roll').forNew())).toBe('none');
  });
});

describe('existing objects', () => {
  it('open under their own key, whatever their request asks, and tell of it', async () => {
    const { open, acme, keyRings } = await twoTenants();
    const managed = new TenantRing(acme, keyRings);
    const [cards, standard, plain] = [
      await open('cards').forNew(),
      await open(undefined).forNew(),
      await managed.forNew(),
    ];
    for (const source of [managed, open('pay/roll'), open(undefined)]) {
      const opened = await source.forExisting({ ...cards, form: 'kms' });
      expect(opened).toMatchObject({ fingerprint: cards.fingerprint, told: { kind: 'kms', keyId: 'cards' } });
      expect((await source.forExisting({ ...standard, form: 'kms' })).told).toEqual({ kind: 'kms', keyId: 'aws/s3' });
      expect((await source.forExisting({ ...plain, form: 'managed' })).told).toEqual({ kind: 'managed' });
      expect(source.scope).toBe(managed.scope);
    }
  });

  it('of another tenant’s named key, or of a default ring that an earlier tenant left, do not', async () => {
    const { open, acme, keyRings, theirs } = await twoTenants();
    const left = await keyRings.create('acme');
    for (const ringId of [theirs.id, left.id]) {
      for (const form of ['kms', 'managed', undefined] as const) {
        const named = { ringId, version: 1, form };
        expect(await refusalOf(open('cards').forExisting(named))).toBe('ObjectCorrupted');
        expect(await refusalOf(new TenantRing(acme, keyRings).forExisting(named))).toBe('ObjectCorrupted');
      }
    }
  });

  it('of a ring that only KMS keys have are not looked up for other forms', async () => {
    const { acme, keyRings, observer, cards } = await twoTenants();
    const { 'get ok': reads, hit } = observer.counts;
    const named = { ringId: '00112233445566ff', version: 1 };
    expect(await refusalOf(new TenantRing(acme, keyRings).forExisting(named))).toBe('ObjectCorrupted');
    const unnamed = { ringId: cards.id, version: 1 };
    expect(await refusalOf(new TenantRing(acme, keyRings).forExisting(unnamed))).toBe('ObjectCorrupted');
    expect(observer.counts).toMatchObject({ 'get ok': reads, ...(hit !== undefined && { hit }) });
  });
});

describe('a new object', () => {
  const CONTEXT = Buffer.from('{ "b":"2","a":"1" }').toString('base64');

  it('is bound to the context in its canonical form, and keeps the bucket key', async () => {
    const { open } = await twoTenants();
    const canonical = Buffer.from('{"a":"1","b":"2"}');
    expect(await open('cards', { context: CONTEXT }).forNew()).toMatchObject({
      context: { canonical, bucketKey: false },
      told: { kind: 'kms', keyId: 'cards' },
    });
    expect(await open('cards', { context: CONTEXT, bucketKey: true }).forNew()).toMatchObject({
      context: { canonical, bucketKey: true },
      told: { kind: 'kms', keyId: 'cards', bucketKey: true },
    });
    expect((await open('cards', { bucketKey: true }).forNew()).context).toEqual({
      canonical: Buffer.alloc(0),
      bucketKey: true,
    });
    for (const bucketKey of [undefined, false]) {
      const key = await open('cards', { bucketKey }).forNew();
      expect(key.context).toBeUndefined();
      expect(key.told).toEqual({ kind: 'kms', keyId: 'cards' });
    }
  });

  it('with a malformed context is refused before any key is looked for', async () => {
    const { open } = await twoTenants();
    expect(await refusalOf((async () => open('unknown', { context: '?' }))())).toBe('InvalidArgument');
  });
});
