import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { SignatureClaim } from '../../../../src/dialects/front-dialect.ts';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { clientError } from '../../../../src/errors.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import type { WireRequest } from '../../../../src/wire/message.ts';
import { readingOf } from '../../../support/reading.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';
import { ACCESS_KEY_ID, NOW, SECRET } from './signing.ts';

interface Vector {
  readonly name: string;
  readonly as: 'docs' | 'sdk';
  readonly now: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Its Content-MD5 is of a body that the documentation does not show. */
  readonly unread?: boolean;
}

interface Refused {
  readonly name: string;
  readonly vector: string;
  readonly code: string;
  readonly now?: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

const file = JSON.parse(readFileSync(new URL('../../../vectors/s3/signatures-v2.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
  readonly refused: readonly Refused[];
};

const SETTINGS = { region: 'us-east-1', domains: ['s3.amazonaws.com'] } as const;
const SECRETS = {
  docs: signingSecret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  sdk: SECRET,
} as const;

function claimOf(request: WireRequest): SignatureClaim {
  const claim = readingOf(s3Front, request, SETTINGS).claim();
  if (claim === undefined) throw new Error('no claim');
  return claim;
}

function requestOf({ method, target, headers, body = '' }: Pick<Vector, 'method' | 'target' | 'headers' | 'body'>) {
  return wireRequest({ method, target, headers: Object.entries(headers), body: Buffer.from(body) });
}

/** Signed here, for what the vectors do not have: the string is written out by hand in the test. */
function signature(text: string): string {
  return createHmac('sha1', SECRET.reveal()).update(text).digest('base64');
}

function signed(
  request: { readonly method?: string; readonly target: string; readonly headers?: Readonly<Record<string, string>> },
  text: string,
  body = '',
): WireRequest {
  const date = NOW.toUTCString();
  const { method = 'GET', target, headers = {} } = request;
  const authorization = `AWS ${ACCESS_KEY_ID}:${signature(text.replace('DATE', date))}`;
  return requestOf({ method, target, headers: { host: 'localhost', date, authorization, ...headers }, body });
}

async function bodyOf(request: WireRequest): Promise<string> {
  const body = claimOf(request).verify(SECRET, NOW);
  return (await collect(body.bytes(), 1 << 20, () => clientError('EntityTooLarge', 'too large'))).toString();
}

async function codeOf(request: WireRequest): Promise<string> {
  return bodyOf(request).then(
    () => 'none',
    (error: { code: string }) => error.code,
  );
}

test('there are vectors', () => {
  expect(file.vectors.length).toBeGreaterThan(10);
  expect(file.refused.length).toBeGreaterThan(35);
});

describe('signatures of version 2 that are good', () => {
  test.each(file.vectors)('$name', async (vector) => {
    const request = requestOf(vector);
    expect(s3Front.recognises(request)).toBe(true);
    const claim = claimOf(request);
    const reads = vector.method === 'GET' || vector.method === 'HEAD';
    expect(claim.legacy?.presignedRead).toBe(reads && vector.target.includes('Signature='));
    const setting = claim.legacy?.presignedRead === true ? '--sigv2 presigned-reads' : '--sigv2 on';
    expect(claim.legacy?.refusal()).toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining(setting),
    });
    expect(claim.accessKeyId).toBe(vector.as === 'docs' ? 'AKIAIOSFODNN7EXAMPLE' : ACCESS_KEY_ID);
    const body = claim.verify(SECRETS[vector.as], new Date(vector.now));
    if (vector.unread === true) return;
    const bytes = await collect(body.bytes(), 100, () => clientError('EntityTooLarge', 'too large'));
    expect(bytes.toString()).toBe(vector.body ?? '');
  });

  test('are told apart from those of version 4, which every tenant has', () => {
    const authorization = `AWS4-HMAC-SHA256 Credential=A/20240102/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=${'0'.repeat(64)}`;
    const headers = { host: 'h', 'x-amz-date': '20240102T030405Z', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    expect(claimOf(requestOf({ method: 'GET', target: '/', headers: { ...headers, authorization } })).legacy).toBe(
      undefined,
    );
  });

  test.each([
    ['decoded, as botocore signs', 'versionId=a+/b='],
    ['as sent, as AWS does', 'versionId=a%2B%2Fb%3D'],
  ])('a sub-resource’s value %s', async (_how, resource) => {
    const text = `GET\n\n\nDATE\n/bucket/key?${resource}`;
    expect(await codeOf(signed({ target: '/bucket/key?versionId=a%2B%2Fb%3D' }, text))).toBe('none');
  });

  test.each(['?uploads', '?uploads='])('a sub-resource without a value: %s', async (query) => {
    const text = 'POST\n\n\nDATE\n/bucket/key?uploads';
    expect(await codeOf(signed({ method: 'POST', target: `/bucket/key${query}` }, text))).toBe('none');
    expect(await codeOf(signed({ method: 'POST', target: '/bucket/key?uploads=' }, `${text}=`))).toBe('none');
  });

  test('a bucket’s path that ends with a slash only where it is signed, as botocore’s does', async () => {
    expect(await codeOf(signed({ target: '/bucket?prefix=a' }, 'GET\n\n\nDATE\n/bucket/'))).toBe('none');
    expect(await codeOf(signed({ target: '/bucket/key' }, 'GET\n\n\nDATE\n/bucket/key/'))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(await codeOf(signed({ target: '/' }, 'GET\n\n\nDATE\n//'))).toBe('SignatureDoesNotMatch');
  });

  test('sub-resources in order of their names, other parameters unsigned', async () => {
    const text = 'PUT\n\n\nDATE\n/bucket/key?partNumber=1&uploadId=u';
    expect(
      await codeOf(signed({ method: 'PUT', target: '/bucket/key?uploadId=u&x-id=UploadPart&partNumber=1' }, text)),
    ).toBe('none');
  });

  test('an override with an ampersand', async () => {
    const value = 'attachment; filename="a&b=c.txt"';
    const text = `GET\n\n\nDATE\n/bucket/key?response-content-disposition=${value}`;
    const target = `/bucket/key?response-content-disposition=${encodeURIComponent(value)}`;
    expect(await codeOf(signed({ target }, text))).toBe('none');
  });

  test('a blank sent as a plus, and a signature whose plus was not encoded', async () => {
    const text = 'GET\n\n\nDATE\n/bucket/key?response-content-disposition=attachment; filename="a b+c.txt"';
    const target = '/bucket/key?response-content-disposition=attachment%3B+filename%3D%22a+b%2Bc.txt%22';
    expect(await codeOf(signed({ target }, text))).toBe('none');

    const expires = NOW.getTime() / 1000 + 60;
    const keys = Array.from({ length: 100 }, (_, at) => `/bucket/key${at}`);
    const path = keys.find((key) => signature(`GET\n\n\n${expires}\n${key}`).includes('+')) as string;
    const bare = signature(`GET\n\n\n${expires}\n${path}`);
    const presigned = `${path}?AWSAccessKeyId=${ACCESS_KEY_ID}&Expires=${expires}&Signature=${bare}`;
    expect(await codeOf(requestOf({ method: 'GET', target: presigned, headers: { host: 'localhost' } }))).toBe('none');
  });

  test('x-amz headers in any order and case, repeated ones joined', async () => {
    const text = 'GET\n\n\nDATE\nx-amz-meta-a:1,2\nx-amz-meta-b:x\n/bucket/key';
    const first = signed({ target: '/bucket/key', headers: { 'X-Amz-Meta-B': 'x', 'x-amz-meta-a': '1' } }, text);
    const repeated = wireRequest({
      method: 'GET',
      target: '/bucket/key',
      headers: [...first.headers, ['X-AMZ-Meta-A', ' 2 ']],
    });
    expect(await codeOf(repeated)).toBe('none');
  });

  test('x-amz fields that boto3 puts into a presigned URL', async () => {
    const expires = String(NOW.getTime() / 1000 + 60);
    const text = `PUT\n\ntext/plain\n${expires}\nx-amz-acl:private\nx-amz-meta-a:1\n/bucket/key`;
    const query = new URLSearchParams({
      'x-amz-acl': 'private',
      'x-amz-meta-a': '1',
      'content-type': 'text/plain',
      AWSAccessKeyId: ACCESS_KEY_ID,
      Expires: expires,
      Signature: signature(text),
    });
    const headers = { host: 'localhost', 'content-type': 'text/plain', 'content-length': '5' };
    const asked = { method: 'PUT', target: `/bucket/key?${query}`, headers, body: 'hello' };
    expect(await bodyOf(requestOf(asked))).toBe('hello');
    const parsed = readingOf(s3Front, requestOf(asked), SETTINGS).parse();
    expect(parsed).toMatchObject({ operation: { kind: 'PutObject', metadata: { user: [['a', '1']] } } });
  });
});

describe('signatures of version 2 that are refused', () => {
  test.each(file.refused)('$name: $code', async (refused) => {
    const chunks = {
      name: 'signed chunks',
      ...{ as: 'sdk', now: NOW.toISOString(), method: 'PUT', target: '/bucket/key' },
      headers: {
        host: 'h',
        date: NOW.toUTCString(),
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        'x-amz-decoded-content-length': '5',
        authorization: `AWS ${ACCESS_KEY_ID}:${signature(`PUT\n\n\n${NOW.toUTCString()}\nx-amz-content-sha256:STREAMING-AWS4-HMAC-SHA256-PAYLOAD\nx-amz-decoded-content-length:5\n/bucket/key`)}`,
      },
    } as const;
    const vector = [...file.vectors, chunks].find(({ name }) => name === refused.vector) as Vector;
    const { method = vector.method, target = vector.target, now = vector.now } = refused;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries({ ...vector.headers, ...refused.headers })) {
      if (value !== null) headers[name] = value;
    }
    const request = requestOf({ method, target, headers, body: vector.body ?? '' });
    const verify = () => claimOf(request).verify(SECRETS[vector.as], new Date(now));
    expect(verify).toThrow(expect.objectContaining({ code: refused.code, source: 'client' }));
  });

  test('with another secret', async () => {
    const request = requestOf(file.vectors[0] as Vector);
    expect(() => claimOf(request).verify(SECRET, new Date('2007-03-27T19:36:42Z'))).toThrow('does not match');
  });

  test('a decoded value that reads like several parameters', async () => {
    const text = 'PUT\n\n\nDATE\n/bucket/key?partNumber=1&uploadId=u';
    const forged = signed({ method: 'PUT', target: '/bucket/key?partNumber=1%26uploadId%3Du' }, text);
    expect(await codeOf(forged)).toBe('SignatureDoesNotMatch');
  });

  test('by a text to compare with that holds no header’s value', async () => {
    const headers = { 'x-amz-meta-a': 'planted', 'x-amz-server-side-encryption-customer-key': 'planted too' };
    const request = signed({ target: '/bucket/key?acl', headers }, 'another text');
    await expect(bodyOf(request)).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
      details: {
        StringToSign: `GET\n\n\n${NOW.toUTCString()}\nx-amz-meta-a:…\nx-amz-server-side-encryption-customer-key:…\n/bucket/key?acl`,
      },
    });
  });

  test('a body that is not what x-amz-content-sha256, Content-MD5 or Content-Length say', async () => {
    const put = { method: 'PUT', target: '/bucket/key' };
    const sha = 'a'.repeat(64);
    const hashed = { ...put, headers: { 'x-amz-content-sha256': sha } };
    const text = `PUT\n\n\nDATE\nx-amz-content-sha256:${sha}\n/bucket/key`;
    expect(
      await codeOf(signed({ ...hashed, headers: { ...hashed.headers, 'content-length': '5' } }, text, 'hello')),
    ).toBe('XAmzContentSHA256Mismatch');
    const md5 = 'XUFAKrxLKna5cZ2REBfFkg==';
    const digest = `PUT\n${md5}\n\nDATE\n/bucket/key`;
    const headers = { 'content-md5': md5, 'content-length': '5' };
    expect(await codeOf(signed({ ...put, headers }, digest, 'hello'))).toBe('none');
    expect(await codeOf(signed({ ...put, headers }, digest, 'hellp'))).toBe('BadDigest');
    expect(await codeOf(signed({ ...put, headers }, digest, 'hell'))).toBe('IncompleteBody');
  });
});
