import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { TenantViewStore } from '../../../src/keys/ledger/tenant-view-store.ts';
import { LEDGER_NAME } from '../../../src/keys/record-name.ts';
import { rootKeyFromText } from '../../../src/keys/root/root-key.ts';
import { startUpSelfTest } from '../../../src/keys/self-test.ts';
import { keyStoreUnavailable, type RecordStore } from '../../../src/keys/store/record-store.ts';
import type { BucketRule, RuleFields } from '../../../src/tenants/rules/rule.ts';
import { RuleAdministration } from '../../../src/tenants/rules/rule-administration.ts';
import { MOST_RULES, ruleKind } from '../../../src/tenants/rules/rule-records.ts';
import { SidecarViews } from '../../../src/tenants/sidecar-views.ts';
import { policyFor } from '../../../src/tenants/tenant.ts';
import { eventually } from '../../keys/eventually.ts';
import { openStore, randomRootKey, temporaryDirectory } from '../../keys/fixture.ts';
import { MemoryRecords, MemoryStore } from '../../keys/memory-store.ts';
import { ALL_RECORD_KINDS, openTenancy, TENANT, type Tenancy } from '../fixture.ts';

const RULES = ruleKind(TENANT.protections);

async function storeConfig() {
  return { kind: 'file', path: join(await temporaryDirectory(), 'keys.json') } as const;
}

function rule(bucket: string, fields: RuleFields, line = 2): BucketRule {
  return { bucket, fields, file: 'rules.yaml', line, column: 5 };
}

/** Two tenants, acme and beta, and the administration of their rules. */
async function tenancy(options: Parameters<typeof openTenancy>[0] = {}, now = () => new Date()) {
  const opened = await openTenancy(options);
  for (const name of ['acme', 'beta']) {
    await opened.administration.addTenant({ name, buckets: [`${name}-*`], accessKeyId: `${name.toUpperCase()}FIRST` });
  }
  return { ...opened, rules: new RuleAdministration({ ...opened, tenants: TENANT, now }) };
}

async function replace(rules: RuleAdministration, of: Readonly<Record<string, readonly BucketRule[]>>) {
  const before = await rules.read();
  await rules.replace(
    Object.entries(of).map(([name, changed]) => ({
      before: before.find(({ tenant }) => tenant.name === name)!,
      rules: changed,
    })),
  );
}

async function etagsOf({ directory }: Pick<Tenancy, 'directory'>) {
  const callers = await Promise.all(['ACMEFIRST', 'BETAFIRST'].map((id) => directory.caller(id)));
  return callers.map((caller) => policyFor(caller!.tenant, `${caller!.tenant.name}-a`)?.etag);
}

it('rules are in force once they are written, are replaced as a whole, and leave nothing behind', async () => {
  const opened = await tenancy();
  const { rules, records, administration, directory } = opened;
  expect(await etagsOf(opened)).toEqual(['opaque', 'opaque']);
  const md5 = rule('*', { etag: 'md5', networks: ['10.0.0.0/8'], minTls: '1.3', readOnly: true, keys: ['cards'] });
  await replace(rules, { acme: [md5], beta: [md5] });
  expect((await rules.read()).map((each) => each.rules)).toEqual([[md5], [md5]]);
  await eventually(1000, async () => String(await etagsOf(opened)) === 'md5,md5');
  expect(policyFor((await directory.owner('acme-x'))!, 'acme-x')?.etag).toBe('md5');
  expect(policyFor((await administration.listTenants())[0]!, 'acme-x')?.etag).toBe('md5');
  await replace(rules, { acme: [] });
  await eventually(1000, async () => String(await etagsOf(opened)) === 'opaque,md5');
  expect(await records.list(RULES)).toHaveLength(1);
  expect(await startUpSelfTest({ records, kinds: ALL_RECORD_KINDS, now: () => new Date() })).toBe(8);
  await administration.removeTenant('beta');
  expect(await records.list(RULES)).toEqual([]);
});

it('what is changed otherwise keeps the rules', async () => {
  const opened = await tenancy();
  await replace(opened.rules, { acme: [rule('*', { etag: 'md5' })] });
  await opened.administration.changeTenant('acme', { legacySignatures: 'all' });
  await eventually(1000, async () => String(await etagsOf(opened)) === 'md5,opaque');
});

