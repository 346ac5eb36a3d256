import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { customerKeysOf } from '../../../../src/encryption/rules.ts';
import { proven } from '../../../../src/errors.ts';
import type { Answer } from '../../../../src/operations/answer.ts';
import type { EncryptionFacts } from '../../../../src/operations/encryption.ts';
import { judged } from '../../../encryption/judged.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { codeOf, SETTINGS } from '../signature/signing.ts';

type Headers = readonly (readonly [string, string])[];

const SSE = 'x-amz-server-side-encryption';
const OF_SOURCE = 'x-amz-copy-source-server-side-encryption';
const KEY = Buffer.alloc(32, 7).toString('base64');
const md5 = (key: string) => createHash('md5').update(Buffer.from(key, 'base64')).digest('base64');

function customer(prefix: string, over: { algorithm?: string; key?: string; 'key-MD5'?: string } = {}): Headers {
  const whole = { algorithm: 'AES256', key: KEY, 'key-MD5': md5(over.key ?? KEY), ...over };
  return Object.entries(whole)
    .filter(([, value]) => value !== '-')
    .map(([name, value]) => [`${prefix}-customer-${name}`, value] as const);
}

function code(method: string, target: string, headers: Headers): Promise<string> {
  const all = [['Host', '127.0.0.1'], ...headers] as const;
  return codeOf(() => {
    const parsed = readingOf(s3Front, wireRequest({ method, target, headers: all }), SETTINGS).parse();
    // What the headers say is judged behind the dialect, by the forms that there are keys for.
    if (parsed.kind === 'document') judged(parsed.read(COMPLETE));
    if (parsed.kind === 'ready') judged(parsed.operation);
  });
}

const COMPLETE = Buffer.from(
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part></CompleteMultipartUpload>',
);
const COPY: Headers = [['x-amz-copy-source', 'bucket/other']];
const REQUESTS: readonly (readonly [string, string, Headers])[] = [
  ['PUT', '/bucket/k', []],
  ['PUT', '/bucket/k', COPY],
  ['POST', '/bucket/k?uploads', []],
  ['PUT', '/bucket/k?partNumber=1&uploadId=u', []],
  ['PUT', '/bucket/k?partNumber=1&uploadId=u', COPY],
  ['GET', '/bucket/k', []],
  ['HEAD', '/bucket/k', []],
  ['GET', '/bucket/k?attributes', [['x-amz-object-attributes', 'ETag']]],
  ['GET', '/bucket/k?uploadId=u', []],
  ['POST', '/bucket/k?uploadId=u', []],
];

describe.each(REQUESTS)('%s %s %j', (method, target, more) => {
  test.each<[string, Headers]>([
    ['a key alone', customer(SSE, { algorithm: '-', 'key-MD5': '-' })],
    ['no algorithm', customer(SSE, { algorithm: '-' })],
    ['no key', customer(SSE, { key: '-' })],
    ['no MD5', customer(SSE, { 'key-MD5': '-' })],
    ['the MD5 of another key', customer(SSE, { 'key-MD5': md5(Buffer.alloc(32).toString('base64')) })],
    ['a short key', customer(SSE, { key: Buffer.alloc(16).toString('base64') })],
    ['a long key', customer(SSE, { key: Buffer.alloc(33).toString('base64') })],
    ['a key that is no base64', customer(SSE, { key: `${KEY.slice(0, -2)}!=` })],
    ['a method beside it', [...customer(SSE), [SSE, 'AES256']]],
    ['a KMS key beside it', [...customer(SSE), [`${SSE}-aws-kms-key-id`, 'cards']]],
    ['a context beside it', [...customer(SSE), [`${SSE}-context`, 'e30=']]],
  ])('a customer key with %s is wrong', async (_what, headers) => {
    expect(await code(method, target, [...more, ...headers])).toBe('InvalidArgument');
  });

  test.each(['AES128', 'aes256', 'aws:kms', ''])('a customer key for the algorithm %j', async (algorithm) => {
    expect(await code(method, target, [...more, ...customer(SSE, { algorithm })])).toBe('InvalidEncryptionAlgorithm');
  });

  test('a customer key that is right is taken, and what is not known beside it is never ignored', async () => {
    expect(await code(method, target, [...more, ...customer(SSE)])).toBe('nothing');
    expect(await code(method, target, [...more, ...customer(SSE), [`${SSE}-tomorrow`, 'x']])).toBe('NotImplemented');
    expect(await code(method, target, [...more, [`${SSE}-tomorrow`, 'x']])).toBe(
      method === 'GET' || method === 'HEAD' ? 'nothing' : 'NotImplemented', // S3 ignores what it does not know on reads
    );
  });
});

