import { ConclusiveError, clientError, GatewayError, proven } from '../errors.ts';
import { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';
import { type ByteRange, parseRange, resolveRange } from '../wire/range.ts';
import { readXml, xmlChildren, xmlElement, xmlText } from '../wire/xml/xml.ts';
import { readDocument, verifiedBody } from './body.ts';
import { noSuchKey } from './bucket.ts';
import { bucketOf, type Call, checkVersionId, noContent, xmlAnswer } from './call.ts';
import { describe, readDescription } from './description.ts';
import { checkRead, readConditions, unquoteEtag, writeGuard } from './preconditions.ts';
import type { ObjectRecord } from './record.ts';

const MAX_DELETE_KEYS = 1_000;
/** 1,000 keys of 1,024 bytes, every byte written as an entity. */
const MAX_DELETE_BYTES = 8 * 1024 * 1024;

export async function putObject(call: Call): Promise<WireResponse> {
  const { request, store, key } = call;
  const bucket = bucketOf(call);
  const description = readDescription(request.headers);
  const guard = writeGuard(readConditions(request.headers), key);
  guard(bucket.find(key)); // so that a doomed upload is refused before its body; asked again when it counts
  const { pieces, bytes, md5 } = await store.blobs.write(verifiedBody(request));
  const etag = md5.toString('hex');
  await bucket.commit({ key, etag, bytes, modifiedMs: call.now.getTime(), ...description, pieces }, guard);
  return { status: 200, headers: HeaderList.of([['ETag', `"${etag}"`]]), body: undefined };
}

export async function getObject(call: Call): Promise<WireResponse> {
  const { record, range, headers } = selectObject(call);
  if (range === undefined) return { status: 200, headers, body: call.store.blobs.read(record.pieces) };
  return { status: 206, headers, body: call.store.blobs.read(record.pieces, range) };
}

export async function headObject(call: Call): Promise<WireResponse> {
  const { range, headers } = selectObject(call);
  return { status: range === undefined ? 200 : 206, headers, body: undefined };
}

function selectObject(call: Call): {
  readonly record: ObjectRecord;
  readonly range: ByteRange | undefined;
  readonly headers: HeaderList;
} {
  const { request, key } = call;
  const record = bucketOf(call).find(key);
  if (record === undefined) throw noSuchKey(key);
  const versionId = request.query.get('versionId');
  checkVersionId(versionId);
  checkRead(record, readConditions(request.headers));
  const headers = describe(record);
  if (versionId !== undefined) headers.append('x-amz-version-id', versionId);
  for (const { name, value } of request.query.parameters) {
    if (name.startsWith('response-')) headers.set(name.slice('response-'.length), value);
  }
  const range = readRange(request.headers, record);
  if (range !== undefined) headers.append('Content-Range', `bytes ${range.first}-${range.last}/${record.bytes}`);
  headers.append('Content-Length', String(range === undefined ? record.bytes : range.last - range.first + 1));
  return { record, range, headers };
}

/** If-Range (RFC 9110 §13.1.5) with an ETag; with a date the whole object is always right. */
function readRange(headers: HeaderList, record: ObjectRecord): ByteRange | undefined {
  const asked = parseRange(headers.get('range'));
  const ifRange = headers.get('if-range');
  if (asked === undefined || (ifRange !== undefined && unquoteEtag(ifRange) !== record.etag)) return undefined;
  const range = resolveRange(asked, record.bytes);
  if (range === 'unsatisfiable') {
    throw new ConclusiveError('InvalidRange', 'The requested range is not satisfiable.', {
      proof: proven(record), // the store's own
      details: { actualObjectSize: String(record.bytes) },
    });
  }
  return range;
}

export async function deleteObject(call: Call): Promise<WireResponse> {
  const versionId = call.request.query.get('versionId');
  checkVersionId(versionId);
  await bucketOf(call).remove(call.key, writeGuard(readConditions(call.request.headers), call.key));
  return noContent(HeaderList.of(versionId === undefined ? [] : [['x-amz-version-id', versionId]]));
}

export async function deleteObjects(call: Call): Promise<WireResponse> {
  const bucket = bucketOf(call);
  const limits = { controlReferences: 'taken' } as const;
  const document = readXml(await readDocument(call.request, MAX_DELETE_BYTES), limits);
  const targets = xmlChildren(document, 'Object').map((target) => ({
    key: xmlText(target, 'Key') ?? '',
    versionId: xmlText(target, 'VersionId'),
    ifMatch: xmlText(target, 'ETag'),
  }));
  if (targets.length === 0 || targets.length > MAX_DELETE_KEYS || targets.some(({ key }) => key === '')) {
    throw clientError('MalformedBody', `Name 1 to ${MAX_DELETE_KEYS} keys to delete.`);
  }
  const quiet = xmlText(document, 'Quiet') === 'true';
  let content = '';
  for (const { key, versionId, ifMatch } of targets) {
    const target = xmlElement('Key', key) + xmlElement('VersionId', versionId);
    if (versionId !== undefined && versionId !== 'null') {
      content += `<Error>${target}<Code>NoSuchVersion</Code><Message>The version does not exist.</Message></Error>`;
      continue;
    }
    try {
      await bucket.remove(key, writeGuard({ ifMatch }, key));
      if (!quiet) content += `<Deleted>${target}</Deleted>`;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.source !== 'client') throw error;
      content += `<Error>${target}${xmlElement('Code', error.code)}${xmlElement('Message', error.message)}</Error>`;
    }
  }
  return xmlAnswer('DeleteResult', content);
}
