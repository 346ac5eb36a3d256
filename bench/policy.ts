/**
 * What a decision of rules costs: `node bench/policy.ts [RULES…]`, by default 1,000 and 10,000 rules of one tenant. It
 * is one process, without a store and a key store, because a decision asks neither.
 */
import { holdRules } from '../src/pipeline/admission/hold-rules.ts';
import { RequestTrace } from '../src/pipeline/trace.ts';
import { DEFAULT_BUCKET_POLICY } from '../src/tenants/bucket-policy.ts';
import { CompiledRules } from '../src/tenants/rules/compiled-rules.ts';
import { decide, type Ruled } from '../src/tenants/rules/decision.ts';
import type { BucketRule, RuleFields } from '../src/tenants/rules/rule.ts';
import { putOf } from '../test/pipeline/in-process.ts';

const TURNS = 15;
const DECISIONS_A_TURN = 20_000;
const MOST_BUCKETS = 4096;

/** All that a rule can ask of a request, so that each field is looked at. */
const FIELDS: RuleFields = {
  require: 'kms',
  keys: ['cards', 'payroll'],
  customerKeys: 'refuse',
  networks: ['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32'],
  minTls: '1.2',
  dialects: ['s3'],
  readOnly: false,
};

/** How the rules of a tenant may lie: what each says of its bucket or buckets, and a bucket that it matches. */
const LAYOUTS: Readonly<Record<string, (at: number) => readonly [pattern: string, bucket: string]>> = {
  names: (at) => [`acme-app-${at}`, `acme-app-${at}`],
  prefixes: (at) => [`acme-app-${at}-*`, `acme-app-${at}-logs`],
  suffixes: (at) => [`acme-*-${at}`, `acme-app-${at}`],
  'prefixes of all lengths': (at) => {
    const prefix = `${at}-`.padEnd(5 + (at % 50), 'x');
    return [`${prefix}*`, `${prefix}logs`];
  },
  'prefixes and suffixes of all lengths': (at) => {
    const [prefix, suffix] = ['p'.repeat(1 + (at % 25)), `-${at}`.padStart(5 + (Math.trunc(at / 25) % 25), 's')];
    return [`${prefix}*${suffix}`, `${prefix}${suffix}`];
  },
};

function ruledBy(
  count: number,
  layout: (typeof LAYOUTS)[string],
): { readonly ruled: Ruled; readonly buckets: string[] } {
  const rules: BucketRule[] = [];
  const buckets: string[] = [];
  for (let at = 0; at < count; at++) {
    const [bucket, matched] = layout(at);
    rules.push({ bucket, fields: FIELDS, file: 'policy.yaml', line: at + 2, column: 5 });
    if (buckets.length < MOST_BUCKETS) buckets.push(matched);
  }
  const option = { ...DEFAULT_BUCKET_POLICY, pattern: '*', protection: 'seal' };
  return { ruled: { buckets: [option], rules: new CompiledRules(rules, 'seal') }, buckets };
}

/** The time that one call takes, in microseconds: the median of the turns, and the longest of them. */
function measured(call: (at: number) => void): { readonly median: number; readonly longest: number } {
  const turns: number[] = [];
  for (let turn = -2; turn < TURNS; turn++) {
    const startedAt = performance.now();
    for (let at = 0; at < DECISIONS_A_TURN; at++) call(at);
    if (turn >= 0) turns.push(((performance.now() - startedAt) * 1000) / DECISIONS_A_TURN);
  }
  turns.sort((one, other) => one - other);
  return { median: turns[Math.trunc(TURNS / 2)] as number, longest: turns.at(-1) as number };
}

const shown = ({ median, longest }: ReturnType<typeof measured>) => `${median.toFixed(2)} | ${longest.toFixed(2)}`;

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1_000, 10_000];
console.log('| rules | layout | first for a bucket: µs | longest turn | each request: µs | longest turn |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const count of counts) {
  for (const [name, layout] of Object.entries(LAYOUTS)) {
    const { ruled, buckets } = ruledBy(count, layout);
    const bucketAt = (at: number) => buckets[(at * 7919) % buckets.length] as string;
    const first = measured((at) => {
      if (decide(ruled, bucketAt(at))?.said.require?.value !== 'kms') throw new Error('The rule was not found.');
    });
    const client = { address: '10.1.2.3', secure: true, tls: '1.3' };
    const trace = new RequestTrace();
    trace.dialect = 's3';
    const encryption = { kind: 'kms', keyId: 'cards', context: undefined } as const;
    const asker = { tenant: ruled, client, trace, staging: { bucket: 'staging' }, registeredKeys: undefined } as never;
    // A request's decision is remembered for its bucket. What the request says is held against it each time.
    const few = buckets.slice(0, 512);
    const held = measured((at) => {
      const bucket = few[at % few.length] as string;
      void holdRules({ ...putOf('k'), encryption }, { bucket, encryption }, asker);
    });
    console.log(`| ${count} | ${name} | ${shown(first)} | ${shown(held)} |`);
  }
}