it('as many rules as a tenant may have fit, in records of a moderate size', async () => {
  const config = await storeConfig();
  const store = await openStore(config);
  const opened = await tenancy({ store });
  const many = Array.from({ length: MOST_RULES }, (_, at) =>
    rule(
      `acme-team-${at}-*`,
      { require: 'kms', keys: [`team-${at}`], networks: ['10.0.0.0/8', '192.168.0.0/16'] },
      at + 2,
    ),
  );
  await replace(opened.rules, { acme: many });
  const [acme] = await opened.rules.read();
  expect(acme?.rules).toEqual(many);
  let largest = 0;
  for await (const name of store.list('rules/')) {
    largest = Math.max(largest, (await store.get(name))!.bytes.length);
  }
  expect(largest).toBeLessThan(128 * 1024);
});

it('rules of several tenants change together or not at all: another change meanwhile refuses all of them', async () => {
  const opened = await tenancy();
  const { rules, administration, records } = opened;
  const before = await rules.read();
  await administration.changeTenant('beta', { legacySignatures: 'all' });
  const changes = before.map((each) => ({ before: each, rules: [rule('*', { etag: 'md5' })] }));
  await expect(rules.replace(changes)).rejects.toMatchObject({
    code: 'InvalidArgument',
    message: 'Tenants or their rules were changed by someone else. Try again.',
  });
  expect((await rules.read()).map((each) => each.rules)).toEqual([[], []]);
  expect(await records.list(RULES)).toEqual([]);
});

it.each([
  ['before the tenants’ records are named in the ledger', (name: string) => name === LEDGER_NAME, ['opaque', 'opaque']],
  ['after that', (name: string) => name.startsWith('tenant/'), ['md5', 'md5']],
])('a command that dies %s has changed none of them, or all', async (_when, fails, etags) => {
  const config = await storeConfig();
  const rootKey = randomRootKey();
  const raw = await openStore(config);
  let dying = false;
  let puts = 0;
  const store: RecordStore = Object.assign(Object.create(raw) as RecordStore, {
    get: raw.get.bind(raw),
    revision: raw.revision.bind(raw),
    list: raw.list.bind(raw),
    watch: raw.watch.bind(raw),
    delete: raw.delete.bind(raw),
    close: raw.close.bind(raw),
    put: (...args: Parameters<RecordStore['put']>) => {
      // Each of the two records of rules takes two writes of the ledger.
      if (dying && args[0] === LEDGER_NAME) puts++;
      if (dying && puts > 4 && fails(args[0])) throw keyStoreUnavailable(new Error('the process died'));
      return raw.put(...args);
    },
  });
  const first = await tenancy({ store, rootKey });
  dying = true;
  const changed = replace(first.rules, { acme: [rule('*', { etag: 'md5' })], beta: [rule('*', { etag: 'md5' })] });
  await expect(changed).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  const second = await openTenancy({ store: await openStore(config), rootKey });
  expect(await etagsOf(second)).toEqual(etags);
  expect(second.warnings).toEqual([]);
});

it('what a command left that died is removed by a later one, once nobody can be about to name it', async () => {
  let now = new Date('2026-01-01T00:00:00Z');
  const opened = await tenancy({}, () => now);
  const { rules, records } = opened;
  await records.put(RULES, '0123456789abcdef.0', { createdAt: now, rules: [rule('*', { etag: 'md5' })] });
  now = new Date('2026-01-01T00:30:00Z');
  await replace(rules, { acme: [rule('*', { etag: 'md5' })] });
  expect(await records.list(RULES)).toHaveLength(2);
  now = new Date('2026-01-01T01:30:00Z');
  await replace(rules, { acme: [rule('*', { readOnly: true })] });
  expect(await records.list(RULES)).not.toContain('0123456789abcdef.0');
});

/** A store that a test can take away, and whose changes nobody is told. */
function silentStore(records: MemoryRecords) {
  const store = new MemoryStore(records);
  onTestFinished(() => store.close());
  const state = { away: false };
  const asked = <T>(answer: () => T): T => {
    if (state.away) throw keyStoreUnavailable(new Error('away'));
    return answer();
  };
  const silent: RecordStore = Object.assign(Object.create(store) as RecordStore, {
    get: async (name: string) => asked(() => store.get(name)),
    revision: async (name: string) => asked(() => store.revision(name)),
    list: (prefix: string) => asked(() => store.list(prefix)),
    watch: async () => undefined,
    close: () => store.close(),
  });
  return { store: silent, state };
}

