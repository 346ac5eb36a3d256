import { parseHttpDate } from '../../../../wire/dates.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../../wire/message.ts';
import type { AnswerHead, HeadCall } from '../../../backend-calls.ts';
import type { ForStore } from '../../../identifiers.ts';
import type { StoredObject, StoreGet } from '../../../store-exchange.ts';
import { settingsIn } from '../../traits.ts';
import { readHead, unusable } from '../answer-head.ts';
import { addObjectKey } from '../encryption-headers.ts';
import { addEtagConditions } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/** GetObject. */
export const get = {
  takes: 'nothing',
  render: (asked) => renderGet('GET', asked),
  read: readObject,
} satisfies HeadCall<StoreGet, StoredObject>;

/** HeadObject. Its answer has the same headers as that of GetObject. */
export const head = {
  takes: 'nothing',
  render: (asked) => renderGet('HEAD', asked),
  read: readObject,
} satisfies HeadCall<StoreGet, StoredObject>;

function renderGet(
  method: 'GET' | 'HEAD',
  { ref, range, part, conditions, encryption }: ForStore<StoreGet>,
): OutgoingRequest {
  const headers = new HeaderList();
  addObjectKey(headers, encryption);
  if (range !== undefined) headers.append('range', rangeHeader(range));
  addEtagConditions(headers, conditions);
  if (conditions.ifModifiedSince !== undefined) headers.append('if-modified-since', conditions.ifModifiedSince);
  if (conditions.ifUnmodifiedSince !== undefined) headers.append('if-unmodified-since', conditions.ifUnmodifiedSince);
  const query = [
    ['partNumber', part],
    ['versionId', ref.versionId],
  ] as const;
  return { method, path: objectPath(ref, query), headers, body: undefined, idempotent: true };
}

function rangeHeader(range: NonNullable<StoreGet['range']>): string {
  return 'suffixBytes' in range ? `bytes=-${range.suffixBytes}` : `bytes=${range.first}-${range.last ?? ''}`;
}

/**
 * @throws GatewayError BackendError where a header that every store sends is missing, or headers contradict each other
 */
function readObject({ status, headers }: AnswerHead): StoredObject {
  if (status !== 200 && status !== 206) throw unusable(`has the status ${status} and should be an object`);
  const read = readHead(headers);
  const lastModified = read.lastModified === undefined ? undefined : parseHttpDate(read.lastModified);
  if (read.etag === undefined || lastModified === undefined) throw unusable('has no ETag or no Last-Modified');
  const contentLength = read.contentLength === undefined ? undefined : wholeNumber(read.contentLength);
  const ofNothing = read.contentRange === RANGE_OF_NOTHING && contentLength === 0;
  const partial = status === 206 && !ofNothing;
  const range = partial ? readContentRange(read.contentRange) : undefined;
  const inBody = range === undefined ? contentLength : range.last - range.first + 1;
  if (contentLength !== undefined && contentLength !== inBody) throw unusable('has another length than its range');
  const storedBytes = range === undefined ? contentLength : range.sizeBytes;
  if (storedBytes === undefined) throw unusable('has no length');
  return {
    storedBytes,
    storedRange: range === undefined ? undefined : { first: range.first, last: range.last },
    etag: read.etag,
    lastModified,
    metadata: { content: read.content, user: read.user, ...settingsIn(read.vendor) },
    versionId: read.versionId,
    partsCount: read.partsCount === undefined ? undefined : wholeNumber(read.partsCount),
    ...(read.encryption !== undefined && { encryptedAs: read.encryption.said }),
  };
}

/** The Content-Range in MinIO's answer where the last bytes of an empty object are asked for. */
const RANGE_OF_NOTHING = 'bytes 0--1/0';

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

function readContentRange(value: string | undefined): { first: number; last: number; sizeBytes: number } {
  const match = CONTENT_RANGE.exec(value ?? '');
  const [first, last, sizeBytes] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
  if (match === null || last < first || last >= sizeBytes) throw unusable('is partial without a usable Content-Range');
  return { first, last, sizeBytes };
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return text !== '' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