describe.each([
  ['DELETE', '/bucket/k'],
  ['DELETE', '/bucket/k?uploadId=u'],
  ['POST', '/bucket?delete'],
  ['GET', '/bucket'],
  ['GET', '/bucket?list-type=2'],
  ['GET', '/bucket?versions'],
  ['GET', '/bucket?uploads'],
  ['GET', '/bucket?location'],
  ['HEAD', '/bucket'],
  ['DELETE', '/bucket'],
  ['GET', '/bucket/k?tagging'],
  ['PUT', '/bucket/k?tagging'],
  ['DELETE', '/bucket/k?tagging'],
  ['GET', '/bucket/k?retention'],
  ['PUT', '/bucket/k?retention'],
  ['GET', '/bucket/k?legal-hold'],
  ['PUT', '/bucket/k?legal-hold'],
])('%s %s, which needs no key', (method, target) => {
  const parsed = (headers: Headers) =>
    codeOf(() => {
      const all = [['Host', '127.0.0.1'], ['Content-MD5', md5('')], ...headers] as const; // DeleteObjects wants one
      readingOf(s3Front, wireRequest({ method, target, headers: all }), SETTINGS).parse();
    });

  test('ignores a customer key that is whole', async () => {
    expect([await parsed([]), await parsed(customer(SSE))]).toEqual(['nothing', 'nothing']);
  });

  test('names no method', async () => {
    for (const value of ['AES256', 'aws:kms']) expect(await parsed([[SSE, value]])).toBe('InvalidArgument');
  });
});

test('one for the source of a copy, too', async () => {
  for (const target of ['/bucket/k', '/bucket/k?partNumber=1&uploadId=u']) {
    expect(await code('PUT', target, [...COPY, ...customer(OF_SOURCE)])).toBe('nothing');
    expect(await code('PUT', target, [...COPY, ...customer(OF_SOURCE), ...customer(SSE)])).toBe('nothing');
    expect(await code('PUT', target, customer(OF_SOURCE))).toBe('NotImplemented');
    expect(await code('PUT', target, [...COPY, ...customer(OF_SOURCE, { key: '-' })])).toBe('InvalidArgument');
    expect(await code('PUT', target, [...COPY, ...customer(OF_SOURCE, { algorithm: 'AES128' })])).toBe(
      'InvalidEncryptionAlgorithm',
    );
    expect(await code('PUT', target, [...COPY, [`${OF_SOURCE}-customer-tomorrow`, 'x']])).toBe('NotImplemented');
  }
});

