import { describe, expect, it } from 'vitest';
import { placesOf } from '../../../src/dialects/cos/address.ts';
import { cosFront } from '../../../src/dialects/cos/front/front.ts';
import { parseCos } from '../../../src/dialects/cos/front/parse.ts';
import type { FrontSettings } from '../../../src/dialects/front-dialect.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { wireRequest } from '../../support/requests.ts';

const SETTINGS: FrontSettings = { region: 'us-east-1', domains: ['gw.example'] };
const HOST = 'acme-1250000000.cos.ap-guangzhou.myqcloud.com';
const MD5 = '4Funlf7OsLF0HL+vKU+fkg==';

type Pairs = readonly (readonly [string, string])[];

function requestOf(method: string, target: string, headers: Pairs = [], host = HOST) {
  return wireRequest({ method, target, headers: [['Host', host], ...headers] });
}

/** What is asked for, or the code of the refusal, COS's own where it has one. */
function asked(method: string, target: string, headers: Pairs = []): Operation | string {
  const request = requestOf(method, target, headers);
  try {
    const parsed = parseCos(request, placesOf(request, SETTINGS)[0], SETTINGS);
    if (parsed.kind === 'ready') return parsed.operation;
    if (parsed.kind === 'document') return parsed.name;
    return parsed.kind;
  } catch (error) {
    const { code, details } = error as { readonly code: string; readonly details: Readonly<Record<string, string>> };
    return details.cosCode ?? code;
  }
}

const encryptionOf = (operation: Operation | string) =>
  typeof operation === 'string' || !('encryption' in operation) ? operation : operation.encryption;

describe('places', () => {
  it.each([
    [
      HOST,
      '/a/b',
      [
        ['acme-1250000000', 'a/b', '/a/b'],
        ['a', 'b', '/b'],
      ],
    ],
    [
      `${HOST}:8080`,
      '/',
      [
        ['acme-1250000000', '', '/'],
        ['', '', '/'],
      ],
    ],
    [
      'acme-1250000000.cos-internal.ap-x.tencentcos.cn',
      '/k',
      [
        ['acme-1250000000', 'k', '/k'],
        ['k', '', '/'],
      ],
    ],
    [
      'box.gw.example:80',
      '/k',
      [
        ['box', 'k', '/k'],
        ['k', '', '/'],
      ],
    ],
    [
      'gw.example',
      '/box/a%20b%2Fc',
      [
        ['box', 'a b/c', '/a b/c'],
        ['box', 'a b/c', '/box/a b/c'],
      ],
    ],
    [
      '127.0.0.1:80',
      '/box',
      [
        ['box', '', '/'],
        ['box', '', '/box'],
      ],
    ],
    ['127.0.0.1:80', '/', [['', '', '/']]],
    ['service.cos.myqcloud.com', '/', [['', '', '/']]],
    ['cos.ap-guangzhou.myqcloud.com', '/', [['', '', '/']]],
  ] as const)('%s with %s', (host, target, expected) => {
    const places = placesOf(requestOf('GET', target, [], host), SETTINGS);
    expect(places.map(({ bucket, key, signedPath }) => [bucket, key, signedPath])).toEqual(expected);
  });

  it.each([
    ['/%00', 'InvalidObjectName'],
    [`/${'x'.repeat(851)}`, 'KeyTooLongError'],
    ['/%zz', 'InvalidURI'],
    ['/%ff', 'InvalidURI'],
  ])('refuses the key of %s', (target, code) => {
    expect(asked('GET', target)).toBe(code);
  });

  it('climbs nowhere: a key is what was sent', () => {
    for (const key of ['../other/k', 'a/../../b', './a', '..']) {
      expect(asked('GET', `/${key.replaceAll('/', '%2F')}`)).toMatchObject({ ref: { bucket: 'acme-1250000000', key } });
    }
  });
});

describe('recognition', () => {
  it.each([
    ['a signature', [['Authorization', 'q-sign-algorithm=sha1&q-ak=x']], '/k', 'h', true],
    ['its fields in another order', [['Authorization', 'q-ak=x&q-signature=0']], '/k', 'h', true],
    ['a signed URL', [], '/k?q-sign-algorithm=sha1', 'h', true],
    ['an older one', [], '/k?sign=q-sign-algorithm%3Dsha1', 'h', true],
    ['the vendor’s host', [], '/k', HOST, true],
    ['the vendor’s header', [['x-cos-acl', 'private']], '/k', 'h', true],
    ['S3 on the vendor’s host', [['Authorization', 'AWS4-HMAC-SHA256 Credential=']], '/k', HOST, false],
    ['an S3 URL on the vendor’s host', [], '/k?X-Amz-Signature=0', HOST, false],
    ['nobody’s', [], '/k?sign=1', 'h', false],
  ] as const)('%s', (_what, headers, target, host, expected) => {
    expect(cosFront.recognises(requestOf('GET', target, headers, host))).toBe(expected);
  });
});

