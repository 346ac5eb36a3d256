import * as client from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { isMeaningless } from '../../../../src/dialects/s3/front/requests/query-names.ts';
import type { S3Operation } from '../../../../src/dialects/s3/operation-row.ts';
import { S3_OPERATIONS } from '../../../../src/dialects/s3/operation-table.ts';
import type { GatewayError } from '../../../../src/errors.ts';
import type { Operation } from '../../../../src/operations/operation.ts';
import { judged } from '../../../encryption/judged.ts';
import fc, { runs } from '../../../support/property.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { codeOf, encode, SETTINGS } from '../signature/signing.ts';

type Headers = readonly (readonly [string, string])[];

const FORM: Headers = [['Content-Type', 'multipart/form-data; boundary=b']];
const SIGNED_BODY: Headers = [['x-amz-content-sha256', 'a'.repeat(64)]];

function parse(method: string, target: string, headers: Headers = [], host = '127.0.0.1:9000') {
  return readingOf(s3Front, wireRequest({ method, target, headers: [['Host', host], ...headers] }), SETTINGS).parse();
}

function operation(method: string, target: string, headers: Headers = [], host?: string): Operation {
  const parsed = parse(method, target, headers, host);
  if (parsed.kind === 'form') throw new Error('a form');
  return parsed.kind === 'ready' ? parsed.operation : parsed.read(Buffer.alloc(0));
}

function read(method: string, target: string, document: string): Operation {
  const parsed = parse(method, target, SIGNED_BODY);
  if (parsed.kind !== 'document') throw new Error('no document');
  return parsed.read(Buffer.from(document));
}

function code(method: string, target: string, headers: Headers = [], host?: string): Promise<string> {
  return codeOf(() => judged(operation(method, target, headers, host)));
}

