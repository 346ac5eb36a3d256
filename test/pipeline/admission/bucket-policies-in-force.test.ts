import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { qingstorFront } from '../../../src/dialects/qingstor/front.ts';
import { createS3Front } from '../../../src/dialects/s3/front/front.ts';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { inProcess, lacking } from '../in-process.ts';
import { form, keyHeaders, type Send, type Sent, sender, type Told } from './signed-requests.ts';

/** Policies of buckets as requests meet them, from their signature to the answer, over a store that has no policies. */

const SSE = 'x-amz-server-side-encryption';
const AES256 = { [SSE]: 'AES256' };
const CUSTOMER = keyHeaders(Buffer.alloc(32, 1));
const ARN = 'arn:aws:s3:::target/*';
const DENY = { Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: ARN };
/** What AWS's documents tell to set, to have no object that was not asked to be encrypted. */
const UNENCRYPTED = { ...DENY, Sid: 'DenyUnencrypted', Condition: { Null: { [`s3:${SSE}`]: 'true' } } };

const put = (headers: Readonly<Record<string, string>> = {}, path = '/target/k'): Sent => {
  return { method: 'PUT', path, headers, body: Buffer.from('new') };
};
const policy = (...statements: readonly object[]): Sent => ({
  ...{ method: 'PUT', path: '/target', query: { policy: '' } },
  body: Buffer.from(JSON.stringify({ Version: '2012-10-17', Statement: statements })),
});
const ask = (method: string, subresource = 'policy'): Sent => ({
  method,
  path: '/target',
  query: { [subresource]: '' },
});
const refusedBy = (statement: string) => ({ status: 403, code: 'AccessDenied', rule: `bucket policy ${statement}` });

let send: Send;
let asked: () => string[];
let stored: () => Promise<readonly string[]>;

beforeEach(async () => {
  const here = await inProcess({
    buckets: [{ pattern: 'source' }, { pattern: 'target', anonymous: true }],
  });
  const { tenant } = here.context();
  send = sender(here, () => tenant, [qingstorFront, createS3Front(() => new Date())]);
  ({ asked } = here);
  stored = () => here.stored.keys('target');
  await send(put({}, '/source/there'));
});

async function status(sent: Sent, by?: 'nobody'): Promise<number> {
  return ((await send(sent, by)) as Told).status;
}

