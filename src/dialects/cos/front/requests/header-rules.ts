import { clientError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { TRAIT_HEADERS } from '../../traits.ts';
import { COS_VOCABULARY } from '../../vocabulary.ts';
import { speaksOfEncryption } from './encryption-headers.ts';

/*
 * Says what the x-cos-* headers of requests mean. In a request that changes something an unknown one is refused,
 * because something else could otherwise happen than the client believes. In a read, unknown ones are ignored.
 */

/** Headers that change nothing of what a request asks for: those of SDKs about themselves, and how fast. */
const IGNORED: ReadonlySet<string> = new Set([
  'x-cos-sdk-retry',
  'x-cos-security-token',
  'x-cos-traffic-limit',
  'x-cos-request-id',
  // The SDK for Go sends a SHA-1 where its caller gives it one. Content-MD5 is what is verified.
  'x-cos-content-sha1',
]);

export const FORBID_OVERWRITE = 'x-cos-forbid-overwrite';
export const METADATA_DIRECTIVE = 'x-cos-metadata-directive';
export const TAGGING_DIRECTIVE = 'x-cos-tagging-directive';
export const COPY_SOURCE = 'x-cos-copy-source';

const COPY_HEADERS: ReadonlySet<string> = new Set([
  METADATA_DIRECTIVE,
  TAGGING_DIRECTIVE,
  COPY_SOURCE,
  ...['match', 'none-match', 'modified-since', 'unmodified-since'].map((condition) => `${COPY_SOURCE}-if-${condition}`),
]);
const PART_COPY_HEADERS: ReadonlySet<string> = new Set([...COPY_HEADERS, `${COPY_SOURCE}-range`]);
const NOTHING: ReadonlySet<string> = new Set();

/**
 * Checks the headers of a request that begins an object or an upload.
 * @throws GatewayError NotImplemented for an x-cos header that it does not have
 */
export function checkWriteHeaders(headers: HeaderList, operation: string): void {
  const copies = operation === 'PutObjectCopy';
  refuseOthers(headers, operation, (name) => {
    if (TRAIT_HEADERS.has(name) || name === FORBID_OVERWRITE) return true;
    return name.startsWith(COS_VOCABULARY.metadataPrefix) || (copies && COPY_HEADERS.has(name));
  });
}

/**
 * Checks the headers of any other request that changes something.
 * @param known those that the operation reads
 * @throws GatewayError NotImplemented for an x-cos header that it does not have
 */
export function checkChangeHeaders(headers: HeaderList, operation: string, known: ReadonlySet<string> = NOTHING): void {
  const copies = operation === 'UploadPartCopy';
  refuseOthers(headers, operation, (name) => known.has(name) || (copies && PART_COPY_HEADERS.has(name)));
}

/** The headers about encryption are read elsewhere (encryption-headers.ts), in every request. */
function refuseOthers(headers: HeaderList, operation: string, knows: (name: string) => boolean): void {
  headers.forEach((name, value) => {
    if (name === 'pic-operations' && value !== '') throw unavailable(name, operation);
    if (!name.startsWith('x-cos-') && !name.startsWith('x-ci-')) return;
    if (IGNORED.has(name) || name === 'x-ci-security-token' || speaksOfEncryption(name) || knows(name)) return;
    throw unavailable(name, operation);
  });
}

function unavailable(name: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with the header ${name.slice(0, 64)} is not available.`);
}
