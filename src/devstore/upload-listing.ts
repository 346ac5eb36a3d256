import { formatIsoDate } from '../wire/dates.ts';
import type { WireResponse } from '../wire/message.ts';
import { xmlElement } from '../wire/xml/xml.ts';
import { bucketOf, type Call, xmlAnswer } from './call.ts';
import { compareKeys } from './key-order.ts';
import { readSpelling } from './listings.ts';
import { readCount } from './multipart.ts';
import type { Upload } from './uploads.ts';

type Item = { readonly upload: Upload } | { readonly commonPrefix: string };

/** Uploads under way are few: each listing sorts them anew. Of one key, the earliest comes first. */
export async function listUploads(call: Call): Promise<WireResponse> {
  const { query } = call.request;
  const spell = readSpelling(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = readCount(query, 'max-uploads');
  const items = rollUp(sorted(bucketOf(call).uploads.all(), prefix), { prefix, delimiter });
  const following = items.slice(firstAfter(items, keyMarker, idMarker));
  const page = following.slice(0, maxUploads);
  const truncated = maxUploads > 0 && following.length > page.length;
  const last = truncated ? page.at(-1) : undefined;
  return xmlAnswer(
    'ListMultipartUploadsResult',
    xmlElement('Bucket', call.bucketName) +
      xmlElement('KeyMarker', spell(keyMarker)) +
      xmlElement('UploadIdMarker', idMarker) +
      xmlElement('NextKeyMarker', last === undefined ? undefined : spell(nameOf(last))) +
      xmlElement('NextUploadIdMarker', last !== undefined && 'upload' in last ? last.upload.record.id : undefined) +
      xmlElement('Prefix', spell(prefix)) +
      (delimiter === '' ? '' : xmlElement('Delimiter', spell(delimiter))) +
      xmlElement('MaxUploads', maxUploads) +
      xmlElement('EncodingType', query.get('encoding-type')) +
      xmlElement('IsTruncated', truncated) +
      page.map((item) => renderItem(item, spell)).join(''),
  );
}

function sorted(uploads: readonly Upload[], prefix: string): Upload[] {
  return uploads
    .filter(({ record }) => record.key.startsWith(prefix))
    .sort(({ record: a }, { record: b }) => {
      return compareKeys(a.key, b.key) || a.initiatedMs - b.initiatedMs || compareKeys(a.id, b.id);
    });
}

function rollUp(
  uploads: readonly Upload[],
  { prefix, delimiter }: { readonly prefix: string; readonly delimiter: string },
): Item[] {
  const items: Item[] = [];
  for (const upload of uploads) {
    const { key } = upload.record;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const last = items.at(-1);
    if (cut === -1) items.push({ upload });
    else {
      const commonPrefix = key.slice(0, cut + delimiter.length);
      if (last === undefined || !('commonPrefix' in last) || last.commonPrefix !== commonPrefix) {
        items.push({ commonPrefix });
      }
    }
  }
  return items;
}

/** Past the marked key; of the marked key itself, past the marked upload. */
function firstAfter(items: readonly Item[], keyMarker: string, idMarker: string): number {
  if (keyMarker === '') return 0;
  const marked = items.findIndex(
    (item) => 'upload' in item && item.upload.record.key === keyMarker && item.upload.record.id === idMarker,
  );
  if (marked !== -1) return marked + 1;
  const past = items.findIndex((item) => compareKeys(nameOf(item), keyMarker) > 0);
  return past === -1 ? items.length : past;
}

function nameOf(item: Item): string {
  return 'upload' in item ? item.upload.record.key : item.commonPrefix;
}

function renderItem(item: Item, spell: (name: string) => string): string {
  if ('commonPrefix' in item)
    return `<CommonPrefixes>${xmlElement('Prefix', spell(item.commonPrefix))}</CommonPrefixes>`;
  const { key, id, initiatedMs } = item.upload.record;
  return (
    `<Upload>${xmlElement('Key', spell(key))}${xmlElement('UploadId', id)}` +
    `<StorageClass>STANDARD</StorageClass>${xmlElement('Initiated', formatIsoDate(new Date(initiatedMs)))}</Upload>`
  );
}
