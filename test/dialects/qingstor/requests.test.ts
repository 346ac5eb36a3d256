import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseQingstor } from '../../../src/dialects/qingstor/parse.ts';
import { checkAskedForms } from '../../../src/encryption/rules.ts';
import type { GatewayError } from '../../../src/errors.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { wireRequest } from '../../support/requests.ts';

type Headers = readonly (readonly [string, string])[];

function parsed(method: string, target: string, headers: Headers = []) {
  return parseQingstor(wireRequest({ method, target, headers: [['Host', 'h'], ...headers] }), undefined);
}

function operation(method: string, target: string, headers: Headers = []): Operation {
  const result = parsed(method, target, headers);
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

const KEY = Buffer.alloc(32, 7);
const MD5 = createHash('md5').update(KEY).digest('base64');
const THREE = ['AES256', KEY.toString('base64'), MD5] as const;

function keyHeaders(prefix: string, [algorithm, key, md5]: readonly string[] = THREE): Headers {
  const names = prefix === 'older' ? ['', '', ''] : ['algorithm', 'key', 'key-MD5'];
  const spelled =
    prefix === 'older'
      ? ['X-Qs-Encryption-Algorithm', 'X-Qs-Encryption-Key', 'X-Qs-Encryption-Md5']
      : names.map((name) => `${prefix}${name}`);
  return [algorithm, key, md5].flatMap((value, at) => (value === undefined ? [] : [[spelled[at] as string, value]]));
}

const NEWER = 'x-qs-encryption-customer-';
const SOURCE = 'x-qs-copy-source-encryption-customer-';
const COPY: Headers = [['x-qs-copy-source', '/src/k']];

/** Every operation that a key may come with, and whether its request asks for the object to be encrypted with it. */
const WITH_KEY: readonly (readonly [string, string, Headers])[] = [
  ['PUT', '/bucket/k', []],
  ['GET', '/bucket/k', []],
  ['HEAD', '/bucket/k', []],
  ['PUT', '/bucket/k', COPY],
  ['POST', '/bucket/k?uploads', []],
  ['PUT', '/bucket/k?part_number=0&upload_id=u', []],
  ['PUT', '/bucket/k?part_number=0&upload_id=u', COPY],
];

function keyOf(asked: AskedEncryption | undefined): string | undefined {
  return asked?.kind === 'customer' ? asked.key.bytes.toString('base64') : undefined;
}

function encryptionOf(found: Operation): AskedEncryption | undefined {
  return 'encryption' in found ? found.encryption : undefined;
}

describe.each(WITH_KEY)('%s %s %j', (method, target, more) => {
  it.each([NEWER, 'older'])('takes a key under the names %s', (prefix) => {
    const found = operation(method, target, [...more, ...keyHeaders(prefix)]);
    expect(keyOf(encryptionOf(found))).toBe(KEY.toString('base64'));
    checkAskedForms(found, { has: () => true });
  });

  it('takes both sets of names where they say the same, and refuses them where they differ', () => {
    const both = [...more, ...keyHeaders(NEWER), ...keyHeaders('older')];
    expect(keyOf(encryptionOf(operation(method, target, both)))).toBe(KEY.toString('base64'));
    for (const at of [0, 1, 2]) {
      const other = THREE.map((value, index) => (index === at ? `${value}x` : value));
      const differing = [...more, ...keyHeaders(NEWER), ...keyHeaders('older', other)];
      expect(refusal(() => operation(method, target, differing))).toBe('InvalidArgument');
    }
  });

  it('refuses a key that comes twice', () => {
    const twice = [...more, ...keyHeaders(NEWER), ['x-qs-encryption-customer-key', 'other']] as Headers;
    expect(refusal(() => operation(method, target, twice))).toBe('InvalidArgument');
  });

  it.each([
    ['another algorithm', ['SM4', THREE[1], THREE[2]]],
    ['no algorithm', [undefined, THREE[1], THREE[2]]],
    ['no key', [THREE[0], undefined, THREE[2]]],
    ['no MD5', [THREE[0], THREE[1], undefined]],
    ['another MD5', [THREE[0], THREE[1], 'AAAAAAAAAAAAAAAAAAAAAA==']],
    ['a short key', [THREE[0], 'AAAA', THREE[2]]],
  ])('refuses %s when the key is looked at', (_what, three) => {
    const found = encryptionOf(operation(method, target, [...more, ...keyHeaders(NEWER, three as string[])]));
    expect(refusal(() => found?.kind === 'customer' && found.key.check())).toBe('InvalidArgument');
  });
});

it('the key of a copy’s source is read apart from the copy’s', () => {
  for (const target of ['/bucket/k', '/bucket/k?part_number=3&upload_id=u']) {
    const found = operation('PUT', target, [...COPY, ...keyHeaders(SOURCE)]);
    expect(found).toMatchObject({ source: { ref: { bucket: 'src', key: 'k' } } });
    expect(encryptionOf(found)).toBeUndefined();
    expect('source' in found && keyOf(found.source.encryption)).toBe(KEY.toString('base64'));
  }
  expect(refusal(() => operation('PUT', '/bucket/k', keyHeaders(SOURCE)))).toBe('NotImplemented');
});

it.each([
  ['DELETE', '/bucket/k'],
  ['DELETE', '/bucket/k?upload_id=u'],
])('%s %s needs no key, takes a right one, and refuses a wrong one', (method, target) => {
  expect(encryptionOf(operation(method, target, keyHeaders(NEWER)))).toBeUndefined();
  const wrong = keyHeaders(NEWER, ['AES256', 'AAAA', MD5]);
  expect(refusal(() => operation(method, target, wrong))).toBe('InvalidArgument');
});

describe('a copy', () => {
  it.each([
    ['/src/a%20b+c%2F%E4%B8%AD', 'a b+c/中'],
    ['src/%2525', '%25'],
    ['/src/a//b', 'a//b'],
  ])('of %s has a plus for a plus', (source, key) => {
    const found = operation('PUT', '/bucket/k', [['x-qs-copy-source', source]]);
    expect(found).toMatchObject({ kind: 'CopyObject', source: { ref: { bucket: 'src', key } } });
  });

  it('keeps the source’s metadata unless the directive says REPLACE, in any case', () => {
    const more: Headers = [...COPY, ['Content-Type', 'text/plain'], ['x-qs-meta-a', '1']];
    const of = (directive: Headers) => operation('PUT', '/bucket/k', [...more, ...directive]);
    expect(of([])).toMatchObject({ replacement: undefined });
    expect(of([['x-qs-metadata-directive', 'Copy']])).toMatchObject({ replacement: undefined });
    for (const word of ['REPLACE', 'replace']) {
      expect(of([['x-qs-metadata-directive', word]])).toMatchObject({
        replacement: { content: { contentType: 'text/plain' }, user: [['a', '1']] },
      });
    }
    expect(refusal(() => of([['x-qs-metadata-directive', 'MERGE']]))).toBe('InvalidArgument');
  });

  it('may repeat its source in the query, which nobody signed, and name no other there', () => {
    expect(operation('PUT', '/bucket/k?copy_source=/src/k', COPY)).toMatchObject({ kind: 'CopyObject' });
    expect(refusal(() => operation('PUT', '/bucket/k?copy_source=/src/other', COPY))).toBe('InvalidArgument');
    expect(refusal(() => operation('PUT', '/bucket/k?copy_source=/src/k'))).toBe('NotImplemented');
  });

  it('has one source, and its conditions are unescaped', () => {
    expect(refusal(() => operation('PUT', '/bucket/k', [...COPY, ...COPY]))).toBe('InvalidArgument');
    const conditions: Headers = [
      ['x-qs-copy-source-if-match', '%22e%22'],
      ['x-qs-copy-source-if-modified-since', 'Mon,%2001%20Jan%202024%2000:00:00%20GMT'],
    ];
    expect(operation('PUT', '/bucket/k', [...COPY, ...conditions])).toMatchObject({
      source: { conditions: { ifMatch: '"e"', ifModifiedSince: 'Mon, 01 Jan 2024 00:00:00 GMT' } },
    });
  });

  it('into a part takes a range with both ends', () => {
    const of = (range: string) =>
      operation('PUT', '/bucket/k?part_number=0&upload_id=u', [...COPY, ['x-qs-copy-range', range]]);
    expect(of('bytes=3-9')).toMatchObject({ kind: 'UploadPartCopy', partNumber: 1, range: { first: 3, last: 9 } });
    for (const bad of ['bytes=3-', 'bytes=-3', 'bytes=9-3', '3-9'])
      expect(refusal(() => of(bad))).toBe('InvalidArgument');
  });
});

describe('a move', () => {
  const MOVE: Headers = [['x-qs-move-source', '/bucket/a%20b+c']];

  it('names the object that it moves, and takes no key', () => {
    const asked = { kind: 'MoveObject', ref: { bucket: 'bucket', key: 'k' } };
    for (const headers of [MOVE, [...MOVE, ...keyHeaders(NEWER)]]) {
      const source = { ref: { bucket: 'bucket', key: 'a b+c' } };
      expect(operation('PUT', '/bucket/k', headers)).toEqual({ ...asked, source });
    }
  });

  it('has no conditions, no other source and no directive', () => {
    for (const more of [COPY, [['x-qs-move-source-if-match', '"e"']], [['x-qs-metadata-directive', 'COPY']]]) {
      expect(refusal(() => operation('PUT', '/bucket/k', [...MOVE, ...(more as Headers)]))).toBe('NotImplemented');
    }
  });
});

describe('an upload', () => {
  it('counts parts from 0, and the gateway from 1', () => {
    for (const [number, neutral] of [
      [0, 1],
      [1, 2],
      [10_000, 10_001],
    ]) {
      const target = `/bucket/k?part_number=${number}&upload_id=u`;
      expect(operation('PUT', target)).toMatchObject({ kind: 'UploadPart', partNumber: neutral, uploadId: 'u' });
    }
    expect(operation('GET', '/bucket/k?upload_id=u')).toMatchObject({ partNumberMarker: 0, maxParts: 10_001 });
    expect(operation('GET', '/bucket/k?upload_id=u&part_number_marker=0&limit=5')).toMatchObject({
      partNumberMarker: 1,
      maxParts: 5,
    });
  });

  function completed(document: string): Operation {
    const result = parsed('POST', '/bucket/k?upload_id=u', [['ETag', '"5d41402abc4b2a76b9719d911017c592"']]);
    if (result.kind !== 'document') throw new Error('no document');
    return result.read(Buffer.from(document));
  }

  it('is completed with or without the ETags of its parts, quoted or not', () => {
    const parts = [{ part_number: 0 }, { part_number: 3, etag: '"e"' }, { part_number: '5', etag: 'f', size: 1 }];
    expect(completed(JSON.stringify({ object_parts: parts }))).toMatchObject({
      kind: 'CompleteMultipartUpload',
      smallestPartBytes: 4 * 1024 * 1024,
      parts: [
        { partNumber: 1, etag: undefined },
        { partNumber: 4, etag: 'e' },
        { partNumber: 6, etag: 'f' },
      ],
    });
  });

  it.each([
    ['', 'MalformedBody'],
    ['[]', 'MalformedBody'],
    ['{"object_parts":[]}', 'MalformedBody'],
    ['{"object_parts":[1]}', 'MalformedBody'],
    ['{"object_parts":[{"part_number":0,"etag":1}]}', 'MalformedBody'],
    ['{"object_parts":[{}]}', 'InvalidArgument'],
    ['{"object_parts":[{"part_number":-1}]}', 'InvalidArgument'],
    ['{"object_parts":[{"part_number":0.5}]}', 'InvalidArgument'],
    ['{"object_parts":[{"part_number":10001}]}', 'InvalidArgument'],
  ])('is not completed by %s', (document, code) => {
    expect(refusal(() => completed(document))).toBe(code);
  });
});

describe('an ACL', () => {
  function put(document: unknown): Operation {
    const result = parsed('PUT', '/bucket?acl');
    if (result.kind !== 'document') throw new Error('no document');
    return result.read(Buffer.from(JSON.stringify(document)));
  }

  it('may say what is so anyhow, and no more', () => {
    const own = { grantee: { type: 'user', id: 'u', name: 'n' }, permission: 'FULL_CONTROL' };
    expect(put({ acl: [own] })).toEqual({ kind: 'HeadBucket', bucket: 'bucket' });
    const group = { grantee: { type: 'group', name: 'QS_ALL_USERS' }, permission: 'READ' };
    expect(refusal(() => put({ acl: [own, group] }))).toBe('NotImplemented');
    expect(refusal(() => put({ acl: [own, own] }))).toBe('NotImplemented');
    expect(refusal(() => put({ acl: [{ ...own, permission: 'READ' }] }))).toBe('NotImplemented');
    expect(refusal(() => put([]))).toBe('MalformedBody');
  });
});
