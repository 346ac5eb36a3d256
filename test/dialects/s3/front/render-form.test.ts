import { describe, expect, test } from 'vitest';
import { createS3Front } from '../../../../src/dialects/s3/front/front.ts';
import type { FormReply } from '../../../../src/operations/operation.ts';
import { HeaderList } from '../../../../src/wire/headers.ts';
import { readXml } from '../../../../src/wire/xml/xml.ts';
import { wireRequest } from '../../../support/requests.ts';
import { NOW, SETTINGS } from '../signature/signing.ts';

const front = createS3Front(() => NOW);

function render(reply: Partial<FormReply>, key = 'u/a b.txt', target = '/bucket', host = '127.0.0.1:9000') {
  const request = wireRequest({ method: 'POST', target, headers: [['Host', host]] });
  const answer = front.render(
    {
      kind: 'FormStored',
      stored: {
        kind: 'ObjectStored',
        ref: { bucket: 'bucket', key },
        etag: 'abc-0',
        versionId: 'v1',
        checksum: { algorithm: 'CRC32', value: Buffer.from('3610a686', 'hex') },
        vendor: { dialect: 's3', headers: new HeaderList(['x-amz-expiration', 'soon']) },
      },
      reply: { redirect: undefined, status: 204, ...reply },
    },
    { requestId: 'R', settings: SETTINGS, request },
  );
  const body = answer.body === undefined ? undefined : String(answer.body);
  return { ...answer, body, get: (name: string) => answer.headers.get(name) };
}

describe.each([200, 201, 204] as const)('%d', (status) => {
  test('tells what was stored', () => {
    const answer = render({ status });
    expect(answer.status).toBe(status);
    expect(answer.get('ETag')).toBe('"abc-0"');
    expect(answer.get('Location')).toBe('http://127.0.0.1:9000/bucket/u/a%20b.txt');
    expect(answer.get('x-amz-version-id')).toBe('v1');
    expect(answer.get('x-amz-checksum-crc32')).toBe('NhCmhg==');
    expect(answer.get('x-amz-expiration')).toBe('soon');
    expect(answer.get('x-amz-request-id')).toBe('R');
    expect(answer.get('Content-Length')).toBe(status === 204 ? undefined : String(answer.body?.length));
  });
});

test('201 says it in a document', () => {
  const { body, get } = render({ status: 201 }, 'u/<&>');
  const { name, children } = readXml(Buffer.from(body ?? ''));
  expect([name, children.map((child) => [child.name, child.text])]).toEqual([
    'PostResponse',
    [
      ['Location', 'http://127.0.0.1:9000/bucket/u/%3C%26%3E'],
      ['Bucket', 'bucket'],
      ['Key', 'u/<&>'],
      ['ETag', '"abc-0"'],
    ],
  ]);
  expect(get('Content-Type')).toBe('application/xml');
});

test('200 and 204 have no document', () => {
  expect(render({ status: 200 })).toMatchObject({ status: 200, body: '' });
  expect(render({ status: 204 })).toMatchObject({ status: 204, body: undefined });
});

test.each([
  ['https://example.com/done', 'https://example.com/done?bucket=bucket&key=u%2Fa%20b.txt&etag=%22abc-0%22'],
  ['https://example.com/?a=b#top', 'https://example.com/?a=b&bucket=bucket&key=u%2Fa%20b.txt&etag=%22abc-0%22#top'],
])('goes on to %s', (url, target) => {
  const answer = render({ redirect: new URL(url), status: 201 });
  expect([answer.status, answer.get('Location'), answer.body]).toEqual([303, target, undefined]);
  expect(answer.get('ETag')).toBe('"abc-0"');
});

test.each([
  ['/bucket/', '127.0.0.1:9000', 'http://127.0.0.1:9000/bucket/k'],
  ['/', 'bucket.s3.example.com', 'http://bucket.s3.example.com/k'],
])('an object posted to %s at %s is below it', (target, host, location) => {
  expect(render({}, 'k', target, host).get('Location')).toBe(location);
});
