import { clientError } from '../../../../errors.ts';
import type {
  ListBuckets,
  ListMultipartUploads,
  ListObjects,
  ListObjectVersions,
} from '../../../../operations/listing.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { MAX_KEYS } from '../../vocabulary.ts';

/** Reads a GetBucket, the only form of a listing that COS has. @throws GatewayError InvalidArgument */
export function readListObjects(bucket: string, query: QueryList): ListObjects {
  return {
    kind: 'ListObjects',
    bucket,
    form: 1,
    ...listBasics(query),
    after: query.get('marker') ?? '',
    continuationToken: undefined,
    withOwner: true,
  };
}

/** Reads a GetBucketObjectVersions. @throws GatewayError InvalidArgument */
export function readListObjectVersions(bucket: string, query: QueryList): ListObjectVersions {
  const keyMarker = query.get('key-marker') ?? '';
  const versionIdMarker = query.get('version-id-marker') ?? '';
  if (versionIdMarker !== '' && keyMarker === '') {
    throw clientError('InvalidArgument', 'A version-id-marker cannot be specified without a key-marker.');
  }
  return { kind: 'ListObjectVersions', bucket, ...listBasics(query), keyMarker, versionIdMarker };
}

/** Filters of GetService by tags and dates of creation, which no bucket here has. */
const FILTERS = ['create-time', 'range', 'tagkey', 'tagvalue'];

/** Reads a GetService, whose page `bucketPage` cuts. @throws GatewayError InvalidArgument, NotImplemented */
export function readListBuckets(query: QueryList): ListBuckets {
  const filter = FILTERS.find((name) => (query.get(name) ?? '') !== '');
  if (filter !== undefined) {
    throw clientError('NotImplemented', `GetService with the query parameter ${filter} is not available.`);
  }
  bucketPage(query);
  return { kind: 'ListBuckets', prefix: query.get('prefix') ?? '' };
}

/** Which of the buckets a page has: those after `after`, at most `most`. @throws GatewayError InvalidArgument */
export function bucketPage(query: QueryList): { readonly after: string; readonly most: number } {
  return { after: query.get('marker') ?? '', most: readPageSize(query, 'max-keys') };
}

/** Reads a ListMultipartUploads. @throws GatewayError InvalidArgument */
export function readListUploads(bucket: string, query: QueryList): ListMultipartUploads {
  const keyMarker = query.get('key-marker') ?? '';
  return {
    kind: 'ListMultipartUploads',
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    keyMarker,
    // COS ignores upload-id-marker without key-marker.
    uploadIdMarker: keyMarker === '' ? '' : (query.get('upload-id-marker') ?? ''),
    maxUploads: readPageSize(query, 'max-uploads'),
    urlEncoded: isUrlEncoded(query),
  };
}

function listBasics(query: QueryList): Pick<ListObjects, 'prefix' | 'delimiter' | 'maxKeys' | 'urlEncoded'> {
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maxKeys: readPageSize(query, 'max-keys'),
    urlEncoded: isUrlEncoded(query),
  };
}

/** Whether names in the answer must be percent-encoded (encoding-type). @throws GatewayError InvalidArgument */
export function isUrlEncoded(query: QueryList): boolean {
  const encoding = query.get('encoding-type') ?? '';
  if (encoding === '' || encoding.toLowerCase() === 'url') return encoding !== '';
  throw clientError('InvalidArgument', 'Argument encoding-type must be url.');
}

/** Reads how many entries a page may have, from 1 to 1,000, which is also the default. @throws GatewayError */
export function readPageSize(query: QueryList, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return MAX_KEYS;
  const size = Number(text);
  if (/^\d{1,10}$/.test(text) && size >= 1) return Math.min(size, MAX_KEYS);
  throw clientError('InvalidArgument', `Argument ${name} must be a number from 1 to ${MAX_KEYS}.`);
}
