import { describe, expect, it } from 'vitest';
import { createS3Front } from '../../src/dialects/s3/front/front.ts';
import { RING, type RingState } from '../../src/keys/key-ring.ts';
import { createHandler } from '../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../src/pipeline/trace.ts';
import type { WireResponse } from '../../src/wire/message.ts';
import { readXml, xmlText } from '../../src/wire/xml/xml.ts';
import { sign } from '../dialects/s3/signature/signing.ts';
import { payload } from '../support/payload.ts';
import { triedOf } from '../support/quick.ts';
import { wireRequest } from '../support/requests.ts';
import { BUCKET, inProcess } from './in-process.ts';

/** Requests for KMS keys as S3 clients write them, and the answers as they are sent. */

const SSE = 'x-amz-server-side-encryption';
const KEY_ID = `${SSE}-aws-kms-key-id`;
const CONTEXT = `${SSE}-context`;
const BUCKET_KEY = `${SSE}-bucket-key-enabled`;
const SECRET = 'secretOfTheKmsRequests';
const BODY = payload(1000, 1);

type Headers = Readonly<Record<string, string>>;

interface Asked {
  readonly method?: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Headers;
  readonly body?: Buffer;
}

async function stand() {
  const here = await inProcess();
  const { keyRings, records } = here;
  const { tenant } = here.context();
  const directory = { caller: async () => ({ tenant, accessKeyId: 'AKID', secret: { reveal: () => SECRET } }) };
  const services = {
    ...here.handling,
    fronts: [createS3Front(() => new Date())],
    directory: directory as unknown as HandlerServices['directory'],
  };
  const handle = createHandler(services);
  for (const name of ['cards', 'payroll']) await keyRings.createNamed(tenant.name, name);
  await keyRings.createNamed('beta', 'theirs');
  const add = async (name: string, state: RingState): Promise<void> => {
    const { id } = await keyRings.createNamed(tenant.name, name);
    const held = await records.read(RING, id);
    if (held !== undefined) await records.put(RING, id, { ...held.value, state }, held.revision);
  };
  const ask = async ({ method = 'PUT', key = 'k', query = {}, headers = {}, body = Buffer.alloc(0) }: Asked) => {
    const signing = { accessKeyId: 'AKID', secretAccessKey: SECRET, host: 'h', date: new Date() };
    const sent = { 'content-length': String(body.length), ...headers };
    const asked = { method, path: `/${BUCKET}/${key}`, query, headers: sent, body };
    const request = wireRequest({ method, ...(await sign(asked, signing)), body });
    const answer = (await handle(request, new RequestTrace())) as WireResponse;
    const bytes = await bytesOf(answer.body);
    const told = [...answer.headers].filter(([name]) => name.toLowerCase().startsWith(SSE));
    return { status: answer.status, told: Object.fromEntries(told), bytes, etag: answer.headers.get('etag') };
  };
  const refused = async (asked: Asked) => {
    const { status, bytes } = await ask(asked);
    return [status, status < 400 || bytes.length === 0 ? '' : xmlText(readXml(bytes), 'Code')];
  };
  return { here, add, ask, refused };
}

async function bytesOf(body: WireResponse['body']): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const kms = (keyId?: string, more: Headers = {}): Headers => ({
  [SSE]: 'aws:kms',
  ...(keyId !== undefined && { [KEY_ID]: keyId }),
  ...more,
});
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The requests that begin an object or an upload. */
const BEGINNING: readonly (readonly [string, Asked])[] = [
  ['PutObject', { body: BODY }],
  ['CopyObject', { headers: { 'x-amz-copy-source': `/${BUCKET}/source` } }],
  ['CreateMultipartUpload', { method: 'POST', query: { uploads: '' } }],
];

