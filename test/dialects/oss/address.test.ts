import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FrontSettings } from '../../../src/dialects/front-dialect.ts';
import { ossFront } from '../../../src/dialects/oss/front/front.ts';
import { signingSecret, wireRequest } from '../../support/requests.ts';

const SETTINGS: FrontSettings = {
  region: 'us-east-1',
  domains: ['s3.test'],
  bucketHosts: new Map([['static.example.com', 'acme-static']]),
};
const NOW = new Date('2024-01-02T03:04:05Z');
const DATE = 'Tue, 02 Jan 2024 03:04:05 GMT';

/** A GET that is signed for this resource, which need not be what host and path say. */
function signed(target: string, host: string, resource: string) {
  const signature = createHmac('sha1', 'secret').update(`GET\n\n\n${DATE}\n${resource}`).digest('base64');
  return wireRequest({
    method: 'GET',
    target,
    headers: [
      ['Host', host],
      ['Date', DATE],
      ['Authorization', `OSS AK:${signature}`],
    ],
  });
}

/** Bucket and key of the reading whose signature verifies. */
function meant(request: ReturnType<typeof signed>, settings = SETTINGS) {
  for (const reading of ossFront.readings(request, settings)) {
    try {
      reading.claim()?.verify(signingSecret('secret'), NOW);
      const { bucket, key } = reading.resource();
      return [bucket, key];
    } catch (error) {
      expect(error).toMatchObject({ code: 'SignatureDoesNotMatch' });
    }
  }
  return 'nothing';
}

describe('what a request names', () => {
  it.each([
    // ali-oss with an IP address as its endpoint, without and with sldEnable
    ['/key', 'mybucket.oss-cn-hangzhou.aliyuncs.com', '/mybucket/key', ['mybucket', 'key']],
    ['/mybucket/key', 'mybucket.oss-cn-hangzhou.aliyuncs.com', '/mybucket/key', ['mybucket', 'key']],
    ['/mybucket/key', 'mybucket.oss-cn-hangzhou.aliyuncs.com', '/mybucket/mybucket/key', ['mybucket', 'mybucket/key']],
    ['/', 'mybucket.oss-cn-hangzhou-internal.aliyuncs.com:80', '/mybucket/', ['mybucket', undefined]],
    ['/', 'oss-cn-hangzhou.aliyuncs.com', '/', [undefined, undefined]],
    ['/mybucket/a%2Fb%20c+d', '127.0.0.1:8080', '/mybucket/a/b c+d', ['mybucket', 'a/b c+d']],
    ['/mybucket/a//b/../c', 'localhost', '/mybucket/a//b/../c', ['mybucket', 'a//b/../c']],
    ['/mybucket', 'localhost', '/mybucket/', ['mybucket', undefined]],
    ['/key', 'mybucket.s3.test', '/mybucket/key', ['mybucket', 'key']],
    ['/key', 'static.example.com:8080', '/acme-static/key', ['acme-static', 'key']],
  ] as const)('%s at %s, signed as %s', (target, host, resource, expected) => {
    expect(meant(signed(target, host, resource))).toEqual(expected);
  });

  it('is nothing that was not signed: not the key of another bucket, nor of the host’s', () => {
    expect(meant(signed('/other/key', 'localhost', '/mybucket/key'))).toBe('nothing');
    expect(meant(signed('/key', 'other.oss-cn-hangzhou.aliyuncs.com', '/mybucket/key'))).toBe('nothing');
    expect(meant(signed('/mybucket/key', 'localhost', '/mybucket/mybucket/key'))).toBe('nothing');
  });

  it('is read in a bucket that only the signature has', () => {
    const [reading] =
      ossFront.readingsIn?.(signed('/a/b', 'gateway.example', '/mybucket/a/b'), SETTINGS, ['mybucket']) ?? [];
    expect(reading?.claim()?.verify(signingSecret('secret'), NOW)).toBeDefined();
    expect(reading?.resource()).toEqual({ bucket: 'mybucket', key: 'a/b' });
  });

  it('must be clear without a signature', () => {
    const at = (target: string) =>
      wireRequest({ method: 'GET', target, headers: [['Host', 'mybucket.oss-cn-hangzhou.aliyuncs.com']] });
    expect(ossFront.recognises(at('/key'))).toBe(true);
    expect(ossFront.readings(at('/key'), SETTINGS).map((each) => each.resource())).toEqual([
      { bucket: 'mybucket', key: 'key' },
    ]);
    expect(() => ossFront.readings(at('/mybucket/key'), SETTINGS)).toThrow(
      expect.objectContaining({ code: 'InvalidRequest' }),
    );
  });

  it.each([
    ['/MyBucket/key', 'InvalidBucketName'],
    ['/a..b/key', 'InvalidBucketName'],
    ['//key', 'InvalidBucketName'],
    ['/bucket//key', 'InvalidObjectName'],
    ['/bucket/%5Ckey', 'InvalidObjectName'],
    ['/bucket/a%00b', 'InvalidObjectName'],
    [`/bucket/${'x'.repeat(1024)}`, 'InvalidObjectName'],
  ])('%s is refused', (target, code) => {
    const [reading] = ossFront.readings(wireRequest({ method: 'GET', target, headers: [['Host', 'h']] }), SETTINGS);
    expect(() => reading.resource()).toThrow(expect.objectContaining({ code }));
  });

  it.each(['/bucket/%', '/bucket/%zz', '/bucket/%ff'])('%s cannot be read', (target) => {
    const request = wireRequest({ method: 'GET', target, headers: [['Host', 'h']] });
    expect(() => ossFront.readings(request, SETTINGS)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
  });
});
