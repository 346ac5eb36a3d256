import { expect, it } from 'vitest';
import { checkAskedEncryption } from '../../../src/pipeline/admission/asked-encryption.ts';
import { DEFAULT_BUCKET_POLICY } from '../../../src/tenants/bucket-policy.ts';
import { getOf, putOf, refusalOf } from '../in-process.ts';

const policy = (protection: 'seal' | 'none') => ({ ...DEFAULT_BUCKET_POLICY, pattern: '*', protection });

it('encryption that is asked for is refused where there is none, and never forgotten', async () => {
  const code = (asksEncryption: boolean | undefined, protection: 'seal' | 'none') =>
    refusalOf((async () => checkAskedEncryption({ ...putOf('k'), asksEncryption }, policy(protection)))());
  expect(await code(true, 'none')).toBe('NotImplemented');
  expect(await code(true, 'seal')).toBe('none');
  expect(await code(false, 'none')).toBe('none');
  expect(await code(undefined, 'none')).toBe('none');
  checkAskedEncryption(getOf('k'), policy('none'));
});
