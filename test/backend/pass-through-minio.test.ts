import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BackendConnection } from '../../src/backend/connection.ts';
import { PassThroughLane } from '../../src/backend/pass-through-lane.ts';
import type { GatewayError } from '../../src/errors.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import { WireRequest } from '../../src/wire/message.ts';
import { backendOptions } from '../support/backend-options.ts';
import { s3Back } from '../support/plain-back.ts';
import { type SharedMinio, sharedMinio } from '../support/servers/minio.ts';

const BUCKET = 'bucket';
const KEY = "/ünïcode (1)+%2F'é";
let minio: SharedMinio;
let lane: PassThroughLane;
let front: Server;
let url: string;

const renderError = (error: GatewayError) => ({
  status: error.said?.status ?? 502,
  headers: new HeaderList(),
  body: Buffer.from(error.said?.code ?? error.code),
});

beforeAll(async () => {
  minio = await sharedMinio();
  const connection = new BackendConnection(backendOptions(minio.endpoint));
  (await connection.send(s3Back.calls.createBucket.render({ bucket: BUCKET, location: undefined }))).discard();
  const metadata = { content: {}, user: [] };
  const put = { ref: { bucket: BUCKET, key: KEY }, metadata, conditions: {}, body: Buffer.from('x') };
  (await connection.send(s3Back.calls.put.render(put))).discard();
  await connection.close();
  lane = new PassThroughLane(backendOptions(minio.endpoint));
  front = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const document = Buffer.concat(chunks);
    const request = new WireRequest({
      id: 'OURS',
      method: message.method ?? '',
      rawTarget: message.url ?? '',
      headers: new HeaderList(message.rawHeaders),
      body: (async function* () {})(),
      client: { address: '127.0.0.1', secure: false },
      signal: new AbortController().signal,
    });
    const key = request.target.rawPath.length > 1 ? KEY : undefined;
    const operation = { kind: 'Forward', name: 'GetObjectTagging', bucket: BUCKET, key, changes: false } as const;
    const forwarded = s3Back.forward(request, operation, document);
    await lane.forward({ ...forwarded, requestId: 'OURS', renderError })(message, response);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
}, 60_000);

afterAll(async () => {
  front?.closeAllConnections();
  front?.close();
  lane?.close();
  await minio?.stop();
});

test('tags of an object, written and read through the lane', async () => {
  const tags = '<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>';
  const headers = { authorization: 'AWS4-HMAC-SHA256 of the client', 'x-amz-date': '20200101T000000Z' };
  const put = await fetch(`${url}/k?tagging`, { method: 'PUT', body: tags, headers });
  expect(`${put.status} ${await put.text()}`).toBe('200 ');
  const got = await fetch(`${url}/k?tagging&X-Amz-Signature=theclients&X-Amz-Date=x`, { headers });
  expect(got.headers.get('x-amz-request-id')).toBe('OURS');
  expect(got.headers.get('server')).toBeNull();
  expect(await got.text()).toContain('<Value>b c</Value>');
  expect((await fetch(`${url}/k?tagging`, { method: 'DELETE' })).status).toBe(204);
});

test('a refusal keeps its own code for the front to spell', async () => {
  const got = await fetch(`${url}/?tagging`);
  expect([got.status, await got.text()]).toEqual([404, 'NoSuchTagSet']);
});