const REFUSALS: readonly (readonly [string, Headers, number, string])[] = [
  ['an unknown key', kms('unknown'), 400, 'KMS.NotFoundException'],
  ['another tenant’s key', kms('theirs'), 400, 'KMS.NotFoundException'],
  ['another tenant’s key by its alias', kms('alias/theirs'), 400, 'KMS.NotFoundException'],
  ['an ARN of nothing', kms('arn:aws:kms:us-east-1:1:grant/cards'), 400, 'KMS.NotFoundException'],
  ['a disabled key', kms('disabled'), 400, 'KMS.DisabledException'],
  ['a key that only opens', kms('old'), 400, 'KMS.DisabledException'],
  ['a key that awaits its destruction', kms('going'), 400, 'KMS.KMSInvalidStateException'],
  ['a key id without aws:kms', { [KEY_ID]: 'cards' }, 400, 'InvalidArgument'],
  ['a key id beside AES256', { [SSE]: 'AES256', [KEY_ID]: 'cards' }, 400, 'InvalidArgument'],
  ['a context without aws:kms', { [CONTEXT]: base64('{}') }, 400, 'InvalidArgument'],
  ['an unknown method', { [SSE]: 'aws:hsm', [KEY_ID]: 'cards' }, 400, 'InvalidArgument'],
  ['another unknown method', { [SSE]: 'AWS:KMS' }, 400, 'InvalidArgument'],
  ['two layers', { [SSE]: 'aws:kms:dsse', [KEY_ID]: 'cards' }, 501, 'NotImplemented'],
  ['a context that is no base64', kms('cards', { [CONTEXT]: '{"a":"b"}' }), 400, 'InvalidArgument'],
  ['a context that is no JSON', kms('cards', { [CONTEXT]: base64('a=b') }), 400, 'InvalidArgument'],
  ['a context that is no map', kms('cards', { [CONTEXT]: base64('["a"]') }), 400, 'InvalidArgument'],
  ['a context of numbers', kms('cards', { [CONTEXT]: base64('{"a":1}') }), 400, 'InvalidArgument'],
  ['a context too long', kms('cards', { [CONTEXT]: base64(`{"a":"${'x'.repeat(1024)}"}`) }), 400, 'InvalidArgument'],
  ['a bucket key that is neither', kms('cards', { [BUCKET_KEY]: 'maybe' }), 400, 'InvalidArgument'],
];

describe.each(BEGINNING)('%s with', (operation, asked) => {
  const row = BEGINNING.findIndex(([name]) => name === operation);
  it.each(triedOf(REFUSALS, row))('%s is refused, and leaves what was there', async (_what, headers, status, code) => {
    const { add, ask, refused } = await stand();
    for (const [name, state] of [
      ['disabled', 'disabled'],
      ['old', 'decrypt-only'],
      ['going', 'pending'],
    ] as const) {
      await add(name, state);
    }
    for (const key of ['source', 'k']) expect((await ask({ key, body: BODY })).status).toBe(200);
    expect(await refused({ ...asked, headers: { ...asked.headers, ...headers } })).toEqual([status, code]);
    const { told, bytes } = await ask({ method: 'GET' });
    expect([told, bytes.equals(BODY)]).toEqual([{ [SSE]: 'AES256' }, true]);
  });
});

describe('the method named where none may be', () => {
  it.each<[string, Asked]>([
    ['GetObject', { method: 'GET' }],
    ['HeadObject', { method: 'HEAD' }],
    ['ListObjects', { method: 'GET', key: '', query: { 'list-type': '2' } }],
    ['UploadPart', { body: BODY, query: { partNumber: '1', uploadId: 'u' } }],
    ['UploadPartCopy', { query: { partNumber: '1', uploadId: 'u' }, headers: { 'x-amz-copy-source': `/${BUCKET}/k` } }],
  ])('%s', async (_operation, asked) => {
    const { ask, refused } = await stand();
    await ask({ body: BODY });
    for (const headers of [{ [SSE]: 'AES256' }, kms(), kms('cards')]) {
      const answer = await refused({ ...asked, headers: { ...asked.headers, ...headers } });
      expect(answer).toEqual([400, asked.method === 'HEAD' ? '' : 'InvalidArgument']);
    }
  });
});

describe('every answer about an object or an upload tells key and bucket key', () => {
  it.each([
    ['cards', 'cards'],
    ['alias/cards', 'cards'],
    ['arn:aws:kms:us-east-1:123456789012:key/cards', 'cards'],
    ['arn:aws:kms:us-east-1:123456789012:alias/cards', 'cards'],
    [undefined, 'aws/s3'],
    ['alias/aws/s3', 'aws/s3'],
  ])('asked for as %s', async (keyId, name) => {
    const { ask } = await stand();
    for (const [more, bucketKey] of [
      [{}, {}],
      [{ [BUCKET_KEY]: 'false' }, {}],
      [{ [BUCKET_KEY]: 'true', [CONTEXT]: base64('{"dept":"cards"}') }, { [BUCKET_KEY]: 'true' }],
    ] as const) {
      const headers = kms(keyId, more);
      const told = { ...kms(name), ...bucketKey };
      await ask({ key: 'source', body: BODY });
      const created = await ask({ method: 'POST', key: 'm', query: { uploads: '' }, headers });
      const uploadId = xmlText(readXml(created.bytes), 'UploadId') ?? '';
      const part = { key: 'm', query: { partNumber: '1', uploadId } };
      const copySource = { 'x-amz-copy-source': `/${BUCKET}/source` };
      const sent = await ask({ ...part, body: BODY });
      const again = await ask({ ...part, headers: copySource });
      const etag = xmlText(readXml(again.bytes), 'ETag') ?? '';
      const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
      const completed = await ask({ method: 'POST', key: 'm', query: { uploadId }, body: Buffer.from(list) });
      expect(readXml(completed.bytes).name).toBe('CompleteMultipartUploadResult');
      const answers = [
        created,
        sent,
        again,
        completed,
        await ask({ key: 'k', body: BODY, headers }),
        await ask({ key: 'c', headers: { ...copySource, ...headers } }),
        ...(await Promise.all(['k', 'c', 'm'].map((key) => ask({ method: 'HEAD', key })))),
      ];
      for (const key of ['k', 'c', 'm']) {
        const got = await ask({ method: 'GET', key });
        expect(got.bytes.equals(BODY)).toBe(true);
        answers.push(got);
      }
      expect(answers.map((answer) => answer.told)).toEqual(answers.map(() => told));
      // The name that was told can be sent back.
      expect((await ask({ key: 'again', body: BODY, headers: kms(name) })).told).toEqual(kms(name));
    }
  });
});

