import { describe, expect, test } from 'vitest';
import { S3_VOCABULARY } from '../../src/dialects/s3/vocabulary.ts';
import { bucketListingDocument, objectsDeletedDocument } from '../../src/dialects/xml-family/bucket-documents.ts';
import { copiedDocument, partCopiedDocument } from '../../src/dialects/xml-family/copy-documents.ts';
import { DeleteDocument } from '../../src/dialects/xml-family/delete-document.ts';
import { listingDocument, versionListingDocument } from '../../src/dialects/xml-family/listing-documents.ts';
import { partsIn } from '../../src/dialects/xml-family/part-list.ts';
import {
  completedDocument,
  partListingDocument,
  uploadCreatedDocument,
  uploadListingDocument,
} from '../../src/dialects/xml-family/upload-documents.ts';
import type { XmlVocabulary } from '../../src/dialects/xml-family/xml-vocabulary.ts';
import { clientError, type GatewayError } from '../../src/errors.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import { readXml } from '../../src/wire/xml/xml.ts';

/** A vendor as OSS and COS are: no namespace, classes of its own, no checksums, and words of its own for errors. */
const OTHER: XmlVocabulary = {
  dialect: 'other',
  metadataPrefix: 'x-other-meta-',
  mostKeyBytes: 850,
  namespace: undefined,
  standardClass: 'Standard',
  errors: { ...S3_VOCABULARY.errors, NoSuchKey: { status: 404, code: 'Gone' } },
};

const date = new Date('2024-01-02T03:04:05.678Z');
const owner = { id: 'acme', displayName: 'acme' };
const checksum = { algorithm: 'CRC32', value: Buffer.alloc(4) } as const;
const ref = { bucket: 'bucket', key: 'key' };
const object = { key: 'k', plaintextBytes: 1, etag: 'e', lastModified: date, storageClass: undefined, owner };
const page = { bucket: 'bucket', prefix: '', delimiter: '', urlEncoded: false };
const uploads = { kind: 'ListMultipartUploads', ...page, keyMarker: '', uploadIdMarker: '', maxUploads: 9 } as const;

/** Every document that the family shares, with all that a vendor may leave out. */
function documents(vocabulary: XmlVocabulary): string[] {
  const release = () => undefined;
  const listing = {
    kind: 'ObjectListing',
    release,
    asked: {
      kind: 'ListObjects',
      ...page,
      form: 1,
      after: '',
      continuationToken: undefined,
      maxKeys: 9,
      withOwner: true,
    },
    objects: [object],
    commonPrefixes: [],
    truncated: false,
    nextMarker: undefined,
    nextContinuationToken: undefined,
  } as const;
  const versions = {
    kind: 'VersionListing',
    release,
    asked: { kind: 'ListObjectVersions', ...page, keyMarker: '', versionIdMarker: '', maxKeys: 9 },
    entries: [{ ...object, versionId: 'v', latest: true, deleteMarker: false }],
    commonPrefixes: [],
    truncated: false,
    nextKeyMarker: undefined,
    nextVersionIdMarker: undefined,
  } as const;
  const parts = {
    kind: 'PartListing',
    asked: { kind: 'ListParts', ref, uploadId: 'u', partNumberMarker: 0, maxParts: 9, urlEncoded: false },
    owner,
    parts: [{ partNumber: 1, etag: 'e', plaintextBytes: 1, lastModified: date, checksum }],
    truncated: false,
    checksum: { algorithm: 'CRC32', composite: true },
  } as const;
  const uploadListing = {
    kind: 'UploadListing',
    asked: uploads,
    owner,
    uploads: [{ key: 'k', uploadId: 'u', initiated: date, storageClass: undefined }],
    commonPrefixes: [],
    truncated: false,
    nextKeyMarker: undefined,
    nextUploadIdMarker: undefined,
  } as const;
  const copied = { etag: 'e', lastModified: date, versionId: undefined, sourceVersionId: undefined, checksum } as const;
  return [
    [...listingDocument(listing, vocabulary)].join(''),
    [...versionListingDocument(versions, vocabulary)].join(''),
    partListingDocument(parts, vocabulary),
    uploadListingDocument(uploadListing, vocabulary),
    bucketListingDocument({ kind: 'BucketListing', owner, buckets: [{ name: 'b', created: date }] }, vocabulary),
    objectsDeletedDocument(
      {
        kind: 'ObjectsDeleted',
        deleted: [],
        failures: [
          { key: 'k', code: 'NoSuchKey', message: 'm', said: { dialect: 's3', status: 404, code: 'TheirWord' } },
        ],
      },
      vocabulary,
    ),
    uploadCreatedDocument({ kind: 'UploadCreated', ref, uploadId: 'u', checksum: undefined }, vocabulary),
    completedDocument(
      { kind: 'UploadCompleted', ref, etag: 'e', versionId: undefined, checksum },
      'http://h/bucket/key',
      vocabulary,
    ),
    copiedDocument({ kind: 'ObjectCopied', ...copied }, vocabulary),
    partCopiedDocument({ kind: 'PartCopied', ...copied }, vocabulary),
  ];
}

