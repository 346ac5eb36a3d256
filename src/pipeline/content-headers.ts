import type { ContentHeaders } from '../operations/object.ts';
import { formatHttpDate, parseHttpDate, parseIsoDate } from '../wire/dates.ts';

/** S3's own default; sent explicitly, so that what the metadata tag covers is what the backend gives back. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** RFC 9111 §5.3: a cache takes an Expires that is no date (`0`, `-1`) for a time in the past. This is one. */
const LONG_AGO = formatHttpDate(new Date(1_000));

/**
 * Content headers in a form that every store gives back to the byte, because the metadata tag covers them: one that the
 * store alters makes the object unreadable. Stores drop empty ones, or put a default in; MinIO drops an Expires that it
 * can't parse and rewrites one that is not an IMF-fixdate.
 */
export function storableContent(content: ContentHeaders): ContentHeaders {
  return {
    contentType: content.contentType || DEFAULT_CONTENT_TYPE,
    cacheControl: content.cacheControl || undefined,
    contentDisposition: content.contentDisposition || undefined,
    contentEncoding: content.contentEncoding || undefined,
    contentLanguage: content.contentLanguage || undefined,
    expires: content.expires ? storableDate(content.expires) : undefined,
  };
}

function storableDate(text: string): string {
  const date = parseHttpDate(text) ?? parseIsoDate(text);
  return date === undefined ? LONG_AGO : formatHttpDate(date);
}
