import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SignatureClaim, UploadForm } from '../../../../src/dialects/front-dialect.ts';
import { s3Front } from '../../../../src/dialects/s3/front/front.ts';
import type { GatewayError } from '../../../../src/errors.ts';
import type { PostObject } from '../../../../src/operations/operation.ts';
import { collect } from '../../../../src/wire/bodies/collect.ts';
import { judged } from '../../../encryption/judged.ts';
import { payload } from '../../../support/payload.ts';
import { readingOf } from '../../../support/reading.ts';
import { wireRequest } from '../../../support/requests.ts';
import { inPieces } from '../signature/chunking.ts';
import { ACCESS_KEY_ID, NOW, SECRET, SETTINGS } from '../signature/signing.ts';
import { type Conditions, type Fields, FORM_TYPE, formBody, policySignature, SIGNER, signedFields } from './forms.ts';

const FILE: Buffer = Buffer.from('hello');
const BUCKET: Conditions = [{ bucket: 'bucket' }];
/** What every form of these tests may say. */
const ALLOWED: Conditions = [...BUCKET, ['starts-with', '$key', 'u/']];
const KEY: Fields = [['key', 'u/a.txt']];

interface Sent {
  readonly target?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly pieceBytes?: number;
}

async function open(body: Buffer, sent: Sent = {}): Promise<UploadForm & { readonly claim: SignatureClaim }> {
  const form = await openAny(body, sent);
  if (form.claim === undefined) throw new Error('nobody signed it');
  return { ...form, claim: form.claim };
}

async function openAny(body: Buffer, { target = '/bucket', headers = [], pieceBytes }: Sent = {}): Promise<UploadForm> {
  const request = wireRequest({
    method: 'POST',
    target,
    headers: [['Host', '127.0.0.1:9000'], ['Content-Type', FORM_TYPE], ...headers],
    body: inPieces(body, pieceBytes ?? Number.MAX_SAFE_INTEGER),
  });
  const parsed = readingOf(s3Front, request, SETTINGS).parse();
  if (parsed.kind !== 'form') throw new Error(`not a form: ${parsed.kind}`);
  return parsed.open();
}

interface Seen {
  readonly operation: PostObject;
  readonly file: Buffer;
  readonly checksum: string | undefined;
}

async function serve(body: Buffer, sent: Sent = {}, now = NOW): Promise<Seen> {
  const form = await open(body, sent);
  expect(form.claim.accessKeyId).toBe(ACCESS_KEY_ID);
  const verified = form.claim.verify(SECRET, now);
  const file = await collect(verified.bytes(), 1 << 24, () => {
    throw new Error('too large');
  });
  const { checksum } = verified.proof();
  return { operation: judged(form.operation as PostObject), file, checksum: checksum?.algorithm };
}

/** Code and message of what must fail. */
async function refusal(promise: Promise<unknown>): Promise<readonly [string, string]> {
  return promise.then(
    () => ['nothing', ''] as const,
    (error: GatewayError) => [error.code ?? String(error), error.message] as const,
  );
}

const code = async (body: Buffer, sent: Sent = {}, now?: Date) => (await refusal(serve(body, sent, now)))[0];

/** A form of these fields, whose policy allows them. */
function formOf(fields: Fields, conditions: Conditions = [], file = FILE, more: Parameters<typeof formBody>[2] = {}) {
  return formBody([...KEY, ...fields, ...signedFields([...ALLOWED, ...conditions])], file, more);
}

const anything = (name: string): Conditions => [['starts-with', `$${name}`, '']];

test('verifies the policy signature that was computed elsewhere (S3-5)', async () => {
  const policy =
    'eyJleHBpcmF0aW9uIjoiMjAyNC0wMS0wMlQwMzowOTowNVoiLCJjb25kaXRpb25zIjpbWyJjb250ZW50LWxlbmd0aC1yYW5nZSIsMCwxMDQ4NTc2XSx7ImJ1Y2tldCI6Im15YnVja2V0In0seyJYLUFtei1BbGdvcml0aG0iOiJBV1M0LUhNQUMtU0hBMjU2In0seyJYLUFtei1DcmVkZW50aWFsIjoiQUtJREVYQU1QTEUvMjAyNDAxMDIvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LHsiWC1BbXotRGF0ZSI6IjIwMjQwMTAyVDAzMDQwNVoifSxbInN0YXJ0cy13aXRoIiwiJGtleSIsInUvIl1dfQ==';
  const body = formBody(
    [
      ['bucket', 'mybucket'],
      ['key', 'u/x'],
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', 'AKIDEXAMPLE/20240102/us-east-1/s3/aws4_request'],
      ['X-Amz-Date', '20240102T030405Z'],
      ['Policy', policy],
      ['X-Amz-Signature', 'd636bf07a38f2cba31e914e2e510e3c4dba2904b91358ccf041247b9f5ef25e1'],
    ],
    FILE,
  );
  expect((await serve(body, { target: '/mybucket' })).file).toEqual(FILE);
});