describe('a bucket whose policy denies what is not asked to be encrypted', () => {
  beforeEach(async () => {
    expect(await send(policy(UNENCRYPTED))).toMatchObject({ status: 204 });
    asked();
  });

  it('takes no object by any way that says nothing, and the store hears of none', async () => {
    const copy = { method: 'PUT', path: '/target/k', headers: { 'x-amz-copy-source': 'source/there' } };
    const upload = { method: 'POST', path: '/target/k', query: { uploads: '' } };
    for (const sent of [put(), copy, upload, put(CUSTOMER)]) {
      expect(await send(sent), sent.method).toMatchObject(refusedBy('DenyUnencrypted'));
    }
    expect(await send(form('target'), 'nobody')).toMatchObject(refusedBy('DenyUnencrypted'));
    expect(await send(put(), 'nobody')).toMatchObject(refusedBy('DenyUnencrypted'));
    expect(asked().filter((line) => line !== 'GET /')).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it('takes those that are', async () => {
    const copy = { method: 'PUT', path: '/target/copied', headers: { 'x-amz-copy-source': 'source/there', ...AES256 } };
    for (const sent of [put(AES256), copy]) expect(await status(sent)).toBe(200);
    expect(await status(form('target', AES256), 'nobody')).toBe(204);
    const created = (await send({
      method: 'POST',
      path: '/target/u',
      query: { uploads: '' },
      headers: AES256,
    })) as Told;
    const uploadId = xmlText(readXml(Buffer.from(created.body)), 'UploadId') ?? '';
    // As in S3, a part says nothing of encryption, and neither does the end of an upload.
    const part = { ...put({}, '/target/u'), query: { uploadId, partNumber: '1' } };
    expect(await status(part)).toBe(200);
    const copied = { ...part, headers: { 'x-amz-copy-source': 'source/there' }, body: Buffer.alloc(0) };
    const { body } = (await send({ ...copied, query: { uploadId, partNumber: '2' } })) as Told;
    expect(body).toContain('CopyPartResult');
    const listed = (await send({ method: 'GET', path: '/target/u', query: { uploadId } })) as Told;
    const [etag] = /(?<=<ETag>)[^<]+/.exec(listed.body) ?? [];
    const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    const complete = { method: 'POST', path: '/target/u', query: { uploadId }, body: Buffer.from(document) };
    expect(await status(complete)).toBe(200);
    expect(await stored()).toEqual(['copied', 'k', 'u']);
  });

  it('is read, listed and cleared as before', async () => {
    await send(put(AES256));
    expect(await send({ method: 'GET', path: '/target/k' })).toMatchObject({ status: 200, body: 'new' });
    expect(await status({ method: 'GET', path: '/target' })).toBe(200);
    expect(await status({ method: 'DELETE', path: '/target/k' })).toBe(204);
    expect(await status(put({}, '/source/other'))).toBe(200);
  });

  it('refuses writes in other dialects, in their words', async () => {
    const told = (await send(put({ 'x-qs-date': new Date().toUTCString() }), 'nobody')) as Told;
    expect(told).toMatchObject({ status: 403, rule: 'bucket policy DenyUnencrypted' });
    expect(JSON.parse(told.body)).toMatchObject({ code: 'permission_denied' });
  });

  it('tells the policy as it was set, and who reads that it lets in nobody', async () => {
    const { body } = policy(UNENCRYPTED);
    expect(await send(ask('GET'))).toMatchObject({ status: 200, body: body?.toString() });
    expect(await send(ask('GET', 'policyStatus'))).toMatchObject({
      status: 200,
      body: expect.stringContaining('<IsPublic>false</IsPublic>'),
    });
  });

  it('is told of, and changed, only by who signs', async () => {
    for (const sent of [ask('GET'), ask('GET', 'policyStatus'), ask('DELETE'), policy({ ...UNENCRYPTED, Sid: 'x' })]) {
      expect(await send(sent, 'nobody')).toMatchObject({ status: 403, code: 'AccessDenied', rule: undefined });
    }
    expect(await send(put())).toMatchObject(refusedBy('DenyUnencrypted'));
  });

  it('takes everything when the policy is removed', async () => {
    expect(await status(ask('DELETE'))).toBe(204);
    expect(await status(put())).toBe(200);
    // The embedded store has no policies at all.
    expect(await send(ask('GET'))).toMatchObject({ status: 501, code: 'NotImplemented' });
  });

  it('and the policy of the bucket that is made after it says nothing', async () => {
    expect(await status({ method: 'DELETE', path: '/target' })).toBe(204);
    expect(await status({ method: 'PUT', path: '/target' })).toBe(200);
    expect(await status(put())).toBe(200);
  });
});

describe('a policy', () => {
  it('is judged before what it asks for is looked at', async () => {
    const condition = (operator: string, key: string, value: string) => ({
      Condition: { [operator]: { [key]: value } },
    });
    await send(policy({ ...DENY, Sid: 'Only', ...condition('StringNotEquals', `s3:${SSE}`, 'AES256') }));
    const kms = { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'no-such-key' };
    for (const headers of [kms, { [SSE]: 'AES192' }]) expect(await send(put(headers))).toMatchObject(refusedBy('Only'));
    const algorithm = `${SSE}-customer-algorithm`;
    await send(policy({ ...DENY, Sid: 'Own', ...condition('StringNotEquals', `s3:${algorithm}`, 'AES256') }));
    expect(await send(put({ [algorithm]: 'AES192' }))).toMatchObject(refusedBy('Own'));
    // Where the policy has nothing against it, the request is refused for what it is.
    expect(await send(put({ [algorithm]: 'AES256' }))).toMatchObject({ status: 400, code: 'InvalidArgument' });
    await send(ask('DELETE'));
    expect(await send(put({ [SSE]: 'AES192' }))).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(await send(put(kms))).toMatchObject({ status: 400, code: 'KMS.NotFoundException' });
  });

  it('looks at what a request says, and not at what the bucket’s default makes of it', async () => {
    const rule =
      '<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>';
    const xml = `<ServerSideEncryptionConfiguration><Rule>${rule}</Rule></ServerSideEncryptionConfiguration>`;
    const set = { method: 'PUT', path: '/target', query: { encryption: '' }, body: Buffer.from(xml) };
    expect(await status(set)).toBe(200);
    await send(policy(UNENCRYPTED));
    expect(await send(put())).toMatchObject(refusedBy('DenyUnencrypted'));
  });

  it('that cannot be held, or of which the store gets a part that it refuses, changes nothing', async () => {
    await send(policy(UNENCRYPTED));
    expect(await send(policy({ ...UNENCRYPTED, Effect: 'Allow' }))).toMatchObject({
      status: 501,
      code: 'NotImplemented',
    });
    expect(await send(policy({ ...UNENCRYPTED, Effect: 'No' }))).toMatchObject({
      status: 400,
      code: 'MalformedPolicy',
    });
    const open = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: ARN };
    const other = { ...UNENCRYPTED, Condition: { Null: { [`s3:${SSE}`]: 'false' } } };
    expect(await send(policy(open, other))).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await send(policy(open))).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await send(put(AES256))).toMatchObject({ status: 200 });
    expect(await send(put())).toMatchObject(refusedBy('DenyUnencrypted'));
  });

  it('is not set for a bucket that is not there', async () => {
    const nowhere = (sent: Sent) => send({ ...sent, path: '/nowhere' });
    const body = Buffer.from(policy(UNENCRYPTED).body?.toString().replaceAll('target', 'nowhere') ?? '');
    expect(await nowhere({ ...policy(), body })).toMatchObject({ status: 403, code: 'AccessDenied' });
    await send({ method: 'DELETE', path: '/target' });
    expect(await send(policy(UNENCRYPTED))).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  });

  it('of 20 KiB is the largest', async () => {
    const long = { ...UNENCRYPTED, Resource: [ARN, `arn:aws:s3:::target/${'x'.repeat(20 * 1024)}`] };
    expect(await send(policy(long))).toMatchObject({ status: 400, code: 'MaxMessageLengthExceeded' });
  });
});

