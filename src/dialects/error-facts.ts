import type { ErrorFacts } from '../errors.ts';
import { formatHttpDate } from '../wire/dates.ts';
import type { HeaderList } from '../wire/headers.ts';

/** Appends the facts of an error for which HTTP itself defines a header, so that every dialect tells them alike. */
export function appendErrorFacts(headers: HeaderList, facts: ErrorFacts): void {
  const { etag, lastModified, cacheControl, expires, allow } = facts;
  if (etag !== undefined) headers.append('ETag', `"${etag}"`);
  if (lastModified !== undefined) headers.append('Last-Modified', formatHttpDate(lastModified));
  if (cacheControl !== undefined) headers.append('Cache-Control', cacheControl);
  if (expires !== undefined) headers.append('Expires', expires);
  if (allow !== undefined) headers.append('Allow', allow.join(', '));
}
