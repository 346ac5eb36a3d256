import { describe, expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import type { BucketEncryption } from '../../../../src/operations/bucket-encryption.ts';
import type { Operation } from '../../../../src/operations/operation.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { codeOf, SETTINGS } from '../signature/signing.ts';

type Headers = readonly (readonly [string, string])[];

function read(document: string, method = 'PUT', headers: Headers = []): Operation {
  const request = wireRequest({ method, target: '/bucket?encryption', headers: [['Host', '127.0.0.1'], ...headers] });
  const parsed = readingOf(s3Front, request, SETTINGS).parse();
  if (parsed.kind === 'document') return parsed.read(Buffer.from(document));
  if (parsed.kind !== 'ready') throw new Error(parsed.kind);
  return parsed.operation;
}

const rule = (...parts: readonly string[]) =>
  `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>${parts.join('')}</Rule></ServerSideEncryptionConfiguration>`;
const method = (algorithm: string, key = '') =>
  `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm>${key}</ApplyServerSideEncryptionByDefault>`;
const keyId = (id: string) => `<KMSMasterKeyID>${id}</KMSMasterKeyID>`;
const flag = (value: string) => `<BucketKeyEnabled>${value}</BucketKeyEnabled>`;
const block = (...types: readonly string[]) =>
  `<BlockedEncryptionTypes>${types.map((type) => `<EncryptionType>${type}</EncryptionType>`).join('')}</BlockedEncryptionTypes>`;

const MANAGED = { form: 'managed', keyId: undefined } as const;
const NOTHING = { method: undefined, bucketKey: undefined, customerKeys: undefined };

describe('PutBucketEncryption', () => {
  test.each([
    [rule(method('AES256')), { ...NOTHING, method: MANAGED }],
    [rule(method('AES256', keyId(''))), { ...NOTHING, method: MANAGED }],
    [rule(method('AES256'), flag('true')), { ...NOTHING, method: MANAGED, bucketKey: true }],
    [rule(flag('false')), { ...NOTHING, bucketKey: false }],
    [rule(method('aws:kms')), { ...NOTHING, method: { form: 'kms', keyId: undefined } }],
    [rule(method('aws:kms', keyId(' a/b&amp;c\n'))), { ...NOTHING, method: { form: 'kms', keyId: 'a/b&c' } }],
    [rule(block('SSE-C')), { ...NOTHING, customerKeys: 'blocked' }],
    [rule(block('SSE-C', 'SSE-C')), { ...NOTHING, customerKeys: 'blocked' }],
    [rule(block('NONE'), method('AES256')), { ...NOTHING, method: MANAGED, customerKeys: 'allowed' }],
  ])('reads %s', (document, asked) => {
    expect(read(document)).toEqual({ kind: 'PutBucketEncryption', bucket: 'bucket', asked });
  });

  test.each([
    ['', 'MalformedBody'],
    ['AES256', 'MalformedBody'],
    ['{"Rules":[]}', 'MalformedBody'],
    ['<CORSConfiguration/>', 'MalformedBody'],
    ['<ServerSideEncryptionConfiguration/>', 'MalformedBody'],
    [rule(), 'MalformedBody'],
    [rule(method('AES256')).replace(/<Rule>.*<\/Rule>/, '$&$&'), 'MalformedBody'],
    [rule(method('AES256'), method('AES256')), 'MalformedBody'],
    [rule('<ApplyServerSideEncryptionByDefault/>'), 'MalformedBody'],
    [rule(method('')), 'MalformedBody'],
    [rule(method('aes256')), 'MalformedBody'],
    [rule(method('AES128', keyId('cards'))), 'MalformedBody'],
    [rule(method('AES256', keyId('cards'))), 'InvalidArgument'],
    [rule(method('aws:kms', keyId('a') + keyId('b'))), 'MalformedBody'],
    [rule(method('aws:kms:dsse')), 'NotImplemented'],
    [rule(method('AES256'), flag('yes')), 'MalformedBody'],
    [rule(block()), 'MalformedBody'],
    [rule(block('SSE-C', 'NONE')), 'MalformedBody'],
    [rule(block('SSE-KMS')), 'MalformedBody'],
    [rule(method('AES256'), '<Tomorrow/>'), 'NotImplemented'],
    [rule(method('AES256', '<Tomorrow/>')), 'NotImplemented'],
    [rule(method('AES256')).slice(0, -1), 'MalformedBody'],
  ])('refuses %j', async (document, code) => {
    expect(await codeOf(() => read(document))).toBe(code);
  });
});

test.each(['GET', 'DELETE'])('%s reads its operation', (verb) => {
  const kind = verb === 'GET' ? 'GetBucketEncryption' : 'DeleteBucketEncryption';
  expect(read('', verb)).toEqual({ kind, bucket: 'bucket' });
});

test.each(['GET', 'PUT', 'DELETE'])('%s refuses headers that it cannot hold', async (verb) => {
  const code = (name: string, value: string) => codeOf(() => read(rule(method('AES256')), verb, [[name, value]]));
  expect(await code('x-amz-expected-bucket-owner', '123456789012')).toBe('NotImplemented');
  expect(await code('x-amz-server-side-encryption', 'AES256')).toBe('InvalidArgument');
});

test.each<[BucketEncryption, string]>([
  [
    { form: 'managed', keyId: undefined, bucketKey: false, customerKeys: undefined },
    rule(method('AES256'), flag('false')),
  ],
  [
    { form: 'kms', keyId: 'a&b', bucketKey: true, customerKeys: 'blocked' },
    rule(method('aws:kms', keyId('a&amp;b')), flag('true'), block('SSE-C')),
  ],
  [
    { form: 'kms', keyId: undefined, bucketKey: true, customerKeys: 'allowed' },
    rule(method('aws:kms'), flag('true'), block('NONE')),
  ],
])('tells %j', (told, document) => {
  const answer = s3Front.render(
    { kind: 'BucketEncryptionTold', rule: told },
    { requestId: 'id', settings: SETTINGS, request: undefined },
  );
  expect([answer.status, String(answer.body)]).toEqual([200, `<?xml version="1.0" encoding="UTF-8"?>\n${document}`]);
});
