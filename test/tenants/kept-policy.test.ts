import { describe, expect, it } from 'vitest';
import type { Payload } from '../../src/keys/payload.ts';
import { decodePolicy, encodePolicy, type KeptPolicy } from '../../src/tenants/kept-policy.ts';

const KEPT: KeptPolicy = {
  document: '{"Statement":[]}',
  statements: [
    {
      name: 'DenyUnencrypted',
      actions: ['s3:PutObject'],
      resources: ['acme-a/*'],
      conditions: [
        { key: 'method', operator: 'Null', values: ['true'] },
        { key: 'keyId', operator: 'StringNotEqualsIfExists', values: ['cards', 'alias/cards'] },
        { key: 'customerAlgorithm', operator: 'StringEquals', values: ['AES256'] },
      ],
    },
  ],
  passes: true,
  former: [{ name: 'statement 1', actions: ['*'], resources: ['acme-a*'], conditions: [] }],
  change: { id: '1', since: new Date('2026-11-30T10:00:00Z') },
};

const written = (kept: KeptPolicy) => JSON.parse(JSON.stringify(encodePolicy(kept))) as Payload;

describe('a policy in a record', () => {
  it('is read as it was written', () => {
    for (const kept of [KEPT, { ...KEPT, change: undefined, former: [] }]) {
      expect(decodePolicy(written(kept))).toEqual(kept);
    }
  });

  const condition = (over: object) => {
    const [statement] = KEPT.statements;
    return { statements: [{ ...statement, conditions: [{ ...statement?.conditions[0], ...over }] }] };
  };
  it.each<[string, object]>([
    ['document', { document: undefined }],
    ['passes', { passes: 'yes' }],
    ['statements', { statements: undefined }],
    ['former', { former: undefined }],
    ['since', { change: { id: '1' } }],
    ['actions', { statements: [{ ...KEPT.statements[0], actions: [] }] }],
    ['resources', { statements: [{ ...KEPT.statements[0], resources: [7] }] }],
    // What a later release might write. Passed over, it would not be held.
    ['key', condition({ key: 'context' })],
    ['operator', condition({ operator: 'StringLike' })],
    ['values', condition({ values: undefined })],
  ])('is not read without a %s that is understood', (field, over) => {
    expect(() => decodePolicy({ ...written(KEPT), ...over })).toThrow(`its field ${field} is missing or wrong`);
  });
});
