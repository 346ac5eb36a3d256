import { describe, expect, it } from 'vitest';
import { QINGSTOR_ERRORS } from '../../../src/dialects/qingstor/error-table.ts';
import { qingstorFront } from '../../../src/dialects/qingstor/front.ts';
import { type ErrorCode, proven } from '../../../src/errors.ts';
import type { Answer, ObjectContent, ObjectListing } from '../../../src/operations/answer.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import type { WireResponse } from '../../../src/wire/message.ts';
import { errorOf } from '../../support/conclusive.ts';
import { chunks, wireRequest } from '../../support/requests.ts';

const MODIFIED = new Date('2024-01-02T03:04:05.678Z');

function context(method = 'GET', target = '/bucket/key') {
  return {
    requestId: 'REQ1',
    settings: { region: 'us-east-1', domains: [] },
    request: wireRequest({ method, target }),
  };
}

const render = (answer: Answer, target?: string): WireResponse => qingstorFront.render(answer, context('GET', target));

function headersOf(response: WireResponse): Record<string, string> {
  return Object.fromEntries([...response.headers].map(([name, value]) => [name.toLowerCase(), value]));
}

function documentOf(response: WireResponse): unknown {
  if (!Buffer.isBuffer(response.body)) throw new Error('no document');
  expect(headersOf(response)).toMatchObject({
    'content-type': 'application/json',
    'content-length': String(response.body.length),
    'x-qs-request-id': 'REQ1',
  });
  return JSON.parse(response.body.toString('utf8'));
}

const CONTENT: ObjectContent = {
  kind: 'ObjectContent',
  facts: {
    plaintextBytes: proven(1000),
    etag: 'e1',
    lastModified: MODIFIED,
    metadata: {
      content: { contentType: 'text/plain', cacheControl: 'no-cache' },
      user: [['colour', 'blue']],
      vendor: { dialect: 's3', headers: HeaderList.of([['x-amz-storage-class', 'GLACIER']]) },
    },
    checksum: { algorithm: 'CRC32', value: Buffer.alloc(4) },
    versionId: 'v1',
  },
  range: undefined,
  overrides: {},
  body: chunks([]),
};

const LISTING: ObjectListing = {
  kind: 'ObjectListing',
  release: () => undefined,
  asked: {
    kind: 'ListObjects',
    bucket: 'bucket',
    form: 1,
    prefix: 'a/',
    delimiter: '/',
    after: 'a/0',
    continuationToken: undefined,
    maxKeys: 2,
    urlEncoded: false,
    withOwner: false,
  },
  objects: [
    {
      key: 'a/"中',
      plaintextBytes: 5,
      etag: 'e1',
      lastModified: MODIFIED,
      storageClass: 'STANDARD',
      owner: { id: 'backend', displayName: 'backend' },
    },
  ],
  commonPrefixes: ['a/b/'],
  truncated: true,
  nextMarker: 'a/b/',
  nextContinuationToken: undefined,
};

