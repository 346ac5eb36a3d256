import { expect, it } from 'vitest';
import { checkPolicyAllows } from '../../src/encryption/policy.ts';
import { askedEncryption } from '../../src/encryption/rules.ts';
import type { AskedEncryption } from '../../src/operations/encryption.ts';
import { DEFAULT_BUCKET_POLICY } from '../../src/tenants/bucket-policy.ts';
import { getOf, putOf, refusalOf } from '../pipeline/in-process.ts';

const policy = (protection: 'seal' | 'none') => ({ ...DEFAULT_BUCKET_POLICY, pattern: '*', protection });

it('encryption that is asked for is refused where there is none, and never forgotten', async () => {
  const code = (encryption: AskedEncryption | undefined, protection: 'seal' | 'none') =>
    refusalOf((async () => checkPolicyAllows(askedEncryption({ ...putOf('k'), encryption }), policy(protection)))());
  const managed = { kind: 'managed', algorithm: 'AES256' } as const;
  expect(await code(managed, 'none')).toBe('NotImplemented');
  expect(await code(managed, 'seal')).toBe('none');
  expect(await code(undefined, 'none')).toBe('none');
  checkPolicyAllows(askedEncryption(putOf('k')), policy('none'));
  checkPolicyAllows(askedEncryption(getOf('k')), policy('none'));
});
