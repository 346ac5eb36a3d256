import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { clientSettings, type Stand } from '../../support/servers/stand.ts';

const BUCKET = 'acme-headers';
const UTF8 = Buffer.from('attachment; filename="ünï 中文.txt"').toString('latin1');

/** What is sent, and what must come back; undefined for no such header. An Expires is the client's, date or not. */
const CASES: readonly (readonly [name: string, sent: string, returned: string | undefined])[] = [
  ['content-type', '', 'binary/octet-stream'],
  ['content-type', 'Text/Plain; charset="ä"', 'Text/Plain; charset="ä"'],
  ['content-type', '  x  y ', 'x  y'],
  ['cache-control', '', undefined],
  ['cache-control', 'no-cache,  max-age=0', 'no-cache,  max-age=0'],
  ['content-disposition', '', undefined],
  ['content-disposition', UTF8, UTF8],
  ['content-encoding', '', undefined],
  ['content-encoding', 'gzip,br', 'gzip,br'],
  ['content-encoding', 'Gzip,aws-chunked', 'Gzip'],
  ['content-encoding', 'aws-chunked', undefined],
  ['content-language', '', undefined],
  ['content-language', 'de, en', 'de, en'],
  ['expires', '', undefined],
  ['expires', '0', '0'],
  ['expires', '-1', '-1'],
  ['expires', 'Tue, 01 Jan 2030 00:00:00 GMT', 'Tue, 01 Jan 2030 00:00:00 GMT'],
  ['expires', 'Tuesday, 01-Jan-30 00:00:00 GMT', 'Tuesday, 01-Jan-30 00:00:00 GMT'],
  ['expires', '2030-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
];

/** Bytes as they are: node's own client re-encodes some header values. */
async function exchange(url: string, method: string, header?: readonly [string, string]) {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const lines = [`${method} ${pathname}${search} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: close'];
  if (header !== undefined) lines.push('Content-Length: 1', header.join(': '));
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${header === undefined ? '' : 'x'}`, 'latin1'));
  const [head = '', body = ''] = (await buffer(socket)).toString('latin1').split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = new Map(
    fields.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}

describe.each(ALL_STANDS)('content headers over %s', (_name, start) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await start();
    client = new S3Client(clientSettings(stand.gateway));
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  it.each(CASES)('%s %j comes back as %j, in an object that can be read', async (name, sent, returned) => {
    const ref = { Bucket: BUCKET, Key: `${name}/${CASES.findIndex((row) => row[0] === name && row[1] === sent)}` };
    const put = await exchange(await getSignedUrl(client, new PutObjectCommand(ref)), 'PUT', [name, sent]);
    expect(put.status).toBe(200);
    const got = await exchange(await getSignedUrl(client, new GetObjectCommand(ref)), 'GET');
    expect([got.status, got.headers.get(name), got.body]).toEqual([200, returned, 'x']);
  });

  it('answers with an overriding file name in UTF-8', async () => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'override', Body: 'x' }));
    const ResponseContentDisposition = Buffer.from(UTF8, 'latin1').toString('utf8');
    const command = new GetObjectCommand({ Bucket: BUCKET, Key: 'override', ResponseContentDisposition });
    const got = await exchange(await getSignedUrl(client, command), 'GET');
    expect([got.status, got.headers.get('content-disposition'), got.body]).toEqual([200, UTF8, 'x']);
  });
});