test.each([1, 3, 77, 1000])('takes a form in pieces of %d bytes', async (pieceBytes) => {
  const file = payload(3000);
  expect((await serve(formOf([], [], file), { pieceBytes })).file).toEqual(file);
});

describe('fields', () => {
  test('mean what the headers of a PUT mean', async () => {
    const tagging =
      '<Tagging><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag><Tag><Key>c</Key><Value/></Tag></TagSet></Tagging>';
    const fields: Fields = [
      ['acl', 'private'],
      ['Content-Type', 'text/plain'],
      ['cache-control', 'no-cache'],
      ['Content-Disposition', 'attachment'],
      ['Content-Encoding', 'gzip'],
      ['Expires', 'Thu, 01 Dec 2094 16:00:00 GMT'],
      ['x-amz-meta-Uuid', ' grün '],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-website-redirect-location', '/other'],
      ['x-amz-server-side-encryption', 'AES256'],
      ['tagging', tagging],
      ['my-own', 'ignored'],
    ];
    const { operation } = await serve(
      formOf(
        fields,
        fields.flatMap(([name]) => anything(name)),
      ),
    );
    expect(operation).toMatchObject({
      kind: 'PostObject',
      ref: { bucket: 'bucket', key: 'u/a.txt' },
      conditions: { ifMatch: undefined, ifNoneMatch: undefined },
      reply: { redirect: undefined, status: 204 },
    });
    expect(operation.metadata.content).toEqual({
      contentType: 'text/plain',
      cacheControl: 'no-cache',
      contentDisposition: 'attachment',
      contentEncoding: 'gzip',
      contentLanguage: undefined,
      expires: 'Thu, 01 Dec 2094 16:00:00 GMT',
    });
    expect(operation.metadata.user).toEqual([['uuid', Buffer.from('grün').toString('latin1')]]);
    expect([...(operation.metadata.vendor?.headers ?? [])]).toEqual([
      ['x-amz-acl', 'private'],
      ['x-amz-storage-class', 'STANDARD_IA'],
      ['x-amz-website-redirect-location', '/other'],
      ['x-amz-tagging', 'a%20b=1%262&c='],
    ]);
  });

  test.each([
    ['photo.jpg', 'u/photo.jpg'],
    ['C:\\Users\\me\\photo.jpg', 'u/photo.jpg'],
    ['/home/me/photo.jpg', 'u/photo.jpg'],
    ['$&$1.jpg', 'u/$&$1.jpg'],
    ['grün 中.jpg', 'u/grün 中.jpg'],
    ['', 'u/'],
  ])('expand the file name %s', async (fileName, key) => {
    const variable = '$'.concat('{filename}');
    const body = formBody(
      [
        ['key', `u/${variable}`],
        ['x-amz-meta-twice', `${variable}|${variable}`],
        ...signedFields([...ALLOWED, ...anything('x-amz-meta-twice')]),
      ],
      FILE,
      { fileName },
    );
    const { operation } = await serve(body);
    expect(operation.ref.key).toBe(key);
    const name = Buffer.from(key.slice(2)).toString('latin1');
    expect(operation.metadata.user).toEqual([['twice', `${name}|${name}`]]);
  });

  test('are held against the policy after that', async () => {
    const variable = '$'.concat('{filename}');
    const body = (fileName: string) =>
      formBody([['key', variable], ...signedFields([...BUCKET, ['eq', '$key', 'a.txt']])], FILE, { fileName });
    expect((await serve(body('a.txt'))).operation.ref.key).toBe('a.txt');
    expect(await code(body('b.txt'))).toBe('AccessDenied');
  });

  test('cannot be made to grow without bound', async () => {
    const many = '$'.concat('{filename}').repeat(1000);
    expect(await code(formOf([['x-ignore-a', many]], [], FILE, { fileName: 'x'.repeat(2000) }))).toBe(
      'InvalidArgument',
    );
  });

  test.each<[string, Fields]>([
    ['key twice', [['Key', 'u/b']]],
    [
      'a field twice',
      [
        ['x-amz-meta-a', '1'],
        ['X-Amz-Meta-A', '2'],
      ],
    ],
    [
      'acl as a header too',
      [
        ['acl', 'private'],
        ['x-amz-acl', 'public-read'],
      ],
    ],
    ['a line end in a header', [['x-amz-meta-a', 'b\r\nx-amz-copy-source: /c/d']]],
    ['a line end in a name', [['x-amz-meta-a b', 'c']]],
    ['reserved metadata', [['x-amz-meta-sx1', 'x']]],
  ])('refuse %s', async (_name, fields) => {
    expect(
      await code(
        formOf(
          fields,
          fields.flatMap(([name]) => anything(name)),
        ),
      ),
    ).toBe('InvalidArgument');
  });

  test.each([
    ['x-amz-server-side-encryption', 'aws:kms:dsse'],
    ['x-amz-server-side-encryption-tomorrow', 'x'],
    ['x-amz-copy-source', '/bucket/other'],
    ['x-amz-something-new', '1'],
    ['x-minio-fanout-list', '{"key":"other"}'],
  ])('refuse %s', async (name, value) => {
    expect(await code(formOf([[name, value]], anything(name)))).toBe('NotImplemented');
  });

  test.each([
    '',
    '<Tagging/>x',
    '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
    '<Other><TagSet/></Other>',
  ])('refuse the tagging %s', async (document) => {
    expect(await code(formOf([['tagging', document]], anything('tagging')))).toBe('MalformedBody');
  });

  test('need a key', async () => {
    expect(await refusal(serve(formBody(signedFields(ALLOWED), FILE)))).toEqual([
      'InvalidArgument',
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
    ]);
    expect(await code(formBody([['key', ''], ...signedFields(ALLOWED)], FILE))).toBe('InvalidArgument');
    expect(await code(formBody([['key', `u/${'k'.repeat(1024)}`], ...signedFields(ALLOWED)], FILE))).toBe(
      'KeyTooLongError',
    );
  });

  test('behind the file are ignored', async () => {
    const { operation, file } = await serve(
      formOf([], [], FILE, {
        after: [
          ['acl', 'public-read'],
          ['submit', 'Go'],
        ],
      }),
    );
    expect([...(operation.metadata.vendor?.headers ?? [])]).toEqual([]);
    expect(file).toEqual(FILE);
  });
});

