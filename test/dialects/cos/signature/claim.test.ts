import { describe, expect, it } from 'vitest';
import { readCosClaim } from '../../../../src/dialects/cos/signature/claim.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';
import { type CosSigned, cosAuthorization, cosFields } from '../sign.ts';

const KEY = { accessKeyId: 'AKIDEXAMPLE', secret: 'cosSecretKeyExample' };
const HOST = 'acme-1250000000.cos.ap-guangzhou.myqcloud.com:8080';

type Pairs = readonly (readonly [string, string])[];

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Pairs;
  readonly query?: Pairs;
  /** What is signed of these, by name. The default is all. */
  readonly signs?: (name: string) => boolean;
  readonly in?: 'header' | 'query' | 'sign';
  readonly times?: Pick<CosSigned, 'signTime' | 'keyTime'>;
}

/** How the gateway answers to a request that is signed by the rules of the vendor's page. */
function outcome({ method = 'GET', path = '/k', host = HOST, headers = [], query = [], ...sent }: Sent): string {
  const signs = sent.signs ?? (() => true);
  const signed = {
    ...KEY,
    ...sent.times,
    method,
    path,
    headers: [['host', host] as const, ...headers].filter(([name]) => signs(name.toLowerCase())),
    parameters: query.filter(([name]) => signs(name)),
  };
  const text = (pairs: Pairs) => pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  const place = sent.in ?? 'header';
  const signature = { header: '', query: text(cosFields(signed)), sign: text([['sign', cosAuthorization(signed)]]) };
  const authorization = place === 'header' ? ([['Authorization', cosAuthorization(signed)]] as const) : [];
  const request = wireRequest({
    method,
    target: `${encodeURI(path)}?${[text(query), signature[place]].filter((piece) => piece !== '').join('&')}`,
    headers: [['Host', HOST], ...headers, ...authorization],
  });
  return verified(request, path);
}

