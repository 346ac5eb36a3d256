import { describe, expect, test } from 'vitest';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { s3Front } from '../../src/dialects/s3/front/front.ts';
import { appendVendor, vendorHeadersFor } from '../../src/dialects/vendor-headers.ts';
import { GatewayError, proven } from '../../src/errors.ts';
import type { ObjectSettings, ObjectTraits } from '../../src/operations/object.ts';
import type { PutObject } from '../../src/operations/operation.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { IncomingResponse } from '../../src/wire/message.ts';
import { readingOf } from '../support/reading.ts';
import { chunks, wireRequest } from '../support/requests.ts';

const SETTINGS = { region: 'us-east-1', domains: [] };

/** What the S3 front makes of a PUT's headers. */
function put(...headers: [string, string][]): PutObject {
  const request = wireRequest({ method: 'PUT', target: '/bucket/key', headers: [['Host', 'h'], ...headers] });
  const parsed = readingOf(s3Front, request, SETTINGS).parse();
  if (parsed.kind !== 'ready' || parsed.operation.kind !== 'PutObject') throw new Error('no PutObject');
  return parsed.operation;
}

/** The x-amz headers that the S3 back sends for these settings. */
function sent(settings: ObjectSettings): [string, string][] {
  const metadata = { content: {}, user: [], ...settings };
  const ref = { bucket: 'bucket', key: 'key' } as never;
  const { headers } = s3Back.calls.put.render({ ref, metadata, conditions: {}, body: Buffer.alloc(0) });
  return [...headers].filter(([name]) => name.startsWith('x-amz-')) as [string, string][];
}

function refusal(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
}

const SAID: [string, string][] = [
  ['x-amz-acl', 'public-read'],
  ['x-amz-storage-class', 'STANDARD_IA'],
  ['x-amz-tagging', 'a=b+c&%C3%BC='],
  ['x-amz-website-redirect-location', '/other'],
  ['x-amz-object-lock-mode', 'GOVERNANCE'],
  ['x-amz-object-lock-retain-until-date', '2030-01-01T00:00:00Z'],
  ['x-amz-object-lock-legal-hold', 'ON'],
];

const TRAITS: ObjectTraits = {
  acl: 'public-read',
  storageClass: 'infrequent-access',
  tags: [
    ['a', 'b c'],
    ['ü', ''],
  ],
  redirect: '/other',
  lock: { mode: 'governance', retainUntil: new Date('2030-01-01T00:00:00Z'), legalHold: true },
};

describe('the settings of an S3 request', () => {
  test('are told as traits too', () => {
    expect(put(...SAID).metadata).toMatchObject({ traits: TRAITS, vendor: { dialect: 's3', beyondTraits: [] } });
  });

  test('go to an S3 store as they came, and once', () => {
    const headers: [string, string][] = [...SAID, ['x-amz-grant-read', 'id="1"']];
    expect(sent(put(...headers).metadata)).toEqual(headers);
  });

  test.each([
    ['x-amz-grant-read', 'id="1"'],
    ['x-amz-expected-bucket-owner', '1'],
    ['x-amz-acl', 'bucket-owner-full-control'],
    ['x-amz-object-lock-mode', 'OTHER'],
    ['x-amz-object-lock-legal-hold', 'PERHAPS'],
    ['x-amz-object-lock-retain-until-date', 'soon'],
    ['x-amz-tagging', 'a=%ff'],
  ])('%s: %s is beyond them, and no store of another dialect is asked without it', (name, value) => {
    const { vendor } = put(['x-amz-storage-class', 'STANDARD'], [name, value]).metadata;
    expect(vendor?.beyondTraits).toEqual([name]);
    expect(refusal(() => vendorHeadersFor('oss', vendor))).toBe('NotImplemented');
    expect(vendorHeadersFor('s3', vendor).get(name)).toBe(value);
  });

  test('that are told in full reach a store of another dialect as traits, and no header does', () => {
    expect(vendorHeadersFor('oss', put(...SAID).metadata.vendor).size).toBe(0);
  });

  test('are none where nothing is said', () => {
    const { vendor, traits } = put(['Content-Type', 'a/b'], ['x-amz-meta-a', 'b']).metadata;
    expect([vendor, traits]).toEqual([undefined, undefined]);
  });
});

