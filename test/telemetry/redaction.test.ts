import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { allowedFields, bucketField, describeError, describeStack, scrub } from '../../src/telemetry/redaction.ts';

/** Planted: each must never come out of anything here. */
const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const ROOT_KEY = 'h3jM0Yc5b8nH1c2VZx4k7Qp9sT6uW0yA2bD4eF6gH8k=';
const HEX_SIGNATURE = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
const TOKEN = 'IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ';

describe('scrub', () => {
  it.each([
    [`GET /b/k?X-Amz-Signature=${HEX_SIGNATURE}&X-Amz-Security-Token=${TOKEN}`, HEX_SIGNATURE, TOKEN],
    [`Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101, Signature=${HEX_SIGNATURE}`, HEX_SIGNATURE, 'AKID'],
    ['authorization: QS AKID:c2lnbmF0dXJlMTIzNDU2Nzg5MA==', 'c2lnbmF0dXJl'],
    ['connect redis://sealgate:hunter2@redis.internal:6379 failed', 'hunter2'],
    [`ERR unknown command 'SETT', with args beginning with: '${SECRET_KEY}'`, SECRET_KEY],
    ['Unexpected token \'p\', "plaintext of a record" is not valid JSON', 'plaintext'],
    ['The "key" argument must be of type string. Received \'hunter2\'', 'hunter2'],
    [`bad key ${SECRET_KEY} given`, SECRET_KEY],
    [`bad key ${ROOT_KEY} given`, ROOT_KEY],
    [`digest ${HEX_SIGNATURE}`, HEX_SIGNATURE],
    ['password=hunter2 token: hunter2 secret_access_key = hunter2', 'hunter2'],
    ['x-amz-security-token: hunter2', 'hunter2'],
    ['/bucket/key?versionId=1&hunter2', 'hunter2'],
  ])('takes the secret out of %s', (text, ...secrets) => {
    for (const secret of secrets) expect(scrub(text)).not.toContain(secret);
  });

  it.each([
    'connect ECONNREFUSED 127.0.0.1:9000',
    'The backend did not answer in time.',
    'getaddrinfo ENOTFOUND minio.storage.svc.cluster.local',
    'Worker 2 ended before it listened.',
  ])('leaves what helps: %s', (text) => {
    expect(scrub(text)).toBe(text);
  });

  it('bounds what it keeps', () => {
    expect(scrub('a b '.repeat(10_000)).length).toBeLessThan(600);
  });
});

describe('fields', () => {
  it('outside the list do not exist, whatever they hold', () => {
    const fields = {
      status: 200,
      authorization: SECRET_KEY,
      headers: { a: SECRET_KEY },
      url: '/x?y',
      secret: SECRET_KEY,
    };
    expect(allowedFields(fields)).toEqual({ status: 200 });
  });

  it('on the list hold plain values only, scrubbed', () => {
    const fields = { detail: `key ${SECRET_KEY}`, reason: Buffer.from(ROOT_KEY), requestId: 'ABCDEF0123456789' };
    expect(allowedFields(fields)).toEqual({ detail: 'key [redacted]', requestId: 'ABCDEF0123456789' });
  });

  it('do not repeat a bucket that is no name', () => {
    expect(bucketField('acme-photos.2026')).toBe('acme-photos.2026');
    expect(bucketField(SECRET_KEY)).toBe('[invalid]');
    expect(bucketField('a\nb')).toBe('[invalid]');
    expect(bucketField(undefined)).toBeUndefined();
  });
});

describe('errors', () => {
  it('are told by class, code and scrubbed message, cause by cause', () => {
    const root = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' });
    const error = new GatewayError('KeyStoreUnavailable', 'The key store does not answer.', {
      source: 'keys',
      cause: root,
    });
    expect(describeError(error)).toBe(
      'GatewayError KeyStoreUnavailable: The key store does not answer. < Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.1:6379',
    );
  });

  it('of parsers keep their message to themselves', () => {
    let thrown: unknown;
    try {
      JSON.parse(`{"secret": ${SECRET_KEY}`);
    } catch (error) {
      thrown = error;
    }
    expect(describeError(thrown)).toBe('SyntaxError');
  });

  it('that are no errors say only what they are', () => {
    expect(describeError(SECRET_KEY)).toBe('thrown string');
  });

  it('in a circle of causes end', () => {
    const error = new Error('a');
    error.cause = error;
    expect(describeError(error).split(' < ')).toHaveLength(4);
  });

  it('of nobody’s making show frames, and no message', () => {
    const stack = describeStack(new TypeError(`Received '${SECRET_KEY}'`));
    expect(stack).toMatch(/^at /);
    expect(stack).not.toContain(SECRET_KEY);
    expect(
      describeStack(new GatewayError('BackendUnavailable', 'x', { source: 'backend', cause: new Error('y') })),
    ).toBe(undefined);
  });
});
