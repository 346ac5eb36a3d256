import { clientError } from '../../../../errors.ts';
import type { ListBuckets, ListObjects, ListObjectVersions } from '../../../../operations/listing.ts';
import type { QueryList } from '../../../../wire/query.ts';
import type { FrontSettings } from '../../../front-dialect.ts';

/** The most entries on a page of a listing. S3 treats a larger max-keys as this number. */
const MAX_KEYS = 1000;

/** Reads a ListObjects, which is the older form of listing. @throws GatewayError InvalidArgument */
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

/** Reads a ListObjectsV2. @throws GatewayError InvalidArgument */
export function readListObjectsV2(bucket: string, query: QueryList): ListObjects {
  if (query.get('list-type') !== '2') throw clientError('InvalidArgument', 'list-type must be 2.');
  const continuationToken = query.get('continuation-token');
  if (continuationToken === '') {
    throw clientError('InvalidArgument', 'The continuation token provided is incorrect.');
  }
  return {
    kind: 'ListObjects',
    bucket,
    form: 2,
    ...listBasics(query),
    after: query.get('start-after') ?? '',
    continuationToken,
    withOwner: query.get('fetch-owner')?.toLowerCase() === 'true',
  };
}

/** Reads a ListObjectVersions. @throws GatewayError InvalidArgument */
export function readListObjectVersions(bucket: string, query: QueryList): ListObjectVersions {
  const keyMarker = query.get('key-marker') ?? '';
  const versionIdMarker = query.get('version-id-marker') ?? '';
  if (versionIdMarker !== '' && keyMarker === '') {
    throw clientError('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
  }
  return { kind: 'ListObjectVersions', bucket, ...listBasics(query), keyMarker, versionIdMarker };
}

/**
 * Reads a ListBuckets. The gateway answers with all buckets at once. aws-cli sends max-buckets with every listing, so
 * it is allowed; a page may then be larger than asked, which the SDKs accept.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function readListBuckets(query: QueryList, settings: FrontSettings): ListBuckets {
  const maxBuckets = query.get('max-buckets');
  if (maxBuckets !== undefined) {
    const asked = wholeNumber('max-buckets', maxBuckets);
    if (asked < 1 || asked > 10_000) throw clientError('InvalidArgument', 'max-buckets must be from 1 to 10000.');
  }
  if (query.has('continuation-token')) {
    throw clientError('InvalidArgument', 'The continuation token provided is incorrect.');
  }
  const region = query.get('bucket-region');
  if (region !== undefined && region !== settings.region) {
    throw clientError('NotImplemented', `ListBuckets of another region than ${settings.region} is not available.`);
  }
  return { kind: 'ListBuckets', prefix: query.get('prefix') ?? '' };
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
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== '' && encoding !== 'url') {
    throw clientError('InvalidArgument', 'Invalid Encoding Method specified in Request. It must be url.');
  }
  return encoding === 'url';
}

/** Reads how many entries a page may have, at most 1,000. @throws GatewayError InvalidArgument */
export function readPageSize(query: QueryList, name: string): number {
  const text = query.get(name);
  return text === undefined || text === '' ? MAX_KEYS : Math.min(MAX_KEYS, wholeNumber(name, text));
}

/** Reads a whole number from 0 to 2,147,483,647. @throws GatewayError InvalidArgument */
export function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2_147_483_647) {
    throw clientError('InvalidArgument', `${name} must be a whole number from 0 to 2147483647.`);
  }
  return Number(text);
}