it('a copy has the form that its request asks for, or the bucket’s, and never that of its source', async () => {
  const { ask } = await stand();
  const forms = [{}, { [SSE]: 'AES256' }, kms(), kms('cards'), kms('payroll')] as const;
  const toldOf = (form: Headers) => (form[SSE] === 'aws:kms' ? kms(form[KEY_ID] ?? 'aws/s3') : { [SSE]: 'AES256' });
  for (const source of forms) {
    await ask({ key: 'source', body: BODY, headers: source });
    for (const form of forms) {
      const copied = await ask({ key: 'copy', headers: { 'x-amz-copy-source': `/${BUCKET}/source`, ...form } });
      const got = await ask({ method: 'GET', key: 'copy' });
      expect([copied.told, got.told, got.bytes.equals(BODY)]).toEqual([toldOf(form), toldOf(form), true]);
    }
  }
  for (const form of [...forms.slice(1), ...forms.slice(1).toReversed()]) {
    const copied = await ask({ key: 'copy', headers: { 'x-amz-copy-source': `/${BUCKET}/copy`, ...form } });
    const got = await ask({ method: 'GET', key: 'copy' });
    expect([copied.told, got.told, got.bytes.equals(BODY)]).toEqual([toldOf(form), toldOf(form), true]);
  }
});

it('the bucket’s default key is taken where a request names none, and yields to one that does', async () => {
  const { ask } = await stand();
  const rule =
    '<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/cards' +
    '</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>';
  const document = Buffer.from(`<ServerSideEncryptionConfiguration>${rule}</ServerSideEncryptionConfiguration>`);
  await ask({ key: 'before', body: BODY });
  expect((await ask({ key: '', query: { encryption: '' }, body: document })).status).toBe(200);
  const cards = { ...kms('cards'), [BUCKET_KEY]: 'true' };
  for (const [headers, told] of [
    [{}, cards],
    [kms(), cards],
    [kms('payroll', { [BUCKET_KEY]: 'false' }), kms('payroll')],
    [{ [SSE]: 'AES256' }, { [SSE]: 'AES256' }],
  ] as const) {
    expect((await ask({ body: BODY, headers })).told).toEqual(told);
    expect((await ask({ method: 'HEAD' })).told).toEqual(told);
  }
  expect((await ask({ method: 'HEAD', key: 'before' })).told).toEqual({ [SSE]: 'AES256' });
});

it('an object whose key is disabled or gone is refused on every way to read it', async () => {
  const { here, ask, refused } = await stand();
  await ask({ body: BODY, headers: kms('cards') });
  const kek = await here.keyRings.named('acme', 'cards');
  const held = await here.records.read(RING, kek?.ringId ?? '');
  if (held === undefined) throw new Error('There is no such ring.');
  await here.records.put(RING, held.value.id, { ...held.value, state: 'disabled' }, held.revision);
  const reads: readonly Asked[] = [
    { method: 'GET' },
    { method: 'GET', headers: { range: 'bytes=0-1' } },
    { method: 'GET', query: { attributes: '' }, headers: { 'x-amz-object-attributes': 'ETag' } },
    { key: 'copy', headers: { 'x-amz-copy-source': `/${BUCKET}/k` } },
  ];
  for (const asked of reads) expect(await refused(asked)).toEqual([400, 'KMS.DisabledException']);
  expect(await refused({ method: 'HEAD' })).toEqual([400, '']);
  await here.keyRings.remove(held.value.id);
  for (const asked of reads) expect(await refused(asked)).toEqual([400, 'KMS.NotFoundException']);
  expect((await ask({ method: 'DELETE' })).status).toBe(204);
});
