import { createHmac } from 'node:crypto';
import type { AnswerHead, DocumentCall, HeadCall } from '../../../src/dialects/backend-calls.ts';
import type { BackendDialect } from '../../../src/dialects/backend-dialect.ts';
import type { ForStore } from '../../../src/dialects/identifiers.ts';
import { s3Grammar } from '../../../src/dialects/s3/back/grammar.ts';
import { type ClaimCode, StoreClaim } from '../../../src/dialects/store-claim.ts';
import type { StorePut } from '../../../src/dialects/store-exchange.ts';
import { vendorHeadersFor } from '../../../src/dialects/vendor-headers.ts';
import { BackendRefusal, clientError, ERROR_KINDS, GatewayError, type InconclusiveCode } from '../../../src/errors.ts';
import type { ObjectMetadata, VendorHeaders } from '../../../src/operations/object.ts';
import { collect } from '../../../src/wire/bodies/collect.ts';
import type { OutgoingRequest } from '../../../src/wire/message.ts';
import { percentEncodePath } from '../../../src/wire/percent.ts';
import { count, flag, type Json, json, list, maybe, must, text, time, told, unusable } from './toy-json.ts';

/**
 * A store that no vendor sells: buckets have hosts of their own, what is asked and told is JSON (in a header where the body
 * is an object's), and it keeps no versions, makes no copies, and deletes one object at a time.
 */

type Asked = Partial<ForStore<StorePut>> & { readonly bucket?: string; readonly vendor?: VendorHeaders | undefined };

function ask(method: string, name: string, asked: Asked): OutgoingRequest {
  const { ref, bucket, body, metadata, vendor, ...rest } = asked;
  const { content, user, traits = {} } = metadata ?? {};
  const { tags = [], ...others } = traits;
  const settings = tags.length > 0 || Object.values(others).some((trait) => trait !== undefined);
  if (ref?.versionId !== undefined || settings) throw clientError('NotImplemented', 'The toy has no such thing.');
  const told = Buffer.from(JSON.stringify({ ...rest, content, user }));
  const headers = vendorHeadersFor('toy', metadata?.vendor ?? vendor).append('toy-call', name);
  if (method !== 'POST') headers.append('toy-asked', told.toString('base64url'));
  const at = { bucket: ref?.bucket ?? bucket, path: `/${percentEncodePath(ref?.key ?? '')}` };
  return { method, ...at, headers, body: method === 'POST' ? told : body, idempotent: /GET|HEAD/.test(method) };
}

function head<A, Answer>(method: string, name: string, read: (head: AnswerHead) => Answer): HeadCall<A, Answer> {
  return { takes: 'nothing', render: (asked: ForStore<A>) => ask(method, name, asked as Asked), read };
}

function document<A, Answer>(name: string, read: (answer: Json) => Answer): DocumentCall<A, Answer> {
  const render = (asked: ForStore<A>) => ask('POST', name, asked as Asked);
  return { takes: 'document', render, read: (bytes) => read(json(bytes.toString())) };
}

function readObject(answer: AnswerHead) {
  const { size, first, last, etag, modified, content = {}, user } = told(answer);
  const storedRange = first === undefined ? undefined : { first: count(first), last: count(last) };
  const metadata = { content, user: list(user) } as unknown as ObjectMetadata;
  const about = { etag: text(etag), lastModified: time(modified), versionId: undefined, partsCount: undefined };
  return { ...about, storedBytes: count(size), storedRange, metadata: must(metadata, answer.status === 200) };
}

const nothing = () => undefined;
const stored = { storageClass: undefined, owner: undefined };
const readEtag = (answer: AnswerHead) => ({ etag: text(told(answer).etag), versionId: undefined });
const readEntry = ({ key, size, etag, modified }: Json) =>
  ({ key: text(key), storedBytes: count(size), etag: text(etag), lastModified: time(modified), ...stored }) as const;

const CLAIMS: Readonly<Record<number, ClaimCode>> = {
  304: 'NotModified',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
};

