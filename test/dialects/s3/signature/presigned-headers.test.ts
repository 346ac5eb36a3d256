import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { stringToSign } from '../../../../src/dialects/s3/signature/canonical-request.ts';
import { signingKey } from '../../../../src/dialects/s3/signature/signing-key.ts';
import { clientError } from '../../../../src/errors.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import type { WireRequest } from '../../../../src/wire/message.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { ACCESS_KEY_ID, codeOf, encode, NOW, SECRET, SETTINGS } from './signing.ts';

/** Requests signed by hand, as SDKs do that write less, or other things, than `@smithy/signature-v4`. */

const TIME = '20240102T030405Z';
const SCOPE = { date: '20240102', region: 'us-east-1', service: 's3' };
const CREDENTIAL = `${ACCESS_KEY_ID}/20240102/us-east-1/s3/aws4_request`;
const HELLO = Buffer.from('hello');
const HELLO_MD5 = createHash('md5').update(HELLO).digest('base64');

type Fields = Readonly<Record<string, string>>;

interface Sent {
  readonly method?: string;
  /** Changes the query after the signature; undefined takes a parameter away. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Fields;
  readonly body?: Buffer;
}

function queryText(query: Fields): string {
  return Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

function signatureOf(method: string, query: string, signed: Fields, payload: string): string {
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
  const canonical = `${method}\n/bucket/key\n${query}\n${lines}\n${names.join(';')}\n${payload}`;
  return signingKey(SECRET, SCOPE).sign(stringToSign(TIME, SCOPE, canonical));
}

/** A presigned PUT, and what is sent of it. `signed` are the headers that its signature lists, beside the host. */
function presigned(query: Fields, signed: Fields, sent: Sent = {}): WireRequest {
  const whole: Record<string, string> = {
    ...query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': CREDENTIAL,
    'X-Amz-Date': TIME,
    'X-Amz-Expires': '300',
    'X-Amz-SignedHeaders': ['host', ...Object.keys(signed)].sort().join(';'),
  };
  const signature = signatureOf('PUT', queryText(whole), { host: 'h', ...signed }, 'UNSIGNED-PAYLOAD');
  for (const [name, value] of Object.entries({ ...sent.query, 'X-Amz-Signature': signature })) {
    if (value === undefined) delete whole[name];
    else whole[name] = value;
  }
  return requestOf(`/bucket/key?${queryText(whole)}`, { host: 'h', ...sent.headers }, sent);
}

function requestOf(target: string, headers: Fields, { method = 'PUT', body = HELLO }: Sent): WireRequest {
  const length = body.length === 0 ? {} : { 'content-length': String(body.length) };
  return wireRequest({ method, target, headers: Object.entries({ ...length, ...headers }), body });
}

async function taken(request: WireRequest): Promise<string> {
  const body = readingOf(s3Front, request, SETTINGS).claim()?.verify(SECRET, NOW);
  if (body === undefined) return 'anonymous';
  return (await collect(body.bytes(), 100, () => clientError('EntityTooLarge', 'too large'))).toString();
}

function metadataOf(request: WireRequest): unknown {
  const parsed = readingOf(s3Front, request, SETTINGS).parse();
  if (parsed.kind !== 'ready' || parsed.operation.kind !== 'PutObject') throw new Error('no PutObject');
  const { content, user, vendor } = parsed.operation.metadata;
  const said = Object.entries(content).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(said), user, vendor: [...(vendor?.headers ?? [])] };
}

/** What `getSignedUrl('putObject', …)` of the AWS SDK for JavaScript 2 makes of its parameters. */
const QUERY = {
  'Content-Type': 'text/csv',
  'Cache-Control': 'max-age=60',
  'Content-MD5': HELLO_MD5,
  'x-amz-acl': 'private',
  'x-amz-meta-color': 'blue',
  'x-amz-storage-class': 'STANDARD',
  'x-amz-tagging': 'a=1&b=2',
};
const LISTED = {
  'cache-control': 'max-age=60',
  'content-md5': HELLO_MD5,
  'x-amz-acl': 'private',
  'x-amz-meta-color': 'blue',
  'x-amz-storage-class': 'STANDARD',
  'x-amz-tagging': 'a=1&b=2',
};
const STORED = {
  contentType: 'text/csv',
  cacheControl: 'max-age=60',
  user: [['color', 'blue']],
  vendor: [
    ['x-amz-acl', 'private'],
    ['x-amz-storage-class', 'STANDARD'],
    ['x-amz-tagging', 'a=1&b=2'],
  ],
};

