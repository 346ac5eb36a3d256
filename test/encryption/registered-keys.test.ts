import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RegisteredKeys } from '../../src/encryption/registered-keys.ts';
import { clientError } from '../../src/errors.ts';
import { CustomerKey } from '../../src/operations/encryption.ts';
import { RegisteredKeyAdministration } from '../../src/tenants/registered-key-administration.ts';
import { openTenancy, TENANT } from '../tenants/fixture.ts';

const KEY = randomBytes(32);
const OTHER = randomBytes(32);
const brought = (bytes: Buffer) => new CustomerKey(Buffer.from(bytes), Buffer.alloc(16));

async function stand() {
  const tenancy = await openTenancy();
  const { records, keyRings, administration } = tenancy;
  for (const name of ['acme', 'beta']) await administration.addTenant({ name, buckets: [`${name}-*`] });
  const registered = new RegisteredKeyAdministration({ records, keyRings, tenants: TENANT });
  const keys = new RegisteredKeys(keyRings);
  const has = async (bytes: Buffer, tenant = 'acme') =>
    keys.has((await records.read(TENANT, tenant))!.value, brought(bytes));
  return { ...tenancy, registered, keys, has };
}

describe('a customer key', () => {
  it('is known once it is registered, to its tenant alone, and no longer once it is removed', async () => {
    const { registered, has } = await stand();
    expect(await has(KEY)).toBe(false);
    const { fingerprint } = await registered.add('acme', KEY, 'cards');
    await registered.add('acme', randomBytes(32), '');
    expect([await has(KEY), await has(OTHER), await has(KEY, 'beta')]).toEqual([true, false, false]);
    expect((await registered.list('acme')).map(({ label }) => label)).toEqual(['cards', '']);
    await registered.remove('acme', fingerprint);
    expect(await has(KEY)).toBe(false);
  });

  it('stays known when the tenant’s key is rotated, and what is registered later is under the new version', async () => {
    const { registered, administration, has } = await stand();
    await registered.add('acme', KEY, '');
    await administration.rotateKey('acme');
    await administration.changeTenant('acme', { legacySignatures: 'all' });
    const { keyVersion } = await registered.add('acme', OTHER, '');
    expect([keyVersion, await has(KEY), await has(OTHER)]).toEqual([2, true, true]);
  });

  it('is unknown where the version is gone under which it was registered', async () => {
    const { registered, records } = await stand();
    await registered.add('acme', KEY, '');
    const { value } = (await records.read(TENANT, 'acme'))!;
    const gone = new RegisteredKeys({
      kek: () => Promise.reject(clientError('KeyUnavailable', 'There is no such version.')),
    });
    expect(await gone.has(value, brought(KEY))).toBe(false);
  });

  it('is kept as a fingerprint that the documents define', async () => {
    const { registered, records, keyRings } = await stand();
    const { fingerprint, keyVersion } = await registered.add('acme', KEY, '');
    const { ringId, registeredKeys } = (await records.read(TENANT, 'acme'))!.value;
    const kek = (await keyRings.kek(ringId, keyVersion)).key;
    const key = Buffer.from(hkdfSync('sha256', kek, '', 'sealgate/registered-key/v1', 32));
    expect(fingerprint).toBe(createHmac('sha256', key).update(KEY).digest('hex').slice(0, 32));
    expect(registeredKeys).toMatchObject([{ fingerprint, keyVersion: 1, label: '' }]);
  });

  it('that is none is told as that', async () => {
    const { keys, records, registered } = await stand();
    await registered.add('acme', KEY, '');
    const { value } = (await records.read(TENANT, 'acme'))!;
    const malformed = CustomerKey.malformed(clientError('InvalidArgument', 'It is none.'));
    await expect(keys.has(value, malformed)).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  it.each([
    ['31 bytes', 'acme', Buffer.alloc(31), '', 'A customer key has 32 bytes.'],
    ['a label with a line feed', 'acme', KEY, 'a\nb', 'A label has at most 128 printable ASCII characters.'],
    ['a tenant that does not exist', 'nobody', KEY, '', 'There is no tenant nobody.'],
  ])('is refused with %s', async (_what, tenant, key, label, message) => {
    const { registered } = await stand();
    await expect(registered.add(tenant, key, label)).rejects.toMatchObject({ code: 'InvalidArgument', message });
  });

  it('registered twice is registered once, and one that is not registered cannot be removed', async () => {
    const { registered } = await stand();
    const { fingerprint } = await registered.add('acme', KEY, 'first');
    await registered.add('acme', KEY, 'again');
    expect((await registered.list('acme')).map(({ label }) => label)).toEqual(['first']);
    await registered.remove('acme', fingerprint);
    await expect(registered.remove('acme', fingerprint)).rejects.toThrow('has registered no key');
  });
});
