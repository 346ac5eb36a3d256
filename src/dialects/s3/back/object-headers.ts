import type { ObjectMetadata } from '../../../operations/object.ts';
import type { Conditions } from '../../../wire/conditions.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import { vendorHeadersFor } from '../../vendor-headers.ts';
import { encodeMetadataValue } from '../encoded-word.ts';
import { appendTraits } from '../traits.ts';
import { S3_VOCABULARY } from '../vocabulary.ts';

const { metadataPrefix } = S3_VOCABULARY;

/**
 * Returns a new list with the headers that set an object's metadata.
 * @throws GatewayError NotImplemented for a setting of another dialect that S3 has no header for
 */
export function metadataHeaders({ content, user, vendor, traits }: ObjectMetadata): HeaderList {
  const headers = vendorHeadersFor('s3', vendor);
  appendTraits(headers, traits);
  if (content.contentType !== undefined) headers.append('content-type', content.contentType);
  if (content.cacheControl !== undefined) headers.append('cache-control', content.cacheControl);
  if (content.contentDisposition !== undefined) headers.append('content-disposition', content.contentDisposition);
  if (content.contentEncoding !== undefined) headers.append('content-encoding', content.contentEncoding);
  if (content.contentLanguage !== undefined) headers.append('content-language', content.contentLanguage);
  if (content.expires !== undefined) headers.append('expires', content.expires);
  for (const [name, value] of user) headers.append(metadataPrefix + name, encodeMetadataValue(value));
  return headers;
}

/** Appends If-Match and If-None-Match, which are the conditions that S3 has for writes. */
export function addEtagConditions(headers: HeaderList, conditions: Conditions): void {
  if (conditions.ifMatch !== undefined) headers.append('if-match', conditions.ifMatch);
  if (conditions.ifNoneMatch !== undefined) headers.append('if-none-match', conditions.ifNoneMatch);
}

/**
 * Whether a write may be sent a second time when no answer came. A conditional one may not: if the first attempt
 * succeeded, it has changed the object, and the condition of the second would fail.
 */
export function isUnconditional({ ifMatch, ifNoneMatch }: Conditions): boolean {
  return ifMatch === undefined && ifNoneMatch === undefined;
}