describe('encryption', () => {
  const METHOD = 'x-cos-server-side-encryption';
  const KEY: Pairs = [
    [`${METHOD}-customer-algorithm`, 'AES256'],
    [`${METHOD}-customer-key`, Buffer.alloc(32, 1).toString('base64')],
    [`${METHOD}-customer-key-MD5`, MD5],
  ];
  const AES: Pairs = [[METHOD, 'AES256']];
  const KMS: Pairs = [
    [METHOD, 'cos/kms'],
    [`${METHOD}-cos-kms-key-id`, 'orders'],
  ];
  const BEGINNING = [
    ['PUT', '/k', []],
    ['POST', '/k?uploads', []],
    ['PUT', '/k', [['x-cos-copy-source', `${HOST}/s`]]],
  ] as const;
  const READING = [
    ['GET', '/k'],
    ['HEAD', '/k'],
  ] as const;
  const OTHERS = [
    ['DELETE', '/k'],
    ['GET', '/'],
    ['HEAD', '/'],
    ['DELETE', '/'],
    ['GET', '/?versions'],
    ['GET', '/?uploads'],
    ['PUT', '/?acl'],
  ] as const;

  it.each(BEGINNING)('%s %s begins an object under each of them', (method, target, more) => {
    expect(encryptionOf(asked(method, target, more))).toBeUndefined();
    expect(encryptionOf(asked(method, target, [...more, ...AES]))).toEqual({ kind: 'managed', algorithm: 'AES256' });
    const context = [`${METHOD}-context`, 'e30='] as const;
    expect(encryptionOf(asked(method, target, [...more, ...KMS, context]))).toEqual({
      kind: 'kms',
      keyId: 'orders',
      context: 'e30=',
    });
    expect(encryptionOf(asked(method, target, [...more, ...KEY]))).toMatchObject({ kind: 'customer' });
    const old = [METHOD, 'cos/kms'] as const;
    const oldKey = [`${METHOD}-qcloud-kms-key-id`, 'older'] as const;
    expect(encryptionOf(asked(method, target, [...more, old, oldKey]))).toMatchObject({ keyId: 'older' });
    for (const [headers, code] of [
      [[[METHOD, 'SM4']], 'NotImplemented'],
      [[...KMS, oldKey], 'InvalidArgument'],
      [[KMS[1] as readonly [string, string]], 'InvalidArgument'],
      [[...AES, KMS[1] as readonly [string, string]], 'InvalidArgument'],
      [[[`${METHOD}-unheard-of`, '1']], 'NotImplemented'],
    ] as const) {
      expect(asked(method, target, [...more, ...headers]), JSON.stringify(headers)).toBe(code);
    }
  });

  it.each(READING)('%s %s takes a customer’s key, and refuses a method by COS’s own code', (method, target) => {
    expect(encryptionOf(asked(method, target, KEY))).toMatchObject({ kind: 'customer' });
    for (const headers of [AES, KMS, [...AES, ...KEY]]) {
      expect(asked(method, target, headers)).toBe('SSEHeaderNotAllowed');
    }
  });

  it('takes the method again with every part, and the key', () => {
    const part = '/k?partNumber=1&uploadId=U';
    for (const headers of [[], AES, KMS]) expect(encryptionOf(asked('PUT', part, headers))).toBeUndefined();
    expect(encryptionOf(asked('PUT', part, KEY))).toMatchObject({ kind: 'customer' });
    expect(asked('PUT', part, [[METHOD, 'AES257']])).toBe('InvalidArgument');
    for (const headers of [[], AES, KEY]) {
      expect(asked('POST', '/k?uploadId=U', headers)).toBe('CompleteMultipartUpload');
      expect(asked('DELETE', '/k?uploadId=U', headers)).toMatchObject({ kind: 'AbortMultipartUpload' });
      expect(asked('GET', '/k?uploadId=U', headers)).toMatchObject({ kind: 'ListParts' });
    }
  });

  it.each(OTHERS)('%s %s refuses a method, and ignores a key', (method, target) => {
    expect(asked(method, target)).not.toBeTypeOf('string');
    expect(asked(method, target, AES)).toBe('SSEHeaderNotAllowed');
    expect(asked(method, target, KEY)).not.toBeTypeOf('string');
  });

  it('reads the key of a copy’s source, in copies alone', () => {
    const copy = ['x-cos-copy-source', `${HOST}/s`] as const;
    const own = KEY.map(([name, value]) => [name.replace('x-cos-', 'x-cos-copy-source-'), value] as const);
    expect(asked('PUT', '/k', [copy, ...own])).toMatchObject({ source: { encryption: { kind: 'customer' } } });
    const part = '/k?partNumber=1&uploadId=U';
    expect(asked('PUT', part, [copy, ...own])).toMatchObject({ source: { encryption: { kind: 'customer' } } });
    expect(asked('PUT', '/k', own)).toBe('NotImplemented');
    expect(asked('GET', '/k', own)).toBe('NotImplemented');
  });
});

