import type { ContentFields } from '../../src/envelope/claims.ts';
import fc from '../support/property.ts';

/** Content headers, each of them there or not. */
export function arbitraryContent(field: fc.Arbitrary<string | undefined>): fc.Arbitrary<ContentFields> {
  return fc.record({
    contentType: field,
    cacheControl: field,
    contentDisposition: field,
    contentEncoding: field,
    contentLanguage: field,
    expires: field,
  });
}
