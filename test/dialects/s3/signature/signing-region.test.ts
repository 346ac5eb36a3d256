import { expect, test } from 'vitest';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import { readingOf } from '../../../support/reading.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';
import { ACCESS_KEY_ID, codeOf, NOW, presign, SECRET, SETTINGS, type SignedRequest, sign } from './signing.ts';

const ANY = { ...SETTINGS, anyRegion: true };
const ASKED = { method: 'GET', path: '/bucket/k' };

const signing = (region: string) => ({
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: SECRET.reveal(),
  host: '127.0.0.1:9000',
  date: NOW,
  region,
});

function code({ target, headers }: SignedRequest, settings: typeof ANY | typeof SETTINGS, secret = SECRET) {
  return codeOf(() =>
    readingOf(s3Front, wireRequest({ method: 'GET', target, headers }), settings)
      .claim()
      ?.verify(secret, NOW),
  );
}

test.each(['us-east-1', 'eu-north-1', 'garage', 'NoWhere-7', ''])('a signature for %s', async (region) => {
  const own = region === SETTINGS.region;
  const inHeaders = await sign(ASKED, signing(region));
  const inQuery = await presign(ASKED, 300, signing(region));
  expect(await code(inHeaders, ANY)).toBe('nothing');
  expect(await code(inQuery, ANY)).toBe('nothing');
  expect(await code(inHeaders, SETTINGS)).toBe(own ? 'nothing' : 'AuthorizationHeaderMalformed');
  expect(await code(inQuery, SETTINGS)).toBe(own ? 'nothing' : 'AuthorizationQueryParametersError');
  // The region is part of what is signed.
  const moved = inHeaders.headers.map(([name, value]) => [name, value.replace(`/${region}/`, '/elsewhere/')] as const);
  expect(await code({ ...inHeaders, headers: moved as [string, string][] }, ANY)).toBe('SignatureDoesNotMatch');
  expect(await code(inHeaders, ANY, signingSecret('another'))).toBe('SignatureDoesNotMatch');
});

test.each(['eu north', 'a'.repeat(65), 'ä'])('%j is no region, whatever is taken', async (region) => {
  expect(await code(await sign(ASKED, signing(region)), ANY)).not.toBe('nothing');
});
