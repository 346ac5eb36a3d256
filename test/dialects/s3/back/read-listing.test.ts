import { describe, expect, test } from 'vitest';
import { s3Back } from '../../../../src/dialects/s3/back/back.ts';
import { S3_VOCABULARY } from '../../../../src/dialects/s3/vocabulary.ts';
import type { StoredEntry } from '../../../../src/dialects/store-exchange.ts';
import { listingDocument, versionListingDocument } from '../../../../src/dialects/xml-family/listing-documents.ts';
import { GatewayError } from '../../../../src/errors.ts';
import type { ObjectListing, VersionListing } from '../../../../src/operations/answer.ts';
import fc, { runs } from '../../../support/property.ts';
import { chunks } from '../../../support/requests.ts';

const release = (): void => undefined;

/** As a socket might bring it. */
function cut(document: string | Buffer, chunkBytes = Number.POSITIVE_INFINITY): AsyncIterable<Buffer> {
  const bytes = Buffer.from(document);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) pieces.push(bytes.subarray(at, at + chunkBytes));
  return chunks(pieces);
}

async function refusal(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
    return 'read';
  } catch (error) {
    return error instanceof GatewayError ? `${error.code} of the ${error.source}: ${error.message}` : String(error);
  }
}

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '&',
      '<',
      '>',
      '"',
      "'",
      '\r',
      '\n',
      '\t',
      ' ',
      ']',
      ']]>',
      '\u0085',
      '\u2028',
      '%',
      '+',
      '/',
      '\ufeff',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
  maxLength: 12,
});
const etag = fc.stringMatching(/^[0-9a-f]{32}(-[1-9][0-9]{0,3})?$/);
const lastModified = fc.integer({ min: 0, max: Date.UTC(2100, 0) }).map((milliseconds) => new Date(milliseconds));
const owner = fc.option(fc.record({ id: text, displayName: text }), { nil: undefined });
const entry = fc.record({
  key: text,
  storedBytes: fc.maxSafeNat(),
  etag,
  lastModified,
  storageClass: fc.constantFrom('STANDARD', 'GLACIER'),
  owner,
});

function asListed({ storedBytes, ...rest }: StoredEntry): ObjectListing['objects'][number] {
  return { ...rest, plaintextBytes: storedBytes };
}

const asked = {
  bucket: 'bucket',
  prefix: 'p',
  delimiter: '/',
  after: '',
  continuationToken: undefined,
  maxKeys: 1000,
  withOwner: true,
} as const;

describe('what the front writes, the back reads', () => {
  test.each([1, 2] as const)('form %d, whatever the names and the chunks', async (form) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 6 }),
        fc.array(text, { maxLength: 3 }),
        fc.record({ urlEncoded: fc.boolean(), truncated: fc.boolean(), chunkBytes: fc.integer({ min: 1, max: 200 }) }),
        async (entries, commonPrefixes, { urlEncoded, truncated, chunkBytes }) => {
          const answer: ObjectListing = {
            kind: 'ObjectListing',
            release,
            asked: { kind: 'ListObjects', form, urlEncoded, ...asked },
            objects: entries.map(asListed),
            commonPrefixes,
            truncated,
            nextMarker: truncated ? 'm&m' : undefined,
            nextContinuationToken: truncated ? 'c<2' : undefined,
          };
          const read = await s3Back.calls.list.read(
            cut([...listingDocument(answer, S3_VOCABULARY)].join(''), chunkBytes),
          );
          const sealedAs = entries.map((stored) => ({
            ...stored,
            versionId: 'null',
            latest: false,
            deleteMarker: false,
          }));
          expect(read.entries).toEqual(sealedAs);
          expect(read.commonPrefixes).toEqual(commonPrefixes);
          expect(read.truncated).toBe(truncated);
          if (!truncated) return;
          expect(form === 1 ? read.nextMarker : read.nextContinuationToken).toBe(form === 1 ? 'm&m' : 'c<2');
        },
      ),
      { numRuns: runs(200) },
    );
  });

  test('versions and delete markers', async () => {
    const version = fc.record({
      versionId: fc.stringMatching(/^[\w.-]{1,20}$/),
      latest: fc.boolean(),
      deleteMarker: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(entry, version), { maxLength: 6 }),
        fc.record({ urlEncoded: fc.boolean(), chunkBytes: fc.integer({ min: 1, max: 200 }) }),
        async (entries, { urlEncoded, chunkBytes }) => {
          const answer: VersionListing = {
            kind: 'VersionListing',
            release,
            asked: { kind: 'ListObjectVersions', urlEncoded, ...asked, keyMarker: '', versionIdMarker: '' },
            entries: entries.map(([stored, { deleteMarker, ...rest }]) => ({
              deleteMarker,
              ...asListed(stored),
              ...rest,
            })),
            commonPrefixes: [],
            truncated: true,
            nextKeyMarker: 'n k',
            nextVersionIdMarker: 'nv',
          };
          const read = await s3Back.calls.listVersions.read(
            cut([...versionListingDocument(answer, S3_VOCABULARY)].join(''), chunkBytes),
          );
          expect(read.entries).toEqual(
            entries.map(([stored, more]) =>
              more.deleteMarker
                ? { ...stored, ...more, storedBytes: 0, etag: '', storageClass: undefined }
                : { ...stored, ...more },
            ),
          );
          expect(read).toMatchObject({ truncated: true, nextKeyMarker: 'n k', nextVersionIdMarker: 'nv' });
        },
      ),
      { numRuns: runs(200) },
    );
  });
});

