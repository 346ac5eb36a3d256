import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readRuleFile } from '../../../src/cli/policy/rule-file.ts';
import { RULE_FIELD_NAMES } from '../../../src/tenants/rules/rule.ts';
import fc, { runs } from '../../support/property.ts';

const WORDS = { protections: ['seal', 'none', 'inject'], dialects: ['qingstor', 's3'] };
const read = (yaml: string) => readRuleFile(yaml, 'pay.yaml', WORDS);

it('rules are read with their places, in flow style and in block style', () => {
  const { rules, problems } = read(
    [
      'rules:',
      '  - { tenant: acme, bucket: "pay-*", require: kms, keys: [cards], customerKeys: refuse, networks: [10.0.0.0/8], minTls: "1.3" }',
      '  - tenant: acme',
      '    bucket: pay-archive',
      '    readOnly: true',
      '    dialects: s3',
      '    minTls: 1.2',
      '    plaintextReads: allow',
      '    quantum: 2',
    ].join('\n'),
  );
  expect(problems).toEqual([]);
  const place = { tenant: 'acme', file: 'pay.yaml', column: 5 };
  expect(rules).toEqual([
    {
      ...place,
      line: 2,
      bucket: 'pay-*',
      fields: { require: 'kms', keys: ['cards'], customerKeys: 'refuse', networks: ['10.0.0.0/8'], minTls: '1.3' },
    },
    {
      ...place,
      line: 3,
      bucket: 'pay-archive',
      fields: { readOnly: true, dialects: ['s3'], minTls: '1.2', plaintextReads: 'allow', quantum: 2 },
    },
  ]);
  expect(Object.keys(rules[1]?.fields ?? {})).toEqual(['plaintextReads', 'quantum', 'minTls', 'dialects', 'readOnly']);
});

it('anchors and aliases mean what YAML says', () => {
  const { rules, problems } = read(
    'rules:\n  - { tenant: acme, bucket: a, networks: &office [10.0.0.0/8] }\n  - { tenant: acme, bucket: b, networks: *office }\n',
  );
  expect(problems).toEqual([]);
  expect(rules[1]?.fields).toEqual({ networks: ['10.0.0.0/8'] });
});

it('an empty list is a policy without rules', () => {
  expect(read('rules: []')).toEqual({ rules: [], problems: [] });
});

const rule = (text: string) => `rules:\n  - { tenant: acme, bucket: a, ${text} }`;

it.each<[string, string]>([
  ['', 'pay.yaml:1:1: The file must have `rules:` with a list of rules.'],
  ['- a', 'pay.yaml:1:1: The file must have `rules:` with a list of rules.'],
  ['rulez: []', 'pay.yaml:1:1: The file has no field "rulez". Did you mean rules?'],
  ['rules:', 'pay.yaml:1:7: `rules` must be a list; write `rules: []` for none.'],
  ['rules: 5', 'pay.yaml:1:8: `rules` must be a list; write `rules: []` for none.'],
  ['rules:\n  - 5', 'pay.yaml:2:5: A rule must be a mapping'],
  ['rules:\n  - { bucket: a, readOnly: true }', 'pay.yaml:2:5: The rule has no tenant.'],
  ['rules:\n  - { tenant: a, readOnly: true }', 'pay.yaml:2:5: The rule has no bucket.'],
  ['rules:\n  - { tenant: 5, bucket: a, readOnly: true }', 'pay.yaml:2:15: tenant must be a text.'],
  [
    'rules:\n  - { tenant: a, bucket: "a b", readOnly: true }',
    'pay.yaml:2:26: The bucket pattern "a b" must be 1 to 63',
  ],
  ['rules:\n  - { tenant: a, bucket: "a**", readOnly: true }', 'pay.yaml:2:26: The bucket pattern a** has two stars'],
  ['rules:\n  - { tenant: a, bucket: a }', 'pay.yaml:2:5: The rule says nothing'],
  [rule('requre: kms'), 'pay.yaml:2:32: A rule has no field "requre". Did you mean require?'],
  [rule('virusScan: true'), 'pay.yaml:2:32: A rule has no field "virusScan". Known are tenant, bucket, protection,'],
  [rule('require: kmss'), 'pay.yaml:2:41: require: "kmss" is not known. Did you mean kms?'],
  [rule('require: zzzzzz'), 'It must be one of any, managed, kms, customer.'],
  [rule('require: [kms]'), 'pay.yaml:2:41: require must be one of any, managed, kms, customer.'],
  [rule('readOnly: yes'), 'pay.yaml:2:42: readOnly: "yes" is not known.'],
  [rule('readOnly:'), 'pay.yaml:2:42: readOnly must be one of true, false.'],
  [rule('protection: cse'), 'pay.yaml:2:44: protection: cse is not available yet. Available are seal, none, inject.'],
  [rule('inject: custmer'), 'pay.yaml:2:40: inject: "custmer" is not known. Did you mean customer?'],
  [rule('customerKeys: register'), 'pay.yaml:2:46: customerKeys: "register" is not known. Did you mean registered?'],
  [rule('dialects: [s3, qingstr]'), 'pay.yaml:2:47: dialects: "qingstr" is not known. Did you mean qingstor?'],
  [
    rule('networks: [10.0.0.0/8, 10.0.0.0/33]'),
    'pay.yaml:2:55: networks: "10.0.0.0/33" is not known. It must be a list of',
  ],
  [rule('networks: []'), 'pay.yaml:2:42: networks must be a list of an IP address, or a network'],
  [rule('networks: [[10.0.0.0/8]]'), 'pay.yaml:2:42: networks must be a list of'],
  [rule('keys: [alias/cards]'), 'pay.yaml:2:39: keys: "alias/cards" is not known.'],
  [rule('minTls: "1.1"'), 'pay.yaml:2:40: minTls: "1.1" is not known. Did you mean 1.2?'],
  [rule('readOnly: true, readOnly: false'), 'pay.yaml:2:48: Map keys must be unique'],
  ['rules:\n  - { tenant: [', 'pay.yaml:2:'],
])('%j: %s', (yaml, problem) => {
  const { problems } = read(yaml);
  expect(problems.join('\n')).toContain(problem);
});

it('whatever a file holds, it is read or every problem has a place', () => {
  const value = fc.oneof(
    fc.constantFrom('acme', 'pay-*', 'kms', '1.3', true, null, 7),
    fc.json().map((text) => JSON.parse(text)),
  );
  const name = fc.constantFrom('tenant', 'bucket', ...RULE_FIELD_NAMES, 'other');
  const rules = fc.array(
    fc.oneof({ weight: 5, arbitrary: fc.dictionary(name, value) }, { weight: 1, arbitrary: value }),
  );
  fc.assert(
    fc.property(rules, fc.boolean(), (list, flow) => {
      const yaml = flow ? JSON.stringify({ rules: list }) : stringify({ rules: list });
      const { problems, rules: read } = readRuleFile(yaml, 'pay.yaml', WORDS);
      for (const problem of problems) expect(problem).toMatch(/^pay\.yaml:[1-9]\d*:[1-9]\d*: \S/);
      expect(read.length > 0 || problems.length > 0 || list.length === 0).toBe(true);
    }),
    { numRuns: runs(500) },
  );
});

it('every problem is told, by line', () => {
  const { problems, rules } = read(
    `${rule('requre: kms')}\n  - { tenant: acme, bucket: b, etag: md6, readOnly: maybe }`,
  );
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'pay.yaml:2:32:',
    'pay.yaml:3:38:',
    'pay.yaml:3:53:',
  ]);
  expect(rules).toEqual([]);
});
