import type { Tag } from '../../../operations/object.ts';
import { unquoted } from '../../../wire/etag.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { IncomingResponse, OutgoingRequest } from '../../../wire/message.ts';
import { xmlChild, xmlChildren, xmlText } from '../../../wire/xml/xml.ts';
import type { ForStore } from '../../identifiers.ts';
import type { StoreCopy, StoreCopySource, StoredCopy, StorePartCopy } from '../../store-exchange.ts';
import { readError } from './error.ts';
import { readMarks, unusable } from './read.ts';
import { readDate, readDocument, required } from './read-document.ts';
import { metadataHeaders, objectPath } from './render.ts';

/**
 * CopyObject. What is copied is pinned by ETag and version, and nothing of its own metadata comes along: it holds the
 * envelope of another place.
 */
export function renderCopy({ ref, source, metadata, tags }: ForStore<StoreCopy>): OutgoingRequest {
  const headers = metadataHeaders(metadata);
  addSource(headers, source);
  headers.append('x-amz-metadata-directive', 'REPLACE');
  headers.append('x-amz-tagging-directive', tags === 'copy' ? 'COPY' : 'REPLACE');
  return { method: 'PUT', path: objectPath(ref), headers, body: undefined, idempotent: true };
}

export function renderCopyPart({ ref, uploadId, partNumber, source, range }: ForStore<StorePartCopy>): OutgoingRequest {
  const headers = new HeaderList();
  addSource(headers, source);
  if (range !== undefined) headers.append('x-amz-copy-source-range', `bytes=${range.first}-${range.last}`);
  const path = objectPath(ref, [
    ['partNumber', partNumber],
    ['uploadId', uploadId],
  ]);
  return { method: 'PUT', path, headers, body: undefined, idempotent: true };
}

function addSource(headers: HeaderList, { ref, etag }: ForStore<StoreCopySource>): void {
  headers.append('x-amz-copy-source', objectPath(ref, [['versionId', ref.versionId]]));
  headers.append('x-amz-copy-source-if-match', `"${etag}"`);
}

export function readCopied(response: IncomingResponse, document: Buffer): StoredCopy {
  throwIfFailed(response, document);
  const root = readDocument(document, 'CopyObjectResult');
  const { versionId, vendor } = readMarks(response.headers);
  const etag = unquoted(required(root, 'ETag'));
  return { etag, lastModified: readDate(root, 'LastModified'), versionId, vendor };
}

export function readCopiedPart(response: IncomingResponse, document: Buffer): string {
  throwIfFailed(response, document);
  return unquoted(required(readDocument(document, 'CopyPartResult'), 'ETag'));
}

/** S3 sends the head before it knows the outcome: 200 may carry an error (AWS: "CopyObject", Response and special errors). */
function throwIfFailed(response: IncomingResponse, document: Buffer): void {
  if (document.includes('<Error>')) throw readError(response, document, {});
}

/** GetObjectTagging's answer. */
export function readTags(document: Buffer): readonly Tag[] {
  if (document.length === 0) return []; // Ceph RGW's way to say that there are none
  const set = xmlChild(readDocument(document, 'Tagging'), 'TagSet');
  const tags = set === undefined ? [] : xmlChildren(set, 'Tag');
  return tags.map((tag) => {
    const name = xmlText(tag, 'Key');
    if (name === undefined) throw unusable('has a tag without a name');
    return [name, xmlText(tag, 'Value') ?? ''];
  });
}
