import { clientError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { TRAIT_HEADERS } from '../../traits.ts';
import { OSS_VOCABULARY } from '../../vocabulary.ts';
import { refuseEncryption, speaksOfEncryption } from './encryption-headers.ts';

/*
 * Says what the x-oss-* headers of requests mean. In a request that changes something an unknown one is refused,
 * because something else could otherwise happen than the client believes. In a read, unknown ones are ignored, but
 * for those about encryption, which OSS refuses everywhere.
 */

/** Headers that change nothing of what a request asks for: those of signatures, and how fast and at whose cost. */
const IGNORED: ReadonlySet<string> = new Set([
  'x-oss-date',
  'x-oss-content-sha256',
  'x-oss-traffic-limit',
  'x-oss-request-payer',
]);

export const FORBID_OVERWRITE = 'x-oss-forbid-overwrite';
export const METADATA_DIRECTIVE = 'x-oss-metadata-directive';
export const TAGGING_DIRECTIVE = 'x-oss-tagging-directive';
export const COPY_SOURCE = 'x-oss-copy-source';

const NOTHING: ReadonlySet<string> = new Set();

/** The headers of a write that are read beside metadata, settings and encryption. */
const OF_WRITES: ReadonlySet<string> = new Set([FORBID_OVERWRITE, METADATA_DIRECTIVE, TAGGING_DIRECTIVE]);

/**
 * Checks the headers of a request that begins an object or an upload.
 * @throws GatewayError NotImplemented for an x-oss header that it does not have
 */
export function checkWriteHeaders(headers: HeaderList, operation: string): void {
  headers.forEach((name) => {
    if (!name.startsWith('x-oss-') || IGNORED.has(name) || TRAIT_HEADERS.has(name) || OF_WRITES.has(name)) return;
    if (name.startsWith(OSS_VOCABULARY.metadataPrefix) || speaksOfEncryption(name)) return;
    if (isOfCopySource(name, operation)) return;
    throw unavailable(name, operation);
  });
}

/**
 * Checks the headers of any other request that changes something.
 * @param known those that the operation reads
 * @throws GatewayError NotImplemented for an x-oss header that it does not have, InvalidArgument for one of
 *   encryption
 */
export function checkChangeHeaders(headers: HeaderList, operation: string, known: ReadonlySet<string> = NOTHING): void {
  refuseEncryption(headers, operation);
  headers.forEach((name) => {
    if (!name.startsWith('x-oss-') || IGNORED.has(name) || known.has(name) || isOfCopySource(name, operation)) return;
    throw unavailable(name, operation);
  });
}

/** Checks the headers of a read. @throws GatewayError InvalidArgument for one of encryption */
export function checkReadHeaders(headers: HeaderList, operation: string): void {
  refuseEncryption(headers, operation);
}

/**
 * Whether a header is about a copy's source. ali-oss (6.23.0) sends every header of a copy a second time under such a
 * name (`x-oss-copy-source-content-type`); OSS ignores those that it does not know.
 */
function isOfCopySource(name: string, operation: string): boolean {
  return name.startsWith(COPY_SOURCE) && (operation === 'CopyObject' || operation === 'UploadPartCopy');
}

function unavailable(name: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with the header ${name.slice(0, 64)} is not available.`);
}