describe('objects', () => {
  it('stored: 201, the ETag, no body', () => {
    const ref = { bucket: 'bucket', key: 'key' };
    const vendor = { dialect: 's3', headers: HeaderList.of([['x-amz-expiration', 'x']]) };
    const response = render({ kind: 'ObjectStored', ref, etag: 'e1', versionId: 'v', checksum: undefined, vendor });
    expect([response.status, response.body]).toEqual([201, undefined]);
    expect(headersOf(response)).toEqual({
      server: 'Sealgate',
      'x-qs-request-id': 'REQ1',
      etag: '"e1"',
      'content-length': '0',
    });
  });

  it('read whole: nothing of S3’s spelling', () => {
    const response = render(CONTENT);
    expect([response.status, response.body]).toEqual([200, CONTENT.body]);
    expect(headersOf(response)).toEqual({
      server: 'Sealgate',
      'x-qs-request-id': 'REQ1',
      'content-type': 'text/plain',
      'cache-control': 'no-cache',
      'x-qs-meta-colour': 'blue',
      etag: '"e1"',
      'last-modified': 'Tue, 02 Jan 2024 03:04:05 GMT',
      'x-qs-storage-class': 'STANDARD',
      'accept-ranges': 'bytes',
      'content-length': '1000',
    });
  });

  it('read in part, with other headers', () => {
    const overrides = { contentType: 'text/html', contentDisposition: 'inline' };
    const response = render({ ...CONTENT, range: { first: 10, last: 19 }, overrides });
    expect(response.status).toBe(206);
    expect(headersOf(response)).toMatchObject({
      'content-range': 'bytes 10-19/1000',
      'content-length': '10',
      'content-type': 'text/html',
      'content-disposition': 'inline',
      'cache-control': 'no-cache',
    });
  });

  it('asked for by HEAD: the same without a body', () => {
    const { body: _body, ...rest } = CONTENT;
    const response = render({ ...rest, body: undefined });
    expect([response.body, headersOf(response)['content-length']]).toEqual([undefined, '1000']);
  });

  it('deleted', () => {
    const one = render({ kind: 'ObjectDeleted', versionId: 'v', deleteMarker: true });
    expect([one.status, one.body, one.headers.has('content-length')]).toEqual([204, undefined, false]);
    const many = render({
      kind: 'ObjectsDeleted',
      deleted: [{ key: 'a', versionId: 'v' }],
      failures: [
        { key: 'b', code: 'AccessDenied', message: 'no' },
        { key: 'c', code: 'InternalError', message: 'later' },
        { key: '../d', code: 'InvalidArgument', message: 'no key' },
        { key: 'e', code: 'BackendRefused', message: 'no', said: { dialect: 's3', status: 400, code: 'Theirs' } },
      ],
    });
    expect([many.status, documentOf(many)]).toEqual([
      200,
      {
        deleted: [{ key: 'a' }],
        errors: [
          { key: 'b', code: 'permission_denied', message: 'no' },
          { key: 'c', code: 'internal_error', message: 'later' },
          { key: '../d', code: 'invalid_argument', message: 'no key' },
          { key: 'e', code: 'invalid_object_name', message: 'no' },
        ],
      },
    ]);
  });
});

describe('listings', () => {
  it('of objects', () => {
    expect(documentOf(render(LISTING))).toEqual({
      name: 'bucket',
      prefix: 'a/',
      delimiter: '/',
      limit: 2,
      marker: 'a/0',
      next_marker: 'a/b/',
      has_more: true,
      keys: [
        {
          key: 'a/"中',
          size: 5,
          etag: '"e1"',
          mime_type: 'application/octet-stream',
          created: '2024-01-02T03:04:05.678Z',
          modified: 1_704_164_645,
          encrypted: false,
          storage_class: 'STANDARD',
        },
      ],
      common_prefixes: ['a/b/'],
      owner: { id: '', name: '' },
    });
  });

  it('of objects, the last page: no marker, empty arrays', () => {
    const last = { ...LISTING, objects: [], commonPrefixes: [], truncated: false };
    expect(documentOf(render(last))).toMatchObject({ has_more: false, next_marker: '', keys: [], common_prefixes: [] });
  });

  it.each([
    ['/', ['one', 'two', 'three']],
    ['/?offset=1', ['two', 'three']],
    ['/?limit=2', ['one', 'two']],
    ['/?offset=1&limit=1', ['two']],
    ['/?offset=3', []],
    ['/?limit=0', []],
  ])('of buckets, %s', (target, names) => {
    const owner = { id: 'acme', displayName: 'acme' };
    const buckets = ['one', 'two', 'three'].map((name) => ({ name, created: MODIFIED }));
    expect(documentOf(render({ kind: 'BucketListing', owner, buckets }, target))).toEqual({
      count: names.length,
      buckets: names.map((name) => ({ name, location: 'us-east-1', url: '', created: '2024-01-02T03:04:05.678Z' })),
    });
  });
});

