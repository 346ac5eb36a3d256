import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createS3Front } from '../../../src/dialects/s3/front/front.ts';
import { createHandler } from '../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import type { WireResponse } from '../../../src/wire/message.ts';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { sign } from '../../dialects/s3/signature/signing.ts';
import { wireRequest } from '../../support/requests.ts';
import { BUCKET, inProcess } from '../in-process.ts';

/** The default encryption of a bucket as S3 clients set it, and what it does to their next request. */

const SECRET = 'secretOfTheDefaults';
const SSE = 'x-amz-server-side-encryption';
const KEY = Buffer.alloc(32, 0x51).toString('base64');
const md5 = (bytes: string | Buffer) => createHash('md5').update(bytes).digest('base64');
const CUSTOMER = {
  [`${SSE}-customer-algorithm`]: 'AES256',
  [`${SSE}-customer-key`]: KEY,
  [`${SSE}-customer-key-md5`]: md5(Buffer.from(KEY, 'base64')),
};

type Headers = Readonly<Record<string, string>>;

interface Sent {
  readonly method: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Headers;
  readonly body?: string;
  /** Default: the tenant. */
  readonly by?: 'tenant' | 'nobody' | 'a forger';
  readonly secure?: boolean;
}

async function stand() {
  const here = await inProcess();
  const { tenant } = here.context();
  for (const name of ['cards', 'payroll']) await here.keyRings.createNamed(tenant.name, name);
  const directory = {
    caller: async () => ({ tenant, accessKeyId: 'AKID', secret: { reveal: () => SECRET } }),
    owner: async () => tenant,
  } as unknown as HandlerServices['directory'];
  const handle = createHandler({ ...here.handling, fronts: [createS3Front(() => new Date())], directory });
  const send = async ({ method, key, query = {}, headers = {}, body = '', by = 'tenant', secure = true }: Sent) => {
    const bytes = Buffer.from(body);
    const path = key === undefined ? `/${BUCKET}` : `/${BUCKET}/${key}`;
    const asked = { method, path, query, headers: { 'content-length': String(bytes.length), ...headers }, body: bytes };
    const secretAccessKey = by === 'a forger' ? 'another' : SECRET;
    const signed = await sign(asked, { accessKeyId: 'AKID', secretAccessKey, host: 'h', date: new Date() });
    const unsigned = [['host', 'h'], ...Object.entries(asked.headers)] as const;
    const client = { address: '192.0.2.1', secure };
    const request = { method, target: signed.target, headers: by === 'nobody' ? unsigned : signed.headers };
    const answer = (await handle(wireRequest({ ...request, body: bytes, client }), new RequestTrace())) as WireResponse;
    const text = Buffer.isBuffer(answer.body) ? answer.body.toString() : '';
    const code = answer.status < 400 ? '' : ` ${xmlText(readXml(Buffer.from(text)), 'Code')}`;
    return { told: `${answer.status}${code}`, headers: answer.headers, text };
  };
  const setting = async (method: string, sent: Partial<Sent> = {}) =>
    (await send({ method, query: { encryption: '' }, ...sent })).told;
  const set = (body: string, sent: Partial<Sent> = {}) => setting('PUT', { body, ...sent });
  const put = async (headers: Headers = {}, sent: Partial<Sent> = {}) => {
    const answer = await send({ method: 'PUT', key: 'k', headers, body: 'x', ...sent });
    return answer.headers.get(`${SSE}-aws-kms-key-id`) ?? answer.headers.get(SSE) ?? answer.told;
  };
  return { here, send, setting, set, put };
}

const rule = (...parts: readonly string[]) =>
  `<ServerSideEncryptionConfiguration><Rule>${parts.join('')}</Rule></ServerSideEncryptionConfiguration>`;
const method = (algorithm: string, key = '') =>
  `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm>${key}</ApplyServerSideEncryptionByDefault>`;
const keyId = (id: string) => `<KMSMasterKeyID>${id}</KMSMasterKeyID>`;
/** It would name the key `cards` if it were shorter. */
const LONG_ID = `arn:aws:kms:${'x'.repeat(60_000)}:123456789012:key/cards`;
const BLOCK = '<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>';
const ALLOW = BLOCK.replace('SSE-C', 'NONE');