describe('over a store that takes `/a` and `a` for one object', () => {
  it('denies a write under any of the names of what the policy is about', async () => {
    const here = await inProcess({
      buckets: [{ pattern: 'target' }],
      findings: () => lacking({ distinctFirstSlash: false }).findings,
    });
    const { tenant } = here.context();
    send = sender(here, () => tenant, [createS3Front(() => new Date())]);
    await send(policy({ ...UNENCRYPTED, Resource: 'arn:aws:s3:::target/secret/*' }));
    for (const path of ['/target/secret/k', '/target//secret/k', '/target/%2Fsecret/k']) {
      expect(await send(put({}, path)), path).toMatchObject(refusedBy('DenyUnencrypted'));
    }
    expect(await here.stored.keys('target')).toEqual([]);
    expect(await status(put({}, '/target/secrets/k'))).toBe(200);
  });
});

describe('a policy of patterns that fit almost everywhere', () => {
  it('leaves other requests their turn while many keys are judged', async () => {
    const pattern = (at: number) => `arn:aws:s3:::target/*${'a'.repeat(500)}${at}`;
    const Resource = Array.from({ length: 36 }, (_, at) => pattern(at));
    const held = { ...UNENCRYPTED, Action: 's3:*', Resource };
    expect(await send(policy(held))).toMatchObject({ status: 204 });
    const keys = Array.from({ length: 200 }, (_, at) => `${'a'.repeat(1000)}-${at}-`);
    const body = Buffer.from(`<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`);
    let turns = 0;
    const other = setInterval(() => turns++, 1);
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const deleted = (await send({ method: 'POST', path: '/target', query: { delete: '' }, headers, body })) as Told;
    clearInterval(other);
    expect(deleted.status).toBe(200);
    expect(turns).toBeGreaterThan(10);
  });
});