describe('the answer', () => {
  test.each([
    ['200', 200],
    ['201', 201],
    ['204', 204],
    ['404', 204],
    ['', 204],
  ])('has status %s', async (asked, status) => {
    const { operation } = await serve(formOf([['success_action_status', asked]], anything('success_action_status')));
    expect(operation.reply).toEqual({ redirect: undefined, status });
  });

  test.each([
    ['success_action_redirect', 'https://example.com/done?a=1#top', 'https://example.com/done?a=1#top'],
    ['redirect', 'http://example.com', 'http://example.com/'],
    ['success_action_redirect', 'javascript:alert(1)', undefined],
    ['success_action_redirect', '/done', undefined],
    ['success_action_redirect', 'http://', undefined],
    ['success_action_redirect', '', undefined],
  ])('goes on to %s %s', async (name, asked, href) => {
    const { operation } = await serve(formOf([[name, asked]], anything(name)));
    expect(operation.reply.redirect?.href).toBe(href);
  });
});

describe('the policy', () => {
  const document = (fields: object) => JSON.stringify(fields);
  const EXPIRES = '2024-01-02T03:09:05Z';

  test.each<[string, Conditions, Fields]>([
    ['an exact match', [{ acl: 'private' }], [['acl', 'private']]],
    ['eq', [['eq', '$acl', 'private']], [['acl', 'private']]],
    ['starts-with', [['starts-with', '$acl', 'pri']], [['acl', 'private']]],
    ['names and operators in any case', [['StArTs-WiTh', '$AcL', 'pri']], [['aCl', 'private']]],
    ['an exact match in any case', [{ ACL: 'private' }], [['acl', 'private']]],
    ['any value', [['starts-with', '$x-amz-meta-a', '']], [['x-amz-meta-a', '']]],
    ['a list of types', [['starts-with', '$Content-Type', 'image/']], [['content-type', 'image/png, image/jpeg']]],
    ['a length as text', [['content-length-range', '1', '10']], []],
    [
      'several lengths',
      [
        ['content-length-range', 5, 10],
        ['content-length-range', 0, 5],
      ],
      [],
    ],
    [
      'ignored fields',
      [],
      [
        ['x-ignore-me', 'a'],
        ['X-Ignore-Me-Too', 'b'],
      ],
    ],
  ])('allows %s', async (_name, conditions, fields) => {
    expect((await serve(formOf(fields, conditions))).file).toEqual(FILE);
  });

  test.each<[string, Conditions, Fields, string]>([
    [
      'another value',
      [{ acl: 'private' }],
      [['acl', 'public-read']],
      'Policy Condition failed: ["eq","$acl","private"]',
    ],
    [
      'a value in another case',
      [{ acl: 'private' }],
      [['acl', 'Private']],
      'Policy Condition failed: ["eq","$acl","private"]',
    ],
    [
      'another beginning',
      [['starts-with', '$acl', 'public']],
      [['acl', 'private']],
      'Policy Condition failed: ["starts-with","$acl","public"]',
    ],
    [
      'a list with another type',
      [['starts-with', '$Content-Type', 'image/']],
      [['content-type', 'image/png,text/html']],
      'Policy Condition failed: ["starts-with","$content-type","image/"]',
    ],
    ['a missing field', [{ acl: 'private' }], [], 'Policy Condition failed: ["eq","$acl","private"]'],
    [
      'a missing field of any value',
      [['starts-with', '$Filename', '']],
      [],
      'Policy Condition failed: ["starts-with","$filename",""]',
    ],
    [
      'an empty value',
      [['eq', '$x-amz-meta-a', '']],
      [['x-amz-meta-a', 'b']],
      'Policy Condition failed: ["eq","$x-amz-meta-a",""]',
    ],
    [
      'one of two conditions',
      [
        ['starts-with', '$acl', 'p'],
        ['starts-with', '$acl', 'public'],
      ],
      [['acl', 'private']],
      'Policy Condition failed: ["starts-with","$acl","public"]',
    ],
    ['a field without a condition', [], [['acl', 'public-read']], 'Extra input fields: acl'],
    ['metadata without a condition', [], [['x-amz-meta-a', 'b']], 'Extra input fields: x-amz-meta-a'],
    [
      'a status without a condition',
      [],
      [['success_action_status', '201']],
      'Extra input fields: success_action_status',
    ],
  ])('denies %s', async (_name, conditions, fields, reason) => {
    expect(await refusal(serve(formOf(fields, conditions)))).toEqual([
      'AccessDenied',
      `Invalid according to Policy: ${reason}`,
    ]);
  });

  test('names bucket, key and the fields of its own signature', async () => {
    const of = (conditions: readonly unknown[]) =>
      code(formBody([...KEY, ...signedFields([], { document: document({ expiration: EXPIRES, conditions }) })], FILE));
    const whole = [
      ...ALLOWED,
      ...['x-amz-algorithm', 'x-amz-credential', 'x-amz-date'].map((name) => ['starts-with', `$${name}`, '']),
    ];
    expect(await of(whole)).toBe('nothing');
    for (const left of whole) expect(await of(whole.filter((condition) => condition !== left))).toBe('AccessDenied');
  });

  test('is of one bucket', async () => {
    expect(await code(formOf([]), { target: '/other' })).toBe('AccessDenied');
    expect(await code(formOf([['bucket', 'bucket']]), { target: '/other' })).toBe('AccessDenied');
    expect(await code(formOf([['bucket', 'bucket']]))).toBe('nothing');
    expect(await code(formOf([['bucket', 'other']]))).toBe('AccessDenied');
  });

  test('expires', async () => {
    const body = formBody([...KEY, ...signedFields(ALLOWED, { expiration: EXPIRES })], FILE);
    expect(await code(body, {}, new Date('2024-01-02T03:09:04.999Z'))).toBe('nothing');
    expect(await refusal(serve(body, {}, new Date(EXPIRES)))).toEqual([
      'AccessDenied',
      'Invalid according to Policy: Policy expired.',
    ]);
  });

  test('is base64', async () => {
    const fields = signedFields(ALLOWED);
    const own = fields.filter(([name]) => name !== 'policy' && name !== 'x-amz-signature');
    for (const policy of ['{}', 'e30=e30=', 'e30 ', 'é']) {
      const body = formBody([...KEY, ...own, ['policy', policy], ['x-amz-signature', policySignature(policy)]], FILE);
      expect(await code(body)).toBe('InvalidPolicyDocument');
    }
    const policy = fields.find(([name]) => name === 'policy')?.[1] ?? '';
    const wrapped = policy.replace(/.{60}/g, '$&\n'); // as Ruby's encoder writes it
    const body = formBody([...KEY, ...own, ['policy', wrapped], ['x-amz-signature', policySignature(wrapped)]], FILE);
    expect(await code(body)).toBe('nothing');
  });

  test('may be valid for longer than a URL', async () => {
    const body = formBody([...KEY, ...signedFields(ALLOWED, { expiration: '2034-01-01T00:00:00.000Z' })], FILE);
    expect(await code(body, {}, new Date('2033-01-01T00:00:00Z'))).toBe('nothing');
  });

  test.each([
    ['no JSON', 'policy'],
    ['no object', '[]'],
    ['another field', document({ expiration: EXPIRES, conditions: ALLOWED, more: 1 })],
    ['no expiration', document({ conditions: ALLOWED })],
    ['EXPIRATION', document({ EXPIRATION: EXPIRES, conditions: ALLOWED })],
    ['an expiration that is no date', document({ expiration: 'tomorrow', conditions: ALLOWED })],
    ['an expiration in local time', document({ expiration: '2024-01-02T03:09:05', conditions: ALLOWED })],
    ['no conditions', document({ expiration: EXPIRES })],
    ['CONDITIONS', document({ expiration: EXPIRES, CONDITIONS: ALLOWED })],
    ['conditions that are no list', document({ expiration: EXPIRES, conditions: { bucket: 'bucket' } })],
  ])('refuses %s', async (_name, text) => {
    const body = formBody([...KEY, ...signedFields([], { document: text })], FILE);
    expect(await code(body)).toBe('InvalidPolicyDocument');
  });

  test.each<[string, unknown]>([
    ['an empty condition', {}],
    ['two in one', { acl: 'private', key: 'a' }],
    ['a number', { success_action_status: 201 }],
    ['null', null],
    ['text', 'acl'],
    ['an empty list', []],
    ['an unknown operator', ['matches', '$acl', 'x']],
    ['a name without a dollar sign', ['eq', 'acl', 'private']],
    ['a dollar sign alone', ['eq', '$', 'private']],
    ['a missing value', ['eq', '$acl']],
    ['a value too many', ['eq', '$acl', 'a', 'b']],
    ['a value that is no text', ['eq', '$acl', 1]],
    ['a range of one number', ['content-length-range', 0]],
    ['a negative minimum', ['content-length-range', -1, 0]],
    ['a fraction', ['content-length-range', 0, 1.5]],
    ['no number', ['content-length-range', 0, 'many']],
    ['a range from end to begin', ['content-length-range', 2, 1]],
    ['a range of three', ['content-length-range', 0, 1, 2]],
  ])('refuses %s', async (_name, condition) => {
    expect(await code(formOf([['acl', 'private']], [condition]))).toBe('InvalidPolicyDocument');
  });

  test('may escape what S3 escapes', async () => {
    const fields: Fields = [['x-amz-meta-a', '$5']];
    const conditions = JSON.stringify([...ALLOWED, ['eq', '$x-amz-meta-a', 'PRICE']])
      .slice(0, -1)
      .replace('PRICE', '\\$5');
    const own = ['x-amz-algorithm', 'x-amz-credential', 'x-amz-date'].map((name) => `["starts-with","\\$${name}",""]`);
    const text = `{"expiration":"${EXPIRES}","conditions":${conditions},${own.join(',')}]}`;
    expect(() => JSON.parse(text)).toThrow();
    expect(await code(formBody([...KEY, ...fields, ...signedFields([], { document: text })], FILE))).toBe('nothing');
    // An escaped backslash before a dollar sign is a backslash.
    expect(await code(formOf([['x-amz-meta-b', '\\$5']], [['eq', '$x-amz-meta-b', '\\$5']]))).toBe('nothing');
  });
});

