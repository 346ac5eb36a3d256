import { describe, expect, it } from 'vitest';
import { contentHeaders, userMetadata } from '../../src/dialects/object-metadata.ts';
import { parseQingstor } from '../../src/dialects/qingstor/parse.ts';
import { readCopyObject } from '../../src/dialects/s3/front/requests/copy-object.ts';
import { readPutObject } from '../../src/dialects/s3/front/requests/put-object.ts';
import { readCreateUpload } from '../../src/dialects/s3/front/requests/upload-requests.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import { wireRequest } from '../support/requests.ts';
import { codeOf } from './s3/signature/signing.ts';

type Fields = readonly (readonly [name: string, value: string])[];

const ref = { bucket: 'bkt', key: 'k' };

/** Every way in which a client stores metadata, by its headers. */
const WAYS: readonly (readonly [string, string, (fields: Fields) => unknown])[] = [
  ['PutObject', 'x-amz-meta-', (fields) => readPutObject(ref, HeaderList.of(fields)).metadata],
  ['CreateMultipartUpload', 'x-amz-meta-', (fields) => readCreateUpload(ref, HeaderList.of(fields)).metadata],
  [
    'CopyObject',
    'x-amz-meta-',
    (fields) =>
      readCopyObject(
        ref,
        HeaderList.of([...fields, ['x-amz-copy-source', '/bkt/other'], ['x-amz-metadata-directive', 'REPLACE']]),
      ).replacement,
  ],
  [
    'QingStor’s PUT',
    'x-qs-meta-',
    (fields) => {
      const request = wireRequest({ method: 'PUT', target: '/bkt/k', headers: fields });
      const parsed = parseQingstor(request, undefined);
      return (parsed as { operation: { metadata: unknown } }).operation.metadata;
    },
  ],
];

describe.each(WAYS)('metadata of %s', (_way, prefix, read) => {
  it('is one entry of a name, however often it was sent', () => {
    const fields: Fields = [
      [`${prefix}A`, '1'],
      [`${prefix}b`, ''],
      [`${prefix}a`, '2'],
      ['cache-control', 'no-store'],
      ['Cache-Control', 'max-age=0'],
      ['content-language', ''],
      ['content-language', 'de'],
      ['content-type', 'a/b'],
      ['content-type', 'a/b'],
    ];
    expect(read(fields)).toMatchObject({
      content: { cacheControl: 'no-store, max-age=0', contentLanguage: 'de', contentType: 'a/b' },
      user: [
        ['a', '1,2'],
        ['b', ''],
      ],
    });
  });

  it.each([
    ['InvalidArgument', [[prefix, 'x']]],
    ['InvalidArgument', [[`${prefix}sx1`, 'x']]],
    ['InvalidArgument', [[`${prefix}SX1m`, 'x']]],
    ['NotImplemented', [[`${prefix}Snowball-Auto-Extract`, 'true']]],
    [
      'NotImplemented',
      [
        [`${prefix}snowball-auto-extract`, 'false'],
        [`${prefix}snowball-auto-extract`, 'TRUE'],
      ],
    ],
    [
      'InvalidArgument',
      [
        ['content-type', 'a/b'],
        ['Content-Type', 'a/c'],
      ],
    ],
    [
      'InvalidArgument',
      [
        ['expires', '0'],
        ['expires', '1'],
      ],
    ],
    [
      'InvalidArgument',
      [
        ['content-disposition', 'inline'],
        ['content-disposition', ''],
      ],
    ],
  ] as const)('is refused with %s: %j', async (code, fields) => {
    expect(await codeOf(() => read(fields as Fields))).toBe(code);
  });

  it('may have a name that unpacks nothing', () => {
    expect(read([[`${prefix}snowball-auto-extract`, 'no']])).toMatchObject({ user: [['snowball-auto-extract', 'no']] });
  });
});

it('a content header that is not there is undefined, and nothing is user metadata', () => {
  const headers = HeaderList.of([['x-amz-metadata', 'x']]);
  expect(Object.values(contentHeaders(headers)).every((value) => value === undefined)).toBe(true);
  expect(userMetadata(headers, { metadataPrefix: 'x-amz-meta-' })).toEqual([]);
});
