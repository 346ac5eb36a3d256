import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { madeBy, type StoreGrammar } from '../../../../src/dialects/identifiers.ts';
import { s3Back } from '../../../../src/dialects/s3/back/back.ts';
import { GatewayError } from '../../../../src/errors.ts';

const reservedBuckets = new Set(['minio', 'admin', 'swift']);
const paths = s3Back.grammar({ keys: 'paths', reservedBuckets });
const names = s3Back.grammar({ keys: 'names', reservedBuckets });

function told(grammar: StoreGrammar, name: keyof StoreGrammar, text: string): string {
  try {
    grammar[name](text);
    return 'taken';
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
}

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const base64url = (text: string) => Buffer.from(text, 'latin1').toString('base64url');

test.each([
  'minio',
  'admin',
  'swift',
  'MINIO',
  '..',
  '.',
  '',
  'a',
  'a..b',
  'a/b',
  '.minio.sys',
  'a%2e',
  'ü'.repeat(5),
  'b'.repeat(64),
])('no store is asked for a bucket %j', (bucket) => {
  for (const grammar of [paths, names]) expect(told(grammar, 'bucket', bucket)).toBe('InvalidBucketName');
});

test('other buckets are', () => {
  for (const bucket of ['acme', 'Old_Bucket', 'a.b-c', 'minio-1', 'sealgate-staging-0123']) {
    expect(told(paths, 'bucket', bucket)).toBe('taken');
  }
});

describe('keys', () => {
  test.each([
    '..',
    '.',
    '../b/k',
    '../../file',
    'a/../../b/a',
    'a/..',
    './a',
    'a/./b',
    '/../b/k',
    '//',
    'a//b',
    '//a',
    'a\\..\\b',
    '..\\b',
    'a/ .. /b',
    'a/..\t',
    '.sgwtmp/multipart/x',
    '/.sgwtmp/x',
    '.SGWTMP/x',
  ])('%j is a path that climbs or falls together with another, and a name otherwise', (key) => {
    expect(told(paths, 'key', key)).toBe('InvalidObjectName');
    expect(told(names, 'key', key)).toBe('taken');
  });

  test.each(['', 'a\0b', 'k'.repeat(1025), 'ü'.repeat(513), '\ud800'])('%j is none to any store', (key) => {
    for (const grammar of [paths, names]) expect(told(grammar, 'key', key)).toBe('InvalidObjectName');
  });

  test.each([
    'a',
    '/a',
    'a/',
    'a/b.c',
    '...',
    'a/...',
    '.a',
    '..a',
    'a..',
    'a/..b',
    '%2e%2e/%2e%2e',
    'ü'.repeat(512),
    'a\\b',
    '.sgwtmp1',
  ])('%j is one to every store', (key) => {
    for (const grammar of [paths, names]) expect(told(grammar, 'key', key)).toBe('taken');
  });
});

describe('upload ids', () => {
  const id = 'ODg4.YTc1MGE'; // of any store
  const ofMinio = base64url(
    '8f2b7f1c-8f0a-4b5e-9d1c-0a1b2c3d4e5f.0fb7f2bd-7d3b-4d6b-a2d5-f6ff4a2b3d4ex1764500000000000000',
  );
  const ofCeph = '2~kV0Q3cwq0nSdyxA5dNjYz8mZ1q4yR7B';
  const ofVersity = '3c1f5b52-7f1a-4f31-a5f0-0d4d4c1f9a11';
  const ofAws = 'ibZBv_75gd9r8lH_gqXatLdxMVpAlj6ZQjEs.OwyF3953YdwbcQnMA2BLGn8Lx12fQNICtMw5KyteFeHw.Sjng--';

  test.each([id, ofMinio, ofCeph, ofVersity, ofAws])('%s is one that a store gave', (uploadId) => {
    for (const grammar of [paths, names]) expect(told(grammar, 'uploadId', uploadId)).toBe('taken');
  });

  test.each([
    ['climbs', '../../../../other-bucket'],
    ['is a folder', '..'],
    ['is this folder', '.'],
    ['is absolute', '/etc'],
    ['has a backslash', '..\\x'],
    ['is encoded', '%2e%2e%2f'],
    ['has a control character', 'a\nb'],
    ['has a NUL', 'a\0'],
    ['has dots', 'a..b'],
    ['is empty', ''],
    ['is huge', 'a'.repeat(2049)],
    ['is overlong UTF-8', '\u00c0\u00ae\u00c0\u00ae'],
  ])('one that %s is none to any store', (_, uploadId) => {
    for (const grammar of [paths, names]) expect(told(grammar, 'uploadId', uploadId)).toBe('NoSuchUpload');
  });

  test.each([
    ['a path', 'id.../../../b/k'],
    ['a path after a byte that is no text', '\xff.../../../b/k'],
    ['a path that ends in dots', '\xff.a/..'],
    ['dots alone', '\xff...'],
    ['a slash', 'id.a/b'],
    ['a backslash', 'id.a\\b'],
    ['a control character', 'id.a\nb'],
    ['a NUL', 'id.a\0b'],
  ])('one that hides %s in base64, once or twice, is none to a store of paths', (_, hidden) => {
    for (const encoded of [base64(hidden), base64url(hidden), base64(base64(hidden)), base64url(base64url(hidden))]) {
      expect(told(paths, 'uploadId', encoded)).toBe('NoSuchUpload');
      expect(told(paths, 'uploadIdMarker', encoded)).toBe('InvalidArgument');
    }
  });

  test('bytes at random are no path', () => {
    for (let tried = 0; tried < 2_000; tried++) {
      expect(told(paths, 'uploadId', randomBytes(48).toString('base64url'))).toBe('taken');
    }
  });
});

describe('version ids', () => {
  test.each(['null', '3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY', '01J9ZK3V2Q', '-.a_b~c'])('%s is a name', (versionId) => {
    expect(told(names, 'versionId', versionId)).toBe('taken');
  });

  test.each(['../../b', '..', '.', 'a/../b', 'a\\b', 'a b', 'a\nb', 'a&acl', 'v'.repeat(1025), '%2e%2e'])(
    '%j is none to any store',
    (versionId) => {
      for (const name of ['versionId', 'versionIdMarker'] as const) {
        for (const grammar of [paths, names]) expect(told(grammar, name, versionId)).toBe('InvalidArgument');
      }
    },
  );

  test('a slash is one to a store of paths', () => {
    expect(told(paths, 'versionId', 'a/b')).toBe('InvalidArgument');
  });
});

describe('what a listing is cut by and goes on from', () => {
  test.each(['../', 'a/../', './', 'a/./b', '\\..\\'])('%j begins no key of a store of paths', (text) => {
    for (const name of ['prefix', 'after', 'keyMarker'] as const) {
      expect(told(paths, name, text)).toBe('InvalidArgument');
      expect(told(names, name, text)).toBe('taken');
    }
  });

  test('the beginning of a name may be dots', () => {
    for (const prefix of ['..', 'a/.', 'a/..', '.b']) expect(told(paths, 'prefix', prefix)).toBe('taken');
    for (const name of ['prefix', 'after', 'keyMarker', 'delimiter'] as const) {
      expect(told(paths, name, '\0')).toBe('InvalidArgument');
      expect(told(names, name, 'a'.repeat(5_000))).toBe('InvalidArgument');
    }
  });

  test.each([
    'k[minio_cache:v2,id:../../../b/.metacache/x,p:0,s:0]',
    'k[minio_cache:v2,id:..,return:,p:0,s:0]',
    'k[minio_cache:v2,id:0fb7f2bd-7d3b-4d6b-a2d5-f6ff4a2b3d4e,p:0,s:0]x',
    '[minio_cache:v2,return:][minio_cache:v2,id:a/b]',
    '\xff[minio_cache:v2,id:a/b,p:0,s:0]',
  ])('%j would have MinIO read another file than its own of this listing', (marker) => {
    expect(told(paths, 'after', marker)).toBe('InvalidArgument');
    for (const token of [base64(marker), base64(base64(marker))]) {
      expect(told(paths, 'continuationToken', token)).toBe('InvalidArgument');
    }
  });

  test.each([
    'k',
    'a/b[minio_cache:v2,return:]',
    'a/b[minio_cache:v2,id:0fb7f2bd-7d3b-4d6b-a2d5-f6ff4a2b3d4e,p:0,s:3]',
  ])('%j is what stores tell', (marker) => {
    expect(told(paths, 'after', marker)).toBe('taken');
    expect(told(paths, 'continuationToken', base64(marker))).toBe('taken');
    expect(told(paths, 'continuationToken', marker)).toBe('taken');
  });

  test('a token may not hide a path', () => {
    for (const token of ['../x', base64('a/../b'), base64url('../../b'), base64('\xff/../x'), 'a\0']) {
      expect(told(paths, 'continuationToken', token)).toBe('InvalidArgument');
    }
  });
});

test('a value is read to its depth, and what is not there is none', () => {
  const ref = { bucket: 'bucket', key: 'k', versionId: undefined };
  const refused = (asked: object) => {
    try {
      madeBy(paths, asked);
      return 'taken';
    } catch (error) {
      return (error as GatewayError).code;
    }
  };
  expect(refused({ ref, source: { ref, etag: 'e' }, prefix: '', uploadIdMarker: '' })).toBe('taken');
  expect(refused({ ref: { ...ref, key: '..' } })).toBe('InvalidObjectName');
  expect(refused({ ref, source: { ref: { ...ref, versionId: '../x' } } })).toBe('InvalidArgument');
  expect(refused({ ref, uploadId: '' })).toBe('NoSuchUpload');
  expect(refused({ bucket: '' })).toBe('InvalidBucketName');
});