export const toyBack: BackendDialect = {
  name: 'toy',
  grammar: (names) => ({
    ...s3Grammar(names),
    bucket(text) {
      // A bucket is the first label of a host.
      if (/^[a-z0-9-]{3,63}$/.test(text) && !names.reservedBuckets.has(text)) return;
      throw clientError('InvalidBucketName', 'The toy has no such bucket.');
    },
  }),
  calls: {
    put: head('PUT', 'put', readEtag),
    get: head('GET', 'get', readObject),
    head: head('HEAD', 'get', readObject),
    delete: head('DELETE', 'delete', () => ({ versionId: undefined, deleteMarker: false })),
    list: {
      takes: 'stream',
      render: (asked) => ask('POST', 'list', asked),
      async read(body) {
        const page = json(String(await collect(body, 2 ** 20, () => unusable('is too long'))));
        const next = maybe(page.next);
        const entries = list(page.entries).map(readEntry);
        const commonPrefixes = list(page.prefixes).map(text);
        return { entries, commonPrefixes, truncated: flag(page.more), nextMarker: next, nextContinuationToken: next };
      },
    },
    listBuckets: document('listBuckets', ({ buckets }) =>
      list(buckets).map(({ name, made }) => ({ name: text(name), created: time(made) })),
    ),
    headBucket: head('HEAD', 'headBucket', nothing),
    createBucket: head('PUT', 'createBucket', nothing),
    deleteBucket: head('DELETE', 'deleteBucket', nothing),
    createUpload: document('createUpload', ({ id }) => text(id)),
    uploadPart: head('PUT', 'uploadPart', readEtag),
    impossiblePart: {
      ...document('impossiblePart', nothing),
      read: (bytes, { status }) => status === 400 && json(bytes.toString()).error === 'BadSum',
    },
    completeUpload: document('completeUpload', ({ etag }) => ({ etag: text(etag), versionId: undefined })),
    abortUpload: head('DELETE', 'abortUpload', nothing),
    listParts: document('listParts', ({ parts, more }) => {
      const each = list(parts).map((part) => ({ ...readEntry({ ...part, key: '' }), partNumber: count(part.number) }));
      return { parts: each, truncated: flag(more) };
    }),
    listUploads: document('listUploads', ({ uploads, more, next, nextId }) => ({
      uploads: list(uploads).map(({ key, id, begun }) => {
        return { key: text(key), uploadId: text(id), initiated: time(begun), storageClass: undefined };
      }),
      commonPrefixes: [],
      ...{ truncated: flag(more), nextKeyMarker: maybe(next), nextUploadIdMarker: maybe(nextId) },
    })),
  },
  limits: {
    ...{ smallestPartBytes: 2 ** 20, largestPartBytes: 2 ** 30, lastPartNumber: 10_000, largestPutBytes: 2 ** 24 },
    ...{ largestCopyBytes: 0, copyPartBytes: 2 ** 24, deletionsAtOnce: 1, entriesAPage: 5 },
    userMetadata: { bytes: 4096, count: (entries) => JSON.stringify(entries).length },
  },
  authorityOf: (endpoint, bucket) => (bucket === undefined ? endpoint.host : `${bucket}.${endpoint.host}`),
  sign({ method, path, headers }, credentials, host, now) {
    for (const name of ['host', 'toy-date', 'toy-signature']) headers.delete(name);
    headers.append('host', host).append('toy-date', now.toISOString());
    if (credentials === undefined) return;
    const words = [method, host, path, ...['toy-date', 'toy-call', 'toy-asked'].map((name) => headers.get(name))];
    const proof = createHmac('sha256', credentials.secret.reveal()).update(words.join('\n')).digest('hex');
    headers.append('toy-signature', `${credentials.accessKeyId} ${proof}`);
  },
  readError({ status, headers }, bytes, about, asker = 'gateway') {
    const said = bytes.length > 0 && bytes[0] === 0x7b ? json(bytes.toString()) : { error: headers.get('toy-error') };
    const word = String(said.error);
    const cause = new BackendRefusal(status, word, '');
    const claim = CLAIMS[status];
    if (claim !== undefined) return new StoreClaim(claim, { cause, details: { key: about.key ?? '' } });
    if (Object.hasOwn(ERROR_KINDS, word)) return clientError(word as InconclusiveCode, 'The toy refuses.', { cause });
    const key = asker === 'caller' ? 'BackendKeyRefused' : 'BackendError';
    const code =
      status >= 500 ? 'BackendUnavailable' : word === 'BadSignature' || status < 400 ? key : 'BackendRefused';
    return new GatewayError(code, 'The toy refuses.', { source: 'backend', cause });
  },
};
