import { describe, expect, it } from 'vitest';
import { crc64Of } from '../../../src/checksums/crc64.ts';
import { FRONTS } from '../../../src/dialects/table.ts';
import { clientError } from '../../../src/errors.ts';
import { createHandler } from '../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import type { WireResponse } from '../../../src/wire/message.ts';
import { type AskedRequest, CONTENT, frontConformance } from '../../dialects/front-conformance.ts';
import { inProcess } from '../../pipeline/in-process.ts';
import { wireRequest } from '../../support/requests.ts';
import { type ToyPlace, toyFront, toySignature } from './toy-front.ts';

const LENGTH = ['Content-Length', String(CONTENT.length)] as const;
const HOMES = ['x-toy-homes', 'nowhere'] as const;
const SECRET = 'secretOfTheToy';

function placeOf(target: string): ToyPlace {
  const [, bucket = '', ...key] = target.replace(/\?.*/, '').split('/');
  return { bucket, key: key.join('/') };
}

function toyRequest({ method, target, headers = [], body }: AskedRequest, accessKeyId: string, signature: string) {
  const authorization = ['Authorization', `TOY ${accessKeyId} ${signature}`] as const;
  return wireRequest({ method, target, headers: [['Host', 'h'], ...headers, authorization], ...(body && { body }) });
}

frontConformance({
  front: toyFront,
  async request(asked, key) {
    if (key !== undefined)
      return toyRequest(asked, key.accessKeyId, toySignature(key.secret, asked.method, placeOf(asked.target)));
    const { headers = [], body } = asked;
    return wireRequest({ ...asked, headers: [['Host', 'h'], ...headers, HOMES], ...(body && { body }) });
  },
  operations: [
    { name: 'PutObject', asked: { method: 'PUT', target: '/box/k', headers: [LENGTH], body: CONTENT }, status: 200 },
    { name: 'GetObject', asked: { method: 'GET', target: '/box/k' }, status: 200, body: new RegExp(`^${CONTENT}$`) },
    { name: 'HeadObject', asked: { method: 'HEAD', target: '/box/k' }, status: 200 },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box' }, status: 200, body: /^k$/ },
    { name: 'HeadBucket', asked: { method: 'HEAD', target: '/box' }, status: 200 },
    { name: 'DeleteObject', asked: { method: 'DELETE', target: '/box/k' }, status: 200 },
  ],
  unknown: [
    { method: 'POST', target: '/box/k' },
    { method: 'GET', target: '/box/k?acl' },
    { method: 'DELETE', target: '/box' },
  ],
  absent: { method: 'GET', target: '/box/absent' },
  spelled: {
    NoSuchKey: [404, 'no-such-key'],
    SignatureDoesNotMatch: [403, 'signature-does-not-match'],
    InvalidAccessKeyId: [403, 'invalid-access-key-id'],
    AnonymousRequest: [403, 'anonymous-request'],
    NotImplemented: [501, 'not-implemented'],
  },
  codeIn: (body) => /^toy: ([a-z-]+): /.exec(body)?.[1],
});

describe('a dialect over a store of another one', () => {
  async function stand() {
    const here = await inProcess();
    const { tenant } = here.context();
    const directory = { caller: async () => ({ tenant, accessKeyId: 'AK', secret: { reveal: () => SECRET } }) };
    const handle = createHandler({
      ...here.handling,
      fronts: [toyFront, ...FRONTS],
      directory: directory as unknown as HandlerServices['directory'],
    });
    here.asked();
    const ask = async (asked: AskedRequest, place = placeOf(asked.target)) => {
      const trace = new RequestTrace();
      const request = toyRequest(asked, 'AK', toySignature(SECRET, asked.method, place));
      const answer = (await handle(request, trace)) as WireResponse;
      return { trace, status: answer.status, headers: answer.headers, body: String(answer.body ?? '') };
    };
    const put = (headers: AskedRequest['headers'] = []) =>
      ask({ method: 'PUT', target: '/box/k', headers: [LENGTH, ...headers], body: CONTENT });
    return { here, ask, put };
  }

  it('tells the digests that it tells, of the plaintext, though the client sent none', async () => {
    const { ask, put } = await stand();
    const expected = crc64Of([CONTENT]).toString('hex');
    expect((await put()).headers.get('x-toy-crc64')).toBe(expected);
    for (const method of ['GET', 'HEAD'])
      expect((await ask({ method, target: '/box/k' })).headers.get('x-toy-crc64'), method).toBe(expected);
  });

  it('has its metadata and its traits kept; what the store cannot be told is refused, and nothing is stored', async () => {
    const { here, ask, put } = await stand();
    expect(
      (
        await put([
          ['x-toy-meta-colour', 'blue'],
          ['x-toy-cold', 'yes'],
        ])
      ).status,
    ).toBe(200);
    const { headers } = await ask({ method: 'HEAD', target: '/box/k' });
    expect([headers.get('x-toy-meta-colour'), headers.get('x-toy-cold')]).toEqual(['blue', 'true']);
    here.asked();
    const refused = await put([['x-toy-owner', 'me']]);
    expect([refused.status, refused.body]).toEqual([501, expect.stringContaining('x-toy-owner')]);
    expect(here.asked()).toEqual([]);
  });

  it('is read in the way that was signed, and in no other', async () => {
    const { here, ask, put } = await stand();
    await put();
    const two = { method: 'GET', target: '/k', headers: [['x-toy-homes', 'other,box']] } as const;
    const read = await ask(two, { bucket: 'box', key: 'k' });
    expect([read.status, read.body, read.trace.bucket, read.trace.key]).toEqual([200, String(CONTENT), 'box', 'k']);
    here.asked();
    const none = await ask(two, { bucket: 'box', key: 'j' });
    expect([none.status, none.trace.tenant, none.trace.bucket]).toEqual([403, undefined, 'other']);
    expect(none.body).toContain('signature-does-not-match');
    expect(here.asked()).toEqual([]);
    const seven = { ...two, headers: [['x-toy-homes', '1,2,3,4,5,6,box']] } as const;
    expect((await ask(seven, { bucket: 'box', key: 'k' })).status).toBe(200);
    here.asked();
    const eight = { ...two, headers: [['x-toy-homes', 'box,2,3,4,5,6,7,8']] } as const;
    const refused = await ask(eight, { bucket: 'box', key: 'k' });
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('invalid-request')]);
    expect(here.asked()).toEqual([]);
  });

  it('spells what it has no word for as the error that it is like', () => {
    const settings = { region: 'us-east-1', domains: [] };
    const { status, body } = toyFront.renderError(clientError('NoSuchVersion', 'no'), {
      requestId: 'R',
      settings,
      request: undefined,
    });
    expect([status, String(body)]).toEqual([404, 'toy: no-such-key: no']);
  });
});
