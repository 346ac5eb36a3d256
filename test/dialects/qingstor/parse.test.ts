import { describe, expect, it } from 'vitest';
import { qingstorHosts } from '../../../src/dialects/qingstor/address.ts';
import { qingstorFront } from '../../../src/dialects/qingstor/front.ts';
import { parseQingstor } from '../../../src/dialects/qingstor/parse.ts';
import type { GatewayError } from '../../../src/errors.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import type { WireRequest } from '../../../src/wire/message.ts';
import { readingOf } from '../../support/reading.ts';
import { wireRequest } from '../../support/requests.ts';

const SETTINGS = { region: 'us-east-1', domains: ['s3.test', 'inner.s3.test'] };

interface Asked {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly (readonly [string, string])[];
}

function parseHere(request: WireRequest) {
  return parseQingstor(request, qingstorHosts(request, SETTINGS)[0]);
}

function parsed({ method = 'GET', target, headers = [] }: Asked) {
  return parseHere(wireRequest({ method, target, headers: [['Host', '127.0.0.1:8000'], ...headers] }));
}

function operation(asked: Asked): Operation {
  const result = parsed(asked);
  if (result.kind !== 'ready') throw new Error('a document');
  return result.operation;
}

function refusal(ask: () => unknown): string {
  try {
    ask();
    return 'nothing refused';
  } catch (error) {
    return (error as GatewayError).code;
  }
}

describe('the name of what is refused', () => {
  it.each([
    ['GET', '/', 'ListBuckets'],
    ['PUT', '/bucket', 'PutBucket'],
    ['DELETE', '/bucket/key', 'DeleteObject'],
    ['GET', '/bucket?acl', 'GetBucketACL'],
    ['POST', '/bucket/key?uploads', 'InitiateMultipartUpload'],
    ['PUT', '/bucket?policy', 'PutBucketPolicy'],
    ['PATCH', '/bucket', undefined],
    ['constructor', '/', undefined],
  ])('%s %s is %s', (method, target, name) => {
    const request = wireRequest({ method, target, headers: [['Host', '127.0.0.1:8000']] });
    expect(readingOf(qingstorFront, request, SETTINGS).operationNamed()).toBe(name);
  });
});

