import { describe, expect, test } from 'vitest';
import { actionsOf, sourceAction } from '../../../src/encryption/bucket-policy/actions.ts';
import { denyingStatement } from '../../../src/encryption/bucket-policy/judge.ts';
import type { HeldCondition, HeldStatement } from '../../../src/operations/bucket-policy.ts';
import { type AskedEncryption, CustomerKey } from '../../../src/operations/encryption.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { copyOf, getOf, listOf, putOf } from '../../pipeline/in-process.ts';

const BUCKET = 'acme-b';
/** A store that takes `/a` and `a` for two objects, and one that takes them for one. */
const DISTINCT = { foldsFirstSlash: false };
const FOLDING = { foldsFirstSlash: true };
const ref = { bucket: BUCKET, key: 'a/k' };
const part = { ref, uploadId: 'u', partNumber: 1 };
const { metadata } = putOf('k');

const customerKey = new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 2));
const ASKED = {
  nothing: undefined,
  AES256: { kind: 'managed', algorithm: 'AES256' },
  AES192: { kind: 'managed', algorithm: 'AES192' },
  aes256: { kind: 'managed', algorithm: 'aes256' },
  kms: { kind: 'kms', keyId: undefined, context: undefined },
  cards: { kind: 'kms', keyId: 'cards', context: undefined },
  aliasCards: { kind: 'kms', keyId: 'alias/cards', context: undefined },
  arnCards: { kind: 'kms', keyId: 'arn:aws:kms:us-east-1:111122223333:key/cards', context: undefined },
  other: { kind: 'kms', keyId: 'other', context: undefined },
  customer: { kind: 'customer', key: customerKey },
  customerAES192: { kind: 'customer', key: CustomerKey.malformed(new Error('no'), { algorithm: 'AES192' }) },
  customerUnnamed: { kind: 'customer', key: CustomerKey.malformed(new Error('no')) },
} as const satisfies Readonly<Record<string, AskedEncryption | undefined>>;
type AskedName = keyof typeof ASKED;

const statement = (conditions: readonly HeldCondition[], over: Partial<HeldStatement> = {}): HeldStatement => ({
  name: 'it',
  actions: ['s3:PutObject'],
  resources: [`${BUCKET}/*`],
  conditions,
  ...over,
});
const condition = (
  operator: HeldCondition['operator'],
  key: HeldCondition['key'],
  ...values: readonly string[]
): HeldCondition => ({ operator, key, values });

function denies(held: HeldStatement, operation: Operation, store = DISTINCT): boolean {
  return actionsOf(operation, store).some((judged) => denyingStatement([held], judged) !== undefined);
}

const put = (asked?: AskedEncryption): Operation => ({ ...putOf('k'), ref, encryption: asked });

describe('conditions', () => {
  const ALL = Object.keys(ASKED) as AskedName[];
  test.each<[HeldCondition[], AskedName[]]>([
    [[condition('Null', 'method', 'true')], ['nothing', 'customer', 'customerAES192', 'customerUnnamed']],
    [
      [condition('Null', 'method', 'false')],
      ['AES256', 'AES192', 'aes256', 'kms', 'cards', 'aliasCards', 'arnCards', 'other'],
    ],
    [[condition('Null', 'method', 'true', 'false')], ALL],
    [[condition('Null', 'keyId', 'false')], ['cards', 'aliasCards', 'arnCards', 'other']],
    [[condition('Null', 'customerAlgorithm', 'false')], ['customer', 'customerAES192']],
    [
      [condition('Null', 'customerAlgorithm', 'true')],
      ALL.filter((name) => name !== 'customer' && name !== 'customerAES192'),
    ],
    // Equality is with case, and a missing value equals nothing.
    [[condition('StringEquals', 'method', 'AES256')], ['AES256']],
    [
      [condition('StringEquals', 'method', 'AES256', 'aws:kms')],
      ['AES256', 'kms', 'cards', 'aliasCards', 'arnCards', 'other'],
    ],
    [
      [condition('StringEqualsIfExists', 'method', 'AES256')],
      ['nothing', 'AES256', 'customer', 'customerAES192', 'customerUnnamed'],
    ],
    // What is missing is unequal to everything, with IfExists and without.
    [[condition('StringNotEquals', 'method', 'AES256')], ALL.filter((name) => name !== 'AES256')],
    [[condition('StringNotEqualsIfExists', 'method', 'AES256')], ALL.filter((name) => name !== 'AES256')],
    [
      [condition('StringNotEquals', 'method', 'AES256', 'aws:kms')],
      ['nothing', 'AES192', 'aes256', 'customer', 'customerAES192', 'customerUnnamed'],
    ],
    [[condition('StringNotEquals', 'customerAlgorithm', 'AES256')], ALL.filter((name) => name !== 'customer')],
    // A key may be named in several ways, in the policy and in the request.
    [[condition('StringEquals', 'keyId', 'cards')], ['cards', 'aliasCards', 'arnCards']],
    [
      [condition('StringEquals', 'keyId', 'arn:aws:kms:eu-west-1:999999999999:alias/cards')],
      ['cards', 'aliasCards', 'arnCards'],
    ],
    [
      [condition('StringNotEquals', 'keyId', 'alias/cards')],
      ALL.filter((name) => !name.toLowerCase().endsWith('cards')),
    ],
    [[condition('StringNotEqualsIfExists', 'keyId', 'cards'), condition('Null', 'keyId', 'false')], ['other']],
    // All conditions of a statement must be true.
    [
      [condition('Null', 'method', 'true'), condition('Null', 'customerAlgorithm', 'true')],
      ['nothing', 'customerUnnamed'],
    ],
    [[condition('StringEquals', 'method', 'aws:kms'), condition('Null', 'keyId', 'true')], ['kms']],
  ])('%j deny what asks for %j', (conditions, denied) => {
    const held = statement(conditions);
    expect(ALL.filter((name) => denies(held, put(ASKED[name])))).toEqual(denied);
  });
});

