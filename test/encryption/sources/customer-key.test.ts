import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { KeySources } from '../../../src/encryption/key-sources.ts';
import { CustomerKeys, customerKeyRow } from '../../../src/encryption/sources/customer-key.ts';
import { TenantRing } from '../../../src/encryption/sources/tenant-ring.ts';
import { CustomerKey } from '../../../src/operations/encryption.ts';
import { refusalOf } from '../../pipeline/in-process.ts';

const NO_RING = '0000000000000000';
const ring = { name: 'acme', ringId: '00000000000000ab' };
const asked = () => Promise.reject(new Error('asked'));
const noRings = { current: asked, kek: asked, all: asked };
const tenantKeys = new TenantRing(ring, noRings);
const keyOf = (fill: number) => new CustomerKey(Buffer.alloc(32, fill), Buffer.alloc(16, fill));
const open = (fill: number) => new CustomerKeys(keyOf(fill), tenantKeys);

it('gives the key that was sent, for new objects and for those that have one', async () => {
  const source = open(0x5a);
  const sealing = await source.forNew();
  expect(sealing).toMatchObject({
    ringId: NO_RING,
    version: 1,
    told: { kind: 'customer', keyMd5: Buffer.alloc(16, 0x5a) },
  });
  expect(sealing.key.export()).toEqual(Buffer.alloc(32, 0x5a));
  expect(await source.forExisting({ ringId: NO_RING, version: 1 })).toBe(sealing);
  expect(sealing.refusal?.(new Error('the cause'))).toMatchObject({ code: 'CustomerKeyWrong', source: 'client' });
});

it('refuses objects that have another kind of key, or none', async () => {
  const source = open(0x5a);
  expect(await refusalOf(source.forExisting({ ringId: ring.ringId, version: 1 }))).toBe('CustomerKeyUnneeded');
  expect(await refusalOf((async () => source.refuseUnsealed())())).toBe('CustomerKeyUnneeded');
  expect(await refusalOf(tenantKeys.forExisting({ ringId: NO_RING, version: 1 }))).toBe('CustomerKeyNeeded');
});

it('keeps what was opened under one key apart from others, and from the tenant’s', () => {
  const scopes = [
    open(1).scope,
    open(2).scope,
    new CustomerKeys(keyOf(1), new TenantRing({ ...ring, name: 'beta' }, noRings)).scope,
  ];
  expect(new Set([...scopes, tenantKeys.scope]).size).toBe(4);
  expect(open(1).scope).toBe(scopes[0]);
  for (const scope of scopes) expect(scope).not.toContain('\n');
});

it('tells nothing of a key but to who seals with it', async () => {
  const source = open(0x5a);
  const { key, told, ...rest } = await source.forNew();
  const shown = `${JSON.stringify([rest, source])} ${inspect(source, { showHidden: true, depth: 9 })}`;
  for (const secret of [key.export(), Buffer.alloc(16, 0x5a)]) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(shown).not.toContain(secret.toString(encoding));
    }
  }
  expect(told.kind).toBe('customer');
});

it('has nothing left of a key that was erased', () => {
  const [bytes, md5] = [Buffer.alloc(32, 0x5a), Buffer.alloc(16, 0x5a)];
  new CustomerKey(bytes, md5).erase();
  expect([bytes, md5]).toEqual([Buffer.alloc(32), Buffer.alloc(16)]);
});

it('is made of a request that brings a key, and of no other', () => {
  const sources = new KeySources({ customer: customerKeyRow }, { keyRings: noRings as never }, {});
  const request = { tenant: ring as never, policy: undefined as never };
  expect(sources.has('customer')).toBe(true);
  const opened = sources.open({ ...request, asked: { kind: 'customer', key: keyOf(1) } });
  expect(opened.form).toBe('customer');
  expect(opened.tenantKeys?.form).toBe('managed');
});
