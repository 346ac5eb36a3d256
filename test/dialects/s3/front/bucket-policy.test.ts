import { describe, expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { GatewayError } from '../../../../src/errors.ts';
import type { PutBucketPolicy } from '../../../../src/operations/bucket-policy.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { SETTINGS } from '../signature/signing.ts';

const BUCKET = 'bucket';
const SSE = 's3:x-amz-server-side-encryption';
const KMS_KEY = `${SSE}-aws-kms-key-id`;
const CUSTOMER = `${SSE}-customer-algorithm`;

function read(document: string): PutBucketPolicy {
  const request = wireRequest({ method: 'PUT', target: `/${BUCKET}?policy`, headers: [['Host', '127.0.0.1']] });
  const parsed = readingOf(s3Front, request, SETTINGS).parse();
  if (parsed.kind !== 'document') throw new Error(parsed.kind);
  return parsed.read(Buffer.from(document)) as PutBucketPolicy;
}

const DENY = {
  Sid: 'DenyUnencrypted',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:PutObject',
  Resource: `arn:aws:s3:::${BUCKET}/*`,
  Condition: { Null: { [SSE]: 'true' } },
};
const PUBLIC = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/*` };
const policy = (...statements: readonly unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });

describe('a policy', () => {
  test.each([
    policy(PUBLIC),
    policy({ ...PUBLIC, Condition: { StringLikeIfExists: { 'aws:Referer': 'http://www.example.com/*' } } }),
    policy({ ...PUBLIC, Sid: `about ${SSE}` }),
    policy({ ...DENY, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    // What S3 would refuse is left to the store, if nothing of it is about encryption.
    '{"Statement":{},"Statement":7}',
    '[]',
  ])('%s goes to the store as it is', (document) => {
    const { asked } = read(document);
    expect(asked.held).toEqual([]);
    expect(asked.document.toString()).toBe(document);
    expect(asked.passed?.toString()).toBe(document);
  });

  test('is shared out between gateway and store', () => {
    const document = policy(PUBLIC, DENY, { ...PUBLIC, Sid: 'last', Resource: [`arn:aws:s3:::${BUCKET}`] });
    const { asked } = read(document);
    expect(asked.document.toString()).toBe(document);
    expect(asked.held).toEqual([
      {
        name: 'DenyUnencrypted',
        actions: ['s3:PutObject'],
        resources: [`${BUCKET}/*`],
        conditions: [{ key: 'method', operator: 'Null', values: ['true'] }],
      },
    ]);
    expect(JSON.parse(asked.passed?.toString() ?? '')).toEqual(
      JSON.parse(policy(PUBLIC, { ...PUBLIC, Sid: 'last', Resource: [`arn:aws:s3:::${BUCKET}`] })),
    );
  });

  test('of which the gateway holds all leaves the store none', () => {
    expect(read(policy(DENY)).asked.passed).toBeUndefined();
    // A policy may have one statement, and no list.
    const { asked } = read(JSON.stringify({ Id: 'p', Statement: DENY }));
    expect([asked.held.length, asked.passed]).toEqual([1, undefined]);
  });
});

describe('a statement', () => {
  test.each<[object, object]>([
    [{ Sid: undefined }, { name: 'statement 1' }],
    [{ Sid: '' }, { name: 'statement 1' }],
    [{ Sid: 'a\nb' }, { name: 'statement 1' }],
    [{ Principal: { AWS: '*' } }, {}],
    [{ Principal: { AWS: ['*'] } }, {}],
    [{ Action: ['s3:GetObject', 'S3:Put*'] }, { actions: ['s3:GetObject', 'S3:Put*'] }],
    [{ Action: '*' }, { actions: ['*'] }],
    [
      { Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/a*`, `arn:aws:s3:::${BUCKET}*`] },
      { resources: [BUCKET, `${BUCKET}/a*`, `${BUCKET}*`] },
    ],
    [
      { Condition: { StringNotEqualsIfExists: { [KMS_KEY]: ['a', 'alias/b'] }, Null: { [CUSTOMER]: ['false'] } } },
      {
        conditions: [
          { key: 'keyId', operator: 'StringNotEqualsIfExists', values: ['a', 'alias/b'] },
          { key: 'customerAlgorithm', operator: 'Null', values: ['false'] },
        ],
      },
    ],
    [
      { Condition: { Null: { [SSE.toUpperCase()]: true } } },
      { conditions: [{ key: 'method', operator: 'Null', values: ['true'] }] },
    ],
    [
      { Condition: { StringEquals: { [SSE]: 'aws:kms', [CUSTOMER]: 'AES256' } } },
      {
        conditions: [
          { key: 'method', operator: 'StringEquals', values: ['aws:kms'] },
          { key: 'customerAlgorithm', operator: 'StringEquals', values: ['AES256'] },
        ],
      },
    ],
    [
      { Condition: { StringEqualsIfExists: { [SSE]: ['AES256'] } } },
      { conditions: [{ key: 'method', operator: 'StringEqualsIfExists', values: ['AES256'] }] },
    ],
  ])('with %j is held', (over, held) => {
    expect(read(policy({ ...DENY, ...over })).asked.held).toMatchObject([{ name: 'DenyUnencrypted', ...held }]);
  });

  const unheld = 'NotImplemented';
  const malformed = 'MalformedPolicy';
  const on = (operator: string, said: unknown, key = SSE) => ({ Condition: { [operator]: { [key]: said } } });
  test.each<[object, string, string]>([
    // What the gateway cannot hold.
    [{ Effect: 'Allow' }, unheld, 'Effect Allow'],
    [{ Principal: { AWS: 'arn:aws:iam::111122223333:root' } }, unheld, 'a Principal other than "*"'],
    [{ Principal: { AWS: ['*', '111122223333'] } }, unheld, 'a Principal other than "*"'],
    [{ Principal: { Service: '*' } }, unheld, 'a Principal other than "*"'],
    [{ Principal: undefined, NotPrincipal: { AWS: '*' } }, unheld, 'NotPrincipal'],
    [{ Action: undefined, NotAction: 's3:GetObject' }, unheld, 'NotAction'],
    [{ Resource: undefined, NotResource: `arn:aws:s3:::${BUCKET}/*` }, unheld, 'NotResource'],
    [{ Resource: `arn:aws:s3:::${BUCKET}/\${aws:username}/*` }, unheld, 'a policy variable in the Resource'],
    [on('StringLike', 'AES*'), unheld, `the condition "StringLike" on "${SSE}"`],
    [on('StringNotLike', 'AES*'), unheld, `the condition "StringNotLike" on "${SSE}"`],
    [on('StringEqualsIgnoreCase', 'AES256'), unheld, '"StringEqualsIgnoreCase"'],
    [on('stringnotequals', 'AES256'), unheld, '"stringnotequals"'],
    [on('ForAllValues:StringNotEquals', 'AES256'), unheld, '"ForAllValues:StringNotEquals"'],
    [on('ForAnyValue:StringEquals', 'AES256'), unheld, '"ForAnyValue:StringEquals"'],
    [on('ArnNotEqualsIfExists', 'arn:aws:kms:a:b:key/c', KMS_KEY), unheld, `"ArnNotEqualsIfExists" on "${KMS_KEY}"`],
    [on('Bool', 'true'), unheld, '"Bool"'],
    [on('NullIfExists', 'true'), unheld, '"NullIfExists"'],
    [on('StringEquals', `\${aws:PrincipalTag/sse}`), unheld, 'a policy variable in the condition'],
    [
      { Condition: { ...DENY.Condition, Bool: { 'aws:SecureTransport': 'false' } } },
      unheld,
      'the condition "Bool" on "aws:SecureTransport" beside one on encryption',
    ],
    [{ Condition: { Null: { [SSE]: 'true', 'aws:Referer': 'true' } } }, unheld, '"aws:Referer" beside'],
    // What S3 refuses too.
    [{ Effect: 'deny' }, malformed, 'Effect'],
    [{ Effect: undefined }, malformed, 'Effect'],
    [{ Principal: undefined }, malformed, 'Principal'],
    [{ Action: undefined }, malformed, 'Action'],
    [{ Action: [] }, malformed, 'Action'],
    [{ Action: ['s3:PutObject', 7] }, malformed, 'Action'],
    [{ Action: 'ec2:*' }, malformed, 'invalid action "ec2:*"'],
    [{ Action: 's3:GetObject' }, malformed, 'conditions do not apply to combination of actions and resources'],
    [{ Resource: undefined }, malformed, 'Resource'],
    [{ Resource: `arn:aws:s3:::${BUCKET}` }, malformed, 'action does not apply to any resource(s)'],
    [{ Resource: 'arn:aws:s3:::bucke/*' }, malformed, 'invalid resource'],
    [{ Resource: 'arn:aws:s3:::bucket-b/*' }, malformed, 'invalid resource'],
    [{ Resource: 'arn:aws:s3:::*' }, malformed, 'invalid resource'],
    [{ Resource: [`arn:aws:s3:::${BUCKET}/*`, '*'] }, malformed, 'invalid resource "*"'],
    [{ condition: {} }, malformed, 'unknown field "condition"'],
    [on('Null', 'true', `${SSE}-context`), malformed, `invalid condition key "${SSE}-context"`],
    [on('Null', 'true', 'x-amz-server-side-encryption'), malformed, 'invalid condition key'],
    [
      on('Null', 'true', 's3:x-amz-copy-source-server-side-encryption-customer-algorithm'),
      malformed,
      'invalid condition key',
    ],
    [on('Null', 'yes'), malformed, 'must be "true" or "false"'],
    [on('Null', []), malformed, 'must be "true" or "false"'],
    [on('StringEquals', []), malformed, 'a list of at least one'],
    [on('StringEquals', 256), malformed, 'a list of at least one'],
    [on('StringEquals', null), malformed, 'a list of at least one'],
  ])('with %j is refused: %s', (over, code, words) => {
    const refusal = refusalOf(policy({ ...PUBLIC, Sid: 'first' }, { ...DENY, ...over }));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(words);
    expect(refusal.message).toContain('statement DenyUnencrypted');
    if (code === unheld) expect(refusal.message).toContain('StringNotEqualsIfExists');
  });

  test('without a Sid is named by its place', () => {
    expect(refusalOf(policy(PUBLIC, { ...DENY, Sid: undefined, Effect: 'Allow' })).message).toContain(
      'in statement 2.',
    );
  });
});

describe('a document is refused', () => {
  test.each([
    ['', 'valid JSON'],
    ['<Policy/>', 'valid JSON'],
    [`{"Statement":[${JSON.stringify(DENY)}`, 'valid JSON'],
    [JSON.stringify([DENY]), 'must be a JSON object'],
    [JSON.stringify({ Statement: [DENY], Comment: '' }), 'Unknown field "Comment"'],
    [JSON.stringify({ statement: [DENY] }), 'Unknown field "statement"'],
    [JSON.stringify({ Version: '2020-01-01', Statement: [DENY] }), 'valid version'],
    [JSON.stringify({ Statement: [PUBLIC], Id: { [SSE]: 1 } }), 'outside of the conditions'],
    [JSON.stringify({ Statement: { ...PUBLIC, Principal: { [SSE]: 1 } } }), 'outside of the conditions'],
    [JSON.stringify({ Statement: [[DENY]] }), 'outside of the conditions'],
    [policy(DENY).replace('"Effect"', '"Effect":"Allow","Effect"'), '"Effect" twice'],
    [policy(DENY).replace('"Condition"', '"Condition":{"Null":{}},"Con\\u0064ition"'), '"Condition" twice'],
    [policy(PUBLIC).replace('}]', `,"Condition":{"Null":{"${SSE}":"true"}},"Condition":{}}]`), '"Condition" twice'],
  ])('%s', (document, words) => {
    const refusal = refusalOf(document);
    expect([refusal.code, refusal.message]).toEqual(['MalformedPolicy', expect.stringContaining(words)]);
  });

  test('that is no UTF-8', () => {
    const request = wireRequest({ method: 'PUT', target: `/${BUCKET}?policy`, headers: [['Host', '127.0.0.1']] });
    const parsed = readingOf(s3Front, request, SETTINGS).parse();
    if (parsed.kind !== 'document') throw new Error(parsed.kind);
    expect(() => parsed.read(Buffer.from('{"Id":"\xff"}', 'latin1'))).toThrow('valid JSON');
    expect(parsed.maxBytes).toBe(20 * 1024);
  });
});

function refusalOf(document: string): GatewayError {
  try {
    read(document);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('It was taken.');
}
