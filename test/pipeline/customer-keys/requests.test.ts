import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { createS3Front } from '../../../src/dialects/s3/front/front.ts';
import type { KeyTransport } from '../../../src/encryption/key-transport.ts';
import type { CustomerKey } from '../../../src/operations/encryption.ts';
import { createHandler } from '../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import type { WireClient, WireResponse } from '../../../src/wire/message.ts';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { sign } from '../../dialects/s3/signature/signing.ts';
import { payload } from '../../support/payload.ts';
import { wireRequest } from '../../support/requests.ts';
import { BUCKET, inProcess } from '../in-process.ts';

const SECRET = 'secretOfTheCustomers';
const SSE = 'x-amz-server-side-encryption';
const OF_SOURCE = 'x-amz-copy-source-server-side-encryption-customer';
const KEY = Buffer.alloc(32, 0x51).toString('base64');
const OTHER = Buffer.alloc(32, 0x52).toString('base64');
const TLS: WireClient = { address: '192.0.2.1', secure: true };

const md5Of = (key: string) => createHash('md5').update(Buffer.from(key, 'base64')).digest('base64');
const customer = (key: string, prefix = `${SSE}-customer`) => ({
  [`${prefix}-algorithm`]: 'AES256',
  [`${prefix}-key`]: key,
  [`${prefix}-key-md5`]: md5Of(key),
});

interface Asked {
  readonly method: string;
  readonly key?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  readonly client?: WireClient;
}

/** The whole pipeline but the listener. */
async function stand(keyTransport?: KeyTransport) {
  const here = await inProcess();
  let { tenant } = here.context();
  const directory = { caller: async () => ({ tenant, accessKeyId: 'AKID', secret: { reveal: () => SECRET } }) };
  /** Gives the bucket another protection, as its tenant's option does. */
  const protect = (protection: string) => {
    tenant = { ...tenant, buckets: tenant.buckets.map((policy) => ({ ...policy, protection })) };
  };
  const handle = createHandler({
    ...here.handling,
    ...(keyTransport && { keyTransport }),
    fronts: [createS3Front(() => new Date())],
    directory: directory as unknown as HandlerServices['directory'],
  });
  const opened = vi.spyOn(here.tools.keySources, 'open');
  const send = async ({ method, key = 'k', query = {}, headers = {}, body, client = TLS }: Asked) => {
    const signing = { accessKeyId: 'AKID', secretAccessKey: SECRET, host: 'h', date: new Date() };
    const length: Record<string, string> = body === undefined ? {} : { 'content-length': String(body.length) };
    const asked = { method, path: `/${BUCKET}/${key}`, query, headers: { ...headers, ...length }, body };
    const signed = await sign(asked, signing);
    return (await handle(wireRequest({ method, ...signed, body, client }), new RequestTrace())) as WireResponse;
  };
  /** Status and code of the answer. */
  const told = async (asked: Asked) => {
    const { status, body } = await send(asked);
    if (body === undefined || status < 300) return String(status);
    return `${status} ${xmlText(readXml(body as Buffer), 'Code')}`;
  };
  const keysSeen = () =>
    opened.mock.calls.flatMap(([{ asked }]) => (asked?.kind === 'customer' ? [asked.key] : []) as CustomerKey[]);
  return { here, send, told, keysSeen, protect };
}