test.each<[string, Headers, string]>([
  ['AES256', [[SSE, 'AES256']], 'nothing'],
  ['in another case', [[SSE, 'aes256']], 'InvalidArgument'],
  ['nothing', [[SSE, '']], 'InvalidArgument'],
  ['KMS', [[SSE, 'aws:kms']], 'nothing'],
  ['both layers of KMS', [[SSE, 'aws:kms:dsse']], 'NotImplemented'],
  ['KMS with a key', [...([[SSE, 'aws:kms']] as const), [`${SSE}-aws-kms-key-id`, 'k']], 'nothing'],
  ['KMS with a context', [...([[SSE, 'aws:kms']] as const), [`${SSE}-context`, 'e30=']], 'nothing'],
  ['KMS with a bucket key', [...([[SSE, 'aws:kms']] as const), [`${SSE}-bucket-key-enabled`, 'true']], 'nothing'],
  ['KMS without a bucket key', [...([[SSE, 'aws:kms']] as const), [`${SSE}-bucket-key-enabled`, 'False']], 'nothing'],
  ['half a bucket key', [...([[SSE, 'aws:kms']] as const), [`${SSE}-bucket-key-enabled`, 'yes']], 'InvalidArgument'],
  ['KMS with what is not known', [...([[SSE, 'aws:kms']] as const), [`${SSE}-tomorrow`, 'x']], 'NotImplemented'],
  ['a KMS key alone', [[`${SSE}-aws-kms-key-id`, 'k']], 'InvalidArgument'],
  ['a KMS key beside AES256', [...([[SSE, 'AES256']] as const), [`${SSE}-aws-kms-key-id`, 'k']], 'InvalidArgument'],
  ['a context alone', [[`${SSE}-context`, 'e30=']], 'InvalidArgument'],
  ['a bucket key', [...([[SSE, 'AES256']] as const), [`${SSE}-bucket-key-enabled`, 'true']], 'NotImplemented'],
])('a write that asks for %s', async (_what, headers, expected) => {
  for (const [method, target, more] of REQUESTS.slice(0, 3)) {
    expect(await code(method, target, [...more, ...headers])).toBe(expected);
  }
});

test('a part, and the end of an upload, name no method and no KMS key', async () => {
  for (const [method, target, more] of [...REQUESTS.slice(3, 5), ...REQUESTS.slice(9)]) {
    for (const name of [SSE, `${SSE}-aws-kms-key-id`, `${SSE}-context`]) {
      expect(await code(method, target, [...more, [name, 'aws:kms']])).toBe('InvalidArgument');
    }
  }
});

test('the answer tells of ciphertext, and only of that', () => {
  const told = (answer: Answer) =>
    [...s3Front.render(answer, { requestId: 'R', settings: SETTINGS, request: undefined }).headers].filter(([name]) =>
      name.toLowerCase().startsWith(SSE),
    );
  const etag = 'e';
  const ref = { bucket: 'b', key: 'k' };
  const lastModified = new Date(0);
  const writes = (encryption: EncryptionFacts | undefined): readonly Answer[] => {
    const stored = { ref, etag, versionId: undefined, checksum: undefined, encryption };
    const part = { etag, checksum: undefined, encryption };
    return [
      { kind: 'ObjectStored', ...stored },
      { kind: 'ObjectCopied', ...stored, lastModified, sourceVersionId: undefined },
      { kind: 'FormStored', stored: { kind: 'ObjectStored', ...stored }, reply: { redirect: undefined, status: 204 } },
      { kind: 'UploadCreated', ref, uploadId: 'u', checksum: undefined, encryption },
      { kind: 'PartStored', ...part },
      { kind: 'PartCopied', ...part, lastModified, sourceVersionId: undefined },
      { kind: 'UploadCompleted', ...stored },
    ];
  };
  const metadata = { content: {}, user: [] };
  const content = (encryption: EncryptionFacts | undefined): Answer => {
    const facts = { plaintextBytes: proven(1), etag, lastModified, metadata, encryption };
    return { kind: 'ObjectContent', facts, range: undefined, overrides: {}, body: undefined };
  };
  const keyMd5 = Buffer.alloc(16, 1);
  for (const [encryption, headers] of [
    [undefined, []],
    [{ kind: 'managed' }, [[SSE, 'AES256']]],
    [
      { kind: 'kms', keyId: 'cards' },
      [
        [SSE, 'aws:kms'],
        [`${SSE}-aws-kms-key-id`, 'cards'],
      ],
    ],
    [
      { kind: 'kms', keyId: 'cards', bucketKey: true },
      [
        [SSE, 'aws:kms'],
        [`${SSE}-aws-kms-key-id`, 'cards'],
        [`${SSE}-bucket-key-enabled`, 'true'],
      ],
    ],
    [
      { kind: 'customer', keyMd5 },
      [
        [`${SSE}-customer-algorithm`, 'AES256'],
        [`${SSE}-customer-key-MD5`, keyMd5.toString('base64')],
      ],
    ],
  ] as const) {
    for (const answer of [...writes(encryption), content(encryption)]) {
      expect([answer.kind, told(answer)]).toEqual([answer.kind, headers]);
    }
  }
  expect(told({ kind: 'ObjectDeleted', versionId: undefined, deleteMarker: false })).toEqual([]);
});

