import { describe, expect, test } from 'vitest';
import { metadataHeaders } from '../../../../src/dialects/s3/back/object-headers.ts';
import { createS3Front } from '../../../../src/dialects/s3/front/front.ts';
import { StoreClaim } from '../../../../src/dialects/store-claim.ts';
import { clientError, GatewayError } from '../../../../src/errors.ts';
import type { ObjectCopied } from '../../../../src/operations/answer.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import { HeaderList } from '../../../../src/wire/headers.ts';
import type { ByteSource, IncomingResponse, WireResponse } from '../../../../src/wire/message.ts';
import { readXml, xmlText } from '../../../../src/wire/xml/xml.ts';
import { judged } from '../../../encryption/judged.ts';
import { s3Back } from '../../../support/plain-back.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { codeOf, NOW, SETTINGS } from '../signature/signing.ts';

type Headers = readonly (readonly [string, string])[];

const front = createS3Front(() => NOW);

function copy(source: string, headers: Headers = [], target = '/bucket/key') {
  const all = [['Host', 'h'], ['x-amz-copy-source', source], ...headers] as const;
  const parsed = readingOf(front, wireRequest({ method: 'PUT', target, headers: all }), SETTINGS).parse();
  if (parsed.kind !== 'ready' || parsed.operation.kind !== 'CopyObject') throw new Error(parsed.kind);
  return parsed.operation;
}

const code = (source: string, headers: Headers = [], target?: string) =>
  codeOf(() => judged(copy(source, headers, target)));

describe('the source', () => {
  test.each([
    ['source/a', 'source', 'a', undefined],
    ['/source/a', 'source', 'a', undefined],
    ['source/a/b/', 'source', 'a/b/', undefined],
    ['source//a', 'source', '/a', undefined],
    ['%2Fsource%2Fa%2Fb', 'source', 'a/b', undefined],
    ['source/a%20b%2Bc+d', 'source', 'a b+c d', undefined],
    ['source/%C3%BC%3F%26%25', 'source', 'ü?&%', undefined],
    ['source/\u00c3\u00bc', 'source', 'ü', undefined],
    ['source/a?versionId=v1', 'source', 'a', 'v1'],
    ['source/a?versionId=null', 'source', 'a', 'null'],
    ['source/a%3FversionId=x?versionId=v%2B1', 'source', 'a?versionId=x', 'v+1'],
  ])('%s', (source, bucket, key, versionId) => {
    expect(copy(source).source.ref).toEqual({ bucket, key, versionId });
  });

  test.each([
    ['', 'InvalidArgument'],
    ['/', 'InvalidArgument'],
    ['source', 'InvalidArgument'],
    ['/source', 'InvalidArgument'],
    ['source/', 'InvalidArgument'],
    ['//source/a', 'InvalidArgument'],
    ['source/%', 'InvalidArgument'],
    ['source/%zz', 'InvalidArgument'],
    ['source/%FF', 'InvalidArgument'],
    ['source/a?', 'InvalidArgument'],
    ['source/a?versionId', 'InvalidArgument'],
    ['source/a?versionId=', 'InvalidArgument'],
    ['source/a?versionId=1&versionId=2', 'InvalidArgument'],
    ['source/a?partNumber=1', 'InvalidArgument'],
    ['source/a?versionId=%0A', 'InvalidArgument'],
    ['arn:aws:s3:us-east-1:1:accesspoint/p/object/k', 'InvalidBucketName'],
    ['../a', 'InvalidBucketName'],
    ['source/a%00', 'InvalidArgument'],
    ['+source/a', 'InvalidBucketName'],
    [`source/${'k'.repeat(1025)}`, 'KeyTooLongError'],
  ])('%s: %s', async (source, expected) => {
    const refused = await code(source);
    // A NUL has its own name within; S3 spells both alike.
    expect(refused === 'InvalidObjectName' ? 'InvalidArgument' : refused).toBe(expected);
  });

  test('twice is once too often', async () => {
    expect(await code('source/a', [['x-amz-copy-source', 'source/b']])).toBe('InvalidArgument');
  });

  test('in a presigned URL’s query', () => {
    const request = wireRequest({
      method: 'PUT',
      target: '/bucket/key?x-amz-copy-source=source%2Fa%2520b',
      headers: [['Host', 'h']],
    });
    expect(readingOf(front, request, SETTINGS).parse()).toMatchObject({
      operation: { kind: 'CopyObject', source: { ref: { bucket: 'source', key: 'a b' } } },
    });
  });
});