describe('PutBucketEncryption', () => {
  it('is answered as S3 answers it, and holds for the next request', async () => {
    const { send, setting, set, put } = await stand();
    expect(await put()).toBe('AES256');
    expect(await set(rule(method('aws:kms', keyId('cards'))))).toBe('200');
    expect(await put()).toBe('cards');
    expect(await put({ [SSE]: 'AES256' })).toBe('AES256');
    expect(await put({ [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'payroll' })).toBe('payroll');
    const { text } = await send({ method: 'GET', query: { encryption: '' } });
    expect(text).toContain('<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>cards</KMSMasterKeyID>');
    expect(await set(rule(method('aws:kms')))).toBe('200');
    expect(await put()).toBe('aws/s3');
    expect(await setting('DELETE')).toBe('204');
    expect(await put()).toBe('AES256');
  });

  it.each<[string, string, Partial<Sent>, string]>([
    ['no rule', '<ServerSideEncryptionConfiguration/>', {}, '400 MalformedXML'],
    ['two rules', rule(method('AES256')).replace(/<Rule>.*<\/Rule>/, '$&$&'), {}, '400 MalformedXML'],
    ['an unknown algorithm', rule(method('ROT13')), {}, '400 MalformedXML'],
    ['no XML', 'AES256', {}, '400 MalformedXML'],
    ['nothing', '', {}, '400 MalformedXML'],
    ['a key with AES256', rule(method('AES256', keyId('cards'))), {}, '400 InvalidArgument'],
    ['an unknown key', rule(method('aws:kms', keyId('other'))), {}, '400 KMS.NotFoundException'],
    ['a key with too long an id', rule(method('aws:kms', keyId(LONG_ID))), {}, '400 KMS.NotFoundException'],
    ['two layers', rule(method('aws:kms:dsse')), {}, '501 NotImplemented'],
    ['another MD5', rule(BLOCK), { headers: { 'content-md5': md5('other') } }, '400 BadDigest'],
    ['no MD5', rule(BLOCK), { headers: { 'content-md5': 'MD5' } }, '400 InvalidDigest'],
    ['another checksum', rule(BLOCK), { headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }, '400 BadDigest'],
    ['a document too long', rule(BLOCK, ' '.repeat(70_000)), {}, '400 MaxMessageLengthExceeded'],
    ['no signature', rule(BLOCK), { by: 'nobody' }, '403 AccessDenied'],
    ['another’s signature', rule(BLOCK), { by: 'a forger' }, '403 SignatureDoesNotMatch'],
  ])('with %s changes nothing', async (_what, body, sent, told) => {
    const { set, put } = await stand();
    await set(rule(method('aws:kms', keyId('payroll'))));
    expect(await set(body, sent)).toBe(told);
    expect([await put(), await put(CUSTOMER)]).toEqual(['payroll', '200']);
  });

  it('is taken with the right MD5 and checksum', async () => {
    const { set } = await stand();
    const document = rule(method('AES256'));
    const sha256 = createHash('sha256').update(document).digest('base64');
    const headers = { 'content-md5': md5(document), 'x-amz-checksum-sha256': sha256 };
    expect(await set(document, { headers })).toBe('200');
  });
});

describe('customer keys that are blocked', () => {
  it.each<[string, Headers, Partial<Sent>]>([
    ['is right', CUSTOMER, {}],
    ['came over plain HTTP', CUSTOMER, { secure: false }],
    ['has another’s MD5', { ...CUSTOMER, [`${SSE}-customer-key-md5`]: md5('other') }, {}],
    ['is short', { ...CUSTOMER, [`${SSE}-customer-key`]: 'c2hvcnQ=' }, {}],
    ['has no algorithm', { [`${SSE}-customer-key`]: KEY }, {}],
    ['has an unknown algorithm', { ...CUSTOMER, [`${SSE}-customer-algorithm`]: 'AES128' }, {}],
    ['has a method beside it', { ...CUSTOMER, [SSE]: 'AES256' }, {}],
    ['has a KMS key beside it', { ...CUSTOMER, [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'cards' }, {}],
    ['has a context beside it', { ...CUSTOMER, [`${SSE}-context`]: 'no base64' }, {}],
    ['has what nobody knows beside it', { ...CUSTOMER, [`${SSE}-tomorrow`]: 'x' }, {}],
  ])('refuse a write whose key %s, and nobody looks at the key', async (_what, headers, sent) => {
    const { here, set, put } = await stand();
    expect(await set(rule(BLOCK))).toBe('200');
    here.asked();
    expect(await put(headers, sent)).toBe('403 AccessDenied');
    const upload = { method: 'POST', query: { uploads: '' }, body: '', ...sent };
    expect(await put(headers, upload)).toBe('403 AccessDenied');
    expect(await put({ ...headers, 'x-amz-copy-source': `/${BUCKET}/other` }, { body: '', ...sent })).toBe(
      '403 AccessDenied',
    );
    expect(here.asked().filter((request) => request !== 'GET /')).toEqual([]);
  });

  it('in two forms at once are wrong where they are not blocked', async () => {
    const { put } = await stand();
    const others: readonly Headers[] = [
      { [SSE]: 'AES256' },
      { [`${SSE}-aws-kms-key-id`]: 'cards' },
      { [`${SSE}-context`]: 'e30=' },
    ];
    for (const beside of others) {
      for (const sent of [{}, { method: 'POST', query: { uploads: '' }, body: '' }]) {
        expect(await put({ ...CUSTOMER, ...beside }, sent)).toBe('400 InvalidArgument');
      }
    }
    expect(await put({ ...CUSTOMER, [`${SSE}-tomorrow`]: 'x' })).toBe('501 NotImplemented');
  });

  it('open what lies there, and are taken again where the bucket allows them', async () => {
    const { send, set, put } = await stand();
    expect(await put(CUSTOMER)).toBe('200');
    await set(rule(BLOCK));
    expect((await send({ method: 'GET', key: 'k', headers: CUSTOMER })).told).toBe('200');
    expect(await put(CUSTOMER)).toBe('403 AccessDenied');
    await set(rule(ALLOW));
    expect(await put(CUSTOMER)).toBe('200');
  });
});