const UNENCRYPTED = [condition('Null', 'method', 'true')];

describe('actions', () => {
  const source = { ref, conditions: {} };
  const WRITES: readonly Operation[] = [
    put(),
    { ...putOf('k'), ref, kind: 'PostObject', reply: { redirect: undefined, status: 204 } },
    {
      ...{ kind: 'CopyObject', ref, source, replacement: undefined, tags: 'copy' },
      ...{ checksumAlgorithm: undefined, conditions: {} },
    },
    { kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined },
  ];
  const OTHERS: readonly Operation[] = [
    { ...getOf('k'), ref },
    { ...getOf('k'), ref, kind: 'HeadObject' },
    { kind: 'DeleteObject', ref, conditions: {} },
    { kind: 'DeleteObjects', bucket: BUCKET, targets: [{ key: 'a/k' }], quiet: false },
    { kind: 'AbortMultipartUpload', ref, uploadId: 'u' },
    { kind: 'Forward', name: 'PutObjectTagging', bucket: BUCKET, key: 'a/k', changes: true },
    { kind: 'Forward', name: 'GetObjectAcl', bucket: BUCKET, key: 'a/k', versionId: 'v', changes: false },
  ];
  const ON_BUCKET: readonly Operation[] = [
    { ...listOf(), bucket: BUCKET },
    { kind: 'HeadBucket', bucket: BUCKET },
    { kind: 'Forward', name: 'GetBucketCors', bucket: BUCKET, key: undefined, changes: false },
    { kind: 'DeleteBucket', bucket: BUCKET },
  ];
  const OF_POLICIES: readonly Operation[] = [
    { kind: 'GetBucketPolicy', bucket: BUCKET },
    { kind: 'GetBucketPolicyStatus', bucket: BUCKET },
    { kind: 'DeleteBucketPolicy', bucket: BUCKET },
  ];
  const deniedBy = (held: HeldStatement, operations: readonly Operation[]) =>
    operations.filter((operation) => denies(held, operation)).map(({ kind }) => kind);

  test.each(['s3:PutObject', 'S3:putobject', 's3:PutO*', 's3:Put?bject'])(
    '%s is every way of beginning an object',
    (action) => {
      const held = statement(UNENCRYPTED, { actions: ['s3:GetBucketAcl', action] });
      expect(deniedBy(held, [...WRITES, ...OTHERS, ...ON_BUCKET, ...OF_POLICIES])).toEqual([
        ...WRITES.map(({ kind }) => kind),
        ...(action === 's3:PutO*' ? ['Forward'] : []),
      ]);
    },
  );

  test('s3:* on objects is everything that is done to them, and on the bucket what is done to it', () => {
    for (const action of ['s3:*', '*']) {
      const onObjects = statement(UNENCRYPTED, { actions: [action] });
      expect(deniedBy(onObjects, [...WRITES, ...OTHERS])).toHaveLength(WRITES.length + OTHERS.length);
      expect(deniedBy(onObjects, [...ON_BUCKET, ...OF_POLICIES])).toEqual([]);
      const onBoth = statement(UNENCRYPTED, { actions: [action], resources: [BUCKET, `${BUCKET}/*`] });
      expect(deniedBy(onBoth, ON_BUCKET)).toHaveLength(ON_BUCKET.length);
      // Nobody locks himself out of a bucket.
      expect(deniedBy(onBoth, OF_POLICIES)).toEqual([]);
    }
  });

  test('a version has actions of its own', () => {
    const held = statement(UNENCRYPTED, { actions: ['s3:GetObjectVersion', 's3:PutObject'] });
    expect(denies(held, { ...getOf('k'), ref })).toBe(false);
    expect(denies(held, { ...getOf('k'), ref: { ...ref, versionId: 'v' } })).toBe(true);
  });

  test('a copy reads its source', () => {
    const held = statement(UNENCRYPTED, { actions: ['s3:GetObject', 's3:PutObject'] });
    const [, , copy] = WRITES as [Operation, Operation, Operation];
    const judged = sourceAction(copy, DISTINCT);
    expect(judged).toMatchObject({ action: 's3:GetObject', resources: [`${BUCKET}/a/k`] });
    expect(judged && denyingStatement([held], judged)).toBe(held);
    expect(sourceAction(put(), DISTINCT)).toBeUndefined();
  });

  test.each([
    [`${BUCKET}/*`, true],
    [`${BUCKET}/a/*`, true],
    [`${BUCKET}/a?k`, true],
    [`${BUCKET}*`, true],
    [`${BUCKET}/b/*`, false],
    [`${BUCKET}/A/*`, false],
    [BUCKET, false],
  ])('a resource %s holds for a/k: %s', (resource, holds) => {
    expect(denies(statement(UNENCRYPTED, { resources: [resource] }), put())).toBe(holds);
  });
});

