import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createS3Front } from '../../../src/dialects/s3/front/front.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import { createHandler } from '../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import type { ByteSource, WireResponse } from '../../../src/wire/message.ts';
import { readXml, xmlText } from '../../../src/wire/xml/xml.ts';
import { pattern } from '../../devstore/started.ts';
import { sign } from '../../dialects/s3/signature/signing.ts';
import { wireRequest } from '../../support/requests.ts';
import { asking, KEYS } from '../customer-keys/stand.ts';
import { BUCKET, inProcess, isObject, putOf, verifiedBody } from '../in-process.ts';
import { startUpload } from '../upload/upload-stand.ts';

const SECRET = 'secretOfTheLateAnswers';

/** The whole pipeline but the listener, over a store that can be held. */
async function asked(
  copies: { readonly patienceSeconds: number; readonly beatSeconds: number },
  asks: Readonly<Record<string, string>> = {},
) {
  const here = await inProcess();
  await putObject(putOf('a'), verifiedBody(pattern(10)), here.context());
  const { tenant } = here.context();
  const directory = { caller: async () => ({ tenant, accessKeyId: 'AKID', secret: { reveal: () => SECRET } }) };
  const word = new HeaderList(['Access-Control-Allow-Origin', 'https://app.example.com']);
  const services = {
    ...here.handling,
    fronts: [createS3Front(() => new Date())],
    keyTransport: { overHttp: 'always', listensOnLoopback: true } as const,
    originRules: { answerTo: async () => word } as unknown as HandlerServices['originRules'],
    directory: directory as unknown as HandlerServices['directory'],
  };
  const signing = { accessKeyId: 'AKID', secretAccessKey: SECRET, host: 'h', date: new Date() };
  const headers = { 'x-amz-copy-source': `${BUCKET}/a`, ...asks };
  const signed = await sign({ method: 'PUT', path: `/${BUCKET}/b`, headers }, signing);
  const trace = new RequestTrace();
  const handle = createHandler(services, copies);
  const headersToo = (more: readonly (readonly [string, string])[]) => [...signed.headers, ...more];
  const answer = (more: readonly (readonly [string, string])[] = []) =>
    handle(wireRequest({ method: 'PUT', ...signed, headers: headersToo(more) }), trace) as Promise<WireResponse>;
  const other = async (method: string, query: Record<string, string>, given: { headers?: object; body?: Buffer }) => {
    const body = given.body ?? Buffer.alloc(0);
    const about = { method, path: `/${BUCKET}/b`, query, body };
    const request = await sign(
      { ...about, headers: { ...given.headers, 'content-length': String(body.length) } },
      signing,
    );
    const source = (async function* () {
      yield body;
    })();
    return handle(wireRequest({ method, ...request, body: source }), trace) as Promise<WireResponse>;
  };
  return { here, answer, other, trace };
}

/** One text a piece that comes. */
async function* pieces(response: WireResponse): AsyncGenerator<string, void, void> {
  for await (const piece of response.body as ByteSource) yield piece.toString();
}

describe('a copy that takes long', () => {
  it('is begun after its patience, kept alive, and ends with the result', async () => {
    const { here, answer } = await asked({ patienceSeconds: 0.02, beatSeconds: 0.02 });
    const hold = here.faults.hold({ method: 'PUT', where: isObject('b') });
    onTestFinished(() => hold.release());
    const response = await answer();
    expect([response.status, Buffer.isBuffer(response.body)]).toEqual([200, false]);
    const coming = pieces(response);
    const seen = [(await coming.next()).value, (await coming.next()).value, (await coming.next()).value];
    expect(seen).toEqual(['<?xml version="1.0" encoding="UTF-8"?>\n', ' ', ' ']);
    hold.release();
    let text = seen.join('');
    for await (const piece of coming) text += piece;
    expect(xmlText(readXml(Buffer.from(text)), 'ETag')).toMatch(/^"[0-9a-f]{32}-0"$/);
    expect(await here.stored.keys(BUCKET)).toEqual(['a', 'b']);
  });

  it('may be read by the pages that the store lets, though it is begun before its end', async () => {
    const { here, answer } = await asked({ patienceSeconds: 0.02, beatSeconds: 5 });
    const hold = here.faults.hold({ method: 'PUT', where: isObject('b') });
    const { headers, body } = await answer([['origin', 'https://app.example.com']]);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(headers.get('vary')).toBe('Origin');
    hold.release();
    for await (const _piece of body as ByteSource); // to its end, or the copy goes on
  });

  it('and fails, says so within its 200', async () => {
    const { here, answer, trace } = await asked({ patienceSeconds: 0.02, beatSeconds: 5 });
    const hold = here.faults.hold({ method: 'PUT', where: isObject('b') });
    here.faults.plan({ method: 'PUT', where: isObject('b') }, { kind: 'refuse', status: 403, code: 'AccessDenied' });
    const response = await answer();
    hold.release();
    let text = '';
    for await (const piece of pieces(response)) text += piece;
    const root = readXml(Buffer.from(text));
    expect([response.status, root.name, xmlText(root, 'Code')]).toEqual([200, 'Error', 'AccessDenied']);
    expect(trace.errorCode).toBe('AccessDenied');
  });

  it('is answered as ever when it is done in time', async () => {
    const { here, answer } = await asked({ patienceSeconds: 60, beatSeconds: 60 });
    here.faults.plan({ method: 'PUT', where: isObject('b') }, { kind: 'refuse', status: 403, code: 'AccessDenied' });
    expect((await answer()).status).toBe(403);
    const done = await answer();
    expect([done.status, done.headers.get('content-length')]).toEqual([200, String((done.body as Buffer).length)]);
  });
});