it.each([
  [{ kind: 'BucketCreated', bucket: 'bucket' }, 201],
  [{ kind: 'BucketFound', bucket: 'bucket', region: 'us-east-1', owner: { id: 'acme', displayName: 'acme' } }, 200],
  [{ kind: 'BucketDeleted' }, 204],
] as const)('%j is %d', (answer, status) => {
  const rendered = qingstorFront.render(answer, context('HEAD', '/bucket'));
  expect([rendered.status, rendered.body]).toEqual([status, undefined]);
});

describe('errors', () => {
  /** The vendor's table (API documentation, "Error codes"), and the codes of the gateway's own that SDKs must not retry. */
  it.each([
    ['SignatureDoesNotMatch', 401, 'signature_not_matched'],
    ['InvalidAccessKeyId', 401, 'invalid_access_key_id'],
    ['AccessDenied', 403, 'permission_denied'],
    ['RequestTimeTooSkewed', 403, 'request_expired'],
    ['ExpiredRequest', 403, 'request_expired'],
    ['NoSuchBucket', 404, 'bucket_not_exists'],
    ['NoSuchKey', 404, 'object_not_exists'],
    ['BucketAlreadyExists', 409, 'bucket_already_exists'],
    ['BucketNotEmpty', 409, 'bucket_not_empty'],
    ['PreconditionFailed', 412, 'precondition_failed'],
    ['InvalidRange', 416, 'invalid_range'],
    ['BadDigest', 400, 'bad_digest'],
    ['MetadataTooLarge', 400, 'metadata_too_large'],
    ['NotImplemented', 501, 'not_implemented'],
    ['ObjectCorrupted', 409, 'object_corrupted'],
    ['KeyUnavailable', 409, 'key_unavailable'],
    ['KeyStoreUnavailable', 503, 'service_unavailable'],
    ['BackendUnavailable', 503, 'service_unavailable'],
    ['InternalError', 500, 'internal_error'],
  ] as const)('%s: %d %s', (code, status, name) => {
    const response = qingstorFront.renderError(errorOf(code, 'What?'), context('PUT'));
    expect(response.status).toBe(status);
    expect(documentOf(response)).toEqual({ code: name, message: 'What?', request_id: 'REQ1', url: '' });
  });

  it('all have a status that is an error', () => {
    for (const [code, { status, code: name }] of Object.entries(QINGSTOR_ERRORS)) {
      expect(status, code).toBeGreaterThanOrEqual(code === 'NotModified' ? 304 : 400);
      expect(name, code).toMatch(/^[a-z_0-9]+$/);
    }
  });

  it.each([
    ['NotModified', 'GET', 304],
    ['PreconditionFailed', 'GET', 412],
    ['NoSuchKey', 'HEAD', 404],
  ] as const)('%s of %s has no body', (code: ErrorCode, method, status) => {
    const response = qingstorFront.renderError(errorOf(code, 'm'), context(method));
    expect([response.status, response.body]).toEqual([status, undefined]);
  });
});

describe('recognises', () => {
  it.each([
    ['GET', '/b/k', [['Authorization', 'QS a:b']], true],
    ['GET', '/b/k', [['Authorization', 'AWS4-HMAC-SHA256 x']], false],
    [
      'GET',
      '/b/k',
      [
        ['Authorization', 'AWS4-HMAC-SHA256 x'],
        ['x-qs-date', 'now'],
      ],
      false,
    ],
    ['GET', '/b/k?access_key_id=a&expires=1&signature=s', [], true],
    ['GET', '/b/k?X-Amz-Signature=s', [], false],
    ['GET', '/b/k?prefix=access_key_id=', [], false],
    ['GET', '/b/k', [['X-QS-Date', 'now']], true],
    ['GET', '/b/k', [], false],
  ] as const)('%s %s %j: %s', (method, target, headers, expected) => {
    expect(qingstorFront.recognises(wireRequest({ method, target, headers }))).toBe(expected);
  });
});
