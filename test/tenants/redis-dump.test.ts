import { afterAll, beforeAll, expect, it } from 'vitest';
import { startUpSelfTest } from '../../src/keys/self-test.ts';
import { Secret } from '../../src/secret.ts';
import { eventually } from '../keys/eventually.ts';
import { openStore, randomRootKey } from '../keys/fixture.ts';
import { type SharedRedis, sharedRedis } from '../support/servers/redis.ts';
import { ALL_RECORD_KINDS, openTenancy } from './fixture.ts';

let redis: SharedRedis;
beforeAll(async () => {
  redis = await sharedRedis();
});
afterAll(() => redis.stop());

it('a dump of Redis shows no secret and no key, raw, in hex or in base64', async () => {
  const client = redis.client();
  const store = await openStore({ kind: 'redis', url: redis.url });
  const { administration, keyRings } = await openTenancy({ store });
  const planted = 'PlantedSecret0123456789PlantedSecret4567';
  const plantedBackend = [
    'TenantBackendSecret01234567890123456789',
    'CredentialBackendSecret0123456789012345',
  ] as const;
  const { tenant } = await administration.addTenant({
    name: 'acme',
    buckets: ['acme-private-*'],
    accessKeyId: 'PLANTEDACCESSKEY',
    secret: planted,
    backend: { accessKeyId: 'PLANTEDBACKENDUSER', secret: new Secret(plantedBackend[0]) },
  });
  await administration.addCredential('acme', {
    accessKeyId: 'PLANTEDSECONDKEY',
    backend: { accessKeyId: 'PLANTEDBACKENDUSER', secret: new Secret(plantedBackend[1]) },
  });
  await administration.rotateKey('acme');
  const secrets = [planted, ...plantedBackend].map((secret) => Buffer.from(secret));
  for (const version of [1, 2]) secrets.push((await keyRings.kek(tenant.ringId, version)).key.export());

  const dumped: Buffer[] = [];
  for (const key of await client.keys('*')) {
    dumped.push(Buffer.from(key), (await client.dumpBuffer(key))!, (await client.getBuffer(key))!);
  }
  client.disconnect();
  const dump = Buffer.concat(dumped);
  expect(dumped).toHaveLength(6 * 3); // the ledger too
  for (const secret of secrets) {
    for (const form of [secret, secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')]) {
      expect(dump.includes(form)).toBe(false);
      expect(dump.includes(form.slice(0, 12))).toBe(false);
    }
  }
  expect(dump.includes('acme-private') || dump.includes('PLANTEDBACKENDUSER')).toBe(false);
  expect(dump.includes('"key"') || dump.includes('"secret"')).toBe(false);
  expect(dump.includes('tenant/acme')).toBe(true); // names are not secret, and this shows that the dump is one
});

it('a revoked access key and a new policy are seen by another gateway within a second', async () => {
  const rootKey = randomRootKey();
  const open = async () =>
    openTenancy({ store: await openStore({ kind: 'redis', url: redis.url, keyPrefix: 'two:' }), rootKey });
  const [one, two] = [await open(), await open()];
  expect(await two.directory.caller('LATERADDED')).toBeUndefined(); // believed absent
  const { accessKeyId } = await one.administration.addTenant({
    name: 'acme',
    buckets: ['a'],
    accessKeyId: 'LATERADDED',
  });
  await eventually(1000, async () => (await two.directory.caller(accessKeyId)) !== undefined);
  await one.administration.changeTenant('acme', { buckets: ['b'] });
  await eventually(1000, async () => (await two.directory.caller(accessKeyId))?.tenant.buckets[0]?.pattern === 'b');
  await one.administration.revokeCredential(accessKeyId);
  await eventually(1000, async () => (await two.directory.caller(accessKeyId)) === undefined);
  const { records } = two;
  expect(await startUpSelfTest({ records, kinds: ALL_RECORD_KINDS, now: () => new Date() })).toBe(3);
});