it('a gateway that knows an older record of the tenant finds the rules that took the place of others', async () => {
  const stored = new MemoryRecords();
  const rootKey = randomRootKey();
  const opened = await tenancy({ store: new MemoryStore(stored), rootKey });
  await replace(opened.rules, { acme: [rule('*', { etag: 'md5' })] });
  const gateway = await openTenancy({ store: silentStore(stored).store, rootKey });
  // It knows the tenant’s record, and not yet the rules that this one names.
  expect(await gateway.records.get(TENANT, 'acme')).toMatchObject({ ruleSet: { parts: 1 } });
  await gateway.directory.owner('beta-a');
  await replace(opened.rules, { acme: [rule('*', { readOnly: true })] });
  const acme = await gateway.directory.owner('acme-a');
  expect(acme?.rules?.rules).toEqual([rule('*', { readOnly: true })]);
});

it('rules are served from the cache while the key store is away', async () => {
  const stored = new MemoryRecords();
  const rootKey = randomRootKey();
  const opened = await tenancy({ store: new MemoryStore(stored), rootKey });
  await replace(opened.rules, { acme: [rule('*', { etag: 'md5' })] });
  const { store, state } = silentStore(stored);
  const gateway = await openTenancy({ store, rootKey });
  await gateway.directory.warm();
  state.away = true;
  const caller = await gateway.directory.caller('ACMEFIRST');
  expect(policyFor(caller!.tenant, 'acme-a')?.etag).toBe('md5');
  const cold = silentStore(stored);
  const late = await openTenancy({ store: cold.store, rootKey });
  expect(await late.records.get(TENANT, 'acme')).toBeDefined();
  expect(await late.directory.owner('beta-a')).toBeDefined();
  cold.state.away = true;
  // Without its rules a tenant is not served: nothing may be done that a rule forbids.
  await expect(late.directory.owner('acme-a')).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
});

it('sidecars find the rules of their tenant in its view, and hear of changes', async () => {
  const store = new MemoryStore();
  onTestFinished(() => store.close());
  const rootKey = randomRootKey();
  const opened = await tenancy({ store, rootKey });
  const { records } = opened;
  const views = new SidecarViews({ store, records, tenants: TENANT, rootKey, now: () => new Date() });
  const rules = new RuleAdministration({ records, tenants: TENANT, views });
  await replace(rules, { acme: [rule('*', { etag: 'md5' })], beta: [rule('*', { readOnly: true })] });
  const key = rootKeyFromText((await views.create('acme')).reveal());
  let clock = 0;
  const onPutBack = () => undefined;
  const monotonicNow = () => (clock += 1000);
  const view = await TenantViewStore.open({ store, key, tenant: 'acme', highest: undefined, monotonicNow, onPutBack });
  const sidecar = await openTenancy({ store: view, rootKey: key });
  const etag = async () => policyFor((await sidecar.directory.owner('acme-a'))!, 'acme-a')?.etag;
  expect(await etag()).toBe('md5');
  expect(await sidecar.records.list(RULES)).toHaveLength(1);
  await replace(rules, { acme: [] });
  await eventually(1000, async () => (await etag()) === 'opaque');
  // A view that was not written by the command before is written by the next one.
  await replace(new RuleAdministration({ records, tenants: TENANT }), { acme: [rule('*', { etag: 'md5' })] });
  await rules.replace([]);
  await eventually(1000, async () => (await etag()) === 'md5');
});

it('bucket options that tie with a rule are refused, and change nothing', async () => {
  const { rules, administration } = await tenancy();
  await replace(rules, { acme: [rule('acme-*', { etag: 'md5' })] });
  const change = administration.changeTenant('acme', { buckets: [{ pattern: 'acme-*', etag: 'md5' }] });
  await expect(change).rejects.toMatchObject({ code: 'InvalidArgument' });
  await expect(change).rejects.toThrow('Tenant acme: rules.yaml:2:5: the rule for acme-* ties with the tenant’s own');
  expect((await administration.listTenants())[0]?.buckets[0]?.etag).toBe('opaque');
  await administration.changeTenant('acme', { buckets: [{ pattern: 'acme-a-*', etag: 'md5' }] });
});

it('a record with a field that this release does not know is not read, so that nothing is passed over', async () => {
  const { records } = await tenancy();
  const later = {
    ...RULES,
    encode: () => ({ createdAt: '2026-01-01T00:00:00.000Z', rules: [{ ...RAW, virus: true }] }),
  };
  await records.put(later, '0123456789abcdef.0', { createdAt: new Date(), rules: [] });
  await expect(records.read(RULES, '0123456789abcdef.0')).rejects.toThrow('its field virus is missing or wrong');
});

const RAW = { bucket: '*', file: 'rules.yaml', line: 1, column: 1 };