describe('the source of a copy', () => {
  it.each([
    [`${HOST}/a%2Fb%20c+d`, { bucket: 'acme-1250000000', key: 'a/b c+d', versionId: undefined }],
    [`${HOST}/k?versionId=v1`, { bucket: 'acme-1250000000', key: 'k', versionId: 'v1' }],
    ['box.gw.example:8080/k', { bucket: 'box', key: 'k', versionId: undefined }],
    ['/box/k%3Fx', { bucket: 'box', key: 'k?x', versionId: undefined }],
  ])('%s', (value, ref) => {
    expect(asked('PUT', '/k', [['x-cos-copy-source', value]])).toMatchObject({ kind: 'CopyObject', source: { ref } });
  });

  it.each([
    ['elsewhere.example/k', 'InvalidArgument'],
    [`${HOST}/`, 'InvalidArgument'],
    [HOST, 'InvalidArgument'],
    [`${HOST}/k?versionId=a&acl`, 'InvalidArgument'],
    [`${HOST}/k?x=1`, 'InvalidArgument'],
    [`${HOST}/%ff`, 'InvalidArgument'],
    ['B/k', 'InvalidBucketName'],
  ])('%s is %s', (value, code) => {
    expect(asked('PUT', '/k', [['x-cos-copy-source', value]])).toBe(code);
  });

  it('has metadata of its own where the directive says Replaced', () => {
    const copy = (directive: string) =>
      asked('PUT', '/k', [
        ['x-cos-copy-source', `${HOST}/s`],
        ['x-cos-metadata-directive', directive],
        ['Content-Type', 'a/b'],
      ]);
    for (const word of ['Replaced', 'replaced', 'REPLACE']) {
      expect(copy(word)).toMatchObject({ replacement: { content: { contentType: 'a/b' } } });
    }
    for (const word of ['Copy', 'COPY', '']) expect(copy(word)).toMatchObject({ replacement: undefined });
    expect(copy('Other')).toBe('InvalidArgument');
  });
});

describe('what is not done is refused by name', () => {
  it.each([
    ['POST', '/k?append&position=0'],
    ['PUT', '/k?rename'],
    ['PUT', '/k?symlink'],
    ['GET', '/k?tagging'],
    ['GET', '/?cors'],
    ['PUT', '/?lifecycle'],
    ['GET', '/?policy'],
    ['PUT', '/?versioning'],
    ['GET', '/k?ci-process=x'],
    ['GET', '/k?imageMogr2/thumbnail/50'],
    ['GET', '/?list-type=2'],
    ['POST', '/k'],
  ])('%s %s', (method, target) => {
    expect(asked(method, target)).toBe('NotImplemented');
  });

  it('and what says two things is an error', () => {
    expect(asked('GET', '/?prefix=a&prefix=b')).toBe('InvalidArgument');
    expect(asked('PATCH', '/k')).toBe('MethodNotAllowed');
  });
});

describe('empty is absent', () => {
  it('in parameters and content headers', () => {
    expect(asked('GET', '/?prefix=&delimiter=&marker=&max-keys=&encoding-type=')).toMatchObject({
      prefix: '',
      after: '',
      maxKeys: 1000,
      urlEncoded: false,
    });
    const put = asked('PUT', '/k', [
      ['Content-Type', ''],
      ['Cache-Control', ''],
      ['x-cos-acl', ''],
    ]);
    expect(put).toMatchObject({ kind: 'PutObject', metadata: { content: {} } });
    expect((put as { metadata: { content: object } }).metadata.content).toEqual({});
  });
});
