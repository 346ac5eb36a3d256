import { describe, expect, test } from 'vitest';
import { createS3Front } from '../../../../src/dialects/s3/front/front.ts';
import { verifyBody } from '../../../../src/dialects/s3/signature/body-verification.ts';
import type { Answer } from '../../../../src/operations/answer.ts';
import type { CompleteMultipartUpload, Operation } from '../../../../src/operations/operation.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import { readXml, type XmlElement, xmlChildren, xmlText } from '../../../../src/wire/xml/xml.ts';
import { judged } from '../../../encryption/judged.ts';
import { s3Back } from '../../../support/plain-back.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { codeOf, NOW, SETTINGS } from '../signature/signing.ts';

type Headers = readonly (readonly [string, string])[];

const front = createS3Front(() => NOW);

function operation(method: string, target: string, headers: Headers = [], document = ''): Operation {
  const parsed = readingOf(
    front,
    wireRequest({ method, target, headers: [['Host', 'h'], ...headers] }),
    SETTINGS,
  ).parse();
  return parsed.kind === 'document'
    ? parsed.read(Buffer.from(document))
    : parsed.kind === 'ready'
      ? parsed.operation
      : never();
}

function never(): never {
  throw new Error('neither ready nor a document');
}

const code = (method: string, target: string, headers: Headers = [], document = '') =>
  codeOf(() => judged(operation(method, target, headers, document)));

const UPLOAD = '/box/k?uploadId=u';

