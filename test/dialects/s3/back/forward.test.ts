import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { forwardedFields } from '../../../../src/dialects/s3/front/requests/forwarded-fields.ts';
import { S3_OPERATIONS } from '../../../../src/dialects/s3/operation-table.ts';
import { HeaderList } from '../../../../src/wire/headers.ts';
import { WireRequest } from '../../../../src/wire/message.ts';
import { s3Back } from '../../../support/plain-back.ts';

const NOTHING = Buffer.alloc(0);

function forwarded(
  rawTarget: string,
  headers: string[] = [],
  document = NOTHING,
  { key = 'k', name = 'PutObjectTagging' }: { key?: string | undefined; name?: string } = {},
) {
  const request = new WireRequest({
    id: 'r',
    method: 'PUT',
    rawTarget,
    headers: new HeaderList(headers),
    body: (async function* () {})(),
    client: { address: '127.0.0.1', secure: false },
    signal: new AbortController().signal,
  });
  return s3Back.forward(request, { kind: 'Forward', name, bucket: 'b', key, changes: true }, document).request;
}

test('path style whatever the client used, the query encoded anew', () => {
  expect(forwarded('/a/b?tagging&versionId=a/b').path).toBe('/b/k?tagging&versionId=a%2Fb');
  expect(forwarded('/?tagging=', [], NOTHING, { key: '/ü //x' }).path).toBe('/b//%C3%BC%20//x?tagging=');
});

test('a query value that is no id and no token stays behind, and the request with it', () => {
  for (const value of ['..%2F..%2Fother', 'a%00b', 'a%0D%0Ab', '%26acl', '%5C', 'a..b', 'v'.repeat(2_049)]) {
    for (const target of [`/b/k?tagging=${value}`, `/b/k?tagging&versionId=${value}`]) {
      expect(() => forwarded(target)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    }
  }
});

test("a presigned URL's authentication stays behind, and so does every parameter that the operation does not know", () => {
  const signed =
    '/b/k?tagging&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F1&X-Amz-Date=2&X-Amz-Expires=3' +
    '&X-Amz-SignedHeaders=host&X-Amz-Signature=abc&X-Amz-Security-Token=t&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD' +
    '&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObjectTagging' +
    '&AWSAccessKeyId=A&Signature=s&Expires=1&acl&Tagging&utm_source=x&=&uploadId=u';
  expect(forwarded(signed).path).toBe('/b/k?tagging');
});

test('what a presigned URL carries in its query for the operation goes on as the header that it stands for', () => {
  const { path, headers } = forwarded('/b/k?acl&X-Amz-Acl=private&x-amz-mfa=1', [], NOTHING, { name: 'PutObjectAcl' });
  expect([path, headers.toRaw()]).toEqual(['/b/k?acl', ['X-Amz-Acl', 'private']]);
});

/** What clients, proxies and attackers send beside what an operation knows. */
const FOREIGN = [
  ...['Host', 'Authorization', 'Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Expect'],
  ...['Content-Length', 'Content-MD5', 'Date', 'Accept-Encoding', 'Range', 'If-Match', 'If-None-Match', 'Cookie'],
  ...['Proxy-Authorization', 'Proxy-Connection', 'X-Auth-Token', 'Referer', 'User-Agent', 'X-HTTP-Method-Override'],
  ...['X-HTTP-Method', 'X-Method-Override', 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-For', 'Forwarded', 'Via'],
  ...['X-Real-IP', 'X-Custom', 'x-minio-force-delete', 'x-minio-source-etag', 'X-Amz-Date', 'x-amz-content-sha256'],
  ...['x-amz-security-token', 'x-amz-trailer', 'x-amz-checksum-crc32', 'x-amz-decoded-content-length'],
  ...['x-amz-copy-source', 'x-amz-meta-a', 'x-amz-acl', 'x-amz-mfa', 'x-amz-bypass-governance-retention'],
  ...['x-oss-date', 'x-cos-acl', 'x-rgw-auth'],
];

test('of the headers only those go on that the operation may carry, in their order and raw', () => {
  const { headers } = forwarded('/b/k?tagging', [
    ...FOREIGN.flatMap((name) => [name, 'evil']),
    ...['X-Amz-Expected-Bucket-Owner', 'o', 'Content-Type', 'a/\xe4', 'Origin', 'https://x', 'Content-Type', '2'],
  ]);
  expect(headers.toRaw()).toEqual([
    ...['X-Amz-Expected-Bucket-Owner', 'o', 'Content-Type', 'a/\xe4', 'Origin', 'https://x', 'Content-Type', '2'],
  ]);
});

const FORWARDED = S3_OPERATIONS.filter(({ treatment }) => treatment === 'forwarded').map(({ name }) => name);
const EVERYWHERE = ['content-encoding', 'content-type', 'origin', 'x-amz-expected-bucket-owner', 'x-amz-request-payer'];
const ACL = [
  'x-amz-acl',
  ...['full-control', 'read', 'read-acp', 'write', 'write-acp'].map((to) => `x-amz-grant-${to}`),
];
/** From the S3 API reference. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  PutBucketAcl: ACL,
  PutObjectAcl: ACL,
  PutObjectRetention: ['x-amz-bypass-governance-retention'],
  PutObjectLockConfiguration: ['x-amz-bucket-object-lock-token'],
  PutBucketVersioning: ['x-amz-mfa'],
  PutBucketPolicy: ['x-amz-confirm-remove-self-bucket-access'],
  PutBucketLifecycleConfiguration: ['x-amz-transition-default-minimum-object-size'],
};

test.each(FORWARDED)('%s carries what the S3 API gives it, and nothing else', (name) => {
  const all = [
    ...new Set([...FOREIGN, ...EVERYWHERE, ...Object.values(MORE).flat()].map((each) => each.toLowerCase())),
  ];
  const { headers } = forwarded(
    '/b/k?x',
    all.flatMap((each) => [each, 'v']),
    NOTHING,
    { name },
  );
  const went = headers.toRaw().filter((_, at) => at % 2 === 0);
  expect(went.sort()).toEqual([...EVERYWHERE, ...(MORE[name] ?? [])].sort());
});

test('the verified body goes with an MD5 of its own', () => {
  const document = Buffer.from('<Tagging/>');
  const { headers, body } = forwarded('/b/k?tagging', ['Content-Encoding', 'gzip, aws-chunked'], document);
  expect(body).toBe(document);
  expect(headers.get('content-md5')).toBe(createHash('md5').update(document).digest('base64'));
  expect(headers.get('content-encoding')).toBe('gzip');
});

test('of the answer pass the headers that the S3 API gives the operation, and those that tell browsers who may read', () => {
  const of = (name: string) => forwardedFields(name).answerHeaders;
  for (const name of FORWARDED) {
    for (const header of ['content-type', 'content-length', 'vary', 'access-control-allow-origin']) {
      expect(of(name).has(header), `${name} ${header}`).toBe(true);
    }
    for (const header of ['set-cookie', 'refresh', 'location', 'server', 'etag', 'x-amz-id-2', 'www-authenticate']) {
      expect(of(name).has(header), `${name} ${header}`).toBe(false);
    }
  }
  expect(of('GetObjectTagging').has('x-amz-version-id')).toBe(true);
  expect(of('GetBucketTagging').has('x-amz-version-id')).toBe(false);
  expect(of('GetBucketLifecycleConfiguration').has('x-amz-transition-default-minimum-object-size')).toBe(true);
});
