import * as sdk from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS } from '../../../src/dialects/s3/checksum.ts';
import { s3Front } from '../../../src/dialects/s3/front/front.ts';
import type { S3Operation } from '../../../src/dialects/s3/operation-row.ts';
import { S3_OPERATIONS } from '../../../src/dialects/s3/operation-table.ts';
import { GatewayError } from '../../../src/errors.ts';
import { readingOf } from '../../support/reading.ts';
import { wireRequest } from '../../support/requests.ts';
import { SETTINGS } from './signature/signing.ts';

/**
 * What S3's own SDK knows of requests, held against what the gateway makes of each. A header, query parameter or value
 * that a newer SDK brings fails here when the dependency is updated: then somebody decides what becomes of it, and says
 * so in these tables.
 */

/** What every operation makes of it that the SDK sends it with and that the gateway has at all. */
type Outcome = 'taken' | 'refused' | 'taken by some';

const HEADERS: Readonly<Record<Outcome, readonly string[]>> = {
  taken: [
    'cache-control',
    'content-disposition',
    'content-encoding',
    'content-language',
    'content-length',
    'content-md5',
    'content-type',
    'expires',
    'if-match',
    'if-modified-since',
    'if-none-match',
    'if-unmodified-since',
    'range',
    'x-amz-acl',
    'x-amz-bucket-object-lock-enabled',
    'x-amz-bucket-object-lock-token',
    'x-amz-bypass-governance-retention',
    'x-amz-checksum-algorithm',
    'x-amz-checksum-crc32',
    'x-amz-checksum-crc32c',
    'x-amz-checksum-crc64nvme',
    'x-amz-checksum-md5',
    'x-amz-checksum-mode',
    'x-amz-checksum-sha1',
    'x-amz-checksum-sha256',
    'x-amz-checksum-sha512',
    'x-amz-checksum-type',
    'x-amz-checksum-xxhash128',
    'x-amz-checksum-xxhash3',
    'x-amz-checksum-xxhash64',
    'x-amz-confirm-remove-self-bucket-access',
    'x-amz-copy-source',
    'x-amz-copy-source-if-match',
    'x-amz-copy-source-if-modified-since',
    'x-amz-copy-source-if-none-match',
    'x-amz-copy-source-if-unmodified-since',
    'x-amz-copy-source-range',
    'x-amz-copy-source-server-side-encryption-customer-algorithm',
    'x-amz-copy-source-server-side-encryption-customer-key',
    'x-amz-copy-source-server-side-encryption-customer-key-md5',
    'x-amz-grant-full-control',
    'x-amz-grant-read',
    'x-amz-grant-read-acp',
    'x-amz-grant-write',
    'x-amz-grant-write-acp',
    'x-amz-max-parts',
    'x-amz-metadata-directive',
    'x-amz-mfa',
    'x-amz-mp-object-size',
    'x-amz-object-attributes',
    'x-amz-object-lock-legal-hold',
    'x-amz-object-lock-mode',
    'x-amz-object-lock-retain-until-date',
    'x-amz-object-ownership',
    'x-amz-optional-object-attributes',
    'x-amz-part-number-marker',
    'x-amz-request-payer',
    'x-amz-sdk-checksum-algorithm',
    'x-amz-server-side-encryption',
    'x-amz-server-side-encryption-aws-kms-key-id',
    'x-amz-server-side-encryption-bucket-key-enabled',
    'x-amz-server-side-encryption-context',
    'x-amz-server-side-encryption-customer-algorithm',
    'x-amz-server-side-encryption-customer-key',
    'x-amz-server-side-encryption-customer-key-md5',
    'x-amz-storage-class',
    'x-amz-tagging',
    'x-amz-tagging-directive',
    'x-amz-transition-default-minimum-object-size',
    'x-amz-website-redirect-location',
  ],
  // Directory buckets, annotations, and what would be ignored: NotImplemented names each.
  refused: [
    'x-amz-bucket-namespace',
    'x-amz-if-match-initiated-time',
    'x-amz-if-match-last-modified-time',
    'x-amz-if-match-size',
    'x-amz-object-annotation-directive',
    'x-amz-object-lock-event-hold',
    'x-amz-object-lock-event-hold-duration-days',
    'x-amz-object-lock-event-hold-duration-years',
    'x-amz-source-expected-bucket-owner',
    'x-amz-write-offset-bytes',
  ],
  // Writes and what is forwarded pass it on; of reads the store is asked by the gateway.
  'taken by some': ['x-amz-expected-bucket-owner'],
};

const PARAMETERS: typeof HEADERS = {
  taken: [
    'bucket-region',
    'continuation-token',
    'delimiter',
    'encoding-type',
    'fetch-owner',
    'id',
    'key-marker',
    'marker',
    'max-buckets',
    'max-keys',
    'max-parts',
    'max-uploads',
    'part-number-marker',
    'partNumber',
    'prefix',
    'response-cache-control',
    'response-content-disposition',
    'response-content-encoding',
    'response-content-language',
    'response-content-type',
    'response-expires',
    'start-after',
    'upload-id-marker',
    'uploadId',
    'version-id-marker',
    'versionId',
  ],
  refused: [],
  'taken by some': [],
};

const SAMPLES: Readonly<Record<string, string>> = {
  'content-length': '0',
  'x-amz-copy-source': '/bucket/other',
  'x-amz-copy-source-range': 'bytes=0-1',
  'x-amz-object-attributes': 'ETag',
  'x-amz-metadata-directive': 'REPLACE',
  'x-amz-tagging-directive': 'REPLACE',
  'x-amz-checksum-algorithm': 'CRC32',
  'x-amz-checksum-type': 'COMPOSITE',
  'x-amz-server-side-encryption': 'AES256',
  'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==',
  range: 'bytes=0-1',
  'encoding-type': 'url',
  'list-type': '2',
  'bucket-region': 'us-east-1',
  uploadId: 'u',
  partNumber: '1',
};
const sample = (name: string): string => SAMPLES[name] ?? '1';