describe('headers that a presigned URL states in its query', () => {
  test('count, though nobody sends them', async () => {
    const request = presigned(QUERY, LISTED);
    expect(await taken(request)).toBe('hello');
    expect(metadataOf(request)).toEqual(STORED);
  });

  test('count once, where they are sent as well', async () => {
    const request = presigned(QUERY, LISTED, { headers: { ...LISTED, 'content-type': 'text/csv' } });
    expect(await taken(request)).toBe('hello');
    expect(metadataOf(request)).toMatchObject({ contentType: 'text/csv', user: [['color', 'blue']] });
  });

  test('are what they say where the signature does not list them: the query is signed', async () => {
    const request = presigned(QUERY, {});
    expect(await taken(request)).toBe('hello');
    expect(metadataOf(request)).toEqual(STORED);
  });

  test('hold of the body', async () => {
    const other = { body: Buffer.from('HELLO') };
    expect(await codeOf(() => taken(presigned(QUERY, LISTED, other)))).toBe('BadDigest');
    expect(await codeOf(() => taken(presigned(QUERY, {}, other)))).toBe('BadDigest');
    const malformed = presigned({ 'Content-MD5': 'hello' }, {});
    expect(await codeOf(() => taken(malformed))).toBe('InvalidDigest');
  });

  test.each<[string, Sent, string]>([
    ['another value in the query', { query: { 'x-amz-acl': 'public-read' } }, 'SignatureDoesNotMatch'],
    ['none any more', { query: { 'x-amz-acl': undefined } }, 'SignatureDoesNotMatch'],
    ['another value in the header', { headers: { 'x-amz-acl': 'public-read' } }, 'InvalidArgument'],
    ['another MD5 in the header', { headers: { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkQ==' } }, 'InvalidArgument'],
    ['another Cache-Control in the header', { headers: { 'cache-control': 'no-store' } }, 'InvalidArgument'],
    ['a second value in another case', { query: { 'cache-control': 'no-store' } }, 'InvalidArgument'],
    ['a header more', { headers: { 'x-amz-grant-read': 'everyone' } }, 'AccessDenied'],
    ['a parameter more', { query: { 'Content-Encoding': 'gzip' } }, 'SignatureDoesNotMatch'],
    ['another method', { method: 'POST' }, 'SignatureDoesNotMatch'],
  ])('are refused with %s', async (_change, sent, code) => {
    expect(await codeOf(() => taken(presigned(QUERY, LISTED, sent)))).toBe(code);
  });

  test('yield to the type of the file that is sent, as in S3', async () => {
    const request = presigned(QUERY, LISTED, { headers: { 'content-type': 'image/png' } });
    expect(await taken(request)).toBe('hello');
    expect(metadataOf(request)).toMatchObject({ contentType: 'image/png' });
  });

  test('but not where the type is signed', async () => {
    const signed = { ...LISTED, 'content-type': 'text/csv' };
    expect(await taken(presigned(QUERY, signed))).toBe('hello');
    const request = presigned(QUERY, signed, { headers: { 'content-type': 'text/html' } });
    expect(await codeOf(() => taken(request))).toBe('SignatureDoesNotMatch');
  });

  test.each([
    ['If-None-Match', '*', { conditions: { ifNoneMatch: '*' } }],
    ['Content-Disposition', 'inline', { metadata: { content: { contentDisposition: 'inline' } } }],
  ])('may be any that is signed: %s', async (name, value, expected) => {
    const request = presigned({ [name]: value }, { [name.toLowerCase()]: value });
    expect(await taken(request)).toBe('hello');
    expect(readingOf(s3Front, request, SETTINGS).parse()).toMatchObject({ operation: expected });
  });

  test('never say where the body ends, or who speaks', async () => {
    const request = presigned({ 'Content-Length': '5' }, { 'content-length': '5' }, { body: Buffer.alloc(0) });
    expect(await codeOf(() => taken(request))).toBe('SignatureDoesNotMatch');
    const host = presigned({ Host: 'h' }, {}, { headers: { host: 'other' } });
    expect(await codeOf(() => taken(host))).toBe('SignatureDoesNotMatch');
  });

  test('are nothing in the query of a request that is not presigned', () => {
    const target = '/bucket/key?Content-Type=text%2Fcsv&Cache-Control=no-store&X-Amz-SignedHeaders=cache-control';
    expect(metadataOf(requestOf(target, { host: 'h' }, {}))).toEqual({ user: [], vendor: [] });
  });
});

const SSE = 'x-amz-server-side-encryption';

describe.each([
  [SSE, 'AES256', 'aws:kms'],
  [`${SSE}-aws-kms-key-id`, 'cards', 'wages'],
  [`${SSE}-context`, 'eyJhIjoiYiJ9', 'eyJhIjoiYyJ9'],
  [`${SSE}-bucket-key-enabled`, 'true', 'false'],
  [`${SSE}-customer-algorithm`, 'AES256', 'AES128'],
  [`${SSE}-customer-key`, 'a2V5', 'S0VZ'],
  [`${SSE}-customer-key-md5`, 'bWQ1', 'TUQ1'],
  ['x-amz-copy-source-server-side-encryption-customer-algorithm', 'AES256', 'AES128'],
  ['x-amz-copy-source-server-side-encryption-customer-key', 'a2V5', 'S0VZ'],
  ['x-amz-copy-source-server-side-encryption-customer-key-md5', 'bWQ1', 'TUQ1'],
])('%s beside a presigned URL', (name, value, other) => {
  test('is taken as it was signed, and sent', async () => {
    expect(await taken(presigned({}, { [name]: value }, { headers: { [name]: value } }))).toBe('hello');
  });

  test.each<[string, Fields, Fields, Sent, string]>([
    ['is refused where it is not signed', {}, {}, { headers: { [name]: value } }, 'AccessDenied'],
    ['cannot be left out', {}, { [name]: value }, {}, 'SignatureDoesNotMatch'],
    ['cannot be another', {}, { [name]: value }, { headers: { [name]: other } }, 'SignatureDoesNotMatch'],
    ['cannot be put into the query', {}, {}, { query: { [name]: value } }, 'SignatureDoesNotMatch'],
    [
      'cannot be taken out of the query',
      { [name]: value },
      {},
      { query: { [name]: undefined } },
      'SignatureDoesNotMatch',
    ],
    ['cannot be another in the query', { [name]: value }, {}, { query: { [name]: other } }, 'SignatureDoesNotMatch'],
    ['is refused where only the query signs it', { [name]: value }, {}, { headers: { [name]: value } }, 'AccessDenied'],
  ])('%s', async (_what, query, signed, sent, code) => {
    expect(await codeOf(() => taken(presigned(query, signed, sent)))).toBe(code);
  });
});

/** A PUT that is signed in its headers, and what is sent of it. */
function signedInHeaders(
  signed: Fields,
  sent: Fields,
  options: Sent & { readonly payload?: string } = {},
): WireRequest {
  const { method = 'PUT', payload = 'UNSIGNED-PAYLOAD' } = options;
  const names = ['host', 'x-amz-date', ...Object.keys(signed)].sort();
  const signature = signatureOf(method, '', { host: 'h', 'x-amz-date': TIME, ...signed }, payload);
  const authorization = `AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return requestOf('/bucket/key', { host: 'h', 'x-amz-date': TIME, authorization, ...sent }, options);
}

describe('x-amz-content-sha256 that is sent and not listed', () => {
  const payload = createHash('sha256').update(HELLO).digest('hex');
  const sent = { 'x-amz-content-sha256': payload };

  test('is signed all the same: it ends the canonical request', async () => {
    expect(await taken(signedInHeaders({}, sent, { payload }))).toBe('hello');
  });

  test.each<[string, Fields, Buffer, string]>([
    ['another body', sent, Buffer.from('HELLO'), 'XAmzContentSHA256Mismatch'],
    ['UNSIGNED-PAYLOAD in its place', { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, HELLO, 'SignatureDoesNotMatch'],
    [
      'unsigned chunks in its place',
      { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      HELLO,
      'SignatureDoesNotMatch',
    ],
    ['another unsigned x-amz header', { ...sent, 'x-amz-acl': 'public-read' }, HELLO, 'AccessDenied'],
  ])('is refused with %s', async (_change, headers, body, code) => {
    expect(await codeOf(() => taken(signedInHeaders({}, headers, { payload, body })))).toBe(code);
  });
});

test.each([
  [500, 'nothing'],
  [501, 'malformed'],
])('%d signed headers: %s', async (count, expected) => {
  const names = Array.from({ length: count - 3 }, (_, at) => `x-amz-meta-${at}`);
  const signed = {
    ...Object.fromEntries(names.map((name) => [name, 'v'])),
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
  };
  const code = await codeOf(() => taken(signedInHeaders(signed, signed)));
  expect(code).toBe(expected === 'nothing' ? expected : 'AuthorizationHeaderMalformed');
  const metadata = Object.fromEntries(['x-amz-date', 'x-amz-content-sha256', ...names].map((name) => [name, 'v']));
  const inQuery = await codeOf(() => taken(presigned({}, metadata)));
  expect(inQuery).toBe(expected === 'nothing' ? 'SignatureDoesNotMatch' : 'AuthorizationQueryParametersError');
});

describe('signed headers that a proxy took away', () => {
  const nothing = Buffer.alloc(0);
  const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };

  test.each<[string, Fields, Sent]>([
    ['content-length: 0', { 'content-length': '0' }, { body: nothing }],
    ['content-length: 0 of a GET', { 'content-length': '0' }, { method: 'GET', body: nothing }],
    ['expect', { expect: '100-continue' }, {}],
    ['both', { 'content-length': '0', expect: '100-continue' }, { body: nothing }],
  ])('%s', async (_which, signed, sent) => {
    expect(await taken(signedInHeaders(signed, unsigned, sent))).toBe(sent.body === nothing ? '' : 'hello');
  });

  test.each<[string, Fields, Fields, Buffer]>([
    ['a length that was not 0', { 'content-length': '5' }, unsigned, nothing],
    ['a length of 0 before a body', { 'content-length': '0' }, unsigned, HELLO],
    [
      'a length of 0 before a chunked body',
      { 'content-length': '0' },
      { ...unsigned, 'transfer-encoding': 'chunked' },
      nothing,
    ],
    ['another expectation', { expect: '200-ok' }, unsigned, HELLO],
    ['any other header', { 'x-amz-acl': 'private' }, unsigned, HELLO],
    ['a content type', { 'content-type': 'text/csv' }, unsigned, HELLO],
  ])('not %s', async (_which, signed, sent, body) => {
    const request = signedInHeaders(signed, sent, { body });
    expect(await codeOf(() => taken(request))).toBe('SignatureDoesNotMatch');
  });
});