describe('the signature', () => {
  const changed = (fields: Fields, name: string, value: string | undefined): Fields =>
    fields.flatMap((field) => (field[0] !== name ? [field] : value === undefined ? [] : [[name, value] as const]));
  const with_ = (name: string, value: string | undefined) =>
    formBody([...KEY, ...changed(signedFields(ALLOWED), name, value)], FILE);

  test.each<[string, string | undefined, string]>([
    ['x-amz-signature', 'f'.repeat(64), 'SignatureDoesNotMatch'],
    ['x-amz-signature', 'short', 'SignatureDoesNotMatch'],
    ['x-amz-signature', '', 'InvalidArgument'],
    ['x-amz-signature', undefined, 'InvalidArgument'],
    ['policy', undefined, 'InvalidArgument'],
    ['policy', '', 'InvalidArgument'],
    ['policy', 'e30=', 'SignatureDoesNotMatch'],
    ['policy', '{}', 'SignatureDoesNotMatch'],
    ['x-amz-algorithm', undefined, 'InvalidArgument'],
    ['x-amz-algorithm', 'AWS4-ECDSA-P256-SHA256', 'NotImplemented'],
    ['x-amz-algorithm', 'AWS4-HMAC-SHA1', 'AuthorizationQueryParametersError'],
    ['x-amz-date', undefined, 'InvalidArgument'],
    ['x-amz-date', '2024-01-02', 'AuthorizationQueryParametersError'],
    ['x-amz-date', '20240103T030405Z', 'AuthorizationQueryParametersError'],
    ['x-amz-credential', undefined, 'InvalidArgument'],
    ['x-amz-credential', 'AKIDEXAMPLE', 'AuthorizationQueryParametersError'],
    ['x-amz-credential', 'AKIDEXAMPLE/20240102/us-east-1/ec2/aws4_request', 'AuthorizationQueryParametersError'],
    ['x-amz-credential', 'AKIDEXAMPLE/20240102/eu-west-1/s3/aws4_request', 'AuthorizationQueryParametersError'],
  ])('%s = %s', async (name, value, expected) => {
    expect(await code(with_(name, value))).toBe(expected);
  });

  test('of another secret does not match', async () => {
    const as = { ...SIGNER, secretAccessKey: 'other' };
    expect(await code(formBody([...KEY, ...signedFields(ALLOWED, { as })], FILE))).toBe('SignatureDoesNotMatch');
  });

  test('is of text whose every character counts', async () => {
    // U+0165 has the low byte of `e`: a signature over latin1 bytes cannot tell them apart, base64 would skip it.
    const policy = signedFields(ALLOWED).find(([name]) => name === 'policy')?.[1] ?? '';
    expect(policy.startsWith('e')).toBe(true);
    expect(await code(with_('policy', policy.replace('e', 'ť')))).toBe('SignatureDoesNotMatch');
  });

  test('from the future is not valid yet', async () => {
    expect(await code(formOf([]), {}, new Date(NOW.getTime() - 16 * 60_000))).toBe('AccessDenied');
    expect(await code(formOf([]), {}, new Date(NOW.getTime() - 14 * 60_000))).toBe('nothing');
  });

  describe('of version 2', () => {
    const policyOf = (conditions: Conditions) =>
      Buffer.from(JSON.stringify({ expiration: '2024-01-02T03:09:05Z', conditions })).toString('base64');
    const v2 = (policy: string, signed = policy, secret = SECRET.reveal()): Fields => [
      ['AWSAccessKeyId', ACCESS_KEY_ID],
      ['Policy', policy],
      ['Signature', createHmac('sha1', secret).update(signed).digest('base64')],
    ];
    const form = (fields: Fields) => formBody([...KEY, ...fields], FILE);

    test('is for tenants that take it', async () => {
      const { claim } = await open(form(v2(policyOf(ALLOWED))));
      expect(claim.legacy?.presignedRead).toBe(false);
      expect(claim.legacy?.refusal()).toMatchObject({ code: 'InvalidRequest' });
      expect((await open(formOf([]))).claim.legacy).toBeUndefined();
    });

    test('matches', async () => {
      expect((await serve(form(v2(policyOf(ALLOWED))))).file).toEqual(FILE);
    });

    test.each<[string, Fields, string]>([
      ['another policy', v2(policyOf(ALLOWED), policyOf(BUCKET)), 'SignatureDoesNotMatch'],
      ['another secret', v2(policyOf(ALLOWED), policyOf(ALLOWED), 'other'), 'SignatureDoesNotMatch'],
      ['no signature', v2(policyOf(ALLOWED)).slice(0, 2), 'InvalidArgument'],
      ['no key id', v2(policyOf(ALLOWED)).slice(1), 'InvalidArgument'],
      [
        'no policy',
        [
          ['AWSAccessKeyId', ACCESS_KEY_ID],
          ['signature', 'x'],
        ],
        'InvalidArgument',
      ],
      ['a denied key', v2(policyOf([...BUCKET, { key: 'u/b' }])), 'AccessDenied'],
      ['a missing bucket', v2(policyOf(ALLOWED.slice(1))), 'AccessDenied'],
      ['an extra field', [['acl', 'private'], ...v2(policyOf(ALLOWED))], 'AccessDenied'],
    ])('does not match with %s', async (_name, fields, expected) => {
      expect(await code(form(fields))).toBe(expected);
    });
  });

  test('must be one', async () => {
    expect(
      await code(
        formOf([
          ['AWSAccessKeyId', 'AKIDEXAMPLE'],
          ['signature', 'x'],
        ]),
      ),
    ).toBe('InvalidArgument');
    const authorization = [
      'Authorization',
      'AWS4-HMAC-SHA256 Credential=a/20240102/us-east-1/s3/aws4_request,SignedHeaders=host,Signature='.concat(
        'a'.repeat(64),
      ),
    ] as const;
    expect(await code(formOf([]), { headers: [authorization, ['x-amz-date', '20240102T030405Z']] })).toBe(
      'InvalidArgument',
    );
    expect(await code(formOf([]), { target: '/bucket?X-Amz-Signature=a' })).toBe('AuthorizationQueryParametersError');
  });

  test('may be missing: then it is nobody’s, and its file is what the form says of it', async () => {
    const file = async (fields: Fields) => {
      const form = await openAny(formBody([...KEY, ...fields], FILE));
      expect(form.claim).toBeUndefined();
      const body = form.unsignedBody();
      return collect(body.bytes(), 1 << 20, () => expect.fail('too large'));
    };
    expect(await file([])).toEqual(FILE);
    const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64');
    expect(await file([['Content-MD5', md5(FILE)]])).toEqual(FILE);
    await expect(file([['Content-MD5', md5(Buffer.from('another'))]])).rejects.toMatchObject({ code: 'BadDigest' });
  });

  test('is none when it is half there', async () => {
    expect(await code(formBody([...KEY, ['policy', 'e30=']], FILE))).toBe('InvalidArgument');
    expect(await code(formBody([...KEY, ['signature', 'x']], FILE))).toBe('InvalidArgument');
    expect(await code(formBody([...KEY, ['x-amz-security-token', 'x']], FILE))).toBe('InvalidToken');
    expect(await code(formOf([['x-amz-security-token', 'x']], anything('x-amz-security-token')))).toBe('InvalidToken');
  });
});

