import { lookup } from 'node:dns';
import { Agent, request } from 'node:http';
import type { LookupFunction } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../../dialects/s3/signature/signing.ts';
import { payload, sha256 } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { clientSettings, type Stand } from '../../support/servers/stand.ts';

const BUCKET = 'acme-virtual';
const DOMAIN = 's3.test';

/** Every name under the test domain is this machine. */
const toThisMachine: LookupFunction = (host, options, done) =>
  host.endsWith(DOMAIN) ? lookup('127.0.0.1', options, done) : lookup(host, options, done);

describe.each(ALL_STANDS)('virtual hosts over %s', (_name, start) => {
  let stand: Stand;
  let agent: Agent;
  let client: S3Client;

  beforeAll(async () => {
    stand = await start({ more: { domains: [DOMAIN, `inner.${DOMAIN}`] } });
    agent = new Agent({ keepAlive: true, lookup: toThisMachine });
    client = new S3Client({
      ...clientSettings(stand.gateway),
      endpoint: `http://${DOMAIN}:${stand.gateway.port}`,
      forcePathStyle: false,
      requestHandler: { httpAgent: agent },
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    agent?.destroy();
    await stand?.stop();
  });

  /** A request by hand: signed by the SDK's signer for `signedHost`, sent with `host`. */
  async function raw(method: string, path: string, hosts: { readonly host: string; readonly signedHost?: string }) {
    const { accessKeyId, secretAccessKey } = TENANT;
    const as = { accessKeyId, secretAccessKey, host: hosts.signedHost ?? hosts.host, date: new Date() };
    const signed = await sign({ method, path }, as);
    const outgoing = request({
      host: '127.0.0.1',
      port: stand.gateway.port,
      method,
      path,
      headers: { ...Object.fromEntries(signed.headers), host: hosts.host },
    });
    const answered = new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      outgoing.on('error', reject).on('response', (response) => {
        buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
    });
    outgoing.end();
    return answered;
  }

  const code = (body: Buffer) => /<Code>(.*?)<\/Code>/.exec(body.toString())?.[1];

  it('the SDK’s own: objects, listings, buckets', async () => {
    const sent = payload(100_000, 21);
    const Key = `dir/ünï code/${BUCKET}`;
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: sent }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    expect(sha256((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(sha256(sent));
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'dir/' }));
    expect(Contents?.map((entry) => [entry.Key, entry.Size])).toEqual([[Key, sent.length]]);
    await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key }] } }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([BUCKET]);
    await client.send(new CreateBucketCommand({ Bucket: 'acme-second' }));
    await client.send(new HeadBucketCommand({ Bucket: 'acme-second' }));
    await client.send(new DeleteBucketCommand({ Bucket: 'acme-second' }));
  });

  it('reads the same object in path style, by name and by address', async () => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'both', Body: 'both' }));
    const byAddress = new S3Client(clientSettings(stand.gateway));
    const { Body } = await byAddress.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'both' }));
    expect(await Body?.transformToString()).toBe('both');
    byAddress.destroy();
    const byName = await raw('GET', `/${BUCKET}/both`, { host: DOMAIN });
    expect([byName.status, byName.body.toString()]).toEqual([200, 'both']);
  });

  it.each([
    [`${BUCKET}.${DOMAIN}`, 'without a port'],
    [`${BUCKET}.${DOMAIN}:8080`, 'with another port, as behind a load balancer'],
    [`ACME-Virtual.S3.test`, 'in capitals'],
    [`${BUCKET}.inner.${DOMAIN}`, 'under the longer of two domains'],
  ])('%s (%s)', async (host) => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'raw', Body: 'raw' }));
    const answer = await raw('GET', '/raw', { host });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'raw']);
  });

  it('takes no signature made for another host', async () => {
    const host = `${BUCKET}.${DOMAIN}`;
    const answer = await raw('GET', '/raw', { host, signedHost: `acme-other.${DOMAIN}` });
    expect([answer.status, code(answer.body)]).toEqual([403, 'SignatureDoesNotMatch']);
  });

  it('reaches no other tenant’s bucket', async () => {
    const answer = await raw('GET', '/raw', { host: `of-another-tenant.${DOMAIN}` });
    expect([answer.status, code(answer.body)]).toEqual([403, 'AccessDenied']);
  });

  it('takes an unknown domain for path style', async () => {
    const answer = await raw('GET', `/${BUCKET}/raw`, { host: 'storage.example' });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'raw']);
  });

  it('presigns', async () => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'presigned', Body: 'signed' }));
    const url = new URL(await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'presigned' })));
    expect(url.host).toBe(`${BUCKET}.${DOMAIN}:${stand.gateway.port}`);
    const body = await new Promise<Buffer>((resolve, reject) => {
      request(url, { agent }, (response) => buffer(response).then(resolve, reject))
        .on('error', reject)
        .end();
    });
    expect(body.toString()).toBe('signed');
  });
});