describe('an answer that begins before its outcome', () => {
  const SSE = 'x-amz-server-side-encryption';
  const key = Buffer.alloc(32, 3);
  const md5 = createHash('md5').update(key).digest('base64');

  /** The headers of a late answer that are about encryption. */
  async function toldLate(asks: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const { here, answer } = await asked({ patienceSeconds: 0.5, beatSeconds: 5 }, asks);
    await here.keyRings.createNamed('acme', 'cards');
    const hold = here.faults.hold({ method: 'PUT', where: isObject('b') });
    const { headers, body } = await answer();
    expect(Buffer.isBuffer(body)).toBe(false);
    hold.release();
    for await (const _piece of body as ByteSource); // to its end, or the copy goes on
    return Object.fromEntries([...headers].filter(([name]) => name.toLowerCase().startsWith(SSE)));
  }

  it.each<[string, Readonly<Record<string, string>>, Record<string, string>]>([
    ['nothing', {}, { [SSE]: 'AES256' }],
    ['AES256', { [SSE]: 'AES256' }, { [SSE]: 'AES256' }],
    [
      'a KMS key',
      { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'alias/cards', [`${SSE}-bucket-key-enabled`]: 'true' },
      { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'cards', [`${SSE}-bucket-key-enabled`]: 'true' },
    ],
    [
      'a customer key, for which the bytes pass the gateway',
      {
        [`${SSE}-customer-algorithm`]: 'AES256',
        [`${SSE}-customer-key`]: key.toString('base64'),
        [`${SSE}-customer-key-md5`]: md5,
      },
      { [`${SSE}-customer-algorithm`]: 'AES256', [`${SSE}-customer-key-MD5`]: md5 },
    ],
  ])('tells how its copy will be encrypted that asks for %s', async (_what, asks, told) => {
    expect(await toldLate(asks)).toEqual(told);
  });

  it.each<[string, AskedEncryption | undefined, Record<string, string>]>([
    ['managed keys', undefined, { [SSE]: 'AES256' }],
    [
      'a KMS key',
      { kind: 'kms', keyId: undefined, context: undefined },
      { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'aws/s3' },
    ],
    ['a customer key, which Complete does not bring', KEYS.one(), {}],
  ])('tells how its upload is encrypted: %s', async (_what, encryption, told) => {
    const { here, other } = await asked({ patienceSeconds: 0.5, beatSeconds: 5 });
    const keyed = () => asking(here, encryption?.kind === 'customer' ? KEYS.one() : encryption);
    const upload = await startUpload(here, 'b', { context: keyed });
    const { uploadId } = upload.named;
    const late = async (response: WireResponse, hold: { release(): void }) => {
      expect(Buffer.isBuffer(response.body)).toBe(false);
      hold.release();
      let text = '';
      for await (const piece of pieces(response)) text += piece;
      expect(readXml(Buffer.from(text)).name).not.toBe('Error');
      return Object.fromEntries([...response.headers].filter(([name]) => name.toLowerCase().startsWith(SSE)));
    };
    if (encryption?.kind !== 'customer') {
      const staging = here.faults.hold({ method: 'PUT', where: ({ target }) => !target.raw.startsWith(`/${BUCKET}/`) });
      const copying = { headers: { 'x-amz-copy-source': `${BUCKET}/a` } };
      expect(await late(await other('PUT', { partNumber: '2', uploadId }, copying), staging)).toEqual(told);
    }
    const { etag } = await upload.send(1, pattern(10));
    const part = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`;
    const body = Buffer.from(`<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`);
    const hold = here.faults.hold({ method: 'POST', where: ({ target }) => target.raw.startsWith(`/${BUCKET}/b?`) });
    expect(await late(await other('POST', { uploadId }, { body }), hold)).toEqual(told);
  });
});