describe('the request', () => {
  test.each([
    ['x-amz-acl', 'public-read', 'AccessDenied'],
    ['X-Amz-Meta-A', 'b', 'AccessDenied'],
    ['Content-MD5', 'x', 'NotImplemented'],
  ])('may not say %s', async (name, value, expected) => {
    expect(await code(formOf([]), { headers: [[name, value]] })).toBe(expected);
  });

  test('may not say so in its query either', async () => {
    expect(await code(formOf([]), { target: '/bucket?x-amz-acl=public-read' })).toBe('AccessDenied');
  });

  test('may be conditional', async () => {
    const { operation } = await serve(formOf([]), { headers: [['If-None-Match', '*']] });
    expect(operation.conditions).toEqual({ ifMatch: undefined, ifNoneMatch: '*' });
  });

  test('is a form', async () => {
    const parse = (headers: readonly (readonly [string, string])[]) => async () =>
      readingOf(
        s3Front,
        wireRequest({ method: 'POST', target: '/bucket', headers: [['Host', 'h'], ...headers] }),
        SETTINGS,
      ).parse();
    await expect(parse([])()).rejects.toMatchObject({
      code: 'PreconditionFailed',
      details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    });
    await expect(parse([['Content-Type', 'application/x-www-form-urlencoded']])()).rejects.toMatchObject({
      code: 'PreconditionFailed',
    });
    await expect(parse([['Content-Type', 'multipart/form-data']])()).rejects.toMatchObject({
      code: 'MalformedPOSTRequest',
    });
  });
});

