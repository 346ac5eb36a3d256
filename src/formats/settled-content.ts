import type { ContentHeaders } from '../operations/object.ts';

/** S3's default. It is sent explicitly, because the metadata tag covers it and a store may have another default. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/**
 * The content headers that are stored for what a client sent (FORMAT.md §3.2): an empty header counts as absent, and an
 * absent Content-Type becomes the default.
 */
export function settledContent(content: ContentHeaders): ContentHeaders {
  return {
    contentType: content.contentType || DEFAULT_CONTENT_TYPE,
    cacheControl: content.cacheControl || undefined,
    contentDisposition: content.contentDisposition || undefined,
    contentEncoding: content.contentEncoding || undefined,
    contentLanguage: content.contentLanguage || undefined,
    expires: content.expires || undefined,
  };
}