describe('CopyObject', () => {
  test('COPY: headers that would replace mean nothing', () => {
    const { vendor, ...operation } = copy('source/a', [
      ['x-amz-meta-a', 'b'],
      ['content-type', 'text/plain'],
      ['x-amz-tagging', 'a=b'],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-copy-source-if-none-match', '"x"'],
      ['x-amz-copy-source-if-unmodified-since', 'Tue, 02 Jan 2024 03:04:05 GMT'],
      ['If-Match', '"d"'],
    ]);
    expect(operation).toEqual({
      kind: 'CopyObject',
      encryption: undefined,
      ref: { bucket: 'bucket', key: 'key' },
      source: {
        ref: { bucket: 'source', key: 'a' },
        conditions: { ifNoneMatch: '"x"', ifUnmodifiedSince: 'Tue, 02 Jan 2024 03:04:05 GMT' },
      },
      replacement: undefined,
      tags: 'copy',
      checksumAlgorithm: undefined,
      traits: { storageClass: 'infrequent-access' },
      conditions: { ifMatch: '"d"' },
    });
    expect([...(vendor?.headers ?? [])]).toEqual([['x-amz-storage-class', 'STANDARD_IA']]);
  });

  test('REPLACE, of metadata and of tags', () => {
    const { vendor, replacement, tags } = copy('source/a', [
      ['x-amz-metadata-directive', 'REPLACE'],
      ['x-amz-tagging-directive', 'REPLACE'],
      ['x-amz-meta-a', 'b'],
      ['x-amz-tagging', 'a=b'],
      ['content-type', 'text/plain'],
    ]);
    expect(replacement).toMatchObject({ content: { contentType: 'text/plain' }, user: [['a', 'b']] });
    expect([tags, [...(vendor?.headers ?? [])]]).toEqual(['replace', [['x-amz-tagging', 'a=b']]]);
  });

  test.each<[string, Headers, string]>([
    ['a directive of tomorrow', [['x-amz-metadata-directive', 'MERGE']], 'InvalidArgument'],
    ['a tagging directive of tomorrow', [['x-amz-tagging-directive', 'copy']], 'InvalidArgument'],
    ['reserved metadata', [['x-amz-meta-sx1', 'AA']], 'InvalidArgument'],
    [
      'a customer key for the source',
      [['x-amz-copy-source-server-side-encryption-customer-key', 'AA']],
      'InvalidArgument',
    ],
    ['another owner', [['x-amz-source-expected-bucket-owner', '1']], 'NotImplemented'],
    ['KMS in two layers', [['x-amz-server-side-encryption', 'aws:kms:dsse']], 'NotImplemented'],
    ['a checksum of tomorrow', [['x-amz-checksum-algorithm', 'BLAKE3']], 'InvalidRequest'],
    ['a range, which only a part has', [['x-amz-copy-source-range', 'bytes=0-1']], 'NotImplemented'],
    ['a header of tomorrow', [['x-amz-new-thing', '1']], 'NotImplemented'],
  ])('%s', async (_, headers, expected) => {
    expect(await code('source/a', headers)).toBe(expected);
  });

  test.each<[Headers, string]>([
    [[], 'InvalidRequest'],
    [[['x-amz-metadata-directive', 'COPY']], 'InvalidRequest'],
    [[['x-amz-meta-a', 'b']], 'InvalidRequest'],
    [[['x-amz-acl', 'private']], 'InvalidRequest'],
    [[['x-amz-metadata-directive', 'REPLACE']], 'nothing'],
    [[['x-amz-tagging-directive', 'REPLACE']], 'nothing'],
    [[['x-amz-storage-class', 'STANDARD']], 'nothing'],
    [[['x-amz-website-redirect-location', '/x']], 'nothing'],
    [[['x-amz-server-side-encryption', 'AES256']], 'nothing'],
  ])('onto itself with %j: %s', async (headers, expected) => {
    expect(await code('/bucket/key', headers)).toBe(expected);
  });

  test('an earlier version may be copied over the current one', async () => {
    expect(await code('/bucket/key?versionId=v1')).toBe('nothing');
    expect(await code('/bucket/Key')).toBe('nothing');
  });

  test('takes no query of its own', async () => {
    expect(await code('source/a', [], '/bucket/key?versionId=1')).toBe('NotImplemented');
  });
});

