import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/shell/command.ts';
import { BucketOptions } from '../../src/cli/tenant/bucket-option.ts';
import { Protections } from '../../src/formats/protection.ts';
import { FORMATS, protectionWords } from '../../src/formats/table.ts';
import { bucketPolicy } from '../../src/tenants/bucket-policy.ts';
import { tenantKind } from '../../src/tenants/tenant.ts';
import { openFileStoreHere, openKeys, randomRootKey } from '../keys/fixture.ts';
import { openTenancy, TENANT } from '../tenants/fixture.ts';
import { type FormatCase, formatConformance } from './format-conformance.ts';
import { toyRow } from './toy-format/toy-format.ts';

/** The toy is registered here alone. */
const TABLE = { ...FORMATS, toy: toyRow };

const { injected, plain, sx1, toy } = new Protections(TABLE).formats;

const FORMATS_UNDER_TEST: readonly FormatCase[] = [
  { format: plain, policy: { protection: 'none' }, authenticates: false, readsToo: [sx1], readsUnmarked: true },
  { format: injected, policy: { protection: 'inject' }, authenticates: false, readsToo: [sx1], readsUnmarked: false },
  { format: sx1, authenticates: true, readsToo: [], readsUnmarked: false },
  { format: toy, policy: { protection: 'veil' }, authenticates: false, readsToo: [], readsUnmarked: false },
];

it('every format of the table is held to what follows', () => {
  expect(FORMATS_UNDER_TEST.map(({ format }) => format.name).sort()).toEqual(Object.keys(TABLE).sort());
});

for (const one of FORMATS_UNDER_TEST) formatConformance(one, FORMATS_UNDER_TEST, TABLE);

describe('the word of a format’s row', () => {
  const words = protectionWords(TABLE);

  it('is one more of those that policies may have, and that commands take and explain', () => {
    const options = new BucketOptions(TABLE);
    const [policy] = options.read(['box:mixed:protection=veil']).map((each) => bucketPolicy(each, words));
    expect(policy).toMatchObject({ pattern: 'box', mixed: true, protection: 'veil' });
    expect(options.describe(policy as never)).toBe('box:mixed:protection=veil');
    expect(options.protectionUsage().at(-1)).toBe('protection=veil    bytes are veiled');
    expect(() => new BucketOptions().read(['box:protection=veil'])).toThrow(UsageError);
    const unknown = () => bucketPolicy({ pattern: 'box', protection: 'other' }, words);
    expect(unknown).toThrow(`The bucket policy for box must have protection ${words.slice(0, -1).join(', ')} or veil.`);
  });

  it('is kept with the tenant, and read only where the row is there', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const { administration } = await openTenancy({ store, rootKey, tenants: tenantKind(words) });
    const buckets = [{ pattern: 'box', protection: 'veil' }];
    const { tenant } = await administration.addTenant({ name: 'acme', buckets });
    expect(tenant.buckets).toMatchObject(buckets);
    const { records } = await openKeys({ store, rootKey });
    expect((await records.read(tenantKind(words), 'acme'))?.value.buckets).toMatchObject(buckets);
    await expect(records.read(TENANT, 'acme')).rejects.toThrow('buckets');
  });

  it('of a mixed bucket has unmarked objects read as they lie', () => {
    const formats = new Protections(TABLE).formatsFor(
      bucketPolicy({ pattern: 'b', protection: 'veil', mixed: true }, words),
    );
    expect([formats.write, formats.readsUnmarked, formats.peeks]).toEqual([toy, true, false]);
  });
});
