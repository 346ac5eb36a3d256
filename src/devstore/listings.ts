import { clientError } from '../errors.ts';
import { formatIsoDate } from '../wire/dates.ts';
import type { WireResponse } from '../wire/message.ts';
import { percentEncodePath } from '../wire/percent.ts';
import type { QueryList } from '../wire/query.ts';
import { xmlElement } from '../wire/xml/xml.ts';
import { bucketOf, type Call, xmlAnswer } from './call.ts';
import { type KeyPage, lastItem, listKeys } from './list-keys.ts';
import { readCount } from './multipart.ts';
import type { ObjectRecord } from './record.ts';

const OWNER = '<Owner><ID>devstore</ID><DisplayName>devstore</DisplayName></Owner>';

/** What the three listings share: the questions, and how names are spelled in the answer. */
interface Listing {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly spell: (name: string) => string;
  /** The elements that repeat the questions. */
  readonly echo: string;
}

export async function listObjects(call: Call): Promise<WireResponse> {
  const listing = readListing(call);
  const marker = call.request.query.get('marker') ?? '';
  const page = pageOf(call, listing, marker);
  // S3 names NextMarker only where the last key would not do.
  const next = page.truncated && listing.delimiter !== '' ? lastItem(page) : undefined;
  return xmlAnswer(
    'ListBucketResult',
    listing.echo +
      xmlElement('Marker', listing.spell(marker)) +
      xmlElement('NextMarker', next === undefined ? undefined : listing.spell(next)) +
      xmlElement('IsTruncated', page.truncated) +
      renderItems(page, listing, (item) => renderObject(call, listing, item, { owner: true })),
  );
}

export async function listObjectsV2(call: Call): Promise<WireResponse> {
  const { query } = call.request;
  const listing = readListing(call);
  const startAfter = query.get('start-after');
  const token = query.get('continuation-token');
  const page = pageOf(call, listing, token === undefined ? (startAfter ?? '') : decodeToken(token));
  const next = page.truncated ? encodeToken(lastItem(page) ?? '') : undefined;
  const owner = query.get('fetch-owner') === 'true';
  return xmlAnswer(
    'ListBucketResult',
    listing.echo +
      xmlElement('StartAfter', startAfter === undefined ? undefined : listing.spell(startAfter)) +
      xmlElement('ContinuationToken', token) +
      xmlElement('NextContinuationToken', next) +
      xmlElement('KeyCount', page.items.length) +
      xmlElement('IsTruncated', page.truncated) +
      renderItems(page, listing, (item) => renderObject(call, listing, item, { owner })),
  );
}

/** Every object has one version, `null`, so a marker needs no version to go on from. */
export async function listObjectVersions(call: Call): Promise<WireResponse> {
  const { query } = call.request;
  const listing = readListing(call);
  const marker = query.get('key-marker') ?? '';
  const page = pageOf(call, listing, marker);
  const next = page.truncated ? lastItem(page) : undefined;
  return xmlAnswer(
    'ListVersionsResult',
    listing.echo +
      xmlElement('KeyMarker', listing.spell(marker)) +
      xmlElement('VersionIdMarker', query.get('version-id-marker') ?? '') +
      xmlElement('NextKeyMarker', next === undefined ? undefined : listing.spell(next)) +
      xmlElement('NextVersionIdMarker', next === undefined ? undefined : 'null') +
      xmlElement('IsTruncated', page.truncated) +
      renderItems(page, listing, (item) => renderObject(call, listing, item, { owner: true, version: true })),
  );
}

function readListing(call: Call): Listing {
  const { query } = call.request;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = readCount(query, 'max-keys');
  const spell = readSpelling(query);
  const echo =
    xmlElement('Name', call.bucketName) +
    xmlElement('Prefix', spell(prefix)) +
    (delimiter === '' ? '' : xmlElement('Delimiter', spell(delimiter))) +
    xmlElement('MaxKeys', maxKeys) +
    xmlElement('EncodingType', query.get('encoding-type'));
  return { prefix, delimiter, maxKeys, spell, echo };
}

/** @throws GatewayError InvalidArgument */
export function readSpelling(query: QueryList): (name: string) => string {
  const encoding = query.get('encoding-type');
  if (encoding === undefined) return (name) => name;
  if (encoding !== 'url') throw clientError('InvalidArgument', 'encoding-type must be url.');
  return percentEncodePath;
}

function pageOf(call: Call, { prefix, delimiter, maxKeys }: Listing, after: string): KeyPage {
  return listKeys(bucketOf(call).keys, { prefix, delimiter, after, maxItems: maxKeys });
}

/** S3 writes all keys, then all common prefixes. */
function renderItems(page: KeyPage, { spell }: Listing, renderKey: (key: string) => string): string {
  const keys: string[] = [];
  const prefixes: string[] = [];
  for (const item of page.items) {
    if ('key' in item) keys.push(renderKey(item.key));
    else prefixes.push(`<CommonPrefixes>${xmlElement('Prefix', spell(item.commonPrefix))}</CommonPrefixes>`);
  }
  return keys.join('') + prefixes.join('');
}

function renderObject(
  call: Call,
  { spell }: Listing,
  key: string,
  options: { readonly owner: boolean; readonly version?: boolean },
): string {
  const record = bucketOf(call).find(key) as ObjectRecord;
  const element = options.version === true ? 'Version' : 'Contents';
  const version = options.version === true ? '<VersionId>null</VersionId><IsLatest>true</IsLatest>' : '';
  const storageClass = record.headers.find(([name]) => name === 'x-amz-storage-class')?.[1] ?? 'STANDARD';
  return (
    `<${element}>${xmlElement('Key', spell(key))}${version}` +
    xmlElement('LastModified', formatIsoDate(new Date(record.modifiedMs))) +
    xmlElement('ETag', `"${record.etag}"`) +
    xmlElement('Size', record.bytes) +
    xmlElement('StorageClass', storageClass) +
    `${options.owner ? OWNER : ''}</${element}>`
  );
}

function encodeToken(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

function decodeToken(token: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(token))
    throw clientError('InvalidArgument', 'The continuation token is not one of ours.');
  return Buffer.from(token, 'base64url').toString('utf8');
}