describe('UploadPartCopy', () => {
  function part(headers: Headers = [], query = 'partNumber=3&uploadId=u') {
    const all = [['Host', 'h'], ['x-amz-copy-source', 'source/a?versionId=v'], ...headers] as const;
    const parsed = readingOf(
      front,
      wireRequest({ method: 'PUT', target: `/bucket/key?${query}`, headers: all }),
      SETTINGS,
    ).parse();
    if (parsed.kind !== 'ready' || parsed.operation.kind !== 'UploadPartCopy') throw new Error(parsed.kind);
    return parsed.operation;
  }

  test('from its query and headers', () => {
    const headers = [
      ['x-amz-copy-source-range', 'bytes=5-9'],
      ['x-amz-copy-source-if-match', '"e"'],
      ['x-amz-request-payer', 'requester'],
    ] as const;
    expect(part(headers)).toEqual({
      kind: 'UploadPartCopy',
      ref: { bucket: 'bucket', key: 'key' },
      uploadId: 'u',
      partNumber: 3,
      source: { ref: { bucket: 'source', key: 'a', versionId: 'v' }, conditions: { ifMatch: '"e"' } },
      range: { first: 5, last: 9 },
    });
    expect(part().range).toBeUndefined();
  });

  test.each([
    '',
    'bytes=',
    'bytes=1-',
    'bytes=-3',
    '0-3',
    'bytes=3-1',
    'bytes=0-0,2-3',
    'bytes= 0-1',
    'Bytes=0-1',
    'bytes=0-1e3',
  ])('the range %j is none', async (range) => {
    expect(await codeOf(() => part([['x-amz-copy-source-range', range]]))).toBe('InvalidArgument');
  });

  test.each<[Headers, string, string]>([
    [[], 'partNumber=0&uploadId=u', 'InvalidArgument'],
    [[], 'partNumber=10001&uploadId=u', 'InvalidArgument'],
    [[], 'uploadId=u', 'InvalidArgument'],
    [[], 'partNumber=1&uploadId=', 'NoSuchUpload'],
    [[], 'partNumber=1&uploadId=u&versionId=v', 'NotImplemented'],
    [[['x-amz-meta-a', 'b']], 'partNumber=1&uploadId=u', 'NotImplemented'],
    [[['x-amz-metadata-directive', 'COPY']], 'partNumber=1&uploadId=u', 'NotImplemented'],
    [[['x-amz-copy-source-server-side-encryption-customer-key', 'k']], 'partNumber=1&uploadId=u', 'InvalidArgument'],
    [[['x-amz-server-side-encryption-customer-key', 'k']], 'partNumber=1&uploadId=u', 'InvalidArgument'],
  ])('%j %s: %s', async (headers, query, expected) => {
    expect(await codeOf(() => judged(part(headers, query)))).toBe(expected);
  });

  test('its answer', () => {
    const response = front.render(
      {
        kind: 'PartCopied',
        etag: 'e-0',
        lastModified: new Date('2024-01-02T03:04:05.678Z'),
        checksum: { algorithm: 'CRC32', value: Buffer.alloc(4) },
        sourceVersionId: 'v1',
      },
      CONTEXT,
    );
    const root = readXml(response.body as Buffer);
    expect([root.name, root.children.map(({ name, text }) => [name, text])]).toEqual([
      'CopyPartResult',
      [
        ['LastModified', '2024-01-02T03:04:05.678Z'],
        ['ETag', '"e-0"'],
        ['ChecksumCRC32', 'AAAAAA=='],
      ],
    ]);
    expect(response.headers.get('x-amz-copy-source-version-id')).toBe('v1');
  });
});