describe('what is asked', () => {
  it.each([
    ['GET', '/', { kind: 'ListBuckets', prefix: '' }],
    ['GET', '/?', { kind: 'ListBuckets' }],
    ['GET', '/?offset=1&limit=2', { kind: 'ListBuckets' }],
    ['HEAD', '/bucket?', { kind: 'HeadBucket', bucket: 'bucket' }],
    ['PUT', '/bucket?', { kind: 'CreateBucket', bucket: 'bucket', location: undefined }],
    ['DELETE', '/bucket/', { kind: 'DeleteBucket', bucket: 'bucket' }],
    ['PUT', '/bucket/a%2Fb?', { kind: 'PutObject', ref: { bucket: 'bucket', key: 'a/b' } }],
    ['GET', '/bucket/a//b', { kind: 'GetObject', ref: { bucket: 'bucket', key: 'a//b' }, range: undefined }],
    ['HEAD', '/bucket/%E4%B8%AD+%2B', { kind: 'HeadObject', ref: { bucket: 'bucket', key: '中++' } }],
    ['DELETE', '/bucket/../up', { kind: 'DeleteObject', ref: { bucket: 'bucket', key: '../up' } }],
  ])('%s %s', (method, target, expected) => {
    expect(operation({ method, target })).toMatchObject(expected);
  });

  it.each([
    ['acme.s3.test', '/', 'ListObjects', { bucket: 'acme' }],
    ['acme.s3.test:8000', '/a/b', 'GetObject', { ref: { bucket: 'acme', key: 'a/b' } }],
    ['ACME.S3.test', '/a', 'GetObject', { ref: { bucket: 'acme', key: 'a' } }],
    ['acme.inner.s3.test', '/a', 'GetObject', { ref: { bucket: 'acme', key: 'a' } }],
    ['inner.s3.test', '/acme/a', 'GetObject', { ref: { bucket: 'acme', key: 'a' } }],
    ['s3.test', '/acme/a', 'GetObject', { ref: { bucket: 'acme', key: 'a' } }],
    ['undefined.s3.test', '/acme/a', 'GetObject', { ref: { bucket: 'acme', key: 'a' } }],
    ['undefined.127.0.0.1', '/acme/a?', 'GetObject', { ref: { bucket: 'acme', key: 'a' } }],
    ['acme.elsewhere.test', '/bucket/a', 'GetObject', { ref: { bucket: 'bucket', key: 'a' } }],
  ])('at the host %s, %s is %s', (host, target, kind, expected) => {
    const result = parseHere(wireRequest({ method: 'GET', target, headers: [['Host', host]] }));
    expect(result).toMatchObject({ operation: { kind, ...expected } });
  });

  it('a folder whose name has blanks, as Go and Python spell them and as JavaScript does', () => {
    for (const prefix of ['my+back%2Bup%2F', 'my%20back%2Bup/']) {
      const asked = { prefix: 'my back+up/', after: 'my back+up/a b' };
      const target = `/bucket?prefix=${prefix}&delimiter=%2F&marker=${prefix}a+b`;
      expect(operation({ target })).toMatchObject({ kind: 'ListObjects', delimiter: '/', ...asked });
    }
  });

  it('a listing, with its defaults and its cap', () => {
    expect(operation({ target: '/bucket' })).toEqual({
      kind: 'ListObjects',
      bucket: 'bucket',
      form: 1,
      prefix: '',
      delimiter: '',
      after: '',
      continuationToken: undefined,
      maxKeys: 100,
      urlEncoded: false,
      withOwner: false,
    });
    const target = '/bucket?prefix=a%2F&delimiter=%2F&marker=a%2Fb%20c&limit=1001';
    const asked = { prefix: 'a/', delimiter: '/', after: 'a/b c', maxKeys: 1000 };
    expect(operation({ target })).toMatchObject(asked);
    expect(operation({ target: '/bucket?limit=0' })).toMatchObject({ maxKeys: 0 });
    expect(operation({ target: '/bucket?limit=' })).toMatchObject({ maxKeys: 100 });
  });

  it('metadata and content headers as on the wire', () => {
    const headers = [
      ['Content-Type', 'text/plain'],
      ['Cache-Control', 'no-cache'],
      ['X-QS-Meta-Colour', 'Zo\u00c3\u00ab'],
      ['x-qs-meta-empty', ''],
      ['x-qs-date', 'now'],
      ['x-qs-storage-class', 'STANDARD'],
      ['If-None-Match', '*'],
    ] as const;
    expect(operation({ method: 'PUT', target: '/bucket/a', headers })).toMatchObject({
      metadata: {
        content: { contentType: 'text/plain', cacheControl: 'no-cache', expires: undefined },
        user: [
          ['colour', 'Zo\u00c3\u00ab'],
          ['empty', ''],
        ],
      },
      conditions: { ifNoneMatch: '*' },
    });
  });

  it('a read: range, conditions that the JavaScript SDK escapes, overrides', () => {
    const headers = [
      ['Range', 'bytes=1-2'],
      ['If-Match', '%22a%22,%20%22b%22'],
      ['If-Modified-Since', 'Mon,%2001%20Jan%202024%2000:00:00%20GMT'],
      ['If-Unmodified-Since', 'Mon, 01 Jan 2024 00:00:00 GMT'],
      ['If-Range', '%22a%22'],
    ] as const;
    const target = '/bucket/a?response-content-type=text%2Fhtml&response-content-disposition=%C3%BC&access_key_id=x';
    expect(operation({ target, headers })).toMatchObject({
      range: { first: 1, last: 2 },
      ifRange: '"a"',
      conditions: {
        ifMatch: '"a", "b"',
        ifModifiedSince: 'Mon, 01 Jan 2024 00:00:00 GMT',
        ifUnmodifiedSince: 'Mon, 01 Jan 2024 00:00:00 GMT',
      },
      overrides: { contentType: 'text/html', contentDisposition: '\u00c3\u00bc' },
      wantsChecksum: false,
    });
  });
});

it.each(['a%01b', 'a%0Ab', 'a%0D', '%00', 'a%7Fb', '%1F'])(
  'an override of %j is refused: no header can hold it',
  (value) => {
    for (const name of ['response-content-type', 'response-content-disposition', 'response-expires']) {
      expect(refusal(() => operation({ target: `/bucket/a?${name}=${value}` }))).toBe('InvalidArgument');
    }
    expect(operation({ target: '/bucket/a?response-content-type=%09a%20%C3%BC+' })).toMatchObject({
      overrides: { contentType: 'a \u00c3\u00bc' },
    });
  },
);

