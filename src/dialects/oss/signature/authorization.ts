import { malformedHeader } from './signed-fields.ts';

/** Matches the name of a header (`token` in RFC 9110 §5.6.2) in lower case. */
const NAME = /^[a-z0-9!#$%&'*+\-.^_`|~]{1,128}$/;

const MAX_NAMES = 100;

/**
 * Reads the fields of an Authorization header, such as `Credential=…, Signature=…`. SDKs write them in any order,
 * with and without blanks.
 * @param separator stands between a field's name and its value
 * @throws GatewayError AuthorizationHeaderMalformed for a field that is there twice or has no value
 */
export function namedFields(text: string, separator: '=' | ':'): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const piece of text.split(',')) {
    const at = piece.indexOf(separator);
    const name = piece.slice(0, at).trim();
    if (at < 1 || fields.has(name)) throw malformedHeader('each of its fields has a name and a value, once');
    fields.set(name, piece.slice(at + 1).trim());
  }
  return fields;
}

/**
 * Reads the names of the headers that are signed beside those that always are. The names are separated by semicolons,
 * and signed in lower case and sorted.
 * @throws GatewayError AuthorizationHeaderMalformed
 */
export function additionalNames(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return [];
  const names = text.toLowerCase().split(';');
  if (names.length > MAX_NAMES || names.some((name) => !NAME.test(name))) {
    throw malformedHeader('AdditionalHeaders are names of headers, separated by semicolons');
  }
  return [...new Set(names)].sort();
}