describe('the operation table', () => {
  test('has every operation of the SDK, once', () => {
    const commands = Object.keys(client)
      .filter((name) => /^[A-Z].*Command$/.test(name) && name !== '$Command')
      .map((name) => name.replace(/Command$/, ''));
    expect(commands.length).toBeGreaterThan(90);
    const names = S3_OPERATIONS.map(({ name }) => name);
    expect(commands.filter((name) => !names.includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  /** A request for a row, as plain as it can be. */
  function requestOf(row: S3Operation): [method: string, target: string, headers: Headers] {
    const path = { service: '/', bucket: '/bucket', object: '/bucket/key' }[row.level];
    const values: Readonly<Record<string, string>> = { 'list-type': '2', uploadId: 'u' };
    const query = [
      row.subresource && `${row.subresource}=${values[row.subresource] ?? ''}`,
      row.name.startsWith('UploadPart') && 'partNumber=1',
      row.needsParameter && `${row.needsParameter}=1`,
    ];
    const text = query.filter((piece) => piece).join('&');
    const headers: [string, string][] = row.needsHeader ? [[row.needsHeader, '/bucket/other']] : [];
    if (row.name === 'GetObjectAttributes') headers.push(['x-amz-object-attributes', 'ETag']);
    const body = row.name === 'PostObject' ? FORM : SIGNED_BODY;
    return [row.method, text === '' ? path : `${path}?${text}`, [...headers, ...body]];
  }

  test.each(S3_OPERATIONS.filter(({ treatment }) => treatment === 'refused'))('refuses $name', (row) => {
    if (row.name === 'ListDirectoryBuckets') return; // its address is that of ListBuckets; only x-id tells
    let error: GatewayError | undefined;
    try {
      parse(...requestOf(row));
    } catch (thrown) {
      error = thrown as GatewayError;
    }
    expect(error).toMatchObject({ code: 'NotImplemented', source: 'client' });
    expect(error?.message).toContain(row.name);
  });

  test.each(S3_OPERATIONS.filter(({ treatment }) => treatment === 'forwarded'))('forwards $name', (row) => {
    const forwarded = {
      kind: 'Forward',
      name: row.name,
      bucket: 'bucket',
      key: row.level === 'object' ? 'key' : undefined,
      versionId: undefined,
      changes: !/^(?:Get|List)/.test(row.name),
      ...(/^(?:Put|Delete)BucketCors$/.test(row.name) && { changesOriginRules: true }),
    };
    const [method, target, headers] = requestOf(row);
    if (row.name === 'RestoreObject') return; // its document must be read first: below
    expect(operation(method, target, headers)).toEqual(forwarded);
    // A bare parameter means the same as an empty one.
    expect(operation(method, target.replace(/=(?=&|$)/g, ''), headers)).toEqual(forwarded);
  });

  test.each(S3_OPERATIONS.filter(({ treatment }) => treatment === 'sealed' || treatment === 'edited'))(
    'reads $name',
    (row) => {
      const parsed = parse(...requestOf(row));
      const name = parsed.kind === 'ready' ? parsed.operation.kind : parsed.name;
      expect(name).toBe(row.name === 'ListObjectsV2' ? 'ListObjects' : row.name);
    },
  );

  test.each(S3_OPERATIONS.filter(({ treatment }) => treatment !== 'refused'))(
    '$name takes no parameter it does not know',
    (row) => {
      const [method, target, headers] = requestOf(row);
      const join = target.includes('?') ? '&' : '?';
      const isRead = row.level === 'object' && (row.method === 'GET' || row.method === 'HEAD');
      for (const parameter of [
        ...(isRead && row.treatment !== 'forwarded' ? [] : ['tomorrow', 'tomorrowsSetting=']),
        'torrent',
        'Torrent=1',
        'append',
        'response-foo=1',
        ...(row.level === 'object' ? [] : ['uploadId=1']), // there it asks for another operation
        ...(row.parameters.includes('partNumber') ? [] : ['partNumber=1']),
        'x-id=GetObjectTorrent',
        'metadata=true',
      ]) {
        expect(() => parse(method, `${target}${join}${parameter}`, headers)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^NotImplemented$/) }),
        );
      }
    },
  );

  const NOISE = [
    'v=123',
    'utm_source=mail&utm_medium',
    'x-user=ann',
    'x-user',
    'Range=',
    '1732985',
    'a+b=',
    '=c',
    'v=1&v=2',
  ];
  const ignores = ({ treatment, method }: S3Operation) =>
    treatment !== 'refused' && treatment !== 'forwarded' && method !== 'DELETE' && method !== 'POST';

  test.each(S3_OPERATIONS.filter(ignores))('$name ignores what means nothing', (row) => {
    const [method, target, headers] = requestOf(row);
    const plain = parse(method, target, headers);
    for (const noise of [...NOISE, 'Version=2006-03-01']) {
      const asked = parse(method, `${target}${target.includes('?') ? '&' : '?'}${noise}`, headers);
      expect(JSON.stringify(asked)).toBe(JSON.stringify(plain));
    }
  });

  test.each(S3_OPERATIONS.filter((row) => row.treatment !== 'refused' && !ignores(row)))(
    '$name, which deletes, posts or is forwarded, takes no noise but the API’s version',
    (row) => {
      const [method, target, headers] = requestOf(row);
      const join = target.includes('?') ? '&' : '?';
      for (const noise of [...NOISE, 'Version=2012-01-01']) {
        expect(() => parse(method, `${target}${join}${noise}`, headers)).toThrow(
          expect.objectContaining({ code: 'NotImplemented' }),
        );
      }
      expect(() => parse(method, `${target}${join}Version=2006-03-01`, headers)).not.toThrow();
    },
  );

  test('no parameter of the SDK’s model is taken for noise', () => {
    const names = new Set<string>();
    const visit = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { httpQuery, http } = schema as { httpQuery?: string; http?: readonly [string, string] };
      if (typeof httpQuery === 'string') names.add(httpQuery);
      for (const pair of http?.[1].split('?')[1]?.split('&') ?? []) names.add(pair.split('=')[0] as string);
      Object.values(schema).forEach(visit);
    };
    // Functions among them are references to other schemas, which are exported too.
    for (const [name, schema] of Object.entries(client)) if (name.endsWith('$')) visit(schema);
    expect(names.size).toBeGreaterThan(60);
    names.delete('x-id'); // has a rule of its own
    for (const row of S3_OPERATIONS.filter(ignores)) {
      expect([row.name, [...names].filter((name) => isMeaningless(name, '1', row))]).toEqual([row.name, []]);
    }
  });

  test.each(S3_OPERATIONS.filter(({ treatment }) => treatment === 'forwarded'))('$name smuggles no copy', (row) => {
    const [method, target, headers] = requestOf(row);
    for (const [name, value] of [
      ['X-Amz-Copy-Source', '/bucket/other'],
      ['x-amz-meta-a', 'b'],
      ['x-amz-server-side-encryption-tomorrow', 'x'],
      ['x-amz-something-new', '1'],
    ] as const) {
      expect(() => parse(method, target, [...headers, [name, value]])).toThrow(
        expect.objectContaining({ code: 'NotImplemented' }),
      );
    }
    const query = `${target}${target.includes('?') ? '&' : '?'}x-amz-copy-source=%2Fbucket%2Fother`;
    expect(() => parse(method, query, headers)).toThrow(expect.objectContaining({ code: 'NotImplemented' }));
  });

  test.each([
    ['PATCH', '/bucket/key', 'MethodNotAllowed'],
    ['TRACE', '/', 'MethodNotAllowed'],
    ['OPTIONS', '/bucket/key', 'MethodNotAllowed'],
    ['POST', '/bucket/key', 'NotImplemented'],
    ['DELETE', '/', 'MethodNotAllowed'],
    ['PUT', '/', 'MethodNotAllowed'],
  ])('%s %s: %s', async (method, target, expected) => {
    expect(await code(method, target)).toBe(expected);
  });

  test('x-id that agrees is taken', () => {
    expect(operation('GET', '/bucket/key?x-id=GetObject').kind).toBe('GetObject');
    expect(operation('GET', '/?x-id=ListBuckets').kind).toBe('ListBuckets');
  });
});

