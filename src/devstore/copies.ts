import { createHash } from 'node:crypto';
import { ConclusiveError, clientError, proven } from '../errors.ts';
import { formatIsoDate } from '../wire/dates.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';
import { percentDecode } from '../wire/percent.ts';
import type { ByteRange } from '../wire/range.ts';
import { xmlElement } from '../wire/xml/xml.ts';
import { type Piece, slicePieces } from './blobs.ts';
import { noSuchKey } from './bucket.ts';
import { bucketOf, type Call, checkVersionId, xmlAnswer } from './call.ts';
import { readDescription } from './description.ts';
import { readPartNumber } from './multipart.ts';
import { checkCopySource, readConditions, writeGuard } from './preconditions.ts';
import type { Description, ObjectRecord } from './record.ts';
import type { Store } from './store.ts';

/** A copy shares the source's data files: it moves no byte. */
export async function copyObject(call: Call): Promise<WireResponse> {
  const { request, store, key } = call;
  const bucket = bucketOf(call);
  const source = findSource(call);
  const description = copiedDescription(request.headers, source);
  if (store.bucket(source.bucketName) === bucket && source.record.key === key && description === source.record) {
    throw clientError(
      'InvalidRequest',
      'A copy onto itself must change metadata: say x-amz-metadata-directive: REPLACE.',
    );
  }
  const { headers, metadata, tags } = description;
  const guard = writeGuard(readConditions(request.headers), key);
  const { bytes, pieces } = source.record;
  store.blobs.retain(pieces); // before the first await: the source may be overwritten meanwhile
  const etag = await wholeEtag(store, source.record);
  const modifiedMs = call.now.getTime();
  await bucket.commit({ key, etag, bytes, modifiedMs, headers, metadata, tags, pieces }, guard);
  return xmlAnswer('CopyObjectResult', copyResult(etag, call.now));
}

export async function uploadPartCopy(call: Call): Promise<WireResponse> {
  const { request, store, key } = call;
  const bucket = bucketOf(call);
  const partNumber = readPartNumber(request.query);
  const id = request.query.get('uploadId') ?? '';
  bucket.uploads.find(key, id);
  const { record } = findSource(call);
  const range = readCopyRange(request.headers.get('x-amz-copy-source-range'), record);
  const pieces = range === undefined ? record.pieces : slicePieces(record.pieces, range);
  const bytes = range === undefined ? record.bytes : range.last - range.first + 1;
  store.blobs.retain(pieces);
  const etag = await md5Of(store, pieces);
  await bucket.uploads.putPart(key, id, { partNumber, etag, bytes, modifiedMs: call.now.getTime(), pieces });
  return xmlAnswer('CopyPartResult', copyResult(etag, call.now));
}

function findSource(call: Call): { readonly record: ObjectRecord; readonly bucketName: string } {
  const { headers } = call.request;
  const [path = '', versionId] = (headers.get('x-amz-copy-source') ?? '').split('?versionId='); // first split, then decode
  const [, bucketName = '', key = ''] = /^\/?([^/]*)\/(.*)$/s.exec(percentDecode(path)) ?? [];
  if (bucketName === '' || key === '') {
    throw clientError('InvalidArgument', 'x-amz-copy-source must be /bucket/key, percent-encoded.');
  }
  checkVersionId(versionId);
  const record = call.store.bucket(bucketName).find(key);
  if (record === undefined) throw noSuchKey(key);
  checkCopySource(record, readConditions(headers, 'x-amz-copy-source-'));
  return { record, bucketName };
}

/** The very record of the source when nothing changes. */
function copiedDescription(headers: HeaderList, { record }: { readonly record: ObjectRecord }): Description {
  const replaceMetadata = readDirective(headers, 'x-amz-metadata-directive') === 'REPLACE';
  const replaceTags = readDirective(headers, 'x-amz-tagging-directive') === 'REPLACE';
  const given = readDescription(headers);
  const storageClass = given.headers.filter(([name]) => name === 'x-amz-storage-class');
  if (!replaceMetadata && !replaceTags && storageClass.length === 0) return record;
  // A storage class is never copied: it is what the request says, or the default.
  const copied = record.headers.filter(([name]) => name !== 'x-amz-storage-class').concat(storageClass);
  return {
    headers: replaceMetadata ? given.headers : copied,
    metadata: replaceMetadata ? given.metadata : record.metadata,
    tags: replaceTags ? given.tags : record.tags,
  };
}

function readDirective(headers: HeaderList, name: string): 'COPY' | 'REPLACE' {
  const directive = headers.get(name) ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw clientError('InvalidArgument', `${name} must be COPY or REPLACE.`);
  }
  return directive;
}

/** Both ends are needed and must lie within the source. @throws GatewayError InvalidArgument, InvalidRange */
function readCopyRange(value: string | undefined, record: ObjectRecord): ByteRange | undefined {
  if (value === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d+)$/.exec(value);
  const range = { first: Number(match?.[1]), last: Number(match?.[2]) };
  if (match === null || range.last < range.first) {
    throw clientError('InvalidArgument', 'x-amz-copy-source-range must be bytes=first-last.');
  }
  if (range.last >= record.bytes) {
    throw new ConclusiveError('InvalidRange', `The source has ${record.bytes} bytes, less than the range to copy.`, {
      proof: proven(record), // the store's own
    });
  }
  return range;
}

/** S3 gives a copy of a multipart object a plain MD5. */
async function wholeEtag(store: Store, { etag, pieces }: ObjectRecord): Promise<string> {
  return etag.includes('-') ? await md5Of(store, pieces) : etag;
}

async function md5Of(store: Store, pieces: readonly Piece[]): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of store.blobs.read(pieces)) hash.update(chunk);
  return hash.digest('hex');
}

function copyResult(etag: string, modified: Date): string {
  return xmlElement('LastModified', formatIsoDate(modified)) + xmlElement('ETag', `"${etag}"`);
}
