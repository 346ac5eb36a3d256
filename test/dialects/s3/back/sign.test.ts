import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, test } from 'vitest';
import { HeaderList } from '../../../../src/wire/headers.ts';
import type { OutgoingBody, OutgoingRequest } from '../../../../src/wire/message.ts';
import { s3Back } from '../../../support/plain-back.ts';

const NOW = new Date('2026-11-21T01:02:03Z');
const credentials = { accessKeyId: 'AKID', secret: { reveal: () => 'sEcret/+' }, region: 'eu-test-1' };
const HOST = 'backend.example:9000';

/** What @smithy/signature-v4 writes for the same request. */
async function oracle(request: OutgoingRequest): Promise<string | undefined> {
  const signer = new SignatureV4({
    service: 's3',
    region: credentials.region,
    credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secret.reveal() },
    uriEscapePath: false,
    applyChecksum: false,
    sha256: class {
      readonly #hash;
      constructor(secret?: string | Buffer) {
        this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
      }
      update(chunk: Buffer) {
        this.#hash.update(chunk);
      }
      async digest() {
        return new Uint8Array(this.#hash.digest());
      }
    } as never,
  });
  const [path = '', query = ''] = request.path.split('?', 2);
  const kept = [...request.headers].filter(([name]) => /^(host|content-type|content-md5|x-amz-)/.test(name));
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: HOST,
      path,
      query: Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B'))),
      headers: Object.fromEntries(kept),
    },
    { signingDate: NOW },
  );
  return /Signature=([0-9a-f]{64})/.exec(signed.headers.authorization ?? '')?.[1];
}

async function expectSigned(request: OutgoingRequest): Promise<void> {
  s3Back.sign(request, credentials, HOST, NOW);
  const authorization = request.headers.get('authorization') ?? '';
  expect(/Signature=([0-9a-f]{64})$/.exec(authorization)?.[1]).toBe(await oracle(request));
  expect(authorization).toContain('Credential=AKID/20261121/eu-test-1/s3/aws4_request,');
}

const ref = { bucket: 'bucket', key: "/a b/ü%2F+(!)*'/\u0001" };
const metadata = { content: { contentType: 'text/plain' }, user: [['a', 'x  y']] as const };
const list = { bucket: 'bucket', prefix: 'a/ü +&=', delimiter: '/', maxKeys: 10, urlEncoded: true } as const;

describe('sign agrees with @smithy/signature-v4', () => {
  const requests: [string, OutgoingRequest][] = [
    ['put', s3Back.calls.put.render({ ref, metadata, conditions: { ifNoneMatch: '*' }, body: Buffer.from('hello') })],
    [
      'get a version',
      s3Back.calls.get.render({ ref: { ...ref, versionId: 'v/1+' }, conditions: {}, range: { first: 1, last: 2 } }),
    ],
    [
      'list 2',
      s3Back.calls.list.render({
        ...list,
        kind: 'ListObjects',
        form: 2,
        after: 'z',
        continuationToken: 'a/+=',
        withOwner: true,
      }),
    ],
    [
      'list versions',
      s3Back.calls.listVersions.render({ ...list, kind: 'ListObjectVersions', keyMarker: 'k', versionIdMarker: 'v' }),
    ],
    ['list buckets', s3Back.calls.listBuckets.render()],
    ['delete many', s3Back.calls.deleteMany.render({ bucket: 'bucket', targets: [{ key: 'a' }] })],
    ['create upload', s3Back.calls.createUpload.render({ ref, metadata })],
    ['upload part', s3Back.calls.uploadPart.render({ ref, uploadId: 'id/+', partNumber: 3, body: Buffer.from('x') })],
    [
      'complete',
      s3Back.calls.completeUpload.render({
        ref,
        uploadId: 'id',
        parts: [{ partNumber: 1, etag: 'e' }],
        conditions: {},
      }),
    ],
  ];
  test.each(requests)('%s', async (_name, request) => {
    await expectSigned(request);
    await expectSigned(request); // a retry signs again, over what the first left behind
    for (const name of ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'host']) {
      expect(request.headers.getAll(name)).toHaveLength(1);
    }
  });
});

describe('payload hash', () => {
  const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
  const big = Buffer.alloc(1024 * 1024);
  test.each<[string, OutgoingBody | undefined, string]>([
    ['no body', undefined, sha256('')],
    ['a document', Buffer.from('hello'), sha256('hello')],
    ['large bytes', big, 'UNSIGNED-PAYLOAD'],
    ['a stream', { bytes: 5, source: (async function* () {})() }, 'UNSIGNED-PAYLOAD'],
  ])('%s', (_what, body, hash) => {
    const request = { method: 'PUT', path: '/b/k', headers: new HeaderList(), body, idempotent: true };
    s3Back.sign(request, credentials, HOST, NOW);
    expect(request.headers.get('x-amz-content-sha256')).toBe(hash);
  });
});

test("a client's own signature never goes to the backend", () => {
  const headers = new HeaderList([
    'Authorization',
    'AWS4 x',
    'X-Amz-Security-Token',
    't',
    'X-Amz-Date',
    'd',
    'Host',
    'h',
  ]);
  const request = { method: 'GET', path: '/b?tagging', headers, body: undefined, idempotent: true };
  s3Back.sign(request, credentials, HOST, NOW);
  expect([...headers].map(([name]) => name)).toEqual(['host', 'x-amz-date', 'x-amz-content-sha256', 'authorization']);
  expect(headers.get('host')).toBe(HOST);
});

test('without credentials nothing of a signature is left, and the rest goes as it was', () => {
  const request = s3Back.calls.put.render({
    ref,
    metadata: { ...metadata, vendor: { dialect: 's3', headers: HeaderList.of([['x-amz-acl', 'private']]) } },
    conditions: {},
    body: Buffer.from('x'),
  });
  s3Back.sign(request, credentials, 'elsewhere', NOW); // a first attempt, say
  s3Back.sign(request, undefined, HOST, NOW);
  for (const name of ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']) {
    expect(request.headers.has(name)).toBe(false);
  }
  expect(request.headers.getAll('host')).toEqual([HOST]);
  expect(request.headers.get('x-amz-acl')).toBe('private');
  expect(request.path).not.toMatch(/X-Amz|Signature/);
});
