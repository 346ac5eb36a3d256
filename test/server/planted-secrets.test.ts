import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { answer, Listening } from './listening.ts';

/** Everything that a request or an error may carry and that no log line may show. */
const PLANTED = [
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  'IQoJb3JpZ2luX2VjEJrSessionToken0123456789',
  'plaintext-of-an-object',
  'planted-metadata-value',
  'planted-query-value',
  'planted-password',
];
const [secretKey, signature, token, plaintext, metadata, query, password] = PLANTED as [string, ...string[]];

const HEADERS = [
  'Host: a',
  `Authorization: AWS4-HMAC-SHA256 Credential=AKID/x, Signature=${signature}`,
  `x-amz-security-token: ${token}`,
  `x-amz-meta-note: ${metadata}`,
  'Content-Length: 22',
].join('\r\n');

const REQUEST = `PUT /bucket/key?X-Amz-Signature=${signature}&note=${query} HTTP/1.1\r\n${HEADERS}\r\n\r\n${plaintext}`;

/** Handlers that fail in every way, with errors that hold what they should not. */
const FAILURES: readonly (readonly [name: string, thrown: unknown])[] = [
  [
    'a typed error',
    new GatewayError('KeyStoreUnavailable', 'away', { source: 'keys', cause: new Error(`redis://u:${password}@h`) }),
  ],
  ['an argument error', new TypeError(`The "key" argument is invalid. Received '${secretKey}'`)],
  ['a parser’s error', new SyntaxError(`Unexpected token in ${plaintext}`)],
  [
    'a library’s error',
    Object.assign(new Error(`bad secret ${secretKey}`), { headers: { token }, config: { secretKey } }),
  ],
  ['a bare text', `${secretKey} ${plaintext}`],
];

describe('planted secrets', () => {
  it.each(FAILURES)('stay out of the log when the handler throws %s', async (_name, thrown) => {
    await using server = await Listening.start(async (request, trace) => {
      for await (const _ of request.body);
      trace.dialect = 's3';
      trace.operation = 'PutObject';
      trace.bucket = request.target.rawPath; // what a broken parser might take for a bucket
      throw thrown;
    });
    await using client = await server.open();
    expect((await client.send(REQUEST).closed()).statuses).toEqual([500]);
    await server.record();
    expect(server.lines).toHaveLength(1);
    for (const secret of PLANTED) expect(server.lines.join('')).not.toContain(secret);
  });

  it('stay out of the log when all goes well, and when HTTP is broken', async () => {
    await using server = await Listening.start(async (request) => {
      for await (const _ of request.body);
      return answer(200, plaintext);
    });
    await using client = await server.open();
    await client.send(REQUEST).until('200');
    await client.send(`GET /?note=${query} HTTP/9\r\nAuthorization: ${signature}\r\n\r\n`).closed();
    await server.record();
    expect(server.lines).toHaveLength(2);
    for (const secret of PLANTED) expect(server.lines.join('')).not.toContain(secret);
  });
});