describe('requests with a customer key', () => {
  it('are answered as S3 does, with the key’s MD5 and never the key', async () => {
    const { send, told } = await stand();
    const put = await send({ method: 'PUT', headers: customer(KEY), body: payload(1000, 1) });
    const got = await send({ method: 'GET', headers: customer(KEY) });
    const headed = await send({ method: 'HEAD', headers: customer(KEY) });
    for (const { status, headers } of [put, got, headed]) {
      expect(status).toBe(200);
      expect(headers.get(`${SSE}-customer-algorithm`)).toBe('AES256');
      expect(headers.get(`${SSE}-customer-key-md5`)).toBe(md5Of(KEY));
      expect(headers.get(SSE)).toBeUndefined();
      expect([...headers].map(([, value]) => value)).not.toContain(KEY);
    }
    expect((got.body as Buffer).equals(payload(1000, 1))).toBe(true);
    for (const [headers, answer] of [
      [{}, '400 InvalidRequest'],
      [customer(OTHER), '403 AccessDenied'],
      [{ ...customer(KEY), [`${SSE}-customer-algorithm`]: 'AES128' }, '400 InvalidEncryptionAlgorithmError'],
      [{ ...customer(KEY), [`${SSE}-customer-key-md5`]: md5Of(OTHER) }, '400 InvalidArgument'],
      [{ ...customer(KEY), [SSE]: 'AES256' }, '400 InvalidArgument'],
      [{ ...customer(KEY), [`${SSE}-aws-kms-key-id`]: 'cards' }, '400 InvalidArgument'],
    ] as const) {
      expect(await told({ method: 'GET', headers })).toBe(answer);
      expect(await told({ method: 'HEAD', headers })).toBe(answer.slice(0, 3));
    }
    expect(await told({ method: 'DELETE' })).toBe('204');
  });

  it('copy with two keys, each in its own headers', async () => {
    const { told } = await stand();
    const source = { 'x-amz-copy-source': `${BUCKET}/k` };
    expect(await told({ method: 'PUT', headers: customer(KEY), body: payload(1000, 1) })).toBe('200');
    const copy = (headers: Record<string, string>) =>
      told({ method: 'PUT', key: 'copy', headers: { ...source, ...headers } });
    expect(await copy({})).toBe('400 InvalidRequest');
    expect(await copy(customer(KEY))).toBe('400 InvalidRequest');
    expect(await copy(customer(OTHER, OF_SOURCE))).toBe('403 AccessDenied');
    expect(await copy({ ...customer(KEY, OF_SOURCE), [`${OF_SOURCE}-algorithm`]: 'aes' })).toBe(
      '400 InvalidEncryptionAlgorithmError',
    );
    expect(await copy({ ...customer(KEY, OF_SOURCE), ...customer(OTHER) })).toBe('200');
    expect(await told({ method: 'GET', key: 'copy', headers: customer(OTHER) })).toBe('200');
    // Another key is a change, so the object may be copied onto itself.
    const itself = { 'x-amz-copy-source': `${BUCKET}/copy`, ...customer(OTHER, OF_SOURCE) };
    expect(await told({ method: 'PUT', key: 'copy', headers: itself })).toBe('400 InvalidRequest');
    expect(await told({ method: 'PUT', key: 'copy', headers: { ...itself, ...customer(KEY) } })).toBe('200');
    expect(await told({ method: 'GET', key: 'copy', headers: customer(KEY) })).toBe('200');
  });

  it('are refused over plain HTTP, before the store is asked, unless the settings say otherwise', async () => {
    const here: WireClient = { address: '127.0.0.1', secure: false };
    const far: WireClient = { address: '192.0.2.1', secure: false };
    const put = { method: 'PUT', headers: customer(KEY), body: payload(10, 1) };
    const never = await stand();
    never.here.asked();
    expect(await never.told({ ...put, client: here })).toBe('400 InvalidRequest');
    expect(await never.told({ method: 'HEAD', headers: customer(KEY), client: here })).toBe('400');
    expect(
      await never.told({
        method: 'PUT',
        headers: { 'x-amz-copy-source': `${BUCKET}/k`, ...customer(KEY, OF_SOURCE) },
        client: here,
      }),
    ).toBe('400 InvalidRequest');
    expect(never.here.asked()).toEqual([]);
    const loopback = await stand({ overHttp: 'loopback', listensOnLoopback: true });
    expect(await loopback.told({ ...put, client: here })).toBe('200');
    expect(await loopback.told({ ...put, client: far })).toBe('400 InvalidRequest');
    const always = await stand({ overHttp: 'always', listensOnLoopback: false });
    expect(await always.told({ ...put, client: far })).toBe('200');
  });

  it('leave nothing of their keys when they are answered, well or not, though a download goes on', async () => {
    const { send, told, keysSeen } = await stand();
    const bytes = payload(600_000, 1);
    expect(await told({ method: 'PUT', headers: customer(KEY), body: bytes })).toBe('200');
    const { body } = await send({ method: 'GET', headers: customer(KEY) });
    expect(await told({ method: 'GET', headers: customer(OTHER) })).toBe('403 AccessDenied');
    expect(await told({ method: 'GET', key: 'absent', headers: customer(KEY) })).toBe('404 NoSuchKey');
    const copy = { 'x-amz-copy-source': `${BUCKET}/k`, ...customer(KEY, OF_SOURCE), ...customer(OTHER) };
    expect(await told({ method: 'PUT', key: 'copy', headers: copy })).toBe('200');
    expect(keysSeen()).toHaveLength(6);
    for (const key of keysSeen()) {
      expect([key.bytes, key.md5]).toEqual([Buffer.alloc(32), Buffer.alloc(16)]);
    }
    const pieces: Buffer[] = [];
    for await (const piece of body as AsyncIterable<Buffer>) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });
});

describe('a bucket that is not sealed any more', () => {
  it('has objects under customer keys, which open by their key as before, and others that take none', async () => {
    const { send, told, protect } = await stand();
    const bytes = payload(1000, 1);
    await send({ method: 'PUT', key: 'sealed', headers: customer(KEY), body: bytes });
    protect('none');
    await send({ method: 'PUT', key: 'plain', body: bytes });
    for (const method of ['GET', 'HEAD']) {
      const code = method === 'GET' ? ' InvalidRequest' : '';
      const refused = async (key: string, headers: Record<string, string>) =>
        method === 'GET' ? told({ method, key, headers }) : String((await send({ method, key, headers })).status);
      expect(await told({ method, key: 'sealed', headers: customer(KEY) })).toBe('200');
      expect(await refused('sealed', {})).toBe(`400${code}`);
      expect(await refused('plain', customer(KEY))).toBe(`400${code}`);
      expect(await told({ method, key: 'plain' })).toBe('200');
    }
    const attributes = {
      method: 'GET',
      query: { attributes: '' },
      headers: { 'x-amz-object-attributes': 'ObjectSize' },
    };
    const withKey = { ...attributes, headers: { ...attributes.headers, ...customer(KEY) } };
    expect(await told({ ...withKey, key: 'sealed' })).toBe('200');
    expect(await told({ ...withKey, key: 'plain' })).toBe('400 InvalidRequest');
    expect(await told({ method: 'PUT', headers: customer(KEY), body: bytes })).toBe('501 NotImplemented');
  });
});