describe('the file', () => {
  const ranged = (bytes: number, range: readonly [number, number], pieceBytes?: number) =>
    code(formOf([], [['content-length-range', ...range]], payload(bytes)), { ...(pieceBytes && { pieceBytes }) });

  test('is of a size in the range', async () => {
    for (const pieceBytes of [1, 1000]) {
      expect(await ranged(10, [10, 10], pieceBytes)).toBe('nothing');
      expect(await ranged(9, [10, 20], pieceBytes)).toBe('EntityTooSmall');
      expect(await ranged(21, [10, 20], pieceBytes)).toBe('EntityTooLarge');
      expect(await ranged(0, [0, 0], pieceBytes)).toBe('nothing');
      expect(await ranged(1, [0, 0], pieceBytes)).toBe('EntityTooLarge');
    }
  });

  test('is of a size in every range', async () => {
    const of = (...ranges: readonly (readonly [number, number])[]) =>
      code(
        formOf(
          [],
          ranges.map((range) => ['content-length-range', ...range]),
        ),
      );
    expect(await of([5, 10], [0, 5])).toBe('nothing');
    expect(await of([6, 10], [0, 10])).toBe('EntityTooSmall');
    expect(await of([0, 10], [6, 10])).toBe('EntityTooSmall');
    expect(await of([0, 4], [0, 10])).toBe('EntityTooLarge');
    expect(await of([0, 10], [0, 4])).toBe('EntityTooLarge');
  });

  test('is not read past its range', async () => {
    let pulled = 0;
    const body = formOf([], [['content-length-range', 0, 1000]], payload(100_000));
    async function* counted(): AsyncGenerator<Buffer, void, void> {
      for await (const piece of inPieces(body, 500)) {
        pulled += piece.length;
        yield piece;
      }
    }
    const request = wireRequest({
      method: 'POST',
      target: '/bucket',
      headers: [
        ['Host', 'h'],
        ['Content-Type', FORM_TYPE],
      ],
      body: counted(),
    });
    const parsed = readingOf(s3Front, request, SETTINGS).parse();
    const form = parsed.kind === 'form' ? await parsed.open() : undefined;
    const verified = form?.claim?.verify(SECRET, NOW);
    expect(
      await refusal(
        collect(verified?.bytes() ?? counted(), 1 << 20, () => expect.fail('too large')) as Promise<unknown>,
      ),
    ).toEqual(['EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.']);
    expect(pulled).toBeLessThan(body.length - 100_000 + 2500);
  });

  test.each([
    ['x-amz-checksum-crc32', 'NhCmhg==', 'CRC32'],
    ['x-amz-checksum-sha256', createHash('sha256').update(FILE).digest('base64'), 'SHA256'],
    ['x-amz-checksum-crc64nvme', 'M3eFcAZSQlc=', 'CRC64NVME'],
    ['x-amz-checksum-sha512', createHash('sha512').update(FILE).digest('base64'), 'SHA512'],
    ['x-amz-checksum-md5', createHash('md5').update(FILE).digest('base64'), 'MD5'],
    ['x-amz-checksum-xxhash64', 'JseCfYifbaM=', 'XXHASH64'],
    ['x-amz-checksum-xxhash3', Buffer.from('9555e8555c62dcfd', 'hex').toString('base64'), 'XXHASH3'],
    [
      'x-amz-checksum-xxhash128',
      Buffer.from('b5e9c1ad071b3e7fc779cfaa5e523818', 'hex').toString('base64'),
      'XXHASH128',
    ],
    ['Content-MD5', createHash('md5').update(FILE).digest('base64'), undefined],
  ])('has the checksum %s', async (name, value, algorithm) => {
    expect((await serve(formOf([[name, value]], anything(name)))).checksum).toBe(algorithm);
    const wrong = formOf([[name, value]], anything(name), Buffer.from('jello'));
    expect(await code(wrong)).toBe('BadDigest');
  });

  test.each([
    ['x-amz-checksum-crc32', 'AAAA', 'InvalidRequest'],
    ['x-amz-trailer', 'x-amz-checksum-crc32', 'InvalidRequest'],
    ['Content-MD5', 'AAAA', 'InvalidDigest'],
  ])('has no checksum %s: %s', async (name, value, expected) => {
    expect(await code(formOf([[name, value]], anything(name)))).toBe(expected);
  });

  test('must be there, once', async () => {
    expect(await code(formOf([], [], FILE, { fileField: 'x-ignore-file' }))).toBe(
      'IncorrectNumberOfFilesInPostRequest',
    );
    expect(await code(formOf([], [], FILE, { after: [['FILE', 'second']] }))).toBe(
      'IncorrectNumberOfFilesInPostRequest',
    );
  });

  test('ends with the form', async () => {
    const body = formOf([], [], payload(5000));
    const end = body.lastIndexOf('\r\n--');
    for (const pieceBytes of [1, 100, 10_000]) {
      const broken = [
        body.subarray(0, end),
        body.subarray(0, end + 10),
        body.subarray(0, body.length - 3),
        Buffer.concat([body, Buffer.from('x')]),
        Buffer.concat([body.subarray(0, -4), Buffer.from('\r\n')]),
      ];
      for (const each of broken) expect(await code(each, { pieceBytes })).toBe('MalformedPOSTRequest');
      expect(await code(body, { pieceBytes })).toBe('nothing');
    }
  });

  test('may have 20 KB in front of it and behind it', async () => {
    const inFront = (bytes: number) => formOf([['x-ignore-a', 'x'.repeat(bytes)]]);
    const fixed = inFront(0).indexOf('hello');
    expect(await code(inFront(20_480 - fixed))).toBe('nothing');
    expect(await code(inFront(20_481 - fixed))).toBe('MaxPostPreDataLengthExceeded');
    expect(await code(inFront(1_000_000), { pieceBytes: 1000 })).toBe('MaxPostPreDataLengthExceeded');
    const behind = (after: Fields) => code(formOf([], [], FILE, { after }));
    expect(await behind([['a', 'x'.repeat(20_000)]])).toBe('nothing');
    expect(await behind([['a', 'x'.repeat(20_480)]])).toBe('MalformedPOSTRequest');
    expect(await behind(Array.from({ length: 1000 }, (_, at) => [`a${at}`, ''] as const))).toBe('MalformedPOSTRequest');
  });
});

