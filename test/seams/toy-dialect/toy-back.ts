import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { AnswerHead, DocumentCall, HeadCall } from '../../../src/dialects/backend-calls.ts';
import type { BackendDialect } from '../../../src/dialects/backend-dialect.ts';
import type { ForStore } from '../../../src/dialects/identifiers.ts';
import { s3Grammar } from '../../../src/dialects/s3/back/grammar.ts';
import { type ClaimCode, StoreClaim } from '../../../src/dialects/store-claim.ts';
import type { StorePut } from '../../../src/dialects/store-exchange.ts';
import { vendorHeadersFor } from '../../../src/dialects/vendor-headers.ts';
import { BackendRefusal, clientError, ERROR_KINDS, GatewayError, type InconclusiveCode } from '../../../src/errors.ts';
import type { VendorHeaders } from '../../../src/operations/object.ts';
import { collect } from '../../../src/wire/bodies/collect.ts';
import type { OutgoingRequest } from '../../../src/wire/message.ts';
import { percentEncodePath } from '../../../src/wire/percent.ts';

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

/** Reads what the store told, in its own words: those of the gateway, with dates as text. */
function read<Answer>(schema: z.ZodType, text: string): Answer {
  try {
    return schema.parse(JSON.parse(text)) as Answer;
  } catch (cause) {
    throw new GatewayError('BackendError', 'The toy tells what it may not.', { source: 'backend', cause });
  }
}

function head<A>(method: string, name: string, schema: z.ZodType): HeadCall<A, never> {
  const told = ({ status, headers }: AnswerHead) => (status === 200 && headers.get('toy-told')) || '';
  return {
    takes: 'nothing',
    render: (asked) => ask(method, name, asked as Asked),
    read: (answer) => read(schema, Buffer.from(told(answer), 'base64url').toString()),
  };
}

function document<A>(name: string, schema: z.ZodType): DocumentCall<A, never> {
  const render = (asked: ForStore<A>) => ask('POST', name, asked as Asked);
  return { takes: 'document', render, read: (bytes) => read(schema, bytes.toString()) };
}

const [text, flag, count] = [z.string(), z.boolean(), z.int().nonnegative()];
const time = z.iso.datetime().transform((date) => new Date(date));
const nothing = z.object({}).transform(() => undefined);
const named = z.object({ etag: text });
const kept = named.extend({ storedBytes: count, lastModified: time });
const found = kept.extend({
  storedRange: z.object({ first: count, last: count }).optional(),
  metadata: z.object({ content: z.record(text, text), user: z.array(z.tuple([text, text])) }),
});
const page = z.object({ truncated: flag });
const keys = page.extend({ entries: z.array(kept.extend({ key: text })), commonPrefixes: z.array(text) }).loose();
const buckets = z.array(z.object({ name: text, created: time }));
const uploads = z.array(z.object({ key: text, uploadId: text, initiated: time }));

const tooLong = () => new GatewayError('BackendError', 'The toy tells too much.', { source: 'backend' });
const refusal = z.object({ error: text }).transform(({ error }) => error);
const wordIn = (bytes: Buffer): string => read(refusal, bytes.toString());
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
    put: head('PUT', 'put', named),
    get: head('GET', 'get', found),
    head: head('HEAD', 'get', found),
    delete: head('DELETE', 'delete', z.object({ deleteMarker: flag })),
    list: {
      takes: 'stream',
      render: (asked) => ask('POST', 'list', asked),
      read: async (body) => read(keys, String(await collect(body, 2 ** 20, tooLong))),
    },
    listBuckets: document(
      'listBuckets',
      z.object({ buckets }).transform((told) => told.buckets),
    ),
    headBucket: head('HEAD', 'headBucket', nothing),
    createBucket: head('PUT', 'createBucket', nothing),
    deleteBucket: head('DELETE', 'deleteBucket', nothing),
    createUpload: document(
      'createUpload',
      z.object({ id: text }).transform(({ id }) => id),
    ),
    uploadPart: head('PUT', 'uploadPart', named),
    impossiblePart: {
      ...document('impossiblePart', nothing),
      read: (bytes, { status }) => status === 400 && wordIn(bytes) === 'BadSum',
    },
    completeUpload: document('completeUpload', named),
    abortUpload: head('DELETE', 'abortUpload', nothing),
    listParts: document('listParts', page.extend({ parts: z.array(kept.extend({ partNumber: count })) })),
    listUploads: document('listUploads', page.extend({ uploads }).loose()),
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
    const word = bytes[0] === 0x7b ? wordIn(bytes) : String(headers.get('toy-error'));
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
