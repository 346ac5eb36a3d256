import { describe, expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { proven } from '../../../../src/errors.ts';
import type { ObjectAttributes, ObjectContent } from '../../../../src/operations/answer.ts';
import type { GetObjectAttributes, Operation } from '../../../../src/operations/operation.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { codeOf, SETTINGS } from '../signature/signing.ts';

type Headers = readonly (readonly [string, string])[];

function operation(method: string, target: string, headers: Headers = []): Operation {
  const parsed = readingOf(
    s3Front,
    wireRequest({ method, target, headers: [['Host', '127.0.0.1'], ...headers] }),
    SETTINGS,
  ).parse();
  if (parsed.kind !== 'ready') throw new Error(parsed.kind);
  return parsed.operation;
}

const code = (target: string, headers: Headers = []) => codeOf(() => operation('GET', target, headers));
const render = (answer: ObjectAttributes | ObjectContent) =>
  s3Front.render(answer, { requestId: 'R', settings: SETTINGS, request: undefined });

describe('partNumber', () => {
  test('is read of GET and HEAD', () => {
    expect(operation('GET', '/bucket/k?partNumber=1')).toMatchObject({ kind: 'GetObject', part: 1, range: undefined });
    expect(operation('HEAD', '/bucket/k?partNumber=10000&versionId=v')).toMatchObject({
      kind: 'HeadObject',
      part: 10_000,
      ref: { versionId: 'v' },
    });
    expect(operation('GET', '/bucket/k')).toMatchObject({ part: undefined });
  });

  test.each(['', '0', '10001', '-1', '1.5', 'one', '1e3', '99999999'])('%j is none', async (number) => {
    expect(await code(`/bucket/k?partNumber=${number}`)).toBe('InvalidArgument');
  });

  test('and a range ask for two things', async () => {
    expect(await code('/bucket/k?partNumber=1', [['Range', 'bytes=0-1']])).toBe('InvalidRequest');
  });
});

const CONTENT: ObjectContent = {
  kind: 'ObjectContent',
  facts: {
    plaintextBytes: proven(100),
    etag: 'e',
    lastModified: new Date('2024-01-02T03:04:05Z'),
    metadata: {
      content: {},
      user: [],
      traits: { storageClass: { dialect: 's3', word: 'COLD' } },
    },
    checksum: { algorithm: 'CRC32', value: Buffer.of(1, 2, 3, 4), parts: 3 },
    versionId: 'v1',
  },
  range: undefined,
  overrides: {},
  body: undefined,
};

test('a part is partial content, and tells how many there are; one without bytes has no range', () => {
  const part = render({ ...CONTENT, range: { first: 10, last: 19 }, partsCount: 3 });
  expect([part.status, part.headers.get('content-range'), part.headers.get('x-amz-mp-parts-count')]).toEqual([
    206,
    'bytes 10-19/100',
    '3',
  ]);
  expect(part.headers.has('x-amz-checksum-crc32')).toBe(false);
  const empty = render({ ...CONTENT, range: { first: 100, last: 99 }, partsCount: 3 });
  expect([empty.status, empty.headers.get('content-length'), empty.headers.get('content-range')]).toEqual([
    206,
    '0',
    undefined,
  ]);
  expect(render(CONTENT).headers.has('x-amz-mp-parts-count')).toBe(false);
  expect(render(CONTENT).headers.get('x-amz-checksum-crc32')).toBe('AQIDBA==-3');
});

describe('GetObjectAttributes', () => {
  const NAMES = 'x-amz-object-attributes';

  test('says which, by line or by comma, and which page of parts', () => {
    const lines: Headers = [
      [NAMES, 'ETag'],
      [NAMES, 'ObjectSize, StorageClass,Checksum'],
      ['x-amz-max-parts', '5'],
      ['x-amz-part-number-marker', '7'],
    ];
    expect(operation('GET', '/bucket/k?attributes&versionId=v', lines)).toEqual({
      kind: 'GetObjectAttributes',
      ref: { bucket: 'bucket', key: 'k', versionId: 'v' },
      attributes: new Set(['etag', 'size', 'storageClass', 'checksum']),
      maxParts: 5,
      partNumberMarker: 7,
    } satisfies GetObjectAttributes);
    expect(operation('GET', '/bucket/k?attributes', [[NAMES, 'ObjectParts']])).toMatchObject({
      attributes: new Set(['parts']),
      maxParts: 1000,
      partNumberMarker: 0,
    });
  });

  test.each([
    ['none', []],
    ['an empty list', [[NAMES, ' , ']]],
  ] as const)('%s is refused', async (_what, headers) => {
    expect(await code('/bucket/k?attributes', headers)).toBe('InvalidRequest');
  });

  test.each([
    ['an unknown one', [[NAMES, 'ETag,Owner']]],
    ['one in another case', [[NAMES, 'etag']]],
    ['a property of every object', [[NAMES, 'constructor']]],
    [
      'a page that is no number',
      [
        [NAMES, 'ETag'],
        ['x-amz-max-parts', 'x'],
      ],
    ],
    [
      'a marker that is no number',
      [
        [NAMES, 'ETag'],
        ['x-amz-part-number-marker', '-1'],
      ],
    ],
  ] as const)('%s is refused', async (_what, headers) => {
    expect(await code('/bucket/k?attributes', headers)).toBe('InvalidArgument');
  });

  const asked = (...attributes: Parameters<GetObjectAttributes['attributes']['has']>[0][]): GetObjectAttributes => ({
    kind: 'GetObjectAttributes',
    ref: { bucket: 'bucket', key: 'k' },
    attributes: new Set(attributes),
    maxParts: 2,
    partNumberMarker: 1,
  });
  const parts = {
    count: 9,
    listed: [
      { partNumber: 2, plaintextBytes: 5 },
      { partNumber: 4, plaintextBytes: 0 },
    ],
    truncated: true,
  };
  const document = (answer: Omit<ObjectAttributes, 'kind' | 'facts'>): string => {
    const { body } = render({ kind: 'ObjectAttributes', facts: CONTENT.facts, ...answer });
    return String(body).replace(/^.*<GetObjectAttributesResponse[^>]*>|<\/GetObjectAttributesResponse>$/gs, '');
  };

  test('are rendered as S3 does: ETag without quotes, a composite checksum without its number', () => {
    expect(document({ asked: asked('etag', 'checksum', 'parts', 'storageClass', 'size'), parts })).toBe(
      '<ETag>e</ETag><Checksum><ChecksumCRC32>AQIDBA==</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType></Checksum>' +
        '<ObjectParts><IsTruncated>true</IsTruncated><MaxParts>2</MaxParts><NextPartNumberMarker>4</NextPartNumberMarker>' +
        '<PartNumberMarker>1</PartNumberMarker><Part><PartNumber>2</PartNumber><Size>5</Size></Part>' +
        '<Part><PartNumber>4</PartNumber><Size>0</Size></Part><PartsCount>9</PartsCount></ObjectParts>' +
        '<StorageClass>COLD</StorageClass><ObjectSize>100</ObjectSize>',
    );
    expect(document({ asked: asked('size'), parts })).toBe('<ObjectSize>100</ObjectSize>');
    expect(document({ asked: asked('parts'), parts: undefined })).toBe('');
    expect(document({ asked: asked('parts'), parts: { count: 2, listed: undefined, truncated: false } })).toBe(
      '<ObjectParts><PartsCount>2</PartsCount></ObjectParts>',
    );
  });

  test('come with the object’s date and version', () => {
    const { headers } = render({ kind: 'ObjectAttributes', facts: CONTENT.facts, asked: asked('etag'), parts });
    expect([headers.get('last-modified'), headers.get('x-amz-version-id')]).toEqual([
      'Tue, 02 Jan 2024 03:04:05 GMT',
      'v1',
    ]);
  });
});
