import { clientError } from '../../../../errors.ts';
import type {
  ListBuckets,
  ListMultipartUploads,
  ListObjects,
  ListObjectVersions,
} from '../../../../operations/listing.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { DEFAULT_KEYS, MAX_KEYS } from '../../vocabulary.ts';

/** Reads a ListObjects, the older form. @throws GatewayError InvalidArgument */
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
  return {
    kind: 'ListObjects',
    bucket,
    form: 2,
    ...listBasics(query),
    after: query.get('start-after') ?? '',
    // An empty parameter means that there is none, in OSS. JuiceFS sends one.
    continuationToken: query.get('continuation-token') || undefined,
    withOwner: query.get('fetch-owner')?.toLowerCase() === 'true',
  };
}

/** Reads a ListObjectVersions. @throws GatewayError InvalidArgument */
export function readListObjectVersions(bucket: string, query: QueryList): ListObjectVersions {
  const keyMarker = query.get('key-marker') ?? '';
  const versionIdMarker = query.get('version-id-marker') ?? '';
  if (versionIdMarker !== '' && keyMarker === '') {
    throw clientError('InvalidArgument', 'A version-id-marker cannot be specified without a key-marker.');
  }
  return { kind: 'ListObjectVersions', bucket, ...listBasics(query), keyMarker, versionIdMarker };
}

/** Reads a ListBuckets, whose page `bucketPage` cuts. */
export function readListBuckets(query: QueryList): ListBuckets {
  return { kind: 'ListBuckets', prefix: query.get('prefix') ?? '' };
}

/** Which of the buckets a page has: those after `after`, at most `most`. @throws GatewayError InvalidArgument */
export function bucketPage(query: QueryList): { readonly after: string; readonly most: number } {
  return { after: query.get('marker') ?? '', most: readPageSize(query, 'max-keys', { byDefault: DEFAULT_KEYS }) };
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
    // OSS ignores upload-id-marker without key-marker.
    uploadIdMarker: keyMarker === '' ? '' : (query.get('upload-id-marker') ?? ''),
    maxUploads: readPageSize(query, 'max-uploads', { byDefault: MAX_KEYS }),
    urlEncoded: isUrlEncoded(query),
  };
}

function listBasics(query: QueryList): Pick<ListObjects, 'prefix' | 'delimiter' | 'maxKeys' | 'urlEncoded'> {
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    maxKeys: readPageSize(query, 'max-keys', { byDefault: DEFAULT_KEYS }),
    urlEncoded: isUrlEncoded(query),
  };
}

/** Whether names in the answer must be percent-encoded (encoding-type). @throws GatewayError InvalidArgument */
export function isUrlEncoded(query: QueryList): boolean {
  const encoding = query.get('encoding-type') ?? '';
  if (encoding !== '' && encoding.toLowerCase() !== 'url') throw invalid('encoding-type', encoding, 'must be url');
  return encoding !== '';
}

/** Reads how many entries a page may have, from 1 to 1,000. @throws GatewayError InvalidArgument */
export function readPageSize(query: QueryList, name: string, { byDefault }: { readonly byDefault: number }): number {
  const text = query.get(name) ?? '';
  if (text === '') return byDefault;
  const size = Number(text);
  if (!/^\d{1,10}$/.test(text) || size < 1 || size > MAX_KEYS) throw invalid(name, text, 'must be from 1 to 1000');
  return size;
}

function invalid(name: string, value: string, why: string): Error {
  return clientError('InvalidArgument', `Argument ${name} ${why}.`, {
    details: { ArgumentName: name, ArgumentValue: value.slice(0, 64) },
  });
}
