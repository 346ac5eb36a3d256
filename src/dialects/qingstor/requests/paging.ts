import { clientError } from '../../../errors.ts';
import type { QueryList } from '../../../wire/query.ts';
import { DEFAULT_LIMIT, MAX_LIMIT } from '../vocabulary.ts';

/** Returns how many objects one page of a listing may have, at most MAX_LIMIT. @throws GatewayError InvalidArgument */
export function objectLimit(query: QueryList): number {
  return Math.min(wholeNumber(query, 'limit') ?? DEFAULT_LIMIT, MAX_LIMIT);
}

/**
 * Reads which of the tenant's buckets a listing asks for: those from index `first` up to but not including `end`.
 * Without a limit, `end` is undefined, and these are all from the offset on.
 * @throws GatewayError InvalidArgument
 */
export function bucketPage(query: QueryList): { readonly first: number; readonly end: number | undefined } {
  const first = wholeNumber(query, 'offset') ?? 0;
  const limit = wholeNumber(query, 'limit');
  return { first, end: limit === undefined ? undefined : first + limit };
}

/** Reads a parameter that is a number; undefined where it is absent or empty. @throws GatewayError InvalidArgument */
export function wholeNumber(query: QueryList, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw clientError('InvalidArgument', `${name} must be a whole number, not negative.`);
  return Number(text);
}
