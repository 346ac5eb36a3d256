import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readOssClaim, readSignature } from '../../../../src/dialects/oss/signature/claim.ts';
import type { SignedPlace } from '../../../../src/dialects/oss/signature/signed-fields.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly place: SignedPlace;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly now: string;
  /** Whether the request has the token of temporary credentials. */
  readonly token?: boolean;
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../vectors/oss/signatures.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Vector[] };

function verify(vector: Vector, place: SignedPlace, secret = vector.secret): string {
  const claim = readSignature(wireRequest(vector), place);
  if (claim === undefined) return 'anonymous';
  expect(claim.accessKeyId).toBe(vector.accessKeyId);
  try {
    claim.verify(signingSecret(secret), new Date(vector.now));
    return 'verified';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('vendor vectors', () => {
  it('has all of them', () => expect(cases).toHaveLength(19));

  it.each(cases)('$name verifies', (vector) => {
    expect(verify(vector, vector.place)).toBe('verified');
  });

  it.each(cases)('$name verifies for no other key, bucket or secret', (vector) => {
    const { place } = vector;
    expect(verify(vector, { ...place, key: `${place.key}x` })).toBe('SignatureDoesNotMatch');
    expect(verify(vector, { ...place, bucket: `${place.bucket}x` })).toBe('SignatureDoesNotMatch');
    expect(verify(vector, place, `${vector.secret}x`)).toBe('SignatureDoesNotMatch');
  });

  it.each(cases)('$name: every signed header is signed, and one more breaks it', (vector) => {
    const { headers, method, place } = vector;
    expect(verify({ ...vector, method: method === 'GET' ? 'HEAD' : 'GET' }, place)).toBe('SignatureDoesNotMatch');
    expect(verify({ ...vector, headers: [...headers, ['x-oss-meta-added', '1']] }, place)).toBe(
      'SignatureDoesNotMatch',
    );
    for (const [name] of headers.filter(([name]) => /^(x-oss-(?!date)|content-)/i.test(name))) {
      const changed = headers.map(([each, value]) => [each, each === name ? `${value}x` : value] as const);
      expect(verify({ ...vector, headers: changed }, place), name).toBe('SignatureDoesNotMatch');
      // A missing payload hash is read as the only one that there is.
      if (name === 'x-oss-content-sha256') continue;
      const doubled = headers.flatMap((header) => (header[0] === name ? [header, header] : [header]));
      expect(verify({ ...vector, headers: doubled }, place), name).toBe('SignatureDoesNotMatch');
    }
  });

  it.each(cases.filter(({ token }) => token === true))('$name is refused for its token', (vector) => {
    expect(() => readOssClaim(wireRequest(vector), vector.place)).toThrow(
      expect.objectContaining({ code: 'InvalidToken' }),
    );
  });
});
