import { clientError } from '../errors.ts';
import { formatHttpDate } from '../wire/dates.ts';
import { HeaderList } from '../wire/headers.ts';
import type { Description, Entry, ObjectRecord } from './record.ts';

/** S3's limit of user metadata, names (without their prefix) and values. */
export const MAX_METADATA_BYTES = 2_048;
const MAX_TAGS = 10;
const METADATA_PREFIX = 'x-amz-meta-';

/** Kept with the object and given back as they came. */
const KEPT = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
]);

/** These would promise what this store does not do; an answer of "stored" would be a lie. */
const REFUSED = /^x-amz-(?:server-side-encryption|object-lock-|grant-|write-offset-bytes)/;

/** @throws GatewayError MetadataTooLarge, InvalidArgument, NotImplemented */
export function readDescription(headers: HeaderList): Description {
  const kept: Entry[] = [];
  const metadata = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (KEPT.has(lower)) kept.push([lower, value]);
    else if (lower.startsWith(METADATA_PREFIX)) {
      const entry = lower.slice(METADATA_PREFIX.length);
      const before = metadata.get(entry);
      metadata.set(entry, before === undefined ? value : `${before},${value}`); // RFC 9110 §5.3
    } else if (REFUSED.test(lower)) {
      throw clientError('NotImplemented', `The embedded store does not implement ${lower}.`);
    }
  }
  let bytes = 0;
  for (const [name, value] of metadata) bytes += name.length + value.length; // latin1: a character a byte
  if (bytes > MAX_METADATA_BYTES) {
    throw clientError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size.', {
      details: { size: String(bytes), maxSizeAllowed: String(MAX_METADATA_BYTES) },
    });
  }
  return { headers: kept, metadata: [...metadata], tags: readTagHeader(headers.get('x-amz-tagging')) };
}

/** `a=1&b=2`, form-encoded. */
function readTagHeader(value: string | undefined): Entry[] {
  return checkTags(value === undefined ? [] : [...new URLSearchParams(value)]);
}

/** @throws GatewayError InvalidArgument */
export function checkTags(tags: readonly Entry[]): Entry[] {
  const names = new Set(tags.map(([name]) => name));
  if (tags.length > MAX_TAGS) throw clientError('InvalidArgument', `An object has at most ${MAX_TAGS} tags.`);
  if (names.size < tags.length) throw clientError('InvalidArgument', 'A tag name may be used only once.');
  if (tags.some(([name, value]) => name === '' || name.length > 128 || value.length > 256)) {
    throw clientError('InvalidArgument', 'A tag name has 1 to 128 characters, its value at most 256.');
  }
  return [...tags];
}

/** The answer headers of GET and HEAD, but for length and range. */
export function describe(record: ObjectRecord): HeaderList {
  const headers = new HeaderList();
  headers.append('ETag', `"${record.etag}"`);
  headers.append('Last-Modified', formatHttpDate(new Date(record.modifiedMs)));
  headers.append('Accept-Ranges', 'bytes');
  for (const [name, value] of record.headers) headers.append(name, value);
  if (!headers.has('content-type')) headers.append('content-type', 'binary/octet-stream');
  for (const [name, value] of record.metadata) headers.append(`${METADATA_PREFIX}${name}`, value);
  if (record.tags.length > 0) headers.append('x-amz-tagging-count', String(record.tags.length));
  return headers;
}