describe('addresses', () => {
  test.each<[string, string, string, string | undefined]>([
    ['/bucket/key', 'h', 'bucket', 'key'],
    ['/bucket//key', 'h', 'bucket', '/key'],
    ['/bucket/a/../b', 'h', 'bucket', 'a/../b'],
    ['/bucket/a//b/', 'h', 'bucket', 'a//b/'],
    ['/bucket/a%2Fb', 'h', 'bucket', 'a/b'],
    ['/bucket/a%252Fb', 'h', 'bucket', 'a%2Fb'],
    ['/bucket/a+b%20c', 'h', 'bucket', 'a+b c'],
    ['/bucket/%E4%B8%AD%0A%7F', 'h', 'bucket', '中\n\x7f'],
    ['/key', 'bucket.s3.example.com', 'bucket', 'key'],
    ['/bucket/key', 'other.s3.example.com:9000', 'other', 'bucket/key'],
    ['//key', 'my.dotted.s3.example.com', 'my.dotted', '/key'],
    ['/bucket/key', 'S3.Example.Com:80', 'bucket', 'key'],
    ['/bucket/key', 'other.example.com', 'bucket', 'key'],
    ['/bucket/key', 'evils3.example.com', 'bucket', 'key'],
  ])('%s at %s', (target, host, bucket, key) => {
    expect(operation('GET', target, [], host)).toMatchObject({ kind: 'GetObject', ref: { bucket, key } });
  });

  test.each([
    ['/bucket', 'h'],
    ['/bucket/', 'h'],
    ['/', 'bucket.s3.example.com'],
  ])('%s at %s is the bucket', (target, host) => {
    expect(operation('HEAD', target, [], host)).toEqual({ kind: 'HeadBucket', bucket: 'bucket' });
  });

  test('the longest of several domains wins', () => {
    const request = wireRequest({ method: 'GET', target: '/k', headers: [['Host', 'bbb.eu.example']] });
    const settings = { region: 'us-east-1', domains: ['example', 'eu.example'] };
    const parsed = readingOf(s3Front, request, settings).parse();
    expect(parsed).toMatchObject({ operation: { ref: { bucket: 'bbb', key: 'k' } } });
  });

  test.each<[string, string, string]>([
    ['/bucket/%ff', 'h', 'InvalidURI'],
    ['/bucket/%c0%af', 'h', 'InvalidURI'],
    ['/bucket/%ed%a0%80', 'h', 'InvalidURI'],
    ['/bucket/%2', 'h', 'InvalidURI'],
    ['/bucket/%zz', 'h', 'InvalidURI'],
    ['/bucket/a%00b', 'h', 'InvalidObjectName'],
    [`/bucket/${'k'.repeat(1025)}`, 'h', 'KeyTooLongError'],
    [`/bucket/${'%E4%B8%AD'.repeat(342)}`, 'h', 'KeyTooLongError'],
    ['//key', 'h', 'InvalidBucketName'],
    ['/ab/key', 'h', 'InvalidBucketName'],
    ['/a%2Fb/key', 'h', 'InvalidBucketName'],
    ['/../key', 'h', 'InvalidBucketName'],
    ['/a..b/key', 'h', 'InvalidBucketName'],
    [`/${'b'.repeat(64)}/key`, 'h', 'InvalidBucketName'],
    ['/key', '-.s3.example.com', 'InvalidBucketName'],
  ])('%s at %s: %s', async (target, host, expected) => {
    expect(await code('GET', target, [], host)).toBe(expected);
  });

  test('keys of 1,024 bytes are taken', () => {
    for (const key of ['k'.repeat(1024), `${'中'.repeat(341)}k`]) {
      expect(operation('GET', `/bucket/${encode(key)}`)).toMatchObject({ ref: { key } });
    }
  });

  test('two hosts', async () => {
    expect(await code('GET', '/bucket/key', [['host', 'b.s3.example.com']])).toBe('InvalidRequest');
  });

  test('any key comes through any encoding of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (key) => {
        fc.pre(!key.includes('\0'));
        const everyByte = [...Buffer.from(key)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        for (const path of [encode(key), everyByte, key.split('/').map(encode).join('/')]) {
          expect(operation('GET', `/bucket/${path}`)).toMatchObject({ ref: { bucket: 'bucket', key } });
        }
      }),
      { numRuns: runs(200) },
    );
  });
});