describe('what is refused', () => {
  it.each([
    ['GET', '/a'.padEnd(66, 'a'), 'InvalidBucketName'],
    ['GET', '/ab', 'InvalidBucketName'],
    ['GET', '/Bucket', 'InvalidBucketName'],
    ['GET', '/buc%2Fket/a', 'InvalidBucketName'],
    ['GET', '/buc..ket/a', 'InvalidBucketName'],
    ['GET', '//key', 'InvalidBucketName'],
    ['GET', '/bucket/a%00b', 'InvalidObjectName'],
    ['GET', '/bucket/%ff', 'InvalidURI'],
    ['GET', '/bucket/%zz', 'InvalidURI'],
    ['GET', `/bucket/${'k'.repeat(1024)}`, 'KeyTooLongError'],
    ['GET', '/bucket?limit=x', 'InvalidArgument'],
    ['GET', '/bucket?limit=-1', 'InvalidArgument'],
    ['GET', '/?offset=x', 'InvalidArgument'],
    ['GET', '/bucket/a?response-expires=%0d%0aX:', 'InvalidArgument'],
    ['PUT', '/', 'NotImplemented'],
    ['PATCH', '/bucket', 'NotImplemented'],
    ['GET', '/bucket?limit=1&limit=2', 'InvalidArgument'],
    ['GET', '/bucket?policy', 'NotImplemented'],
    ['GET', '/bucket?versions', 'NotImplemented'],
    ['HEAD', '/bucket?prefix=a', 'NotImplemented'],
    ['PUT', '/bucket/a?part_number=10001&upload_id=u', 'InvalidArgument'],
    ['PUT', '/bucket/a?part_number=-1&upload_id=u', 'InvalidArgument'],
    ['PUT', '/bucket/a?upload_id=u', 'InvalidArgument'],
    ['PUT', '/bucket/a?part_number=1&upload_id=', 'NoSuchUpload'],
    ['POST', '/bucket/a?append&position=0', 'NotImplemented'],
    ['GET', '/bucket/a?version_id=v', 'NotImplemented'],
    ['GET', '/bucket/a?image&action=resize', 'NotImplemented'],
    ['HEAD', '/bucket/a?response-expires=x', 'NotImplemented'],
    ['POST', '/bucket/a', 'NotImplemented'],
    ['OPTIONS', '/bucket/a', 'NotImplemented'],
  ])('%s %s: %s', (method, target, code) => {
    expect(refusal(() => parsed({ method, target }))).toBe(code);
  });

  it('the longest key is not', () => {
    expect(operation({ target: `/bucket/${'k'.repeat(1023)}` })).toMatchObject({ kind: 'GetObject' });
  });

  it.each([
    ['x-qs-copy-source', 'k', 'InvalidArgument'],
    ['x-qs-copy-source', '/bucket/', 'InvalidArgument'],
    ['x-qs-copy-source', '/Bucket/k', 'InvalidBucketName'],
    ['x-qs-copy-source', '/bucket/%ff', 'InvalidArgument'],
    ['x-qs-copy-range', 'bytes=0-1', 'NotImplemented'],
    ['x-qs-metadata-directive', 'COPY', 'NotImplemented'],
    ['X-QS-Move-Source', 'k', 'InvalidArgument'],
    ['x-qs-fetch-source', 'http://127.0.0.1/', 'NotImplemented'],
    ['x-qs-storage-class', 'COLD', 'InvalidArgument'],
    ['x-qs-meta-sx1', 'AQEA', 'InvalidArgument'],
    ['x-qs-meta-SX1-more', 'x', 'InvalidArgument'],
  ])('the header %s', (name, value, code) => {
    expect(refusal(() => parsed({ method: 'PUT', target: '/bucket/a', headers: [[name, value]] }))).toBe(code);
  });

  it('two hosts, where hosts name buckets', () => {
    expect(refusal(() => parsed({ target: '/a', headers: [['Host', 'acme.s3.test']] }))).toBe('InvalidRequest');
  });
});

describe('the document of DELETE many', () => {
  function read(document: string | Buffer): Operation {
    const result = parsed({ method: 'POST', target: '/bucket?delete&' });
    if (result.kind !== 'document') throw new Error('no document');
    return result.read(Buffer.from(document as string));
  }

  it('is bounded', () => {
    expect(parsed({ method: 'POST', target: '/bucket?delete&' })).toMatchObject({
      kind: 'document',
      bucket: 'bucket',
      maxBytes: 8 * 1024 * 1024,
    });
  });

  it('names keys', () => {
    const targets = [{ key: 'a/中' }, { key: 'b' }];
    const expected = { kind: 'DeleteObjects', bucket: 'bucket', targets };
    expect(read(JSON.stringify({ objects: targets }))).toEqual({ ...expected, quiet: false });
    expect(read(JSON.stringify({ objects: targets, quiet: true }))).toEqual({ ...expected, quiet: true });
  });

  it.each([
    ['', 'MalformedBody'],
    ['null', 'MalformedBody'],
    ['[]', 'MalformedBody'],
    ['{"objects":{}}', 'MalformedBody'],
    ['{"objects":["a"]}', 'MalformedBody'],
    ['{"objects":[{"key":""}]}', 'MalformedBody'],
    ['{"objects":[{"key":1}]}', 'MalformedBody'],
    ['{"objects":[{"key":"a"}', 'MalformedBody'],
    ['{"objects":[{"key":"\\u0000"}]}', 'InvalidObjectName'],
    ['{"objects":[{"key":"\\ud800"}]}', 'InvalidObjectName'],
    [JSON.stringify({ objects: [{ key: 'k'.repeat(1024) }] }), 'KeyTooLongError'],
    [JSON.stringify({ objects: Array(1001).fill({ key: 'k' }) }), 'InvalidArgument'],
  ])('refuses %.60s', (document, code) => {
    expect(refusal(() => read(document))).toBe(code);
  });

  it('refuses bytes that are not UTF-8: they would name another key', () => {
    expect(refusal(() => read(Buffer.from('{"objects":[{"key":"\xff"}]}', 'latin1')))).toBe('MalformedBody');
  });
});
