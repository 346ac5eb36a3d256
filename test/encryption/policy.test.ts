import { expect, it } from 'vitest';
import { checkPolicyAllows } from '../../src/encryption/policy.ts';
import { askedEncryption } from '../../src/encryption/rules.ts';
import { Protections } from '../../src/formats/protection.ts';
import { FORMATS } from '../../src/formats/table.ts';
import type { AskedEncryption } from '../../src/operations/encryption.ts';
import { DEFAULT_BUCKET_POLICY } from '../../src/tenants/bucket-policy.ts';
import { getOf, putOf, refusalOf } from '../pipeline/in-process.ts';

const protections = new Protections(FORMATS);
const policy = (protection: 'seal' | 'none') => ({ ...DEFAULT_BUCKET_POLICY, pattern: '*', protection });
const check = (asked: AskedEncryption | undefined, protection: 'seal' | 'none') =>
  checkPolicyAllows(asked, policy(protection), protections.formatsFor(policy(protection)).write);

it('encryption that is asked for is refused where there is none, and never forgotten', async () => {
  const code = (encryption: AskedEncryption | undefined, protection: 'seal' | 'none') =>
    refusalOf((async () => check(askedEncryption({ ...putOf('k'), encryption }), protection))());
  const managed = { kind: 'managed', algorithm: 'AES256' } as const;
  expect(await code(managed, 'none')).toBe('NotImplemented');
  expect(await code(managed, 'seal')).toBe('none');
  expect(await code(undefined, 'none')).toBe('none');
  check(askedEncryption(putOf('k')), 'none');
  check(askedEncryption(getOf('k')), 'none');
});
