import { clientError } from '../errors.ts';
import { formatIsoDate } from '../wire/dates.ts';
import { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';
import { percentEncodePath } from '../wire/percent.ts';
import type { QueryList } from '../wire/query.ts';
import { readXml, xmlChildren, xmlElement, xmlText } from '../wire/xml/xml.ts';
import { readDocument, verifiedBody } from './body.ts';
import { bucketOf, type Call, noContent, xmlAnswer } from './call.ts';
import { readDescription } from './description.ts';
import { readConditions, unquoteEtag, writeGuard } from './preconditions.ts';
import type { NamedPart } from './uploads.ts';

const MAX_PART_NUMBER = 10_000;
/** 10,000 parts with every checksum field that an SDK may add. */
const MAX_COMPLETE_BYTES = 8 * 1024 * 1024;
/** A Part of Complete has at most a number, an ETag and some checksums. */
const MAX_COMPLETE_ELEMENTS = 10 * MAX_PART_NUMBER;

export async function createUpload(call: Call): Promise<WireResponse> {
  const { request, key } = call;
  const description = readDescription(request.headers);
  const { id } = await bucketOf(call).uploads.create({ key, initiatedMs: call.now.getTime(), ...description });
  return xmlAnswer(
    'InitiateMultipartUploadResult',
    xmlElement('Bucket', call.bucketName) + xmlElement('Key', key) + xmlElement('UploadId', id),
  );
}

export async function uploadPart(call: Call): Promise<WireResponse> {
  const { request, store, key } = call;
  const { uploads } = bucketOf(call);
  const partNumber = readPartNumber(request.query);
  const id = uploadId(request.query);
  uploads.find(key, id); // before the body
  const { pieces, bytes, md5 } = await store.blobs.write(verifiedBody(request));
  const etag = md5.toString('hex');
  await uploads.putPart(key, id, { partNumber, etag, bytes, modifiedMs: call.now.getTime(), pieces });
  return { status: 200, headers: HeaderList.of([['ETag', `"${etag}"`]]), body: undefined };
}

export async function completeUpload(call: Call): Promise<WireResponse> {
  const { request, key } = call;
  const bucket = bucketOf(call);
  const guard = writeGuard(readConditions(request.headers), key);
  const named = readNamedParts(await readDocument(request, MAX_COMPLETE_BYTES));
  const { etag } = await bucket.uploads.complete({
    key,
    id: uploadId(request.query),
    named,
    modifiedMs: call.now.getTime(),
    commit: (record) => bucket.commit(record, guard),
  });
  return xmlAnswer(
    'CompleteMultipartUploadResult',
    xmlElement('Location', `/${call.bucketName}/${percentEncodePath(key)}`) +
      xmlElement('Bucket', call.bucketName) +
      xmlElement('Key', key) +
      xmlElement('ETag', `"${etag}"`),
  );
}

export async function abortUpload(call: Call): Promise<WireResponse> {
  await bucketOf(call).uploads.abort(call.key, uploadId(call.request.query));
  return noContent();
}

export async function listParts(call: Call): Promise<WireResponse> {
  const { query } = call.request;
  const { record, parts } = bucketOf(call).uploads.find(call.key, uploadId(query));
  const maxParts = readCount(query, 'max-parts');
  const marker = readCount(query, 'part-number-marker', 0, MAX_PART_NUMBER);
  const following = [...parts.values()]
    .filter(({ partNumber }) => partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = following.slice(0, maxParts);
  const content = page.map(
    (part) =>
      `<Part>${xmlElement('PartNumber', part.partNumber)}` +
      `${xmlElement('LastModified', formatIsoDate(new Date(part.modifiedMs)))}` +
      `${xmlElement('ETag', `"${part.etag}"`)}${xmlElement('Size', part.bytes)}</Part>`,
  );
  const truncated = maxParts > 0 && following.length > page.length;
  return xmlAnswer(
    'ListPartsResult',
    xmlElement('Bucket', call.bucketName) +
      xmlElement('Key', record.key) +
      xmlElement('UploadId', record.id) +
      xmlElement('PartNumberMarker', marker) +
      xmlElement('NextPartNumberMarker', page.at(-1)?.partNumber ?? 0) +
      xmlElement('MaxParts', maxParts) +
      xmlElement('IsTruncated', truncated) +
      content.join(''),
  );
}

/** @throws GatewayError InvalidArgument */
export function readPartNumber(query: QueryList): number {
  const text = query.get('partNumber') ?? '';
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > MAX_PART_NUMBER) {
    throw clientError('InvalidArgument', `partNumber must be an integer from 1 to ${MAX_PART_NUMBER}.`);
  }
  return number;
}

/** max-keys and its like: more than 1,000 is 1,000. @throws GatewayError InvalidArgument */
export function readCount(query: QueryList, name: string, fallback = 1_000, most = 1_000): number {
  const text = query.get(name);
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,10}$/.test(text)) throw clientError('InvalidArgument', `${name} must be a non-negative integer.`);
  return Math.min(Number(text), most);
}

function uploadId(query: QueryList): string {
  return query.get('uploadId') ?? '';
}

function readNamedParts(document: Buffer): NamedPart[] {
  const named = xmlChildren(readXml(document, { maxElements: MAX_COMPLETE_ELEMENTS }), 'Part').map((part) => ({
    partNumber: Number(xmlText(part, 'PartNumber')),
    etag: unquoteEtag(xmlText(part, 'ETag') ?? ''),
  }));
  if (named.length === 0 || named.some(({ partNumber }) => !Number.isInteger(partNumber))) {
    throw clientError('MalformedBody', 'CompleteMultipartUpload must name one part at least, by number and ETag.');
  }
  return named;
}