test('how an object is encrypted is said when it is begun, and not later', async () => {
  for (const [method, target, more] of REQUESTS.slice(3)) {
    for (const value of ['AES256', 'aws:kms']) {
      expect(await code(method, target, [...more, [SSE, value]])).toBe('InvalidArgument');
    }
  }
});

describe('a header that is there with two values', () => {
  const put = REQUESTS[0] as (typeof REQUESTS)[number];
  const copy = REQUESTS[1] as (typeof REQUESTS)[number];
  const kms: Headers = [[SSE, 'aws:kms']];
  const twice = (...headers: Headers): Headers => headers;
  test.each<[string, (typeof REQUESTS)[number], Headers]>([
    ['the method', put, twice([SSE, 'AES256'], [SSE, 'aws:kms'])],
    ['the KMS key', put, [...kms, ...twice([`${SSE}-aws-kms-key-id`, 'cards'], [`${SSE}-aws-kms-key-id`, 'other'])]],
    ['the context', put, [...kms, ...twice([`${SSE}-context`, 'e30='], [`${SSE}-context`, 'eyJhIjoiYiJ9'])]],
    [
      'the bucket key',
      put,
      [...kms, ...twice([`${SSE}-bucket-key-enabled`, 'true'], [`${SSE}-bucket-key-enabled`, 'false'])],
    ],
    ['the customer’s key', put, [...customer(SSE), [`${SSE}-customer-key`, Buffer.alloc(32, 8).toString('base64')]]],
    ['its MD5', put, [...customer(SSE), [`${SSE}-customer-key-MD5`, md5(Buffer.alloc(32, 8).toString('base64'))]]],
    ['its algorithm', put, [...customer(SSE), [`${SSE}-customer-algorithm`, 'AES192']]],
    ['the source’s key', copy, [...customer(OF_SOURCE), [`${OF_SOURCE}-customer-key`, 'another']]],
  ])('is refused: %s', async (_, [method, target, more], headers) => {
    expect(await code(method, target, [...more, ...headers])).toBe('InvalidArgument');
  });

  test('and one that says the same twice is not', async () => {
    expect(await code(...(put.slice(0, 2) as [string, string]), [...customer(SSE), ...customer(SSE)])).toBe('nothing');
  });
});

test('nothing of a key is left in the memory of small buffers once it was erased', () => {
  const key = Buffer.alloc(32, 0x6b);
  const headers = [
    ['Host', 'h'],
    ...COPY,
    ...[SSE, OF_SOURCE].flatMap((prefix) => customer(prefix, { key: key.toString('base64') })),
  ] as Headers;
  // What this test itself made of the key lies in an earlier pool.
  const earlier = Buffer.from('one').buffer;
  while (Buffer.from('one').buffer === earlier);
  const pools = new Set([Buffer.from('one').buffer]);
  const parsed = readingOf(s3Front, wireRequest({ method: 'PUT', target: '/bucket/k', headers }), SETTINGS).parse();
  pools.add(Buffer.from('another').buffer);
  if (parsed.kind !== 'ready') throw new TypeError('A copy has no document.');
  const keys = customerKeysOf(parsed.operation);
  expect(keys).toHaveLength(2);
  const digest = createHash('md5').update(key).digest();
  const isThere = () => [...pools].some((pool) => [key, digest].some((secret) => Buffer.from(pool).includes(secret)));
  expect(isThere()).toBe(true);
  for (const each of keys) each.erase();
  expect(isThere()).toBe(false);
});