describe('an upload', () => {
  const CUSTOMER = ASKED.customer;
  const later = (encryption?: AskedEncryption): readonly Operation[] => [
    { kind: 'UploadPart', ...part, encryption },
    { kind: 'UploadPartCopy', ...part, source: { ref, conditions: {} }, range: undefined, encryption },
    {
      ...{ kind: 'CompleteMultipartUpload', ref, uploadId: 'u', parts: [], smallestPartBytes: 0, conditions: {} },
      ...{ checksum: undefined, composite: undefined, plaintextBytes: undefined, encryption },
    },
  ];

  test('is judged by method and key when it begins, and not again', () => {
    for (const conditions of [
      UNENCRYPTED,
      [condition('StringNotEquals', 'method', 'AES256')],
      [condition('StringNotEqualsIfExists', 'keyId', 'cards')],
      [condition('Null', 'method', 'true'), condition('Null', 'customerAlgorithm', 'true')],
    ]) {
      for (const operation of later()) expect(denies(statement(conditions), operation)).toBe(false);
    }
  });

  test('brings its customer key wherever a policy demands one', () => {
    const demands = statement([condition('Null', 'customerAlgorithm', 'true')]);
    const forbids = statement([condition('Null', 'customerAlgorithm', 'false')]);
    for (const operation of later()) {
      expect([denies(demands, operation), denies(forbids, operation)]).toEqual([true, false]);
    }
    for (const operation of later(CUSTOMER)) {
      expect([denies(demands, operation), denies(forbids, operation)]).toEqual([false, true]);
    }
  });
});

test('a customer key beside a method or a KMS key is judged by both', () => {
  const said = { algorithm: 'AES256', method: 'aws:kms', keyId: 'cards' };
  const both = put({ kind: 'customer', key: CustomerKey.malformed(new Error('no'), said) });
  const judged = (held: HeldCondition) => denies(statement([held]), both);
  expect(judged(condition('StringEquals', 'method', 'aws:kms'))).toBe(true);
  expect(judged(condition('StringEquals', 'keyId', 'alias/cards'))).toBe(true);
  expect(judged(condition('StringEquals', 'customerAlgorithm', 'AES256'))).toBe(true);
  expect(judged(condition('Null', 'method', 'true'))).toBe(false);
});

describe('a store that takes `/a` and `a` for one object', () => {
  const at = (key: string): Operation => ({ ...putOf('k'), ref: { bucket: BUCKET, key } });
  const copied: Operation = {
    ...copyOf('other', 'k'),
    source: { ref: { bucket: BUCKET, key: '/a/k' }, conditions: {} },
  };
  const reads = statement([condition('Null', 'method', 'true')], {
    actions: ['s3:GetObject'],
    resources: [`${BUCKET}/a/*`],
  });

  test.each([
    ['/a/k', `${BUCKET}/a/*`],
    ['a/k', `${BUCKET}//a/*`],
    ['/a/k', `${BUCKET}//a/*`],
    ['a/k', `${BUCKET}/a/*`],
  ])('%s is what %s is about', (key, resource) => {
    const held = statement([condition('Null', 'method', 'true')], { resources: [resource] });
    expect(denies(held, at(key), FOLDING)).toBe(true);
    expect(denies(held, at(key), DISTINCT)).toBe(resource === `${BUCKET}/${key.replace('a/k', 'a/*')}`);
  });

  test.each([
    [FOLDING, true],
    [DISTINCT, false],
  ])('a copy reads its source by any of its names: %o', (store, denied) => {
    const judged = sourceAction(copied, store);
    expect(judged && denyingStatement([reads], judged) !== undefined).toBe(denied);
  });
});
