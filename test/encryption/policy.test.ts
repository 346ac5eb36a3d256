import { describe, expect, it } from 'vitest';
import { checkPolicyAllows, refusedEncryption } from '../../src/encryption/policy.ts';
import { askedEncryption } from '../../src/encryption/rules.ts';
import { Protections } from '../../src/formats/protection.ts';
import { FORMATS } from '../../src/formats/table.ts';
import { type AskedEncryption, CustomerKey } from '../../src/operations/encryption.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { DEFAULT_BUCKET_POLICY } from '../../src/tenants/bucket-policy.ts';
import { getOf, putOf, refusalOf } from '../pipeline/in-process.ts';

const protections = new Protections(FORMATS);
const policy = (protection: 'seal' | 'none') => ({ ...DEFAULT_BUCKET_POLICY, pattern: '*', protection });
const check = (operation: Operation, protection: 'seal' | 'none') =>
  checkPolicyAllows(
    operation,
    askedEncryption(operation),
    policy(protection),
    protections.formatsFor(policy(protection)).write,
  );
const code = (operation: Operation, protection: 'seal' | 'none') =>
  refusalOf((async () => check(operation, protection))());

it('encryption that is asked for is refused where there is none, and never forgotten', async () => {
  const asking = (encryption: AskedEncryption | undefined) => ({ ...putOf('k'), encryption });
  const managed = { kind: 'managed', algorithm: 'AES256' } as const;
  expect(await code(asking(managed), 'none')).toBe('NotImplemented');
  expect(await code(asking(managed), 'seal')).toBe('none');
  expect(await code(asking(undefined), 'none')).toBe('none');
  check(putOf('k'), 'none');
  check(getOf('k'), 'none');
});

it('a customer’s key is not of use for what lies there without', async () => {
  const encryption = { kind: 'customer', key: new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 2)) } as const;
  const part = { kind: 'UploadPart', ref: putOf('k').ref, uploadId: 'u', partNumber: 1 } as const;
  expect(await code({ ...part, encryption }, 'none')).toBe('CustomerKeyUnneeded');
  expect(await code({ ...part, encryption }, 'seal')).toBe('none');
  // Whether an object is sealed, and needs the key, only the object tells (test/pipeline/customer-keys).
  for (const operation of [getOf('k'), { ...getOf('k'), kind: 'HeadObject' } as const]) {
    expect(await code({ ...operation, encryption }, 'none')).toBe('none');
    expect(await code({ ...operation, encryption }, 'seal')).toBe('none');
  }
  expect(await code({ ...putOf('k'), encryption }, 'none')).toBe('NotImplemented');
});

describe('rules for a bucket whose objects the store encrypts', () => {
  const by = { option: 'acme-*' };
  const said = (inject: 'managed' | 'kms' | 'customer' | undefined, require?: 'managed' | 'kms' | 'customer') => ({
    protection: { value: 'inject', by },
    ...(inject !== undefined && { inject: { value: inject, by } }),
    ...(require !== undefined && { require: { value: require, by } }),
  });
  const MANAGED = { kind: 'managed', algorithm: 'AES256' } as const;
  const KMS = { kind: 'kms', keyId: undefined, context: undefined } as const;

  it.each([
    ['nothing, and managed is given', undefined, said('managed'), undefined],
    ['nothing, and KMS is required and given', undefined, said('kms', 'kms'), undefined],
    ['nothing, and KMS is required and not given', undefined, said('managed', 'kms'), 'require'],
    [
      'nothing, and managed is required, and the gateway’s keys are given',
      undefined,
      said('customer', 'managed'),
      undefined,
    ],
    ['nothing, and a client’s key is required', undefined, said('customer', 'customer'), 'require'],
    ['AES256, and managed is given', MANAGED, said('managed'), undefined],
    ['AES256, and KMS is given', MANAGED, said('kms'), 'inject'],
    ['a KMS key, and KMS is given', KMS, said('kms'), undefined],
    ['a KMS key, and managed is given', KMS, said('managed'), 'inject'],
    ['a KMS key, and nobody has said how', KMS, said(undefined), 'protection'],
    ['a KMS key, where the gateway seals', KMS, { inject: { value: 'managed' as const, by } }, undefined],
  ] as const)('a client that asks for %s', (_what, encryption, rules, field) => {
    expect(refusedEncryption(putOf('k'), encryption, rules)?.field).toBe(field);
  });
});
