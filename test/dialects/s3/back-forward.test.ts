import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { s3Back } from '../../../src/dialects/s3/back.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import { WireRequest } from '../../../src/wire/message.ts';

function forwarded(
  rawTarget: string,
  headers: string[] = [],
  document = Buffer.alloc(0),
  key: string | undefined = 'k',
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
  return s3Back.forward(request, { kind: 'Forward', name: 'PutObjectTagging', bucket: 'b', key }, document);
}

test('path style whatever the client used, the query encoded anew', () => {
  expect(forwarded("/a/b?tagging&versionId=a/b&x='(").path).toBe('/b/k?tagging&versionId=a%2Fb&x=%27%28');
  expect(forwarded('/?tagging=', [], Buffer.alloc(0), '/ü //x').path).toBe('/b//%C3%BC%20//x?tagging=');
});

test("a presigned URL's authentication is dropped", () => {
  const signed =
    '/b/k?tagging&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F1&X-Amz-Date=2&X-Amz-Expires=3' +
    '&X-Amz-SignedHeaders=host&X-Amz-Signature=abc&X-Amz-Security-Token=t&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD' +
    '&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObjectTagging';
  expect(forwarded(signed).path).toBe('/b/k?tagging&x-id=PutObjectTagging');
});

test('headers: authentication, framing, connection and what would change the operation are dropped, the rest is raw', () => {
  const { headers } = forwarded('/b/k?tagging', [
    ...[
      'Host',
      'h',
      'Authorization',
      'a',
      'X-Amz-Date',
      'd',
      'x-amz-content-sha256',
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    ],
    ...['x-amz-trailer', 'x-amz-checksum-crc32', 'x-amz-decoded-content-length', '5', 'Transfer-Encoding', 'chunked'],
    ...[
      'Content-Encoding',
      'aws-chunked',
      'Expect',
      '100-continue',
      'Connection',
      'close',
      'X-Forwarded-For',
      '10.0.0.1',
    ],
    ...[
      'x-amz-copy-source',
      '/other/object',
      'x-minio-force-delete',
      'true',
      'Content-MD5',
      'old',
      'Content-Length',
      '9',
    ],
    ...['X-Amz-Expected-Bucket-Owner', 'o', 'Content-Type', 'application/xml', 'x-Custom', '\xe4', 'x-Custom', '2'],
  ]);
  expect(headers.toRaw()).toEqual([
    ...['X-Amz-Expected-Bucket-Owner', 'o', 'Content-Type', 'application/xml', 'x-Custom', '\xe4', 'x-Custom', '2'],
  ]);
});

test('the verified body goes with an MD5 of its own', () => {
  const document = Buffer.from('<Tagging/>');
  const { headers, body } = forwarded('/b/k?tagging', ['Content-Encoding', 'gzip, aws-chunked'], document);
  expect(body).toBe(document);
  expect(headers.get('content-md5')).toBe(createHash('md5').update(document).digest('base64'));
  expect(headers.get('content-encoding')).toBe('gzip');
});
