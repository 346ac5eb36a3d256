import type { GatewayError } from '../../../errors.ts';
import { parseIsoDate } from '../../../wire/dates.ts';
import { unquoted } from '../../../wire/etag.ts';
import type { IncomingResponse } from '../../../wire/message.ts';
import { percentDecode } from '../../../wire/percent.ts';
import { readXml, type XmlElement, xmlChild, xmlChildren, xmlText } from '../../../wire/xml/xml.ts';
import type { BackDialect } from '../../back-dialect.ts';
import type { StoredAck, StoredPartListing, StoredUploadListing } from '../../store-exchange.ts';
import { readFailure, withoutLeadingBlanks } from './error.ts';
import { readMarks, unusable } from './read.ts';

/** The small documents of a backend's answers; listings of objects have a reader of their own. */
const LIMITS = {
  maxDepth: 8,
  maxElements: 40_000,
  controlReferences: 'taken' as const,
  malformed: (reason: string): GatewayError => unusable(reason),
};

/** @throws GatewayError BackendError */
export function readDocument(document: Buffer, root: string): XmlElement {
  const element = readXml(withoutLeadingBlanks(document), LIMITS);
  if (element.name !== root) throw unusable(`is a ${element.name} document, not ${root}`);
  return element;
}

export function readBuckets(document: Buffer): { name: string; created: Date }[] {
  const buckets = xmlChild(readDocument(document, 'ListAllMyBucketsResult'), 'Buckets');
  if (buckets === undefined) return [];
  return xmlChildren(buckets, 'Bucket').map((bucket) => ({
    name: required(bucket, 'Name'),
    created: readDate(bucket, 'CreationDate'),
  }));
}

/** S3 answers an empty element for us-east-1. */
export function readLocation(document: Buffer): string {
  const location = readDocument(document, 'LocationConstraint').text.trim();
  return location === '' ? 'us-east-1' : location;
}

export function readUploadId(document: Buffer): string {
  return required(readDocument(document, 'InitiateMultipartUploadResult'), 'UploadId');
}

export function readParts(document: Buffer): StoredPartListing {
  const root = readDocument(document, 'ListPartsResult');
  return {
    parts: xmlChildren(root, 'Part').map((element) => {
      const partNumber = readNumber(element, 'PartNumber');
      const storedBytes = readNumber(element, 'Size');
      // MinIO lists a part that it could not read between two writes without a date, or with the first one there is.
      const unread = /^(?:0001-01-01T.*)?$/.test(required(element, 'LastModified'));
      if (unread) return { partNumber, etag: '', storedBytes, lastModified: new Date(0) };
      const etag = unquoted(required(element, 'ETag'));
      return { partNumber, etag, storedBytes, lastModified: readDate(element, 'LastModified') };
    }),
    truncated: xmlText(root, 'IsTruncated') === 'true',
  };
}

export function readUploads(document: Buffer): StoredUploadListing {
  const root = readDocument(document, 'ListMultipartUploadsResult');
  const decode = decoderOf(root);
  return {
    uploads: xmlChildren(root, 'Upload').map((element) => ({
      key: decode(required(element, 'Key')),
      uploadId: required(element, 'UploadId'),
      initiated: readDate(element, 'Initiated'),
      storageClass: present(xmlText(element, 'StorageClass')),
    })),
    commonPrefixes: readPrefixes(root, decode),
    truncated: xmlText(root, 'IsTruncated') === 'true',
    nextKeyMarker: decoded(root, 'NextKeyMarker', decode),
    nextUploadIdMarker: present(xmlText(root, 'NextUploadIdMarker')),
  };
}

export function readCompleted(response: IncomingResponse, document: Buffer): StoredAck {
  const root = readDocument(document, 'CompleteMultipartUploadResult');
  const { versionId, vendor } = readMarks(response.headers);
  return { etag: unquoted(required(root, 'ETag')), versionId, vendor };
}

export function readDeleteMany(document: Buffer): ReturnType<BackDialect['readDeleteMany']> {
  const root = readDocument(document, 'DeleteResult');
  return {
    // Beside a key that it refuses, MinIO answers empty elements for others: whoever asked knows the keys.
    deleted: xmlChildren(root, 'Deleted')
      .filter(hasKey)
      .map((element) => ({
        key: required(element, 'Key'),
        versionId: present(xmlText(element, 'VersionId')),
        deleteMarker: xmlText(element, 'DeleteMarker') === 'true' ? true : undefined,
        deleteMarkerVersionId: present(xmlText(element, 'DeleteMarkerVersionId')),
      })),
    failures: xmlChildren(root, 'Error').map((element) => ({
      key: required(element, 'Key'),
      versionId: present(xmlText(element, 'VersionId')),
      ...readFailure(xmlText(element, 'Code') ?? 'InternalError', xmlText(element, 'Message') ?? ''),
    })),
  };
}

function hasKey(element: XmlElement): boolean {
  return xmlChild(element, 'Key') !== undefined;
}

type Decode = (text: string) => string;

/** Stores that know `encoding-type=url` say so in the answer; the others send keys as they are. */
function decoderOf(root: XmlElement): Decode {
  return xmlText(root, 'EncodingType') === 'url' ? urlDecode : (text) => text;
}

/** S3 and MinIO write a blank as `+` here, and a plus as %2B. */
function urlDecode(text: string): string {
  try {
    return percentDecode(text.includes('+') ? text.replaceAll('+', '%20') : text);
  } catch {
    throw unusable('has a key that is not valid UTF-8');
  }
}

function readPrefixes(root: XmlElement, decode: Decode): string[] {
  return xmlChildren(root, 'CommonPrefixes').map((element) => decode(required(element, 'Prefix')));
}

function readNumber(element: XmlElement, name: string): number {
  const number = Number(required(element, name));
  if (!Number.isSafeInteger(number) || number < 0) throw unusable(`has a ${name} that is not a number`);
  return number;
}

export function readDate(element: XmlElement, name: string): Date {
  const date = parseIsoDate(required(element, name));
  if (date === undefined) throw unusable(`has a ${name} that is not a date`);
  return date;
}

export function required(element: XmlElement, name: string): string {
  const text = xmlText(element, name);
  if (text === undefined) throw unusable(`has a ${element.name} without ${name}`);
  return text;
}

function decoded(element: XmlElement, name: string, decode: Decode): string | undefined {
  const text = present(xmlText(element, name));
  return text === undefined ? undefined : decode(text);
}

function present(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
