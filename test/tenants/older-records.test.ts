import { expect, it } from 'vitest';
import { protectionWords } from '../../src/formats/table.ts';
import type { Payload } from '../../src/keys/payload.ts';
import { CREDENTIAL } from '../../src/tenants/credential.ts';
import { tenantKind } from '../../src/tenants/tenant.ts';
import { TENANT } from './fixture.ts';

/** As the first gateways wrote them, before `anonymous`, `etag`, `legacySignatures` and `backend`: readable for ever. */
const OLD_TENANT = {
  name: 'acme',
  id: '00112233445566aa',
  ringId: '00112233445566bb',
  buckets: [
    { pattern: 'acme-*', protection: 'seal', mixed: false, location: 'enforce', metadata: 'enforce', quantum: 0 },
  ],
  createdAt: '2026-01-02T03:04:05.000Z',
};
const OLD_CREDENTIAL = {
  accessKeyId: 'AKIAFROMBEFORE',
  secret: 'a-secret-from-before',
  tenant: 'acme',
  tenantId: '00112233445566aa',
  createdAt: '2026-01-02T03:04:05.000Z',
};

it('of a tenant mean the safe thing for what came later', () => {
  const tenant = TENANT.decode(OLD_TENANT, 'acme');
  expect(tenant).toMatchObject({
    legacySignatures: 'none',
    buckets: [{ pattern: 'acme-*', anonymous: false, etag: 'opaque' }],
  });
  expect(tenant.backend).toBeUndefined();
});

it('of a credential have no backend key of their own', () => {
  expect(CREDENTIAL.decode(OLD_CREDENTIAL, 'AKIAFROMBEFORE').backend).toBeUndefined();
});

it('and new ones come back as they were written', () => {
  const [policy] = OLD_TENANT.buckets;
  const backend = { accessKeyId: 'backend-user', secret: 'its secret, with a blank' };
  const tenant = {
    ...OLD_TENANT,
    buckets: [{ ...policy, anonymous: true, etag: 'md5' }],
    legacySignatures: true,
    backend,
  };
  const credential = { ...OLD_CREDENTIAL, backend };
  const again = (payload: Payload) => JSON.parse(JSON.stringify(payload));
  expect(again(TENANT.encode(TENANT.decode(tenant, 'acme')))).toEqual(tenant);
  expect(again(CREDENTIAL.encode(CREDENTIAL.decode(credential, 'AKIAFROMBEFORE')))).toEqual(credential);
});

it.each([
  ['all', { legacySignatures: true }],
  ['presigned-reads', { legacySignatures: false, legacyPresignedReads: true }],
  ['none', { legacySignatures: false }],
] as const)('the older signatures that are taken, %s, are flags: older gateways take none for some', (taken, flags) => {
  const tenant = TENANT.decode({ ...OLD_TENANT, ...flags }, 'acme');
  expect(tenant.legacySignatures).toBe(taken);
  expect(JSON.parse(JSON.stringify(TENANT.encode(tenant)))).toEqual({
    ...OLD_TENANT,
    buckets: expect.anything(),
    ...flags,
  });
});

it.each([
  ['legacyPresignedReads', { legacyPresignedReads: 'yes' }],
  ['legacySignatures', { legacySignatures: 'presigned-reads' }],
  ['legacySignatures', { legacySignatures: 'no' }],
  ['legacySignatures', { legacySignatures: 0 }],
  ['buckets', { buckets: [{ ...OLD_TENANT.buckets[0], anonymous: 'yes' }] }],
  ['buckets', { buckets: [{ ...OLD_TENANT.buckets[0], etag: 'sha' }] }],
  ['backend', { backend: 'minio:secret' }],
  ['backend', { backend: [] }],
  ['accessKeyId', { backend: { secret: 'x' } }],
  ['secret', { backend: { accessKeyId: 'x' } }],
])('with a wrong %s are not read: %j', (_field, wrong) => {
  expect(() => TENANT.decode({ ...OLD_TENANT, ...wrong }, 'acme')).toThrow(/^its field (?!.*secret:)/);
});

it('of a tenant keep how the store encrypts, and with nothing that is not known', () => {
  const kind = tenantKind(protectionWords());
  const [policy] = OLD_TENANT.buckets;
  const withInject = (inject: unknown) => ({ ...OLD_TENANT, buckets: [{ ...policy, protection: 'inject', inject }] });
  const read = (inject: unknown) => kind.decode(withInject(inject), 'acme');
  expect(read('customer').buckets).toMatchObject([{ protection: 'inject', inject: 'customer' }]);
  expect(kind.decode(kind.encode(read('kms')) as Payload, 'acme').buckets).toMatchObject([{ inject: 'kms' }]);
  expect(Object.keys(read(undefined).buckets[0] ?? {})).not.toContain('inject');
  for (const inject of ['', 'kmsx', 1, null]) expect(() => read(inject)).toThrow('buckets');
});