describe('requests of a multipart upload', () => {
  test('Create has what a PUT has, and the checksum that is wanted', () => {
    const headers: Headers = [
      ['content-type', 'text/csv'],
      ['x-amz-meta-a', 'b'],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-checksum-algorithm', 'crc32c'],
    ];
    expect(operation('POST', '/box/k?uploads', headers)).toMatchObject({
      kind: 'CreateMultipartUpload',
      ref: { bucket: 'box', key: 'k' },
      metadata: { content: { contentType: 'text/csv' }, user: [['a', 'b']] },
      checksum: { algorithm: 'CRC32C', composite: true },
    });
  });

  test.each<[string | undefined, string | undefined, unknown]>([
    [undefined, undefined, undefined],
    ['CRC32', undefined, { algorithm: 'CRC32', composite: true }],
    ['CRC32', 'FULL_OBJECT', { algorithm: 'CRC32', composite: false }],
    ['SHA256', undefined, { algorithm: 'SHA256', composite: true }],
    ['SHA1', 'COMPOSITE', { algorithm: 'SHA1', composite: true }],
    ['CRC64NVME', undefined, { algorithm: 'CRC64NVME', composite: false }],
    ['CRC64NVME', 'COMPOSITE', 'InvalidRequest'],
    ['SHA256', 'FULL_OBJECT', 'InvalidRequest'],
    ...(['SHA512', 'MD5', 'XXHASH64', 'XXHASH3', 'XXHASH128'] as const).flatMap(
      (algorithm): [string, string | undefined, unknown][] => [
        [algorithm, undefined, { algorithm, composite: true }],
        [algorithm, 'COMPOSITE', { algorithm, composite: true }],
        [algorithm, 'FULL_OBJECT', 'InvalidRequest'],
      ],
    ),
    [undefined, 'FULL_OBJECT', 'InvalidRequest'],
    ['MD4', undefined, 'InvalidRequest'],
    ['CRC32', 'HALF', 'InvalidRequest'],
  ])('Create with algorithm %s and type %s', async (algorithm, type, expected) => {
    const headers: [string, string][] = [];
    if (algorithm !== undefined) headers.push(['x-amz-checksum-algorithm', algorithm]);
    if (type !== undefined) headers.push(['x-amz-checksum-type', type]);
    if (typeof expected === 'string') expect(await code('POST', '/box/k?uploads', headers)).toBe(expected);
    else expect(operation('POST', '/box/k?uploads', headers)).toMatchObject({ checksum: expected });
  });

  test('UploadPart, ListParts, Abort and ListMultipartUploads', () => {
    const named = { ref: { bucket: 'box', key: 'k' }, uploadId: 'u' };
    expect(operation('PUT', '/box/k?partNumber=10000&uploadId=u')).toEqual({
      kind: 'UploadPart',
      ...named,
      partNumber: 10_000,
    });
    expect(operation('DELETE', UPLOAD)).toEqual({ kind: 'AbortMultipartUpload', ...named });
    const parts = { kind: 'ListParts', ...named, partNumberMarker: 0, maxParts: 1000, urlEncoded: false };
    expect(operation('GET', UPLOAD)).toEqual(parts);
    expect(operation('GET', `${UPLOAD}&max-parts=5000&part-number-marker=7&encoding-type=url`)).toEqual({
      ...parts,
      partNumberMarker: 7,
      urlEncoded: true,
    });
    expect(operation('GET', '/box?uploads&prefix=p&delimiter=/&key-marker=k&upload-id-marker=u&max-uploads=3')).toEqual(
      {
        kind: 'ListMultipartUploads',
        bucket: 'box',
        prefix: 'p',
        delimiter: '/',
        keyMarker: 'k',
        uploadIdMarker: 'u',
        maxUploads: 3,
        urlEncoded: false,
      },
    );
  });

  test.each<[string, string, Headers, string]>([
    ['PUT', '/box/k?uploadId=u', [], 'InvalidArgument'],
    ['PUT', '/box/k?partNumber=0&uploadId=u', [], 'InvalidArgument'],
    ['PUT', '/box/k?partNumber=10001&uploadId=u', [], 'InvalidArgument'],
    ['PUT', '/box/k?partNumber=1e3&uploadId=u', [], 'InvalidArgument'],
    ['PUT', '/box/k?partNumber=-1&uploadId=u', [], 'InvalidArgument'],
    ['PUT', '/box/k?partNumber=1&partNumber=2&uploadId=u', [], 'InvalidArgument'],
    // Empty, it would be a PUT of the object, or its deletion, to a backend that looks for a value.
    ['PUT', '/box/k?partNumber=1&uploadId=', [], 'NoSuchUpload'],
    ['DELETE', '/box/k?uploadId', [], 'NoSuchUpload'],
    ['GET', '/box/k?uploadId=', [], 'NoSuchUpload'],
    ['POST', '/box/k?uploadId=', [], 'NoSuchUpload'],
    ['PUT', '/box/k?partNumber=1&uploadId=u&versionId=v', [], 'NotImplemented'],
    [
      'PUT',
      '/box/k?partNumber=1&uploadId=u',
      [['x-amz-server-side-encryption-customer-algorithm', 'AES256']],
      'InvalidArgument',
    ],
    ['POST', UPLOAD, [['x-amz-server-side-encryption-customer-algorithm', 'AES256']], 'InvalidArgument'],
    ['POST', '/box/k?uploads', [['x-amz-meta-sx1', 'x']], 'InvalidArgument'],
    ['POST', '/box/k?uploads', [['x-amz-new-thing', 'x']], 'NotImplemented'],
    ['DELETE', UPLOAD, [['x-amz-if-match-initiated-time', 'x']], 'NotImplemented'],
    ['GET', `${UPLOAD}&max-parts=x`, [], 'InvalidArgument'],
    ['GET', `${UPLOAD}&encoding-type=rot13`, [], 'InvalidArgument'],
  ])('%s %s with %j: %s', async (method, target, headers, expected) => {
    expect(await code(method, target, headers)).toBe(expected);
  });
});

const PARTS = '<Part><PartNumber>1</PartNumber><ETag>"e-0"</ETag></Part>';
const list = (inner: string) => `<CompleteMultipartUpload xmlns="x">${inner}</CompleteMultipartUpload>`;