/** MinIO's order: that names were encoded is said behind them. */
function minioDocument(contents: string, more = ''): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>b</Name><Prefix></Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>` +
    `${contents}${more}<EncodingType>url</EncodingType></ListBucketResult>`
  );
}

const CONTENTS =
  '<Contents><Key>a%2Fb+c%2B%C3%BC</Key><LastModified>2024-01-02T03:04:05.678Z</LastModified>' +
  '<ETag>&#34;d41d8cd98f00b204e9800998ecf8427e&#34;</ETag><Size>528</Size><StorageClass>STANDARD</StorageClass></Contents>';

describe('stores’ habits', () => {
  test('names are encoded, and that is said at the end', async () => {
    const prefixes = '<CommonPrefixes><Prefix>x%20y/</Prefix></CommonPrefixes>';
    const { entries, commonPrefixes } = await s3Back.calls.list.read(cut(minioDocument(CONTENTS, prefixes)));
    expect(entries[0]).toMatchObject({
      key: 'a/b c+ü',
      storedBytes: 528,
      etag: 'd41d8cd98f00b204e9800998ecf8427e',
      lastModified: new Date('2024-01-02T03:04:05.678Z'),
      storageClass: 'STANDARD',
      owner: undefined,
    });
    expect(commonPrefixes).toEqual(['x y/']);
  });

  test('a store that ignores encoding-type sends keys as they are, and does not say how to go on', async () => {
    const plain = await s3Back.calls.list.read(
      cut(
        '\ufeff\n<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a%20b+c\u00fc</Key><Size>1</Size>' +
          '<LastModified>2024-01-02T03:04:05Z</LastModified><ETag>"e"</ETag></Contents></ListBucketResult>\n',
        7,
      ),
    );
    expect(plain.entries[0]).toMatchObject({ key: 'a%20b+cü', etag: 'e', storageClass: undefined, owner: undefined });
    expect(plain.nextMarker).toBe('a%20b+cü');
  });

  test('the last name of a page may be a common prefix', async () => {
    const page = (prefix: string): string =>
      `<r:ListBucketResult xmlns:r="x"><r:IsTruncated>true</r:IsTruncated><r:CommonPrefixes><r:Prefix>${prefix}</r:Prefix></r:CommonPrefixes>` +
      '<r:Contents><r:Key>m</r:Key><r:Size>1</r:Size><r:LastModified>2024-01-02T03:04:05Z</r:LastModified></r:Contents></r:ListBucketResult>';
    expect((await s3Back.calls.list.read(cut(page('n/')))).nextMarker).toBe('n/');
    expect((await s3Back.calls.list.read(cut(page('a/')))).nextMarker).toBe('m');
    // By bytes, as stores sort: U+FF5E comes before U+1F642, whose UTF-16 begins with a smaller number.
    const higher = page('\u{1f642}/').replace('<r:Key>m<', '<r:Key>\uff5e<');
    expect((await s3Back.calls.list.read(cut(higher))).nextMarker).toBe('\u{1f642}/');
  });

  test('references to control characters are how some stores spell such keys', async () => {
    const document = minioDocument(CONTENTS.replace('a%2Fb+c%2B%C3%BC', 'a&#x1;&#xD;&#10;')).replace('>url<', '><');
    expect((await s3Back.calls.list.read(cut(document, 1))).entries[0]?.key).toBe('a\u0001\r\n');
  });
});

describe('a document that is not whole or not sound is no listing', () => {
  test('cut off anywhere', async () => {
    const document = Buffer.from(minioDocument(CONTENTS));
    for (let length = 0; length < document.length; length++) {
      expect(await refusal(s3Back.calls.list.read(cut(document.subarray(0, length), 50)))).toMatch(
        /^BackendError of the backend/,
      );
    }
    expect((await s3Back.calls.list.read(cut(document))).entries).toHaveLength(1);
  });

  test('its connection broken behind the last element but one', async () => {
    const document = minioDocument(CONTENTS);
    async function* breaking(): AsyncGenerator<Buffer> {
      yield Buffer.from(document.slice(0, document.indexOf('<EncodingType>')));
      throw new GatewayError('BackendUnavailable', 'reset', { source: 'backend' });
    }
    expect(await refusal(s3Back.calls.list.read(breaking()))).toBe('BackendUnavailable of the backend: reset');
  });

  const without = (element: string): string =>
    minioDocument(CONTENTS).replace(new RegExp(`<${element}>.*?</${element}>`), '');

  test.each([
    ['not XML', 'hello', 'ends too early'],
    ['empty', '', 'is empty'],
    ['another document', '<Error><Code>X</Code></Error>', 'is a Error document, not ListBucketResult'],
    ['a key that is not UTF-8', minioDocument(CONTENTS.replace('%C3%BC', '%FF')), 'has a name that is not valid UTF-8'],
    ['half an escape', minioDocument(CONTENTS.replace('%C3%BC', '%C')), 'has a name that is not valid UTF-8'],
    [
      'bytes that are not UTF-8',
      Buffer.from(minioDocument(CONTENTS.replace('%C3%BC', '\u00ff')), 'latin1'),
      'is not valid UTF-8',
    ],
    [
      'an entity bomb',
      '<!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult>&a;</ListBucketResult>',
      'document type declaration',
    ],
    ['no key', without('Key'), 'has a Contents without a Key'],
    ['two keys', minioDocument(CONTENTS.replace('<Size>', '<Key>x</Key><Size>')), 'has an entry with two keys'],
    ['no size', without('Size'), 'has a Contents without a size'],
    ['a size that is none', minioDocument(CONTENTS.replace('528', '-1')), 'has a Contents without a size'],
    ['no date', without('LastModified'), 'has a LastModified that is not a date'],
    [
      'a date that is none',
      minioDocument(CONTENTS.replace('-01-02T', '-02-30T')),
      'has a LastModified that is not a date',
    ],
    ['no word of whether there is more', without('IsTruncated'), 'does not say whether it is complete'],
    ['a key without end', minioDocument(CONTENTS.replace('a%2F', 'a'.repeat(70_000))), 'has too long a text'],
    ['depth', minioDocument(`<Contents>${'<x>'.repeat(9)}`), 'is nested too deeply'],
  ])('%s', async (_what, document, reason) => {
    const told = await refusal(s3Back.calls.list.read(cut(document, 997)));
    expect(told).toMatch(/^BackendError of the backend: The backend's answer /);
    expect(told).toContain(reason);
  });
});