const SSE = 'x-amz-server-side-encryption';
const CUSTOMER_KEY = Buffer.alloc(32, 7);
const CUSTOMER: Fields = [
  [`${SSE}-customer-algorithm`, 'AES256'],
  [`${SSE}-customer-key`, CUSTOMER_KEY.toString('base64')],
  [`${SSE}-customer-key-MD5`, createHash('md5').update(CUSTOMER_KEY).digest('base64')],
];

describe.each<[string, Fields, string]>([
  ['a managed key', [[SSE, 'AES256']], 'managed'],
  ['the tenant’s own KMS key', [[SSE, 'aws:kms']], 'kms'],
  [
    'a named key',
    [
      [SSE, 'aws:kms'],
      [`${SSE}-aws-kms-key-id`, 'cards'],
    ],
    'kms',
  ],
  [
    'a context',
    [
      [SSE, 'aws:kms'],
      [`${SSE}-context`, 'eyJhIjoiYiJ9'],
    ],
    'kms',
  ],
  [
    'a bucket key',
    [
      [SSE, 'aws:kms'],
      [`${SSE}-bucket-key-enabled`, 'true'],
    ],
    'kms',
  ],
  ['a customer key', CUSTOMER, 'customer'],
])('a form that asks for %s', (_what, fields, kind) => {
  const allow = fields.map(([name, value]) => ({ [name]: value }));

  async function encryption(conditions: Conditions): Promise<string | undefined> {
    const { claim, operation } = await open(formOf(fields, conditions));
    claim.verify(SECRET, NOW);
    return (operation as PostObject).encryption?.kind;
  }

  test('gets it where its policy allows all of its fields', async () => {
    expect(await encryption(allow)).toBe(kind);
    expect(await encryption(fields.flatMap(([name]) => anything(name)))).toBe(kind);
  });

  test.each(fields.map(([name], at) => [name, at] as const))(
    'is refused without a condition on %s',
    async (name, at) => {
      expect(await refusal(encryption(allow.filter((_, other) => other !== at)))).toEqual([
        'AccessDenied',
        `Invalid according to Policy: Extra input fields: ${name.toLowerCase()}`,
      ]);
    },
  );

  test.each(fields.map(([name], at) => [name, at] as const))(
    'is refused where %s is to be another',
    async (name, at) => {
      const other = allow.map((condition, each) => (each === at ? { [name]: 'other' } : condition));
      expect((await refusal(encryption(other)))[0]).toBe('AccessDenied');
    },
  );

  test.each(fields)('is refused where its policy asks for %s, and it does not say it', async (name, value) => {
    const without = formBody([...KEY, ...signedFields([...ALLOWED, { [name]: value }])], FILE);
    expect(await code(without)).toBe('AccessDenied');
  });
});
