import type { ContentHeaders } from '../operations/object.ts';

/** S3's own default. It is sent all the same, so that the backend gives back what the metadata tag covers. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** An object's content headers as a store keeps them: an empty one counts as none, and there is always a type. */
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
