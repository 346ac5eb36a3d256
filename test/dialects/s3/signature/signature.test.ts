import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { SignatureClaim } from '../../../../src/dialects/front-dialect.ts';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import {
  canonicalPaths,
  canonicalQuery,
  canonicalRequest,
  sha256Hex,
  stringToSign,
} from '../../../../src/dialects/s3/signature/canonical-request.ts';
import { signingKey } from '../../../../src/dialects/s3/signature/signing-key.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import type { WireRequest } from '../../../../src/wire/message.ts';
import fc, { runs } from '../../../support/property.ts';
import { readingOf } from '../../../support/reading.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';
import { ACCESS_KEY_ID, codeOf, encode, NOW, presign, SECRET, SETTINGS, sign, signedRequest } from './signing.ts';

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly canonicalSha256?: string;
}

interface Refused {
  readonly name: string;
  readonly vector: number;
  readonly code: string;
  readonly secret?: string;
  readonly now?: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly extraHeaders?: readonly (readonly [string, string])[];
  /** In the Authorization header. */
  readonly replace?: readonly [string, string];
  readonly replaceTarget?: readonly [string, string];
  readonly details?: Readonly<Record<string, string>>;
}

const file = JSON.parse(readFileSync(new URL('../../../vectors/s3/signatures.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
  readonly refused: readonly Refused[];
};

function claimOf(request: WireRequest): SignatureClaim {
  const claim = readingOf(s3Front, request, SETTINGS).claim();
  if (claim === undefined) throw new Error('no claim');
  return claim;
}

async function readAll(request: WireRequest, secret = SECRET, now = NOW): Promise<Buffer> {
  return await collect(claimOf(request).verify(secret, now).bytes(), 1 << 24, () => {
    throw new Error('too large');
  });
}

test('there are vectors', () => {
  expect(file.vectors).toHaveLength(4);
  expect(file.refused.length).toBeGreaterThan(50);
});

describe('signatures that are good', () => {
  test.each(file.vectors)('$name', async ({ method, target, headers, body, canonicalSha256 }) => {
    const request = wireRequest({ method, target, headers: Object.entries(headers), body: Buffer.from(body) });
    expect(s3Front.recognises(request)).toBe(true);
    expect(claimOf(request).accessKeyId).toBe(ACCESS_KEY_ID);
    if (canonicalSha256 !== undefined) {
      const text = canonicalRequest({
        method,
        path: canonicalPaths(request.target.rawPath)[0] as string,
        query: canonicalQuery(request.query),
        headers: request.headers,
        signedHeaders: ['content-type', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-meta-k1'],
        payloadHash: headers['x-amz-content-sha256'] as string,
      });
      expect(sha256Hex(text)).toBe(canonicalSha256);
    }
    expect((await readAll(request)).toString()).toBe(body);
  });

  test('at the edges of the window', async () => {
    const { method, target, headers } = file.vectors[0] as Vector;
    for (const minutes of [-15, 15]) {
      const request = wireRequest({ method, target, headers: Object.entries(headers), body: Buffer.from('hello') });
      const now = new Date(NOW.getTime() + minutes * 60_000);
      expect((await readAll(request, SECRET, now)).toString()).toBe('hello');
    }
  });

  test('a presigned URL in its last second, and one from a clock that is ahead', async () => {
    const { method, target, headers } = file.vectors[2] as Vector;
    for (const seconds of [300, -15 * 60]) {
      const request = wireRequest({ method, target, headers: Object.entries(headers) });
      expect(await readAll(request, SECRET, new Date(NOW.getTime() + seconds * 1000))).toHaveLength(0);
    }
  });

  test('the Date header stands for a missing x-amz-date', async () => {
    const { method, target, headers } = file.vectors[0] as Vector;
    // Same moment, so the same string to sign; but the list of signed headers names x-amz-date, which is now empty.
    const { 'x-amz-date': _, ...rest } = headers;
    const request = wireRequest({
      method,
      target,
      headers: [...Object.entries(rest), ['Date', 'Tue, 02 Jan 2024 03:04:05 GMT']],
    });
    expect(await codeOf(() => claimOf(request).verify(SECRET, NOW))).toBe('SignatureDoesNotMatch');
  });

  test('blanks in header values are collapsed, repeated headers joined', async () => {
    const { target, headers } = await sign({
      method: 'GET',
      path: '/b/k',
      headers: { 'x-amz-meta-a': 'one two', 'x-amz-meta-b': 'x,y' },
    });
    const loose = headers.flatMap(([name, value]): [string, string][] => {
      if (name === 'x-amz-meta-a') return [[name, '  one \t  two ']];
      if (name === 'x-amz-meta-b')
        return [
          [name, 'x'],
          ['X-Amz-Meta-B', 'y'],
        ];
      return [[name, value]];
    });
    expect(await readAll(wireRequest({ method: 'GET', target, headers: loose }))).toHaveLength(0);
  });

  test('an anonymous request has no claim', () => {
    const request = wireRequest({ method: 'GET', target: '/b/k', headers: [['host', 'h']] });
    expect(s3Front.recognises(request)).toBe(false);
    expect(readingOf(s3Front, request, SETTINGS).claim()).toBeUndefined();
  });
});

describe('signatures that are refused', () => {
  test.each(file.refused)('$name: $code', async (refused) => {
    const vector = file.vectors[refused.vector] as Vector;
    const headers: [string, string][] = [];
    for (const [name, value] of Object.entries({ ...vector.headers, ...refused.headers })) {
      if (value === null) continue;
      headers.push([name, name === 'authorization' && refused.replace ? replaced(value, refused.replace) : value]);
    }
    const target =
      refused.target ?? (refused.replaceTarget ? replaced(vector.target, refused.replaceTarget) : vector.target);
    const request = wireRequest({
      method: refused.method ?? vector.method,
      target,
      headers: [...headers, ...(refused.extraHeaders ?? [])],
      body: Buffer.from(vector.body),
    });
    const secret = refused.secret === undefined ? SECRET : signingSecret(refused.secret);
    const verify = () => readAll(request, secret, new Date(refused.now ?? NOW));
    await expect(verify()).rejects.toMatchObject({
      code: refused.code,
      source: 'client',
      ...(refused.details && { details: refused.details }),
    });
    const message = await verify().catch((error: Error) => error.message);
    expect(message).not.toMatch(/[0-9a-f]{64}/);
  });

  function replaced(text: string, [from, to]: readonly [string, string]): string {
    expect(text).toContain(from);
    return text.replace(from, to);
  }
});

const keyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((key) => !key.includes('\0'));
const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const headerText = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);

describe('compared with the AWS SDK’s signer', () => {
  const anyRequest = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'HEAD', 'POST', 'DELETE'),
    key: keyText,
    query: fc.dictionary(
      token.filter((name) => !name.startsWith('x-amz-')),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      { maxKeys: 4 },
    ),
    metadata: fc.dictionary(token, headerText, { maxKeys: 4 }),
    body: fc.uint8Array({ maxLength: 40 }),
  });

  function unsigned(drawn: typeof anyRequest extends fc.Arbitrary<infer T> ? T : never) {
    return {
      method: drawn.method,
      path: `/bucket/${drawn.key.split('/').map(encode).join('/')}`,
      query: drawn.query,
      headers: Object.fromEntries(Object.entries(drawn.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
      body: Buffer.from(drawn.body),
    };
  }

  test('whatever it signs in headers verifies, and not after a change', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, fc.nat(), async (drawn, at) => {
        const asked = unsigned(drawn);
        const request = await signedRequest(asked, { 'content-length': String(asked.body.length) });
        expect(await readAll(request)).toEqual(asked.body);

        const { target, headers } = await sign(asked);
        const changed = [...target];
        const place = 8 + (at % Math.max(1, target.length - 8));
        changed[place] = changed[place] === 'z' ? 'y' : 'z';
        const forged = wireRequest({ method: asked.method, target: changed.join(''), headers });
        expect(['SignatureDoesNotMatch', 'InvalidURI']).toContain(
          await codeOf(() => claimOf(forged).verify(SECRET, NOW)),
        );
      }),
      { numRuns: runs(150) },
    );
  });

  test('whatever it presigns verifies', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (drawn) => {
        const { body: _, ...asked } = { ...unsigned(drawn), headers: {} };
        const { target, headers } = await presign(asked);
        expect(await readAll(wireRequest({ method: asked.method, target, headers }))).toHaveLength(0);
        const later = new Date(NOW.getTime() + 301_000);
        const expired = wireRequest({ method: asked.method, target, headers });
        expect(await codeOf(() => claimOf(expired).verify(SECRET, later))).toBe('ExpiredRequest');
      }),
      { numRuns: 100 },
    );
  });

  test('a path that is sent less encoded than it was signed', async () => {
    const { headers } = await sign({ method: 'GET', path: '/bucket/a%28b%29%2Bc%3D%21%2A%27%3A%40' });
    expect(await readAll(wireRequest({ method: 'GET', target: "/bucket/a(b)+c=!*':@", headers }))).toHaveLength(0);
    const lower = wireRequest({ method: 'GET', target: '/bucket/a%28b%29%2bc%3d%21%2a%27%3a%40', headers });
    expect(await readAll(lower)).toHaveLength(0);
  });

  test('dots and double slashes are signed as they are', async () => {
    const { target, headers } = await sign({ method: 'GET', path: '/bucket//a/../b/./c' });
    expect(target).toBe('/bucket//a/../b/./c');
    expect(await readAll(wireRequest({ method: 'GET', target, headers }))).toHaveLength(0);
    const normalised = wireRequest({ method: 'GET', target: '/bucket/b/c', headers });
    expect(await codeOf(() => claimOf(normalised).verify(SECRET, NOW))).toBe('SignatureDoesNotMatch');
  });
});

