import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ossForms } from '../../../../src/dialects/oss/front/form.ts';
import { ossFront } from '../../../../src/dialects/oss/front/front.ts';
import { FRONTS } from '../../../../src/dialects/table.ts';
import { clientError } from '../../../../src/errors.ts';
import { createHandler } from '../../../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../../../src/pipeline/trace.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import type { WireResponse } from '../../../../src/wire/message.ts';
import { inProcess } from '../../../pipeline/in-process.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';

const SETTINGS = { region: 'us-east-1', domains: [] };
const SECRET = 'ossSecretExampleKey0123456789ab';

type Fields = Readonly<Record<string, string>>;

function formOf(fields: Fields, file: string): { readonly type: string; readonly body: Buffer } {
  const boundary = 'boundary';
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const end = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n${file}\r\n--${boundary}--\r\n`;
  return { type: `multipart/form-data; boundary=${boundary}`, body: Buffer.from(parts.join('') + end) };
}

function policyOf(conditions: readonly unknown[], expiration = new Date(Date.now() + 60_000)): string {
  return Buffer.from(JSON.stringify({ expiration: expiration.toISOString(), conditions })).toString('base64');
}

function signedV1(policy: string): Fields {
  const Signature = createHmac('sha1', SECRET).update(policy).digest('base64');
  return { OSSAccessKeyId: 'AK', policy, Signature };
}

function signedV4(policy: string): Fields {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const date = time.slice(0, 8);
  let key: Buffer | string = `aliyun_v4${SECRET}`;
  for (const piece of [date, 'cn-hangzhou', 'oss', 'aliyun_v4_request']) {
    key = createHmac('sha256', key).update(piece).digest();
  }
  return {
    policy,
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': `AK/${date}/cn-hangzhou/oss/aliyun_v4_request`,
    'x-oss-date': time,
    'x-oss-signature': createHmac('sha256', key).update(policy).digest('hex'),
  };
}

it('OSS-11: the signature of a policy, version 1', () => {
  const policy =
    'eyJleHBpcmF0aW9uIjoiMjAyNC0wMS0wMlQwNDowNDowNS4wMDBaIiwiY29uZGl0aW9ucyI6W1siY29udGVudC1sZW5ndGgtcmFuZ2UiLDAsMTA0ODU3Nl1dfQ==';
  const fields = new Map([
    ['ossaccesskeyid', 'LTAIEXAMPLEACCESSKEY'],
    ['policy', policy],
    ['signature', '15QZbg0EHN0RhVFDf1MSC3jL3Gw='],
  ]);
  const claim = ossForms.claim(fields, SETTINGS);
  expect(claim?.accessKeyId).toBe('LTAIEXAMPLEACCESSKEY');
  claim?.verify(signingSecret(SECRET), new Date());
  const other = ossForms.claim(new Map([...fields, ['policy', `${policy.slice(0, -2)}A=`]]), SETTINGS);
  expect(() => other?.verify(signingSecret(SECRET), new Date())).toThrow(
    expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
  );
});

describe('an upload by form', () => {
  async function stand() {
    const here = await inProcess();
    const { tenant } = here.context();
    const directory = { caller: async () => ({ tenant, accessKeyId: 'AK', secret: { reveal: () => SECRET } }) };
    const services = {
      ...here.handling,
      fronts: FRONTS,
      directory: directory as unknown as HandlerServices['directory'],
    };
    const handle = createHandler(services);
    return async (fields: Fields, { file = 'plaintext', target = '/box', host = 'h' } = {}) => {
      const { type, body } = formOf(fields, file);
      const headers = [
        ['Host', host],
        ['Content-Type', type],
        ['Content-Length', String(body.length)],
      ] as const;
      const trace = new RequestTrace();
      const answer = (await handle(wireRequest({ method: 'POST', target, headers, body }), trace)) as WireResponse;
      const text =
        answer.body === undefined || Buffer.isBuffer(answer.body)
          ? String(answer.body ?? '')
          : String(await collect(answer.body, 65_536, () => clientError('EntityTooLarge', 'too long')));
      const code = /<Code>([^<]+)/.exec(text)?.[1];
      const stored = await here.stored.read('box', fields.key ?? 'k').catch(() => undefined);
      return { status: answer.status, headers: answer.headers, text, code, trace, stored };
    };
  }

  it.each([
    ['version 1', signedV1],
    ['version 4', signedV4],
  ])('is OSS’s by its fields, whose head any dialect could have: %s', async (_version, signed) => {
    const ask = await stand();
    const policy = policyOf([
      ['content-length-range', 0, 100],
      ['starts-with', '$key', 'dir/'],
    ]);
    const stored = await ask({
      key: ['dir/$', '{filename}'].join(''),
      'x-oss-server-side-encryption': 'AES256',
      'x-oss-meta-colour': 'blue',
      success_action_status: '201',
      ...signed(policy),
    });
    expect([stored.status, stored.trace.dialect, stored.trace.operation]).toEqual([201, 'oss', 'PostObject']);
    expect(stored.text).toMatch(/<PostResponse><Bucket>box<\/Bucket><ETag>.*<Key>dir\/f\.txt</);
    expect(stored.headers.get('x-oss-server-side-encryption')).toBe('AES256');
    expect((await ask({ key: 'other/x', ...signed(policy) })).code).toBe('AccessDenied');
    expect((await ask({ key: 'dir/large', ...signed(policy) }, { file: 'x'.repeat(101) })).code).toBe('EntityTooLarge');
    expect((await ask({ key: 'dir/sse', 'x-oss-server-side-encryption': 'SM4', ...signed(policy) })).code).toBe(
      'InvalidEncryptionAlgorithmError',
    );
    const forged = { ...signed(policy), policy: policyOf([]) };
    expect((await ask({ key: 'dir/forged', ...forged })).code).toBe('SignatureDoesNotMatch');
    const late = signed(policyOf([], new Date(Date.now() - 1000)));
    expect((await ask({ key: 'dir/late', ...late })).code).toBe('AccessDenied');
    const token = await ask({ key: 'dir/token', ...signed(policy), 'x-oss-security-token': 'token' });
    expect([token.status, token.code]).toEqual([403, 'InvalidSecurityToken']);
    expect((await ask({ key: 'dir/callback', callback: 'e30=', ...signed(policy) })).code).toBe('NotImplemented');
    const both = await ask({ key: 'dir/both', ...signedV1(policy), ...signedV4(policy) });
    expect([both.status, both.code]).toEqual([400, 'InvalidArgument']);
  });

  it('names its bucket in a host of OSS’s own, and is answered as it asks', async () => {
    const ask = await stand();
    const at = { target: '/', host: 'box.oss-cn-hangzhou.aliyuncs.com' };
    const plain = await ask({ key: 'k', ...signedV1(policyOf([])) }, at);
    expect([plain.status, plain.trace.bucket, plain.stored?.bytes.includes('plaintext')]).toEqual([204, 'box', false]);
    const redirected = { key: 'k', success_action_redirect: 'http://page.example/?a=b', ...signedV1(policyOf([])) };
    const answer = await ask(redirected, at);
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^http:\/\/page\.example\/\?a=b&bucket=box&key=k&etag=%22.*%22$/),
    ]);
    expect(ossFront.ownsForm?.(new Map([['awsaccesskeyid', 'x']]))).toBe(false);
  });
});