describe('CompleteMultipartUpload', () => {
  const complete = (document: string, headers: Headers = []) =>
    operation('POST', UPLOAD, headers, document) as CompleteMultipartUpload;

  test('reads parts as SDKs write them', () => {
    const document = `<?xml version="1.0" encoding="UTF-8"?>\n${list(
      `<Part><ETag>&quot;one-0&quot;</ETag><PartNumber>1</PartNumber><ChecksumCRC32>NhCmhg==</ChecksumCRC32></Part>
       <Part><PartNumber> 22 </PartNumber><ETag>two-0</ETag></Part>`,
    )}`;
    expect(complete(document)).toEqual({
      kind: 'CompleteMultipartUpload',
      ref: { bucket: 'box', key: 'k' },
      uploadId: 'u',
      parts: [
        { partNumber: 1, etag: 'one-0', checksum: { algorithm: 'CRC32', value: Buffer.from('NhCmhg==', 'base64') } },
        { partNumber: 22, etag: 'two-0', checksum: undefined },
      ],
      smallestPartBytes: 5 * 1024 * 1024,
      checksum: undefined,
      composite: undefined,
      plaintextBytes: undefined,
      conditions: {},
    });
  });

  test('reads what the client says of the whole', () => {
    const headers: Headers = [
      ['x-amz-checksum-crc32', 'NhCmhg==-2'],
      ['x-amz-checksum-type', 'COMPOSITE'],
      ['x-amz-mp-object-size', '123'],
      ['if-none-match', '*'],
    ];
    expect(complete(list(PARTS), headers)).toMatchObject({
      checksum: { algorithm: 'CRC32', value: Buffer.from('NhCmhg==', 'base64'), parts: 2 },
      composite: true,
      plaintextBytes: 123,
      conditions: { ifNoneMatch: '*' },
    });
  });

  test('its checksum is the object’s, and not checked against the list of parts', async () => {
    const request = wireRequest({
      method: 'POST',
      target: UPLOAD,
      headers: [
        ['content-length', '5'],
        ['x-amz-checksum-crc32', 'AAAAAA=='],
      ],
      body: Buffer.from('parts'),
    });
    const body = verifyBody(request, { kind: 'unsigned' }, undefined);
    expect((await collect(body.bytes(), 10, never)).toString()).toBe('parts');
    expect(body.proof()).toEqual({ checksum: undefined, md5: undefined });
  });

  test.each<[string, string, Headers, string]>([
    ['no XML', 'hello', [], 'MalformedBody'],
    ['another document', '<Delete/>', [], 'MalformedBody'],
    ['no part', list(''), [], 'MalformedBody'],
    ['a part without number', list('<Part><ETag>e</ETag></Part>'), [], 'MalformedBody'],
    ['a part without ETag', list('<Part><PartNumber>1</PartNumber></Part>'), [], 'MalformedBody'],
    ['a number that is none', list('<Part><PartNumber>x</PartNumber><ETag>e</ETag></Part>'), [], 'MalformedBody'],
    [
      'an element twice',
      list(`<Part><PartNumber>1</PartNumber><ETag>e</ETag><ETag>f</ETag></Part>`),
      [],
      'MalformedBody',
    ],
    ['an element of tomorrow', list(`${PARTS}<Whole/>`), [], 'MalformedBody'],
    [
      'an element of tomorrow in a part',
      list('<Part><PartNumber>1</PartNumber><ETag>e</ETag><X/></Part>'),
      [],
      'MalformedBody',
    ],
    ['too many parts', list(PARTS.repeat(10_001)), [], 'MalformedBody'],
    [
      'a part checksum that is none',
      list('<Part><PartNumber>1</PartNumber><ETag>e</ETag><ChecksumCRC32>x</ChecksumCRC32></Part>'),
      [],
      'InvalidRequest',
    ],
    ['a checksum that is none', list(PARTS), [['x-amz-checksum-sha256', 'bad']], 'BadDigest'],
    [
      'two checksums',
      list(PARTS),
      [
        ['x-amz-checksum-crc32', 'NhCmhg=='],
        ['x-amz-checksum-crc32c', 'NhCmhg=='],
      ],
      'InvalidRequest',
    ],
    ['a size that is none', list(PARTS), [['x-amz-mp-object-size', '1.5']], 'InvalidRequest'],
    ['a type that is none', list(PARTS), [['x-amz-checksum-type', 'X']], 'InvalidRequest'],
  ])('refuses %s', async (_what, document, headers, expected) => {
    expect(await code('POST', UPLOAD, headers, document)).toBe(expected);
  });

  test('takes 10,000 parts with checksums within its bound', () => {
    const part = (number: number) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${'a'.repeat(32)}-0&quot;</ETag><ChecksumSHA256>${'A'.repeat(43)}=</ChecksumSHA256></Part>`;
    const document = list(Array.from({ length: 10_000 }, (_, at) => part(at + 1)).join('\n  '));
    const parsed = readingOf(
      front,
      wireRequest({ method: 'POST', target: UPLOAD, headers: [['Host', 'h']] }),
      SETTINGS,
    ).parse();
    expect(parsed.kind === 'document' && parsed.maxBytes >= Buffer.byteLength(document)).toBe(true);
    expect(complete(document).parts).toHaveLength(10_000);
  });
});

describe('answers of a multipart upload', () => {
  const request = wireRequest({ method: 'POST', target: '/box/k%20%C3%BC?uploadId=u', headers: [['Host', 'store:9']] });
  const render = (answer: Answer) => front.render(answer, { requestId: 'R', settings: SETTINGS, request });
  const document = (answer: Answer): XmlElement => readXml(render(answer).body as Buffer);
  const texts = (element: XmlElement) => Object.fromEntries(element.children.map(({ name, text }) => [name, text]));
  const ref = { bucket: 'box', key: 'k ü&<' };
  const owner = { id: 'acme', displayName: 'acme' };
  const CRC = { algorithm: 'CRC32', value: Buffer.from('NhCmhg==', 'base64') } as const;

  test('created', () => {
    const answer = {
      kind: 'UploadCreated',
      ref,
      uploadId: 'u/+',
      checksum: { algorithm: 'CRC32', composite: false },
    } as const;
    expect(document(answer).name).toBe('InitiateMultipartUploadResult');
    expect(texts(document(answer))).toEqual({ Bucket: 'box', Key: 'k ü&<', UploadId: 'u/+' });
    const { headers } = render(answer);
    expect([headers.get('x-amz-checksum-algorithm'), headers.get('x-amz-checksum-type')]).toEqual([
      'CRC32',
      'FULL_OBJECT',
    ]);
  });

  test('a part stored: its checksum without a type', () => {
    const { status, headers } = render({ kind: 'PartStored', etag: 'e-0', checksum: CRC });
    expect([
      status,
      headers.get('etag'),
      headers.get('x-amz-checksum-crc32'),
      headers.has('x-amz-checksum-type'),
    ]).toEqual([200, '"e-0"', 'NhCmhg==', false]);
  });

  test('completed: composite checksums tell their number of parts', () => {
    const answer = { kind: 'UploadCompleted', ref, etag: 'e-3', versionId: 'v1' } as const;
    expect(texts(document({ ...answer, checksum: { ...CRC, parts: 2 } }))).toEqual({
      Location: 'http://store:9/box/k%20%C3%BC',
      Bucket: 'box',
      Key: 'k ü&<',
      ETag: '"e-3"',
      ChecksumCRC32: 'NhCmhg==-2',
      ChecksumType: 'COMPOSITE',
    });
    expect(texts(document({ ...answer, checksum: CRC }))).toMatchObject({
      ChecksumCRC32: 'NhCmhg==',
      ChecksumType: 'FULL_OBJECT',
    });
    expect(texts(document({ ...answer, checksum: undefined }))).not.toHaveProperty('ChecksumType');
    expect(render({ ...answer, checksum: undefined }).headers.get('x-amz-version-id')).toBe('v1');
  });

  test('aborted', () => {
    expect(render({ kind: 'UploadAborted' })).toMatchObject({ status: 204, body: undefined });
  });

  test('parts listed', () => {
    const asked = {
      kind: 'ListParts',
      ref,
      uploadId: 'u',
      partNumberMarker: 2,
      maxParts: 3,
      urlEncoded: true,
    } as const;
    const part = { partNumber: 3, etag: 'e-0', plaintextBytes: 7, lastModified: NOW, checksum: CRC };
    const checksum = { algorithm: 'CRC32', composite: true } as const;
    const root = document({ kind: 'PartListing', asked, owner, parts: [part], truncated: true, checksum });
    expect(texts(root)).toMatchObject({
      Key: 'k%20%C3%BC%26%3C',
      EncodingType: 'url',
      UploadId: 'u',
      PartNumberMarker: '2',
      NextPartNumberMarker: '3',
      MaxParts: '3',
      IsTruncated: 'true',
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'COMPOSITE',
    });
    expect(xmlChildren(root, 'Part').map(texts)).toEqual([
      {
        PartNumber: '3',
        LastModified: '2024-01-02T03:04:05.000Z',
        ETag: '"e-0"',
        Size: '7',
        ChecksumCRC32: 'NhCmhg==',
      },
    ]);
    expect(xmlText(root.children.find(({ name }) => name === 'Owner') as XmlElement, 'ID')).toBe('acme');
  });

  test('uploads listed, and read back from a backend that says the same', () => {
    const asked = {
      kind: 'ListMultipartUploads',
      bucket: 'box',
      prefix: 'k ',
      delimiter: '/',
      keyMarker: 'm',
      uploadIdMarker: 'n',
      maxUploads: 2,
      urlEncoded: true,
    } as const;
    const uploads = [{ key: 'k ü', uploadId: 'u', initiated: NOW, storageClass: undefined }];
    const next = { nextKeyMarker: 'k ü', nextUploadIdMarker: 'u' };
    const answer = {
      kind: 'UploadListing',
      asked,
      owner,
      uploads,
      commonPrefixes: ['k /'],
      truncated: true,
      ...next,
    } as const;
    const { body } = render(answer);
    expect(s3Back.calls.listUploads.read(body as Buffer)).toEqual({
      uploads: [{ ...uploads[0], storageClass: 'STANDARD' }],
      commonPrefixes: ['k /'],
      truncated: true,
      ...next,
    });
  });

  test('the backend’s parts are read', () => {
    const document = `<ListPartsResult><IsTruncated>true</IsTruncated><Part><PartNumber>3</PartNumber><ETag>&quot;e&quot;</ETag><Size>9</Size><LastModified>2024-01-02T03:04:05.000Z</LastModified></Part></ListPartsResult>`;
    expect(s3Back.calls.listParts.read(Buffer.from(document))).toEqual({
      parts: [{ partNumber: 3, etag: 'e', storedBytes: 9, lastModified: NOW }],
      truncated: true,
    });
    const dated = (date: string) => Buffer.from(document.replace('2024-01-02T03:04:05.000Z', date));
    for (const none of ['', '0001-01-01T00:00:00.000Z']) {
      expect(s3Back.calls.listParts.read(dated(none)).parts).toMatchObject([{ partNumber: 3, etag: '' }]);
    }
    expect(() => s3Back.calls.listParts.read(dated('yesterday'))).toThrowError(
      expect.objectContaining({ code: 'BackendError' }),
    );
    expect(
      s3Back.calls.listParts.render({ ref: { bucket: 'box', key: 'k' }, uploadId: 'u+', partNumberMarker: 3 }).path,
    ).toBe('/box/k?max-parts=1000&part-number-marker=3&uploadId=u%2B');
  });
});