test.each([
  ['PUT', '/bucket/key'],
  ['POST', '/bucket/key?uploads'],
])('%s %s ignores the directives of a copy, which s3fs sends with it', (method, target) => {
  const plain = operation(method, target, [['x-amz-meta-mode', '33188']]);
  for (const directive of ['x-amz-metadata-directive', 'x-amz-tagging-directive']) {
    const asked = operation(method, target, [
      ['x-amz-meta-mode', '33188'],
      [directive, 'REPLACE'],
    ]);
    expect(asked).toEqual(plain);
  }
});

describe('PutObject', () => {
  test('takes content headers, metadata and vendor headers apart', () => {
    const put = operation('PUT', '/bucket/key', [
      ['Content-Type', 'text/plain'],
      ['Cache-Control', 'no-cache'],
      ['cache-control', 'private'],
      ['Content-Disposition', 'attachment'],
      ['Content-Encoding', 'aws-chunked, gzip'],
      ['Content-Language', 'de'],
      ['Expires', 'Tue, 02 Jan 2024 03:04:05 GMT'],
      ['X-Amz-Meta-Name', 'Zo\u00c3\u00ab'],
      ['x-amz-meta-two', 'a'],
      ['X-Amz-Meta-Two', 'b'],
      ['x-amz-acl', 'private'],
      ['x-amz-tagging', 'a=b'],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-object-lock-mode', 'GOVERNANCE'],
      ['x-amz-server-side-encryption', 'AES256'],
      ['x-amz-date', '20240102T030405Z'],
      ['x-amz-user-agent', 'aws-sdk-js'],
      ['x-amz-api-version', '2006-03-01'],
      ['x-amz-checksum-crc32', 'AAAAAA=='],
      ['x-amz-sdk-checksum-algorithm', 'CRC32'],
      ['If-None-Match', '*'],
      ['If-Modified-Since', 'Tue, 02 Jan 2024 03:04:05 GMT'],
    ]);
    if (put.kind !== 'PutObject') throw new Error(put.kind);
    const { vendor, ...metadata } = put.metadata;
    expect({ ...put, metadata }).toEqual({
      kind: 'PutObject',
      encryption: { kind: 'managed', algorithm: 'AES256' },
      ref: { bucket: 'bucket', key: 'key' },
      metadata: {
        content: {
          contentType: 'text/plain',
          cacheControl: 'no-cache, private',
          contentDisposition: 'attachment',
          contentEncoding: 'gzip',
          contentLanguage: 'de',
          expires: 'Tue, 02 Jan 2024 03:04:05 GMT',
        },
        user: [
          ['name', 'Zo\u00c3\u00ab'],
          ['two', 'a,b'],
        ],
        traits: {
          acl: 'private',
          tags: [['a', 'b']],
          storageClass: 'infrequent-access',
          lock: { mode: 'governance' },
        },
      },
      conditions: { ifNoneMatch: '*' },
    });
    expect([...(vendor?.headers ?? [])]).toEqual([
      ['x-amz-acl', 'private'],
      ['x-amz-tagging', 'a=b'],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-object-lock-mode', 'GOVERNANCE'],
    ]);
  });

  test.each([
    ['aws-chunked', undefined],
    ['AWS-Chunked', undefined],
    ['gzip,aws-chunked', 'gzip'],
    ['gzip', 'gzip'],
  ])('content-encoding %s is stored as %s', (sent, stored) => {
    expect(operation('PUT', '/bucket/key', [['content-encoding', sent]])).toMatchObject({
      metadata: { content: { contentEncoding: stored } },
    });
  });

  test('a presigned URL’s hoisted headers count', () => {
    const put = operation(
      'PUT',
      '/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&x-amz-meta-a=%C3%AB&X-Amz-Acl=private&x-amz-checksum-crc32=AAAAAA%3D%3D&x-id=PutObject',
    );
    if (put.kind !== 'PutObject') throw new Error(put.kind);
    expect(put.metadata.user).toEqual([['a', '\u00c3\u00ab']]);
    expect([...(put.metadata.vendor?.headers ?? [])]).toEqual([['X-Amz-Acl', 'private']]);
  });

  test('a hoisted header has no outer blanks, which no store would give back', () => {
    const put = operation('PUT', '/bucket/key?x-amz-meta-a=%20b%20%20c%09');
    expect(put).toMatchObject({ metadata: { user: [['a', 'b  c']] } });
  });

  test.each<[string, string, Headers, string]>([
    ['reserved metadata', '', [['x-amz-meta-sx1', 'AA']], 'InvalidArgument'],
    ['reserved metadata in upper case', '', [['X-AMZ-META-SX1', 'AA']], 'InvalidArgument'],
    ['reserved metadata with more', '', [['x-amz-meta-sx1-part', 'AA']], 'InvalidArgument'],
    ['reserved metadata in the query', '?x-amz-meta-sx1=AA', [], 'InvalidArgument'],
    ['reserved metadata in the query, upper case', '?X-Amz-Meta-Sx1=AA', [], 'InvalidArgument'],
    ['metadata without a name', '', [['x-amz-meta-', 'AA']], 'InvalidArgument'],
    ['a control character in a hoisted header', '?x-amz-meta-a=b%0D%0Ax-amz-acl:public', [], 'InvalidArgument'],
    ['two headers in the name of one', '?x-amz-sdk-a:b%0Ax-amz-tagging=c%3Dd', [], 'InvalidArgument'],
    ['header and query that disagree', '?x-amz-acl=private', [['x-amz-acl', 'public-read']], 'InvalidArgument'],
    ['a condition on no source', '', [['x-amz-copy-source-if-match', '"e"']], 'NotImplemented'],
    ['a customer key', '', [['x-amz-server-side-encryption-customer-algorithm', 'AES256']], 'InvalidArgument'],
    ['a customer key in the query', '?x-amz-server-side-encryption-customer-key=AA', [], 'InvalidArgument'],
    ['KMS in two layers', '', [['x-amz-server-side-encryption', 'aws:kms:dsse']], 'NotImplemented'],
    ['a KMS key', '', [['x-amz-server-side-encryption-aws-kms-key-id', 'k']], 'InvalidArgument'],
    ['an encryption that is none', '', [['x-amz-server-side-encryption', 'rot13']], 'InvalidArgument'],
    ['an append', '', [['x-amz-write-offset-bytes', '5']], 'NotImplemented'],
    ['a header of tomorrow', '', [['x-amz-new-thing', '1']], 'NotImplemented'],
    ['a checksum of tomorrow', '', [['x-amz-checksum-blake3', 'AA==']], 'NotImplemented'],
    ['a version', '?versionId=1', [], 'NotImplemented'],
    ['a part without upload', '?partNumber=1', [], 'NotImplemented'],
  ])('%s', async (_name, query, headers, expected) => {
    expect(await code('PUT', `/bucket/key${query}`, headers)).toBe(expected);
  });
});