function verified(request: ReturnType<typeof wireRequest>, path: string): string {
  try {
    const claim = readCosClaim(request, path);
    if (claim === undefined) return 'anonymous';
    claim.verify(signingSecret(KEY.secret), new Date());
    return claim.presigned === true ? 'presigned' : 'verified';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('the places of a signature', () => {
  it.each([
    ['header', 'verified'],
    ['query', 'presigned'],
    ['sign', 'presigned'],
  ] as const)('%s', (place, expected) => {
    expect(outcome({ in: place })).toBe(expected);
    expect(outcome({ in: place, query: [['acl', '']] })).toBe(expected);
    expect(outcome({ in: place, times: { signTime: [1, 2] } })).toBe('ExpiredRequest');
  });

  it('takes a host with and without its port, and no other', () => {
    expect(outcome({ host: HOST.replace(':8080', '') })).toBe('verified');
    expect(outcome({ host: HOST.replace(':8080', ':8081') })).toBe('SignatureDoesNotMatch');
    expect(outcome({ host: 'other-1250000000.cos.ap-guangzhou.myqcloud.com' })).toBe('SignatureDoesNotMatch');
  });

  it('reads no request with two signatures, and none that is doubled or misses a field', () => {
    const signed = { ...KEY, method: 'GET', path: '/k', headers: [['host', HOST]] as const };
    const fields = cosFields(signed);
    const of = (pieces: Pairs, target = '/k') =>
      verified(
        wireRequest({
          method: 'GET',
          target,
          headers: [
            ['Host', HOST],
            ['Authorization', pieces.map((piece) => piece.join('=')).join('&')],
          ],
        }),
        '/k',
      );
    expect(of(fields)).toBe('verified');
    expect(of(fields.toReversed())).toBe('verified');
    const query = fields.map((pair) => pair.join('=')).join('&');
    expect(of(fields, `/k?${query}`)).toBe('AuthorizationHeaderMalformed');
    for (const field of fields) {
      expect(of([...fields, field]), field[0]).toBe('AuthorizationHeaderMalformed');
      const without = fields.filter((other) => other !== field);
      const lists = ['q-header-list', 'q-url-param-list'];
      const expected = lists.includes(field[0]) ? /SignatureDoesNotMatch|verified/ : /AuthorizationHeaderMalformed/;
      expect(of(without), field[0]).toMatch(expected);
    }
    expect(of(fields.map(([name, value]) => [name, name === 'q-sign-algorithm' ? 'sha256' : value]))).toBe(
      'AuthorizationHeaderMalformed',
    );
  });
});

describe('times', () => {
  const now = Math.floor(Date.now() / 1000);

  it.each([
    [[now - 10, now + 10], [now - 10, now + 10], 'verified'],
    [[now + 50, now + 100], [now, now + 100], 'verified'],
    [[now + 70, now + 100], [now, now + 100], 'ExpiredRequest'],
    [[now - 10, now - 1], [now - 10, now + 10], 'ExpiredRequest'],
    [[now - 10, now + 10], [now - 100, now - 50], 'ExpiredRequest'],
    [[now - 10, now + 10], [now - 5, now + 10], 'AccessDenied'],
    [[now - 10, now + 20], [now - 10, now + 10], 'AccessDenied'],
    [[now + 10, now - 10], [now - 10, now + 10], 'AuthorizationHeaderMalformed'],
  ] as const)('a signature of %j by a key of %j is %s', (signTime, keyTime, expected) => {
    expect(outcome({ times: { signTime, keyTime } })).toBe(expected);
  });
});

describe('temporary credentials', () => {
  it.each([
    ['a header', { headers: [['x-cos-security-token', 'T']] }, 'InvalidToken'],
    ['a parameter', { in: 'query', query: [['x-cos-security-token', 'TOK+/=']] }, 'InvalidToken'],
    ['an empty one', { headers: [['x-cos-security-token', '']] }, 'verified'],
  ] as const)('%s: %s', (_name, sent, expected) => {
    expect(outcome({ ...sent, signs: (name) => name !== 'x-cos-security-token' })).toBe(expected);
  });
});

describe('what a signature does not cover', () => {
  const HEADERS: readonly (readonly [string, string, 'PUT' | 'GET', string])[] = [
    ['x-cos-copy-source', 'acme-1250000000.cos.ap-guangzhou.myqcloud.com/secret', 'PUT', 'AccessDenied'],
    ['x-cos-acl', 'public-read', 'PUT', 'AccessDenied'],
    ['x-cos-server-side-encryption', 'AES256', 'PUT', 'AccessDenied'],
    ['x-cos-server-side-encryption-customer-key', 'k', 'PUT', 'AccessDenied'],
    ['x-cos-server-side-encryption-customer-key', 'k', 'GET', 'verified'],
    ['x-cos-server-side-encryption', 'AES256', 'GET', 'AccessDenied'],
    ['x-cos-meta-added', '1', 'PUT', 'AccessDenied'],
    ['x-cos-storage-class', 'ARCHIVE', 'PUT', 'AccessDenied'],
    ['x-cos-unheard-of', '1', 'GET', 'AccessDenied'],
    ['x-ci-anything', '1', 'PUT', 'AccessDenied'],
    ['Pic-Operations', '{}', 'PUT', 'AccessDenied'],
    ['x-cos-sdk-retry', 'true', 'PUT', 'verified'],
    ['x-cos-traffic-limit', '819200', 'GET', 'verified'],
    ['User-Agent', 'any', 'PUT', 'verified'],
    ['Range', 'bytes=0-1', 'GET', 'verified'],
  ];

  it.each(HEADERS)('the header %s: %s, added to a %s, is %s', (name, value, method, expected) => {
    expect(outcome({ method, headers: [[name, value]], signs: (each) => each === 'host' })).toBe(expected);
    expect(outcome({ method, headers: [[name, value]] })).toBe('verified');
  });

  const PARAMETERS: readonly (readonly [string, string])[] = [
    ...['acl', 'uploads', 'delete', 'tagging', 'uploadId', 'partNumber', 'versionId', 'append', 'x'].map(
      (name) => [name, 'AccessDenied'] as const,
    ),
    ...['response-content-type', 'marker', 'max-keys', 'prefix'].map((name) => [name, 'verified'] as const),
  ];

  it.each(PARAMETERS)('the parameter %s, added to a request, is %s', (name, expected) => {
    const query = [[name, 'v']] as const;
    expect(outcome({ query, signs: (each) => each === 'host' })).toBe(expected);
    expect(outcome({ query })).toBe('verified');
  });

  it('a listed parameter or header that is there twice is no longer what was signed', () => {
    const request = (target: string, more: Pairs) => {
      const signed = {
        ...KEY,
        method: 'GET',
        path: '/k',
        headers: [
          ['host', HOST],
          ['x-cos-acl', 'private'],
        ] as const,
        parameters: [['versionId', '1']] as const,
      };
      const headers = [
        ['Host', HOST],
        ['Authorization', cosAuthorization(signed)],
        ['x-cos-acl', 'private'],
      ] as const;
      return verified(wireRequest({ method: 'GET', target, headers: [...headers, ...more] }), '/k');
    };
    expect(request('/k?versionId=1', [])).toBe('verified');
    expect(request('/k?versionId=1&versionId=2', [])).toBe('SignatureDoesNotMatch');
    expect(request('/k?versionId=1&versionid=2', [])).toBe('SignatureDoesNotMatch');
    expect(request('/k?versionId=2', [])).toBe('SignatureDoesNotMatch');
    expect(request('/k', [])).toBe('SignatureDoesNotMatch');
    expect(request('/k?versionId=1', [['x-cos-acl', 'public-read']])).toBe('SignatureDoesNotMatch');
  });
});
