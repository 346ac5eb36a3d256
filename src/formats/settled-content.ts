import type { ContentHeaders } from '../operations/object.ts';

/** S3's own default; sent explicitly, so that what the metadata tag covers is what the backend gives back. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** What an object's content headers are once it is stored: an empty one counts as none, and there is always a type. */
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
