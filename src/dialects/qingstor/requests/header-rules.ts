import { clientError } from '../../../errors.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import { QINGSTOR_VOCABULARY } from '../vocabulary.ts';
import { KEY_HEADERS } from './encryption-headers.ts';

/** The x-qs-* headers that a request may have beside user metadata. None of them changes what it asks for. */
const HARMLESS: ReadonlySet<string> = new Set(['x-qs-date', 'x-qs-metadata', ...KEY_HEADERS]);

/**
 * Refuses x-qs-* headers that an operation does not have, because something else could happen than the client believes.
 * @param known those that the operation reads, beside the headers that any may have
 * @throws GatewayError NotImplemented
 */
export function checkHeaders(headers: HeaderList, operation: string, known: readonly string[] = []): void {
  headers.forEach((name) => {
    if (!name.startsWith('x-qs-') || name.startsWith(QINGSTOR_VOCABULARY.metadataPrefix)) return;
    if (HARMLESS.has(name) || known.includes(name)) return;
    throw clientError('NotImplemented', `${operation} with the header ${name.slice(0, 64)} is not available.`);
  });
}

/**
 * Undoes what qingstor-sdk 3.1.4 does to header values: it applies encodeURI, which escapes the quotes of an ETag and
 * the blanks of a date. A condition whose date cannot be read would be ignored (RFC 9110 §13.1.3).
 */
export function unescaped(value: string | undefined): string | undefined {
  return value?.replaceAll('%22', '"').replaceAll('%20', ' ');
}