describe('GetObject and HeadObject', () => {
  test.each(['GET', 'HEAD'])('%s with everything', (method) => {
    const target =
      '/bucket/key?versionId=v1&response-content-type=text%2Fplain&response-content-language=de&response-expires=x' +
      '&response-cache-control=no-cache&response-content-disposition=attachment%3B%20filename%3D%22%C3%AB%22' +
      '&response-content-encoding=gzip';
    const headers: Headers = [
      ['Range', 'bytes=1-5'],
      ['If-Range', '"e"'],
      ['If-Match', '"a"'],
      ['If-None-Match', '"b", "c"'],
      ['If-Modified-Since', 'Tue, 02 Jan 2024 03:04:05 GMT'],
      ['If-Unmodified-Since', 'Tue, 02 Jan 2024 03:04:06 GMT'],
      ['x-amz-checksum-mode', 'ENABLED'],
    ];
    expect(operation(method, target, headers)).toEqual({
      kind: method === 'GET' ? 'GetObject' : 'HeadObject',
      ref: { bucket: 'bucket', key: 'key', versionId: 'v1' },
      range: { kind: 'from', first: 1, last: 5 },
      ifRange: '"e"',
      conditions: {
        ifMatch: '"a"',
        ifNoneMatch: '"b", "c"',
        ifModifiedSince: 'Tue, 02 Jan 2024 03:04:05 GMT',
        ifUnmodifiedSince: 'Tue, 02 Jan 2024 03:04:06 GMT',
      },
      overrides: {
        contentType: 'text/plain',
        contentLanguage: 'de',
        expires: 'x',
        cacheControl: 'no-cache',
        contentDisposition: 'attachment; filename="\u00c3\u00ab"',
        contentEncoding: 'gzip',
      },
      wantsChecksum: true,
    });
  });

  test('a presigned URL asks for the checksum in its query', () => {
    expect(operation('GET', '/bucket/key?x-amz-checksum-mode=ENABLED')).toMatchObject({ wantsChecksum: true });
    expect(operation('GET', '/bucket/key')).toMatchObject({ wantsChecksum: false });
  });

  test.each<[string, Headers, string]>([
    ['?versionId=', [], 'InvalidArgument'],
    ['?versionId=1&versionId=2', [], 'InvalidArgument'],
    ['?response-content-type=a%0Ab', [], 'InvalidArgument'],
    ['?response-foo=1', [], 'NotImplemented'],
    ['?VersionId=1', [], 'NotImplemented'],
    ['', [['x-amz-server-side-encryption-customer-key', 'AA']], 'InvalidArgument'],
    ['', [['x-amz-server-side-encryption-customer-key-MD5', 'AA']], 'InvalidArgument'],
    ['', [['x-amz-expected-bucket-owner', '1']], 'NotImplemented'],
    ['', [['x-amz-copy-source', '/b/k']], 'NotImplemented'],
  ])('GET %s %j: %s', async (query, headers, expected) => {
    expect(await code('GET', `/bucket/key${query}`, headers)).toBe(expected);
  });

  test('headers of tomorrow are ignored on reads, as S3 does', async () => {
    expect(await code('GET', '/bucket/key', [['x-amz-new-thing', '1']])).toBe('nothing');
  });
});