const COPIED: ObjectCopied = {
  kind: 'ObjectCopied',
  etag: 'e-0',
  lastModified: new Date('2024-01-02T03:04:05.678Z'),
  versionId: 'v2',
  sourceVersionId: 'v1',
  checksum: { algorithm: 'SHA256', value: Buffer.alloc(32) },
  vendor: { dialect: 's3', headers: HeaderList.of([['x-amz-expiration', 'x']]) },
};
const CONTEXT = {
  requestId: 'REQ1',
  settings: SETTINGS,
  request: wireRequest({ method: 'PUT', target: '/bucket/key', headers: [['host', 'h']] }),
};

describe('the answer', () => {
  test('has the copy’s ETag, time and checksum, and both versions', () => {
    const response = front.render(COPIED, CONTEXT);
    const root = readXml(response.body as Buffer);
    expect(root.name).toBe('CopyObjectResult');
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ['LastModified', '2024-01-02T03:04:05.678Z'],
      ['ETag', '"e-0"'],
      ['ChecksumSHA256', Buffer.alloc(32).toString('base64')],
      ['ChecksumType', 'FULL_OBJECT'],
    ]);
    const { headers } = response;
    expect([headers.get('x-amz-copy-source-version-id'), headers.get('x-amz-version-id')]).toEqual(['v1', 'v2']);
    expect(headers.get('x-amz-expiration')).toBe('x');
  });

  test('says when its checksum is composite', () => {
    const checksum = { algorithm: 'SHA256', value: Buffer.alloc(32), parts: 3 } as const;
    const root = readXml(front.render({ ...COPIED, checksum }, CONTEXT).body as Buffer);
    const value = `${Buffer.alloc(32).toString('base64')}-3`;
    expect([xmlText(root, 'ChecksumSHA256'), xmlText(root, 'ChecksumType')]).toEqual([value, 'COMPOSITE']);
  });

  async function late(settled: Promise<WireResponse>, beats: number): Promise<string> {
    let left = beats;
    const beat = () => (left-- > 0 ? Promise.resolve() : new Promise<void>(() => undefined));
    const response = front.renderLate?.(settled, beat, CONTEXT) as WireResponse;
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/xml']);
    expect(response.headers.get('content-length')).toBeUndefined();
    return (
      await collect(response.body as ByteSource, 10_000, () => clientError('InternalError', 'too much'))
    ).toString();
  }

  test('that is late begins at once, and is the same document behind blanks', async () => {
    const { promise, resolve } = Promise.withResolvers<WireResponse>();
    const text = late(promise, 3);
    await new Promise(setImmediate);
    resolve(front.render(COPIED, CONTEXT));
    const punctual = (front.render(COPIED, CONTEXT).body as Buffer).toString();
    expect(await text).toBe(punctual.replace('?>\n', '?>\n   '));
    expect(readXml(Buffer.from(await text)).name).toBe('CopyObjectResult');
  });

  test('that is late and an error says so in its document', async () => {
    const error = front.renderError(clientError('PreconditionFailed', 'no'), CONTEXT);
    const root = readXml(Buffer.from(await late(Promise.resolve(error), 1)));
    expect([root.name, xmlText(root, 'Code')]).toEqual(['Error', 'PreconditionFailed']);
  });
});

function answer(...raw: string[]): IncomingResponse {
  return { status: 200, headers: new HeaderList(raw), body: (async function* () {})(), discard: () => undefined };
}

function thrown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof GatewayError || error instanceof StoreClaim) return error.code;
  }
  return 'nothing';
}