/** `traits` of a member of a request, as the SDK's schemas have them. */
interface Traits {
  readonly httpHeader?: string;
  readonly httpQuery?: string;
}
type Member = readonly [unknown, Traits];
type Structure = readonly [
  kind: number,
  space: string,
  name: string,
  traits: unknown,
  names: string[],
  members: Member[],
];
type OperationSchema = readonly [kind: number, space: string, name: string, traits: unknown, input: () => Structure];
type CommandClass = new (input: object) => { readonly schema: OperationSchema };

/** Names of headers (lower case) or parameters, with the operations that have them. */
function sent(trait: keyof Traits): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, command] of Object.entries(sdk)) {
    if (!/^[A-Z].*Command$/.test(name) || name === '$Command') continue;
    const [, , operation, , input] = new (command as unknown as CommandClass)({ Bucket: 'b', Key: 'k' }).schema;
    for (const [, traits] of input()[5].filter((member): member is Member => Array.isArray(member))) {
      const text = traits?.[trait];
      if (text === undefined) continue;
      const one = trait === 'httpHeader' ? text.toLowerCase() : text;
      found.set(one, [...(found.get(one) ?? []), operation]);
    }
  }
  return found;
}

const ROWS = new Map(S3_OPERATIONS.map((row) => [row.name, row]));

/** Whether the operation, in its plainest form and with this beside it, is understood. */
function takes(row: S3Operation, more: { readonly header?: string; readonly parameter?: string }): boolean {
  const path = { service: '/', bucket: '/bucket', object: '/bucket/key' }[row.level];
  const query = [
    row.subresource &&
      `${row.subresource}=${row.subresource === 'list-type' ? '2' : row.subresource === 'uploadId' ? 'u' : ''}`,
    row.name.startsWith('UploadPart') && more.parameter !== 'partNumber' && 'partNumber=1',
    row.needsParameter !== more.parameter && row.needsParameter && `${row.needsParameter}=1`,
    more.parameter !== undefined && more.parameter !== row.subresource && `${more.parameter}=${sample(more.parameter)}`,
  ].filter(Boolean);
  const headers = new Map([['x-amz-content-sha256', 'a'.repeat(64)]]);
  if (row.needsHeader !== undefined) headers.set(row.needsHeader, sample(row.needsHeader));
  if (row.name === 'GetObjectAttributes') headers.set('x-amz-object-attributes', 'ETag');
  if (row.name === 'CopyObject') headers.set('x-amz-metadata-directive', 'REPLACE');
  if (more.header === 'x-amz-checksum-type') headers.set('x-amz-checksum-algorithm', 'CRC32');
  if (more.header !== undefined) headers.set(more.header, sample(more.header));
  const request = wireRequest({
    method: row.method,
    target: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers: [['Host', '127.0.0.1:9000'], ...headers],
  });
  try {
    readingOf(s3Front, request, SETTINGS).parse();
    return true;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.code !== 'NotImplemented'; // another refusal has read what the sample says
  }
}

function outcomes(trait: keyof Traits, key: 'header' | 'parameter'): Record<Outcome, string[]> {
  const made: Record<Outcome, string[]> = { taken: [], refused: [], 'taken by some': [] };
  for (const [name, operations] of [...sent(trait)].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const rows = operations.map((operation) => ROWS.get(operation)).filter((row) => row !== undefined);
    const taken = rows.filter((row) => row.treatment !== 'refused').map((row) => takes(row, { [key]: name }));
    if (taken.length === 0) continue; // no operation that the gateway has sends it
    made[!taken.includes(false) ? 'taken' : taken.includes(true) ? 'taken by some' : 'refused'].push(name);
  }
  return made;
}

describe('requests of the SDK that the repository has', () => {
  test('every operation is known', () => {
    const known = [...sent('httpHeader').values(), ...sent('httpQuery').values()].flat();
    expect(new Set(known).size).toBeGreaterThan(90);
    expect(known.filter((operation) => !ROWS.has(operation))).toEqual([]);
  });

  test('every header is one that somebody decided about', () => {
    expect(outcomes('httpHeader', 'header')).toEqual(HEADERS);
  });

  test('every query parameter is one that somebody decided about', () => {
    expect(outcomes('httpQuery', 'parameter')).toEqual(PARAMETERS);
  });

  test('every value of what the gateway reads itself is one that it knows', () => {
    expect(Object.values(sdk.ChecksumAlgorithm).sort()).toEqual([...CHECKSUM_ALGORITHMS].sort());
    expect(Object.values(sdk.ChecksumType).sort()).toEqual(['COMPOSITE', 'FULL_OBJECT']);
    expect(Object.values(sdk.ChecksumMode)).toEqual(['ENABLED']);
    expect(Object.values(sdk.EncodingType)).toEqual(['url']);
    expect(Object.values(sdk.MetadataDirective).sort()).toEqual(['COPY', 'REPLACE']);
    expect(Object.values(sdk.TaggingDirective).sort()).toEqual(['COPY', 'REPLACE']);
    expect(Object.values(sdk.ObjectAttributes).sort()).toEqual([
      'Checksum',
      'ETag',
      'ObjectParts',
      'ObjectSize',
      'StorageClass',
    ]);
    expect(Object.values(sdk.ServerSideEncryption).sort()).toEqual([
      'AES256',
      'aws:backup',
      'aws:fsx',
      'aws:kms',
      'aws:kms:dsse',
    ]);
  });
});