describe('deletions', () => {
  test('DeleteObject', async () => {
    expect(operation('DELETE', '/bucket/key?versionId=null', [['If-Match', '"e"']])).toEqual({
      kind: 'DeleteObject',
      ref: { bucket: 'bucket', key: 'key', versionId: 'null' },
      conditions: { ifMatch: '"e"' },
    });
    for (const name of ['x-amz-if-match-size', 'x-amz-if-match-last-modified-time', 'x-amz-meta-a', 'x-amz-new']) {
      expect(await code('DELETE', '/bucket/key', [[name, '1']])).toBe('NotImplemented');
    }
    for (const name of ['If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since']) {
      expect(await code('DELETE', '/bucket/key', [[name, '1']])).toBe('NotImplemented');
    }
  });

  test('what lets a backend delete locked objects is kept', () => {
    const headers: Headers = [
      ['x-amz-bypass-governance-retention', 'true'],
      ['X-Amz-MFA', 'serial 123456'],
      ['x-amz-expected-bucket-owner', '1234'],
      ['x-amz-request-payer', 'requester'],
    ];
    const one = operation('DELETE', '/bucket/key', headers);
    expect(one.kind === 'DeleteObject' && [...(one.vendor?.headers ?? [])]).toEqual(headers);
    const parsed = parse('POST', '/bucket?delete', [...SIGNED_BODY, ...headers]);
    if (parsed.kind !== 'document') throw new Error('no document');
    const many = parsed.read(Buffer.from('<Delete><Object><Key>a</Key></Object></Delete>'));
    expect(many.kind === 'DeleteObjects' && [...(many.vendor?.headers ?? [])]).toEqual(headers);
  });

  test('DeleteObjects as SDKs send it', () => {
    const deletion = read(
      'POST',
      '/bucket?delete=',
      '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key> a&amp;b&#xD; </Key></Object><Object><Key>ë/<![CDATA[<x>]]></Key><VersionId>v</VersionId></Object><Quiet>true</Quiet></Delete>',
    );
    expect(deletion).toEqual({
      kind: 'DeleteObjects',
      bucket: 'bucket',
      targets: [{ key: ' a&b\r ' }, { key: 'ë/<x>', versionId: 'v' }],
      quiet: true,
    });
  });

  test('DeleteObjects with ETags', () => {
    const of = (more: string) =>
      read('POST', '/bucket?delete', `<Delete><Object><Key>a</Key>${more}</Object></Delete>`);
    expect(of('<ETag>&quot;e&quot;</ETag>')).toMatchObject({ targets: [{ key: 'a', etag: '"e"' }] });
    expect(of('<ETag>e</ETag><VersionId>v</VersionId>')).toMatchObject({
      targets: [{ key: 'a', etag: 'e', versionId: 'v' }],
    });
    expect(of('<ETag/><VersionId/>')).toMatchObject({ targets: [{ key: 'a' }] });
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'MalformedBody'],
    ['no objects', '<Delete/>', 'MalformedBody'],
    ['another root', '<Foo><Object><Key>a</Key></Object></Foo>', 'MalformedBody'],
    ['no key', '<Delete><Object/></Delete>', 'MalformedBody'],
    ['an empty key', '<Delete><Object><Key/></Object></Delete>', 'MalformedBody'],
    ['two keys', '<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>', 'MalformedBody'],
    ['an element of tomorrow', '<Delete><Object><Key>a</Key><Foo/></Object></Delete>', 'MalformedBody'],
    ['two keys, one of them empty', '<Delete><Object><Key/><Key>b</Key></Object></Delete>', 'MalformedBody'],
    ['a size', '<Delete><Object><Key>a</Key><Size>1</Size></Object></Delete>', 'NotImplemented'],
    [
      'a date',
      '<Delete><Object><Key>a</Key><LastModifiedTime>2024-01-02T03:04:05Z</LastModifiedTime></Object></Delete>',
      'NotImplemented',
    ],
    ['1,001 objects', `<Delete>${'<Object><Key>a</Key></Object>'.repeat(1001)}</Delete>`, 'MalformedBody'],
    ['an element in a key', '<Delete><Object><Key>a<b/>c</Key></Object></Delete>', 'MalformedBody'],
    [
      'a long key of references',
      `<Delete><Object><Key>${'&#x000026;'.repeat(1025)}</Key></Object></Delete>`,
      'KeyTooLongError',
    ],
    ['a key without end', `<Delete><Object><Key>${'k'.repeat(20_000)}</Key></Object></Delete>`, 'MalformedBody'],
    ['a long key', `<Delete><Object><Key>${'k'.repeat(1025)}</Key></Object></Delete>`, 'KeyTooLongError'],
    ['entities', '<!DOCTYPE a [<!ENTITY k "v">]><Delete><Object><Key>&k;</Key></Object></Delete>', 'MalformedBody'],
  ])('with %s', async (_name, document, expected) => {
    expect(await codeOf(() => read('POST', '/bucket?delete', document))).toBe(expected);
  });

  test('DeleteObjects wants its body checked', async () => {
    const unsigned: Headers = [['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']];
    expect(await codeOf(() => parse('POST', '/bucket?delete', unsigned))).toBe('InvalidRequest');
    for (const header of ['Content-MD5', 'x-amz-checksum-crc32', 'x-amz-trailer']) {
      expect(parse('POST', '/bucket?delete', [...unsigned, [header, 'x']]).kind).toBe('document');
    }
  });
});