describe('towards the backend', () => {
  const source = { ref: { bucket: 'source', key: 'a b+ü?/x', versionId: 'v 1' }, etag: 'e' };
  const metadata = {
    content: { contentType: 'text/plain' },
    user: [['sx1', 'envelope']],
    vendor: { dialect: 's3', headers: HeaderList.of([['x-amz-storage-class', 'COLD']]) },
  } as const;

  test.each(['copy', 'replace'] as const)('a copy is pinned, its metadata replaced, its tags: %s', (tags) => {
    const request = s3Back.calls.copy.render({ ref: { bucket: 'b', key: 'k k' }, source, metadata, tags });
    expect([request.method, request.path, request.body]).toEqual(['PUT', '/b/k%20k', undefined]);
    expect([...request.headers]).toEqual([
      ['x-amz-storage-class', 'COLD'],
      ['content-type', 'text/plain'],
      ['x-amz-meta-sx1', 'envelope'],
      ['x-amz-copy-source', '/source/a%20b%2B%C3%BC%3F/x?versionId=v%201'],
      ['x-amz-copy-source-if-match', '"e"'],
      ['x-amz-metadata-directive', 'REPLACE'],
      ['x-amz-tagging-directive', tags.toUpperCase()],
    ]);
  });

  test('what this dialect sends, it reads', () => {
    const { headers } = s3Back.calls.copy.render({ ref: { bucket: 'b', key: 'k' }, source, metadata, tags: 'copy' });
    expect(copy(headers.get('x-amz-copy-source') as string).source.ref).toEqual(source.ref);
  });

  test('a part, whole or a range of its source', () => {
    const part = { ref: { bucket: 'b', key: 'k' }, uploadId: 'u', partNumber: 2, source };
    const ranged = s3Back.calls.copyPart.render({ ...part, range: { first: 5, last: 9 } });
    expect(ranged.path).toBe('/b/k?partNumber=2&uploadId=u');
    expect(ranged.headers.get('x-amz-copy-source-range')).toBe('bytes=5-9');
    expect(ranged.headers.get('x-amz-copy-source-if-match')).toBe('"e"');
    expect(s3Back.calls.copyPart.render({ ...part, range: undefined }).headers.has('x-amz-copy-source-range')).toBe(
      false,
    );
  });

  const result = (root: string, blanks = '') =>
    Buffer.from(
      `${blanks}<?xml version="1.0"?><${root}><LastModified>2024-01-02T03:04:05.678Z</LastModified><ETag>&quot;e&quot;</ETag></${root}>`,
    );

  test('its answers', () => {
    const head = answer('x-amz-version-id', 'v', 'x-amz-copy-source-version-id', 's', 'x-amz-checksum-crc32', 'AAAA');
    const { vendor, ...copied } = s3Back.calls.copy.read(result('CopyObjectResult', ' \n '), head);
    expect(copied).toEqual({ etag: 'e', lastModified: new Date('2024-01-02T03:04:05.678Z'), versionId: 'v' });
    expect([...(vendor?.headers ?? [])]).toEqual([]);
    expect(s3Back.calls.copyPart.read(result('CopyPartResult', '\n'), answer())).toBe('e');
  });

  test.each([
    ['<Error><Code>InternalError</Code><Message>m</Message></Error>', 'BackendUnavailable'],
    [' \n<?xml version="1.0"?><Error><Code>PreconditionFailed</Code></Error>', 'PreconditionFailed'],
    ['<?xml version="1.0"?> <Error><Code>NoSuchKey</Code></Error>', 'NoSuchKey'],
    ['', 'BackendError'],
    ['   ', 'BackendError'],
    ['<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>', 'BackendError'],
    ['<CopyObjectResult><LastModified>2024-01-02T03:04:05.678Z</LastModified></CopyObjectResult>', 'BackendError'],
  ])('%j in a 200 is no copy: %s', (document, expected) => {
    expect(thrown(() => s3Back.calls.copy.read(Buffer.from(document), answer()))).toBe(expected);
    expect(
      thrown(() => s3Back.calls.copyPart.read(Buffer.from(document.replaceAll('<ETag>"e"</ETag>', '')), answer())),
    ).toBe(expected);
  });

  test('tags become the header that sets them', () => {
    const tag = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
    const tagging = (tags: string) => Buffer.from(`<Tagging><TagSet>${tags}</TagSet></Tagging>`);
    const read = s3Back.calls.tags.read(tagging(tag('a', '1') + tag('b &amp; c', '=+ü') + tag('d', '')));
    expect(read).toEqual([
      ['a', '1'],
      ['b & c', '=+ü'],
      ['d', ''],
    ]);
    const headers = metadataHeaders({ content: {}, user: [], traits: { tags: read } });
    expect([...headers]).toEqual([['x-amz-tagging', 'a=1&b%20%26%20c=%3D%2B%C3%BC&d=']]);
    expect([...s3Back.calls.tags.read(tagging(''))]).toEqual([]);
    expect(s3Back.calls.tags.render({ ref: { bucket: 'b', key: 'k', versionId: 'v' } }).path).toBe(
      '/b/k?tagging=&versionId=v',
    );
  });
});