describe('a plus in a query', () => {
  /** What aws4fetch, requests-aws4auth and http_build_query send: the query anew, as forms write it. */
  const asForm = (target: string) => target.replaceAll('%20', '+');
  const query = { 'list-type': '2', prefix: 'my own+backup' };
  const listed = (request: WireRequest) => readingOf(s3Front, request, SETTINGS).parse();

  test('is a blank that was signed as %20, in headers and presigned', async () => {
    for (const { target, headers } of [
      await sign({ method: 'GET', path: '/bucket', query }),
      await presign({ method: 'GET', path: '/bucket', query }),
    ]) {
      const request = wireRequest({ method: 'GET', target: asForm(target), headers });
      expect(request.target.rawQuery).toContain('prefix=my+own%2Bbackup');
      expect(await readAll(request)).toHaveLength(0);
      expect(listed(request)).toMatchObject({ operation: { kind: 'ListObjects', prefix: 'my own+backup' } });
    }
  });

  test.each([
    ['as it was sent', 'my+own%2Bbackup', 'nothing'],
    ['as %2B, which is another prefix', 'my%2Bown%2Bbackup', 'SignatureDoesNotMatch'],
    ['as two blanks', 'my%20own%20backup', 'SignatureDoesNotMatch'],
  ])('signed %s: %#', async (_how, prefix, code) => {
    const time = '20240102T030405Z';
    const scope = { date: '20240102', region: 'us-east-1', service: 's3' };
    const canonical = `GET\n/bucket\nlist-type=2&prefix=${prefix}\nhost:h\nx-amz-date:${time}\n\nhost;x-amz-date\nUNSIGNED-PAYLOAD`;
    const signed = signingKey(SECRET, scope).sign(stringToSign(time, scope, canonical));
    const request = wireRequest({
      method: 'GET',
      target: '/bucket?list-type=2&prefix=my+own%2Bbackup',
      headers: [
        ['Host', 'h'],
        ['x-amz-date', time],
        ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
        [
          'Authorization',
          `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/20240102/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signed}`,
        ],
      ],
    });
    expect(await codeOf(() => claimOf(request).verify(SECRET, NOW))).toBe(code);
  });

  test('stays a plus in a path', async () => {
    const { headers } = await sign({ method: 'GET', path: '/bucket/a%2Bb' });
    const request = wireRequest({ method: 'GET', target: '/bucket/a+b', headers });
    expect(await readAll(request)).toHaveLength(0);
    expect(listed(request)).toMatchObject({ operation: { ref: { key: 'a+b' } } });
    const blank = wireRequest({ method: 'GET', target: '/bucket/a%20b', headers });
    expect(await codeOf(() => claimOf(blank).verify(SECRET, NOW))).toBe('SignatureDoesNotMatch');
  });
});

test('non-ASCII header values are signed by their bytes', async () => {
  const { target, headers } = await sign({ method: 'GET', path: '/b/k', headers: { 'x-amz-meta-name': 'Zoë 中' } });
  const wire = headers.map(([name, value]): [string, string] => [name, Buffer.from(value, 'utf8').toString('latin1')]);
  expect(await readAll(wireRequest({ method: 'GET', target, headers: wire }))).toHaveLength(0);
});