test('forwarded requests have one content type', async () => {
  const typed = (...types: string[]) => types.map((type) => ['Content-Type', type] as const);
  const ask = (...types: string[]) => code('PUT', '/bucket/key?tagging', [...SIGNED_BODY, ...typed(...types)]);
  expect(await ask('application/xml', 'text/xml')).toBe('InvalidArgument');
  expect(parse('PUT', '/bucket/key?tagging', [...SIGNED_BODY, ...typed('a/b', 'a/b')]).kind).toBe('ready');
});

describe('RestoreObject', () => {
  const restore = (document: string) => read('POST', '/bucket/key?restore&versionId=v', document);

  test('passes on what brings the object back', () => {
    const document =
      '<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Days>3</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>';
    expect(restore(document)).toEqual({
      kind: 'Forward',
      name: 'RestoreObject',
      bucket: 'bucket',
      key: 'key',
      versionId: 'v',
      changes: true,
      document: Buffer.from(document),
    });
  });

  test.each([
    ['<RestoreRequest><Type>SELECT</Type></RestoreRequest>', 'NotImplemented'],
    ['<RestoreRequest><SelectParameters/></RestoreRequest>', 'NotImplemented'],
    ['<RestoreRequest><Days>1</Days><OutputLocation><S3/></OutputLocation></RestoreRequest>', 'NotImplemented'],
    ['<RestoreRequest><Tomorrow/></RestoreRequest>', 'NotImplemented'],
    ['<Other/>', 'MalformedBody'],
    ['', 'MalformedBody'],
  ])('%s', async (document, expected) => {
    expect(await codeOf(() => restore(document))).toBe(expected);
  });
});

