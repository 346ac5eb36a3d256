import type { ResponseOverrides } from '../operations/operation.ts';
import { headerValue } from '../wire/header-value.ts';
import type { QueryList } from '../wire/query.ts';
import { CONTENT_HEADERS } from './object-metadata.ts';

/**
 * The query parameters by which a GET asks for content headers other than the stored ones. Every vendor has these six.
 */
const OVERRIDES = CONTENT_HEADERS.map(([name, field]) => [`response-${name}`, field] as const);

/** The names of these parameters. */
export const OVERRIDE_NAMES: readonly string[] = OVERRIDES.map(([name]) => name);

const NO_OVERRIDES: ResponseOverrides = {};

/** Reads these parameters. @throws GatewayError InvalidArgument for a value that no header can have */
export function readOverrides(query: QueryList): ResponseOverrides {
  if (query.parameters.length === 0) return NO_OVERRIDES;
  const overrides: { -readonly [Field in keyof ResponseOverrides]: ResponseOverrides[Field] } = {};
  for (const [name, field] of OVERRIDES) {
    const value = query.get(name);
    if (value !== undefined) overrides[field] = headerValue(name, value);
  }
  return overrides;
}
