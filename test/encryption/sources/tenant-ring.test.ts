import { expect, it } from 'vitest';
import { TenantRing } from '../../../src/encryption/sources/tenant-ring.ts';
import { openTenancy } from '../../tenants/fixture.ts';
import { keySourceContract } from '../key-source-contract.ts';

async function twoTenants() {
  const { administration, keyRings } = await openTenancy();
  const [{ tenant: acme }, { tenant: beta }] = [
    await administration.addTenant({ name: 'acme', buckets: ['acme'] }),
    await administration.addTenant({ name: 'beta', buckets: ['beta'] }),
  ];
  return { acme, beta, keyRings };
}

keySourceContract('a tenant’s ring', async () => {
  const { acme, beta, keyRings } = await twoTenants();
  return {
    open: () => new TenantRing(acme, keyRings),
    otherTenants: () => new TenantRing(beta, keyRings),
    unknown: [{ ringId: acme.ringId, version: 2 }],
    foreign: 'ObjectCorrupted',
  };
});

it('seals under the current version, and opens under any that the ring has', async () => {
  const { acme, keyRings } = await twoTenants();
  const first = await new TenantRing(acme, keyRings).forNew();
  await keyRings.rotate(acme.ringId);
  const source = new TenantRing(acme, keyRings);
  expect(await source.forNew()).toMatchObject({ ringId: acme.ringId, version: 2, told: { kind: 'managed' } });
  const again = await source.forExisting(first);
  expect(again).toMatchObject({ version: 1, fingerprint: first.fingerprint });
  expect((await source.forNew()).fingerprint).not.toBe(first.fingerprint);
});

it('a key that was replaced under its name has another fingerprint', async () => {
  const { fingerprintOf } = await import('../../../src/keys/fingerprint.ts');
  const { createSecretKey } = await import('node:crypto');
  const [one, same, other] = [1, 1, 2].map((byte) => fingerprintOf(createSecretKey(Buffer.alloc(32, byte))));
  expect(one).toBe(same);
  expect(one).not.toBe(other);
});