describe('listings', () => {
  test('ListObjects', () => {
    expect(operation('GET', '/bucket?prefix=a%2F&delimiter=%2F&marker=a%2Fb&max-keys=7&encoding-type=url')).toEqual({
      kind: 'ListObjects',
      bucket: 'bucket',
      form: 1,
      prefix: 'a/',
      delimiter: '/',
      after: 'a/b',
      continuationToken: undefined,
      maxKeys: 7,
      urlEncoded: true,
      withOwner: true,
    });
  });

  test('ListObjectsV2', () => {
    const target = '/bucket/?list-type=2&continuation-token=t&start-after=s&fetch-owner=true&max-keys=5000&prefix=';
    expect(operation('GET', target)).toEqual({
      kind: 'ListObjects',
      bucket: 'bucket',
      form: 2,
      prefix: '',
      delimiter: '',
      after: 's',
      continuationToken: 't',
      maxKeys: 1000,
      urlEncoded: false,
      withOwner: true,
    });
  });

  test('ListObjectVersions', () => {
    expect(operation('GET', '/bucket?versions&key-marker=k&version-id-marker=v&max-keys=0')).toEqual({
      kind: 'ListObjectVersions',
      bucket: 'bucket',
      prefix: '',
      delimiter: '',
      keyMarker: 'k',
      versionIdMarker: 'v',
      maxKeys: 0,
      urlEncoded: false,
    });
  });

  test('ListBuckets', () => {
    expect(operation('GET', '/?prefix=a&max-buckets=1000&bucket-region=us-east-1')).toEqual({
      kind: 'ListBuckets',
      prefix: 'a',
    });
  });

  test.each([
    ['/bucket?max-keys=-1', 'InvalidArgument'],
    ['/bucket?max-keys=a', 'InvalidArgument'],
    ['/bucket?max-keys=2147483648', 'InvalidArgument'],
    ['/bucket?encoding-type=base64', 'InvalidArgument'],
    ['/bucket?list-type=3', 'InvalidArgument'],
    ['/bucket?list-type=2&continuation-token=', 'InvalidArgument'],
    ['/bucket?list-type=2&marker=a', 'NotImplemented'],
    ['/bucket?prefix=a&prefix=b', 'InvalidArgument'],
    ['/bucket?versions&version-id-marker=v', 'InvalidArgument'],
    ['/bucket?prefix=%ff', 'InvalidURI'],
    ['/?max-buckets=0', 'InvalidArgument'],
    ['/?continuation-token=t', 'InvalidArgument'],
    ['/?bucket-region=eu-west-1', 'NotImplemented'],
    ['/?x-id=ListDirectoryBuckets', 'NotImplemented'],
  ])('%s: %s', async (target, expected) => {
    expect(await code('GET', target)).toBe(expected);
  });
});

describe('CreateBucket', () => {
  const document = (inner: string) => `<CreateBucketConfiguration xmlns="x">${inner}</CreateBucketConfiguration>`;

  test('with and without a location', () => {
    expect(operation('PUT', '/bucket')).toMatchObject({ kind: 'CreateBucket', bucket: 'bucket', location: undefined });
    expect(read('PUT', '/bucket', document('<LocationConstraint>eu-west-1</LocationConstraint>'))).toMatchObject({
      location: 'eu-west-1',
    });
    expect(read('PUT', '/bucket', document('<LocationConstraint/>'))).toMatchObject({ location: undefined });
  });

  test('keeps object lock and ACL', () => {
    const created = operation('PUT', '/bucket', [
      ['x-amz-bucket-object-lock-enabled', 'true'],
      ['x-amz-date', '20240102T030405Z'],
    ]);
    if (created.kind !== 'CreateBucket') throw new Error(created.kind);
    expect([...(created.vendor?.headers ?? [])]).toEqual([['x-amz-bucket-object-lock-enabled', 'true']]);
  });

  test.each<[string, string, Headers, string]>([
    ['/Bucket', '', [], 'InvalidBucketName'],
    ['/my_bucket', '', [], 'InvalidBucketName'],
    ['/127.0.0.1', '', [], 'InvalidBucketName'],
    ['/bucket', '<Foo/>', [], 'MalformedBody'],
    ['/bucket', document('<Tags/>'), [], 'NotImplemented'],
    ['/bucket', '', [['x-amz-new-thing', '1']], 'NotImplemented'],
  ])('%s %s %j: %s', async (target, body, headers, expected) => {
    const act = () => {
      const parsed = parse('PUT', target, headers);
      return parsed.kind === 'document' ? parsed.read(Buffer.from(body)) : parsed;
    };
    expect(await codeOf(act)).toBe(expected);
  });
});

test('forwards keep the version, and take governance headers', () => {
  expect(
    operation('PUT', '/bucket/key?retention&versionId=v', [['x-amz-bypass-governance-retention', 'true']]),
  ).toEqual({
    kind: 'Forward',
    name: 'PutObjectRetention',
    bucket: 'bucket',
    key: 'key',
    versionId: 'v',
    changes: true,
  });
});
