import { expect, it } from 'vitest';
import { checkPolicyAllows } from '../../src/encryption/policy.ts';
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
  for (const operation of [getOf('k'), { ...getOf('k'), kind: 'HeadObject' } as const]) {
    expect(await code({ ...operation, encryption }, 'none')).toBe('CustomerKeyUnneeded');
    expect(await code({ ...operation, encryption }, 'seal')).toBe('none');
  }
  expect(await code({ ...putOf('k'), encryption }, 'none')).toBe('NotImplemented');
});