describe('to an S3 store', () => {
  test('traits of another dialect’s request are S3’s headers', () => {
    const vendor = { dialect: 'oss', headers: new HeaderList(['x-oss-object-acl', 'public-read']), beyondTraits: [] };
    expect(sent({ vendor, traits: TRAITS })).toEqual([
      ['x-amz-acl', 'public-read'],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-tagging', 'a=b%20c&%C3%BC='],
      ['x-amz-website-redirect-location', '/other'],
      ['x-amz-object-lock-mode', 'GOVERNANCE'],
      ['x-amz-object-lock-retain-until-date', '2030-01-01T00:00:00.000Z'],
      ['x-amz-object-lock-legal-hold', 'ON'],
    ]);
  });

  test('a header of another dialect that no trait tells is refused, in writes, deletions and of buckets', () => {
    const vendor = { dialect: 'oss', headers: new HeaderList(['x-oss-other', '1']), beyondTraits: ['x-oss-other'] };
    const ref = { bucket: 'bucket', key: 'key' } as never;
    expect(refusal(() => sent({ vendor }))).toBe('NotImplemented');
    expect(refusal(() => s3Back.calls.delete.render({ ref, conditions: {}, vendor }))).toBe('NotImplemented');
    expect(refusal(() => s3Back.calls.deleteMany.render({ bucket: 'bucket' as never, targets: [], vendor }))).toBe(
      'NotImplemented',
    );
    expect(
      refusal(() => s3Back.calls.createBucket.render({ bucket: 'bucket' as never, location: undefined, vendor })),
    ).toBe('NotImplemented');
  });

  test('a storage class of its own is known again, and another vendor’s is refused', () => {
    expect(sent({ traits: { storageClass: { dialect: 's3', word: 'COLDLINE' } } })).toEqual([
      ['x-amz-storage-class', 'COLDLINE'],
    ]);
    expect(refusal(() => sent({ traits: { storageClass: { dialect: 'oss', word: 'ColdArchive' } } }))).toBe(
      'NotImplemented',
    );
  });

  test('tags that a copy takes from its source stand beside the request’s own headers', () => {
    const { vendor, traits } = put(['x-amz-storage-class', 'GLACIER']).metadata;
    expect(sent({ vendor, traits: { ...traits, tags: [['n', '1']] } })).toEqual([
      ['x-amz-storage-class', 'GLACIER'],
      ['x-amz-tagging', 'n=1'],
    ]);
  });
});

test('what an S3 store says of an object goes on to S3 clients, and to others as traits', () => {
  const headers = ['etag', '"e"', 'last-modified', 'Tue, 02 Jan 2024 03:04:05 GMT', 'content-length', '0'];
  const response: IncomingResponse = {
    status: 200,
    headers: new HeaderList([...headers, 'x-amz-storage-class', 'GLACIER', 'x-amz-restore', 'ongoing-request="true"']),
    body: chunks([]),
    discard: () => undefined,
  };
  const { vendor, traits } = s3Back.calls.get.read(response).metadata;
  expect(traits).toEqual({ storageClass: 'archive' });
  const told = new HeaderList();
  appendVendor(told, vendor, 'oss');
  expect(told.size).toBe(0);
  appendVendor(told, vendor, 's3');
  expect([...told]).toEqual([
    ['x-amz-storage-class', 'GLACIER'],
    ['x-amz-restore', 'ongoing-request="true"'],
  ]);
});

test('what a store of another dialect says of an object is told to S3 clients in S3’s words', () => {
  const told = (settings: ObjectSettings) => {
    const facts = {
      plaintextBytes: proven(0),
      etag: 'e',
      lastModified: new Date(0),
      metadata: { content: {}, user: [], ...settings },
    };
    const answer = { kind: 'ObjectContent', facts, range: undefined, overrides: {}, body: undefined } as const;
    const { headers } = s3Front.render(answer, { requestId: 'R', settings: SETTINGS, request: undefined });
    const unasked = ['x-amz-request-id', 'x-amz-id-2'];
    return [...headers].filter(([name]) => name.startsWith('x-amz-') && !unasked.includes(name));
  };
  const vendor = { dialect: 'oss', headers: new HeaderList(['x-oss-storage-class', 'IA']) };
  expect(told({ vendor, traits: { storageClass: 'infrequent-access', redirect: '/other' } })).toEqual([
    ['x-amz-storage-class', 'STANDARD_IA'],
    ['x-amz-website-redirect-location', '/other'],
  ]);
  expect(told({ traits: { storageClass: 'standard' } })).toEqual([]);
  expect(told({ traits: { storageClass: { dialect: 'oss', word: 'ColdArchive' } } })).toEqual([]);
  const own = { dialect: 's3', headers: new HeaderList(['x-amz-storage-class', 'GLACIER']) };
  expect(told({ vendor: own, traits: { storageClass: 'archive' } })).toEqual([['x-amz-storage-class', 'GLACIER']]);
});
