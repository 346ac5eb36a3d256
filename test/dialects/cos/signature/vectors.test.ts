import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSignature } from '../../../../src/dialects/cos/signature/claim.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  /** The path as it was signed. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly accessKeyId: string;
  readonly secret: string;
  readonly now: string;
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../vectors/cos/signatures.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Vector[] };

function verify(vector: Vector, secret = vector.secret, now = vector.now): string {
  const claim = readSignature(wireRequest(vector), vector.path);
  if (claim === undefined) return 'anonymous';
  expect(claim.accessKeyId).toBe(vector.accessKeyId);
  try {
    claim.verify(signingSecret(secret), new Date(now));
    return 'verified';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const LISTED = (vector: Vector) =>
  (/q-header-list=([^&]*)/.exec(`${vector.target}${vector.headers.at(-1)?.[1]}`)?.[1] ?? '').split(';');

describe('vendor vectors', () => {
  it('has all of them', () => expect(cases).toHaveLength(8));

  it.each(cases)('$name verifies', (vector) => {
    expect(verify(vector)).toBe('verified');
  });

  it.each(cases)('$name verifies for no other path, method or secret', (vector) => {
    expect(verify({ ...vector, path: `${vector.path}x` })).toBe('SignatureDoesNotMatch');
    expect(verify({ ...vector, method: 'DELETE' })).toBe('SignatureDoesNotMatch');
    expect(verify(vector, `${vector.secret}x`)).toBe('SignatureDoesNotMatch');
  });

  it.each(cases)('$name: a listed header that is changed, doubled or left out breaks it', (vector) => {
    const listed = vector.headers.filter(([name]) => LISTED(vector).includes(name.toLowerCase()));
    expect(listed.length).toBeGreaterThan(0);
    for (const [name] of listed) {
      const changed = vector.headers.map(([each, value]) => [each, each === name ? `${value}x` : value] as const);
      expect(verify({ ...vector, headers: changed }), name).toBe('SignatureDoesNotMatch');
      const without = vector.headers.filter(([each]) => each !== name);
      expect(verify({ ...vector, headers: without }), name).toBe('SignatureDoesNotMatch');
      const doubled = vector.headers.flatMap((header) => (header[0] === name ? [header, header] : [header]));
      const expected = name === 'Host' ? 'InvalidRequest' : 'SignatureDoesNotMatch';
      expect(verify({ ...vector, headers: doubled }), name).toBe(expected);
    }
  });

  it.each(cases)('$name holds in its window, a client’s clock may be a minute ahead, and no longer', (vector) => {
    const [, from, until] = /q-sign-time=(\d+)(?:;|%3B)(\d+)/.exec(
      `${vector.target}${vector.headers.at(-1)?.[1]}`,
    ) as RegExpExecArray;
    const at = (seconds: number) => verify(vector, vector.secret, new Date(seconds * 1000).toISOString());
    expect(at(Number(from))).toBe('verified');
    expect(at(Number(from) - 60)).toBe('verified');
    expect(at(Number(from) - 61)).toBe('ExpiredRequest');
    expect(at(Number(until))).toBe('verified');
    expect(at(Number(until) + 1)).toBe('ExpiredRequest');
  });

  it.each(cases.filter(({ target }) => target.includes('?')))(
    '$name: its query is the one that was signed',
    (vector) => {
      const unsigned = { ...vector, target: `${vector.target}&acl` };
      expect(verify(unsigned)).toBe('AccessDenied');
      const [path, query = ''] = vector.target.split('?');
      const turned = { ...vector, target: `${path}?${query.split('&').reverse().join('&')}` };
      expect(verify(turned)).toBe('verified');
    },
  );
});