describe('a vendor that took S3’s documents over', () => {
  test('has them by its vocabulary alone: the same but for namespace, class, checksums and words', () => {
    const asOther = (xml: string) =>
      xml
        .replace(` xmlns="${S3_VOCABULARY.namespace}"`, '')
        .replaceAll('STANDARD', 'Standard')
        .replaceAll('TheirWord', 'Gone')
        .replaceAll(/<Checksum(?:CRC32|Algorithm|Type)>[^<]*<\/Checksum(?:CRC32|Algorithm|Type)>/g, '');
    const theirs = documents(OTHER);
    expect(theirs).toEqual(documents(S3_VOCABULARY).map(asOther));
    for (const xml of theirs) expect(xml).not.toMatch(/xmlns|STANDARD|Checksum|TheirWord/);
  });

  test('has well-formed documents, and so has S3, which tells more', () => {
    for (const xml of [...documents(OTHER), ...documents(S3_VOCABULARY)]) readXml(Buffer.from(xml));
    const s3 = documents(S3_VOCABULARY).join('');
    expect(s3.match(/xmlns=/g)).toHaveLength(10);
    expect(s3.match(/<ChecksumType>/g)).toHaveLength(3);
    expect(s3).toContain('<Code>TheirWord</Code>');
  });
});

describe('the documents of requests', () => {
  const list = (more: string) =>
    Buffer.from(
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"e"</ETag>${more}</Part></CompleteMultipartUpload>`,
    );

  test('name parts, with what the vendor has for a checksum and with nothing else', () => {
    expect(partsIn(list(''), () => undefined)).toEqual([{ partNumber: 1, etag: 'e', checksum: undefined }]);
    expect(partsIn(list('<Crc>AAAAAA==</Crc>'), (name) => (name === 'Crc' ? checksum : undefined))).toEqual([
      { partNumber: 1, etag: 'e', checksum },
    ]);
    expect(codeOf(() => partsIn(list('<Crc>AAAAAA==</Crc>'), () => undefined))).toBe('MalformedBody');
    expect(codeOf(() => partsIn(list('<Crc>A</Crc><Crc>A</Crc>'), () => checksum))).toBe('MalformedBody');
  });

  test('name keys to delete, by the vendor’s rule on keys', () => {
    const read = (key: string) => {
      const vendor = { dialect: 'other', headers: new HeaderList(['x-other-mfa', '1']) };
      const checkKey = (asked: string) => {
        if (asked.length > 3) throw clientError('KeyTooLongError', 'too long');
      };
      const reader = new DeleteDocument('bucket', { vendor, checkKey });
      reader.push(Buffer.from(`<Delete><Object><Key>${key}</Key></Object></Delete>`));
      return reader.end();
    };
    expect(read('abc')).toMatchObject({ bucket: 'bucket', targets: [{ key: 'abc' }], vendor: { dialect: 'other' } });
    expect(codeOf(() => read('abcd'))).toBe('KeyTooLongError');
  });
});

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as GatewayError).code;
  }
}
