import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { setKeyState } from '../../support/servers/key-states.ts';
import { sharedMinio } from '../../support/servers/minio.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { type Stand, standEmbedded } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { type Asked, exchangeS3 } from '../../support/wire-client.ts';

/**
 * What is refused of encryption, by status and code as AWS S3 answers, over the wire. The requests are signed by hand,
 * because SDKs send no malformed keys.
 */

type Headers = Readonly<Record<string, string>>;

const SSE = 'x-amz-server-side-encryption';
const KEY_ID = `${SSE}-aws-kms-key-id`;
const CONTEXT = `${SSE}-context`;
const OF_SOURCE = 'x-amz-copy-source-server-side-encryption';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64');

/** The headers of a customer key; `over` replaces what stands in one, or leaves it out. */
function customer(
  key: Buffer,
  over: Readonly<Record<string, string | undefined>> = {},
  prefix: string = SSE,
): Record<string, string> {
  const whole = { algorithm: 'AES256', key: key.toString('base64'), 'key-md5': md5(key), ...over };
  return Object.fromEntries(
    Object.entries(whole).flatMap(([name, value]) =>
      value === undefined ? [] : [[`${prefix}-customer-${name}`, value] as const],
    ),
  );
}

const ONE = Buffer.alloc(32, 1);
const TWO = Buffer.alloc(32, 2);
const kms = (keyId?: string, more: Headers = {}): Headers => ({
  [SSE]: 'aws:kms',
  ...(keyId !== undefined && { [KEY_ID]: keyId }),
  ...more,
});

/** What is wrong with the headers of a customer key. */
const MALFORMED: readonly (readonly [string, (prefix?: string) => Headers])[] = [
  ['no algorithm', (prefix) => customer(ONE, { algorithm: undefined }, prefix)],
  ['no key', (prefix) => customer(ONE, { key: undefined }, prefix)],
  ['no MD5', (prefix) => customer(ONE, { 'key-md5': undefined }, prefix)],
  ['an algorithm alone', (prefix) => customer(ONE, { key: undefined, 'key-md5': undefined }, prefix)],
  ['the MD5 of another key', (prefix) => customer(ONE, { 'key-md5': md5(TWO) }, prefix)],
  ['an MD5 that is none', (prefix) => customer(ONE, { 'key-md5': 'none' }, prefix)],
  ['a key that is not base64', (prefix) => customer(ONE, { key: '!'.repeat(44) }, prefix)],
  ['a key of 16 bytes', (prefix) => customer(Buffer.alloc(16, 1), {}, prefix)],
  ['a key of 33 bytes', (prefix) => customer(Buffer.alloc(33, 1), {}, prefix)],
];
const COMBINED: readonly (readonly [string, () => Headers])[] = [
  ['AES256 beside it', () => ({ ...customer(ONE), [SSE]: 'AES256' })],
  ['aws:kms beside it', () => ({ ...customer(ONE), ...kms() })],
  ['a KMS key id beside it', () => ({ ...customer(ONE), [KEY_ID]: 'cards' })],
  ['aws:kms and a KMS key id beside it', () => ({ ...customer(ONE), ...kms('cards') })],
];
const OTHER_ALGORITHMS = ['AES128', 'aes256', 'aws:kms'] as const;

/** What requests are sent about. Each stands in the bucket before any test of its stand. */
const MANAGED = 'managed';
const KEYED = 'under key one';

interface Told {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** One request after another to one gateway. */
function askerOf(port: number) {
  const ask = async (asked: {
    readonly method?: string;
    readonly path: string;
    readonly query?: string;
    readonly headers?: Headers;
    readonly body?: string;
  }): Promise<Told> => {
    const { method = 'PUT', path, query, headers = {}, body = '' } = asked;
    const request: Asked = { method, path, fields: Object.entries(headers), body: Buffer.from(body) };
    const answer = await exchangeS3(port, query === undefined ? request : { ...request, query });
    const text = answer.body.toString('latin1');
    const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1];
    return { status: answer.status, code, body: text, fields: new Map(answer.fields) };
  };
  const begin = async (path: string, headers: Headers = {}) => {
    const { body } = await ask({ method: 'POST', path, query: 'uploads', headers });
    return /<UploadId>(.*?)<\/UploadId>/.exec(body)?.[1] ?? '';
  };
  return { ask, begin };
}

type Asker = ReturnType<typeof askerOf>;
type Request = Parameters<Asker['ask']>[0];

const BUCKET = 'acme-refusals';
const at = (key: string, bucket = BUCKET) => `/${bucket}/${encodeURIComponent(key)}`;
const copying = (key: string): Headers => ({ 'x-amz-copy-source': at(key) });

/** The requests that begin an object or an upload. */
const BEGINNING = (bucket = BUCKET): Readonly<Record<string, Request>> => ({
  PutObject: { path: at(MANAGED, bucket), body: 'another' },
  CopyObject: { path: at(MANAGED, bucket), headers: copying('source') },
  CreateMultipartUpload: { method: 'POST', path: at(MANAGED, bucket), query: 'uploads' },
});

/** The requests about an upload that was begun. */
const CONTINUING = (uploadId: string, bucket = BUCKET): Readonly<Record<string, Request>> => {
  const query = `partNumber=1&uploadId=${uploadId}`;
  return {
    UploadPart: { path: at('upload', bucket), query, body: 'a part' },
    UploadPartCopy: { path: at('upload', bucket), query, headers: copying('source') },
  };
};

const READING = (key: string): Readonly<Record<string, Request>> => ({
  GetObject: { method: 'GET', path: at(key) },
  'GetObject of a range': { method: 'GET', path: at(key), headers: { range: 'bytes=2-5' } },
  'GetObject of a part': { method: 'GET', path: at(key), query: 'partNumber=1' },
  HeadObject: { method: 'HEAD', path: at(key) },
  GetObjectAttributes: {
    method: 'GET',
    path: at(key),
    query: 'attributes',
    headers: { 'x-amz-object-attributes': 'ETag,ObjectSize' },
  },
});

const COPYING = (key: string, uploadId: string): Readonly<Record<string, Request>> => ({
  CopyObject: { path: at(MANAGED), headers: copying(key) },
  UploadPartCopy: { path: at('upload'), query: `partNumber=1&uploadId=${uploadId}`, headers: copying(key) },
});

/** What lies in the buckets. No error may have any of it. */
const CONTENT = 'content that was there before';

const COMPLETE = (etag: string) =>
  `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;

const refusedBy = (stand: () => Asker) => {
  /** A request's status and code. HEAD has no code, because it has no body. */
  const told = async (asked: Request, headers: Headers = {}): Promise<string> => {
    const answer = await stand().ask({ ...asked, headers: { ...asked.headers, ...headers } });
    expect(answer.body).not.toContain(CONTENT.slice(2, 6));
    if (asked.method === 'HEAD') {
      expect(answer.body).toBe('');
      return String(answer.status);
    }
    return `${answer.status} ${answer.code}`;
  };
  /** Each of these requests is refused with the same status and code, and HEAD with the same status. */
  return async (requests: Readonly<Record<string, Request>>, headers: Headers, expected: string) => {
    for (const [name, asked] of Object.entries(requests)) {
      const status = expected.split(' ')[0];
      expect([name, await told(asked, headers)]).toEqual([name, asked.method === 'HEAD' ? status : expected]);
    }
  };
};

describe.each(ALL_STANDS)('over %s', (_name, start) => {
  let stand: Stand;
  let asker: Asker;
  const refused = refusedBy(() => asker);
  const uploads = { plain: '', keyed: '' };

  beforeAll(async () => {
    stand = await start({ more: { customerKeys: { overHttp: 'loopback' } } });
    asker = askerOf(stand.gateway.port);
    expect((await asker.ask({ path: `/${BUCKET}` })).status).toBe(200);
    for (const [key, headers] of [
      [MANAGED, {}],
      ['source', {}],
      [KEYED, customer(ONE)],
    ] as const) {
      expect((await asker.ask({ path: at(key), headers, body: CONTENT })).status).toBe(200);
    }
    uploads.plain = await asker.begin(at('upload'));
    uploads.keyed = await asker.begin(at('upload'), customer(ONE));
  });

  afterAll(async () => stand?.stop());

  /** What lies in the bucket: names, ETags and sizes of objects, and uploads. */
  async function lying(bucket = BUCKET): Promise<string[]> {
    const [objects, open] = [
      await asker.ask({ method: 'GET', path: `/${bucket}` }),
      await asker.ask({ method: 'GET', path: `/${bucket}`, query: 'uploads' }),
    ];
    return [
      ...objects.body.matchAll(
        /<Key>.*?<\/Key>|<ETag>.*?<\/ETag>|<Size>.*?<\/Size>|<LastModified>.*?<\/LastModified>/g,
      ),
      ...open.body.matchAll(/<UploadId>.*?<\/UploadId>/g),
    ].map(([text]) => text);
  }

  /** Whatever a test was refused, it left what was there. */
  async function leavingAll<T>(work: () => Promise<T>, bucket = BUCKET): Promise<T> {
    const before = await lying(bucket);
    const done = await work();
    expect(await lying(bucket)).toEqual(before);
    const content = await asker.ask({ method: 'GET', path: at(MANAGED, bucket) });
    expect([content.status, content.body]).toEqual([200, CONTENT]);
    return done;
  }

  const writing = () => ({ ...BEGINNING(), ...CONTINUING(uploads.keyed) });

  describe('a customer key', () => {
    it.each([...MALFORMED, ...COMBINED])('with %s is 400 InvalidArgument', (_what, headers) =>
      leavingAll(async () => {
        const complete = {
          method: 'POST',
          path: at('upload'),
          query: `uploadId=${uploads.keyed}`,
          body: COMPLETE('x'),
        };
        const list = { method: 'GET', path: at('upload'), query: `uploadId=${uploads.keyed}` };
        const others = { CompleteMultipartUpload: complete, ListParts: list };
        await refused({ ...writing(), ...READING(KEYED), ...others }, headers(), '400 InvalidArgument');
      }),
    );

    it.each(MALFORMED)('of a copy’s source with %s is 400 InvalidArgument', (_what, headers) =>
      leavingAll(() => refused(COPYING(KEYED, uploads.plain), headers(OF_SOURCE), '400 InvalidArgument')),
    );

    it.each(OTHER_ALGORITHMS)('for the algorithm %s is 400 InvalidEncryptionAlgorithmError', (algorithm) =>
      leavingAll(async () => {
        const code = '400 InvalidEncryptionAlgorithmError';
        await refused({ ...writing(), ...READING(KEYED) }, customer(ONE, { algorithm }), code);
        await refused(COPYING(KEYED, uploads.plain), customer(ONE, { algorithm }, OF_SOURCE), code);
      }),
    );

    it('that is missing for an object under one is 400 InvalidRequest', () =>
      leavingAll(async () => {
        await refused(READING(KEYED), {}, '400 InvalidRequest');
        await refused(COPYING(KEYED, uploads.plain), {}, '400 InvalidRequest');
      }));

    it('for an object that has none is 400 InvalidRequest', () =>
      leavingAll(async () => {
        await refused(READING(MANAGED), customer(ONE), '400 InvalidRequest');
        await refused(COPYING('source', uploads.plain), customer(ONE, {}, OF_SOURCE), '400 InvalidRequest');
      }));

    it('that is another than the object’s is 403 AccessDenied, and not one byte', () =>
      leavingAll(async () => {
        await refused(READING(KEYED), customer(TWO), '403 AccessDenied');
        await refused(COPYING(KEYED, uploads.plain), customer(TWO, {}, OF_SOURCE), '403 AccessDenied');
      }));

    it('that is not the upload’s is 400 InvalidRequest, and the upload stays usable', () =>
      leavingAll(async () => {
        const whole = async (headers: Headers, with_: readonly Headers[]) => {
          const path = at('other upload');
          const uploadId = await asker.begin(path, headers);
          const part = { path, query: `partNumber=1&uploadId=${uploadId}`, body: CONTENT };
          const copied = { path, query: part.query, headers: copying('source') };
          const later = SSE in headers ? {} : headers;
          const sent = await asker.ask({ ...part, headers: later });
          const body = COMPLETE(sent.fields.get('etag') ?? '');
          const complete = { method: 'POST', path, query: `uploadId=${uploadId}`, body };
          for (const wrong of with_) {
            const requests = { UploadPart: part, UploadPartCopy: copied };
            await refused(requests, wrong, '400 InvalidRequest');
            if (Object.keys(wrong).length > 0) await refused({ complete }, wrong, '400 InvalidRequest');
          }
          expect((await asker.ask(complete)).status).toBe(200);
          const got = await asker.ask({ method: 'GET', path, headers: later });
          expect([got.status, got.body]).toEqual([200, CONTENT]);
          expect((await asker.ask({ method: 'DELETE', path })).status).toBe(204);
        };
        await whole(customer(ONE), [{}, customer(TWO)]);
        await whole({}, [customer(ONE)]);
        await whole(kms(), [customer(ONE)]);
      }));

    it('where AWS asks for none is not looked for', async () => {
      const path = at('without a key');
      const abandoned = await asker.begin(path, customer(ONE));
      for (const asked of [
        { method: 'GET', path, query: `uploadId=${abandoned}` },
        { method: 'DELETE', path, query: `uploadId=${abandoned}` },
      ]) {
        expect((await asker.ask(asked)).status).toBe(asked.method === 'GET' ? 200 : 204);
      }
      expect((await asker.ask({ path, headers: customer(ONE), body: CONTENT })).status).toBe(200);
      expect((await asker.ask({ method: 'GET', path: `/${BUCKET}`, query: 'prefix=without' })).body).toContain(
        `<Size>${CONTENT.length}</Size>`,
      );
      expect((await asker.ask({ method: 'DELETE', path })).status).toBe(204);
    });
  });

  describe('a KMS key', () => {
    const context = (text: string) => kms(undefined, { [CONTEXT]: text });

    it.each<[string, Headers]>([
      ['a key id alone', { [KEY_ID]: 'cards' }],
      ['a key id with AES256', { [SSE]: 'AES256', [KEY_ID]: 'cards' }],
      ['a context alone', { [CONTEXT]: base64('{}') }],
      ['a context with AES256', { [SSE]: 'AES256', [CONTEXT]: base64('{}') }],
      ['an unknown method', { [SSE]: 'aws:hsm' }],
      ['a method in another case', { [SSE]: 'aes256' }],
      ['a method that is empty', { [SSE]: '' }],
      ['a context that is no base64', context('{"a":"b"}')],
      ['a context that is no JSON', context(base64('{"a":'))],
      ['a context that is a list', context(base64('["a"]'))],
      ['a context that is null', context(base64('null'))],
      ['a context of numbers', context(base64('{"a":1}'))],
      ['a context of maps', context(base64('{"a":{}}'))],
      ['a context too long', context(base64(`{"a":"${'x'.repeat(1017)}"}`))],
    ])('%s is 400 InvalidArgument', (_what, headers) =>
      leavingAll(() => refused(BEGINNING(), headers, '400 InvalidArgument')),
    );

    it('may have a context of 1 KiB', async () => {
      const headers = context(base64(`{"a":"${'x'.repeat(1016)}"}`));
      expect((await asker.ask({ path: at('a context'), headers, body: 'x' })).status).toBe(200);
    });

    it('in two layers is 501', () =>
      leavingAll(() => refused(BEGINNING(), { [SSE]: 'aws:kms:dsse' }, '501 NotImplemented')));

    it('is refused by its state, for writes and for reads', async () => {
      const states = [
        ['old', 'decrypt-only', '400 KMS.DisabledException', undefined],
        ['locked', 'disabled', '400 KMS.DisabledException', '400 KMS.DisabledException'],
        ['ending', 'pending', '400 KMS.KMSInvalidStateException', '400 KMS.KMSInvalidStateException'],
        ['gone', 'destroyed', '400 KMS.NotFoundException', '400 KMS.NotFoundException'],
      ] as const;
      for (const [name, state, writes] of states) {
        expect((await stand.gateway.command(['key', 'add', TENANT.name, '--name', name])).code).toBe(0);
        const path = at(`under ${name}`);
        const put = () => asker.ask({ path, headers: kms(name), body: CONTENT });
        await expect.poll(async () => (await put()).status, { timeout: 20_000 }).toBe(200);
        await setKeyState(stand.gateway, name, state);
        await expect.poll(async () => (await put()).code, { timeout: 20_000 }).toBe(writes.slice(4));
      }
      await leavingAll(async () => {
        for (const [name, , writes, reads] of states) {
          for (const spelt of [name, `alias/${name}`, `arn:aws:kms:us-east-1:123456789012:key/${name}`]) {
            await refused(BEGINNING(), kms(spelt), writes);
          }
          if (reads === undefined) {
            const { status, body } = await asker.ask({ method: 'GET', path: at(`under ${name}`) });
            expect([status, body]).toEqual([200, CONTENT]);
          } else {
            const { GetObjectAttributes: _, ...read } = READING(`under ${name}`);
            await refused({ ...read, ...COPYING(`under ${name}`, uploads.plain) }, {}, reads);
          }
        }
        await refused(BEGINNING(), kms('nobodys'), '400 KMS.NotFoundException');
        await refused(BEGINNING(), kms('arn:aws:kms:us-east-1:1:grant/old'), '400 KMS.NotFoundException');
      });
    });

    it('of another tenant is one that does not exist', async () => {
      const { gateway } = stand;
      expect((await gateway.command(['tenant', 'add', 'beta', '--bucket', 'beta-*', '--json'])).code).toBe(0);
      expect((await gateway.command(['key', 'add', 'beta', '--name', 'theirs'])).code).toBe(0);
      await leavingAll(() => refused(BEGINNING(), kms('theirs'), '400 KMS.NotFoundException'));
    });
  });

  it.each(['AES256', 'aws:kms'])('a method named where none may be (%s) is 400 InvalidArgument', (method) =>
    leavingAll(async () => {
      const list = (query?: string) => ({ method: 'GET', path: `/${BUCKET}`, ...(query !== undefined && { query }) });
      await refused(
        {
          ...READING(MANAGED),
          ListObjects: list(),
          ListObjectsV2: list('list-type=2'),
          ListObjectVersions: list('versions'),
          ListMultipartUploads: list('uploads'),
          ListParts: { method: 'GET', path: at('upload'), query: `uploadId=${uploads.plain}` },
          ...CONTINUING(uploads.plain),
          CompleteMultipartUpload: {
            method: 'POST',
            path: at('upload'),
            query: `uploadId=${uploads.plain}`,
            body: COMPLETE('x'),
          },
        },
        { [SSE]: method },
        '400 InvalidArgument',
      );
    }),
  );

  describe('a default encryption', () => {
    const rule = (inner: string) => `<Rule>${inner}</Rule>`;
    const method = (name: string, keyId = '') =>
      rule(
        `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>${name}</SSEAlgorithm>` +
          `${keyId && `<KMSMasterKeyID>${keyId}</KMSMasterKeyID>`}</ApplyServerSideEncryptionByDefault>`,
      );
    const documentOf = (rules: string) =>
      `<ServerSideEncryptionConfiguration>${rules}</ServerSideEncryptionConfiguration>`;
    const set = (document: string, bucket = BUCKET) =>
      asker.ask({ path: `/${bucket}`, query: 'encryption', body: document });

    it.each([
      ['no rule', documentOf(''), '400 MalformedXML'],
      ['two rules', documentOf(method('AES256').repeat(2)), '400 MalformedXML'],
      ['an unknown algorithm', documentOf(method('ROT13')), '400 MalformedXML'],
      ['no XML', 'no XML', '400 MalformedXML'],
      ['half of a document', documentOf(method('AES256')).slice(0, -9), '400 MalformedXML'],
      ['a key id with AES256', documentOf(method('AES256', 'cards')), '400 InvalidArgument'],
      ['an unknown key', documentOf(method('aws:kms', 'no-such-key')), '400 KMS.NotFoundException'],
      ['two layers', documentOf(method('aws:kms:dsse')), '501 NotImplemented'],
    ])('of %s is refused, and changes nothing', async (_what, document, expected) => {
      const before = await asker.ask({ method: 'GET', path: `/${BUCKET}`, query: 'encryption' });
      const { status, code } = await set(document);
      expect(`${status} ${code}`).toBe(expected);
      const after = await asker.ask({ method: 'GET', path: `/${BUCKET}`, query: 'encryption' });
      expect([after.status, after.body]).toEqual([200, before.body]);
    });

    it('of no bucket is 404 NoSuchBucket', async () => {
      const { status, code } = await set(documentOf(method('AES256')), 'acme-absent');
      expect([status, code]).toEqual([404, 'NoSuchBucket']);
      for (const verb of ['GET', 'DELETE']) {
        const told = await asker.ask({ method: verb, path: '/acme-absent', query: 'encryption' });
        expect([verb, told.status, told.code]).toEqual([verb, 404, 'NoSuchBucket']);
      }
    });
  });

  describe('where customer keys are', () => {
    const blocked =
      '<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType>' +
      '</BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>';
    const denied = (bucket: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            ...{ Sid: 'NoCustomerKeys', Effect: 'Deny', Principal: '*', Action: 's3:PutObject' },
            Resource: `arn:aws:s3:::${bucket}/*`,
            Condition: { Null: { [`s3:${SSE}-customer-algorithm`]: 'false' } },
          },
        ],
      });

    it.each([
      ['blocked', (bucket: string) => asker.ask({ path: `/${bucket}`, query: 'encryption', body: blocked }), 'all'],
      [
        'denied by the bucket’s policy',
        (bucket: string) => asker.ask({ path: `/${bucket}`, query: 'policy', body: denied(bucket) }),
        'named',
      ],
      [
        'refused by a rule',
        async (bucket: string) => {
          const file = join(stand.gateway.folder, 'policy.yaml');
          await writeFile(file, `rules:\n  - { tenant: acme, bucket: "${bucket}", customerKeys: refuse }\n`);
          const applied = await stand.gateway.command(['policy', 'apply', file, '--yes']);
          expect(applied.code).toBe(0);
          return { status: 200 };
        },
        'all',
      ],
    ])('%s, writing with one is 403 AccessDenied, and nobody looks at the key', async (what, refuse, which) => {
      const bucket = `acme-${what.replaceAll(/[^a-z]+/g, '-')}`;
      expect((await asker.ask({ path: `/${bucket}` })).status).toBe(200);
      for (const key of [MANAGED, KEYED]) {
        const headers = key === KEYED ? customer(ONE) : {};
        expect((await asker.ask({ path: at(key, bucket), headers, body: CONTENT })).status).toBe(200);
      }
      const uploadId = await asker.begin(at('upload', bucket), customer(ONE));
      expect((await refuse(bucket)).status).toBeLessThan(300);
      const probe = { path: at('probe', bucket), headers: customer(ONE), body: 'x' };
      await expect.poll(async () => (await asker.ask(probe)).status, { timeout: 20_000 }).toBe(403);
      await leavingAll(async () => {
        const requests = { ...BEGINNING(bucket), ...CONTINUING(uploadId, bucket) };
        const other = customer(ONE, { algorithm: 'AES128' });
        for (const [, headers] of [...MALFORMED, ...COMBINED, ['', () => other], ['', () => customer(ONE)]] as const) {
          const given = headers();
          // The policy's condition looks at the header of the algorithm. A request without it is wrong in itself.
          const named = which === 'all' || `${SSE}-customer-algorithm` in given;
          await refused(requests, given, named ? '403 AccessDenied' : '400 InvalidArgument');
        }
      }, bucket);
      const got = await asker.ask({ method: 'GET', path: at(KEYED, bucket), headers: customer(ONE) });
      expect([got.status, got.body]).toEqual([200, CONTENT]);
      expect((await asker.ask({ path: at(MANAGED, bucket), body: CONTENT })).status).toBe(200);
    });
  });
});

it('a customer key over plain HTTP is 400 InvalidRequest, unless the settings say otherwise', async () => {
  const stand = await standEmbedded();
  try {
    const asker = askerOf(stand.gateway.port);
    const refused = refusedBy(() => asker);
    expect((await asker.ask({ path: `/${BUCKET}` })).status).toBe(200);
    for (const key of [MANAGED, 'source']) {
      expect((await asker.ask({ path: at(key), body: CONTENT })).status).toBe(200);
    }
    const uploadId = await asker.begin(at('upload'));
    const requests = { ...BEGINNING(), ...CONTINUING(uploadId), ...READING(MANAGED) };
    await refused(requests, customer(ONE), '400 InvalidRequest');
    await refused(COPYING('source', uploadId), customer(ONE, {}, OF_SOURCE), '400 InvalidRequest');
    const got = await asker.ask({ method: 'GET', path: at(MANAGED) });
    expect([got.status, got.body]).toEqual([200, CONTENT]);
  } finally {
    await stand.stop();
  }
});

describe('while the key store is away', () => {
  const minio = sharedMinio();
  const redis = startRedis({ persistent: true });
  let gateway: GatewayProcess;
  let asker: Asker;
  const objects: readonly (readonly [string, Headers, Headers])[] = [
    ['managed', {}, {}],
    ['under a KMS key', kms('cards'), {}],
    ['under a customer key', customer(ONE), customer(ONE)],
  ];

  beforeAll(async () => {
    gateway = await startGateway({
      backend: backendSettings(await minio),
      more: {
        customerKeys: { overHttp: 'loopback' },
        keys: {
          root: { file: 'root.key' },
          store: { redis: (await redis).url, commandSeconds: 1 },
          cache: { maxAgeSeconds: 1, staleSeconds: 2 },
        },
      },
    });
    asker = askerOf(gateway.port);
  });

  afterAll(async () => {
    await gateway?.stop();
    await Promise.all([(await minio).stop(), (await redis).stop()]);
  });

  it('requests are 503 with Retry-After, whatever the key is, and what was there stays', async () => {
    expect((await asker.ask({ path: `/${BUCKET}` })).status).toBe(200);
    expect((await gateway.command(['key', 'add', TENANT.name, '--name', 'cards'])).code).toBe(0);
    for (const [key, headers] of objects) {
      const put = () => asker.ask({ path: at(key), headers, body: CONTENT });
      await expect.poll(async () => (await put()).status, { timeout: 20_000 }).toBe(200);
    }
    await (await redis).kill();
    const first = await asker.ask({ path: at('first'), headers: kms('never-asked-for'), body: CONTENT });
    expect([first.status, first.code]).toEqual([503, 'ServiceUnavailable']);
    // Until the cache has gone stale, what is in it serves.
    const head = () => asker.ask({ method: 'HEAD', path: at('managed') });
    await expect.poll(async () => (await head()).status, { timeout: 20_000 }).toBe(503);
    for (const [key, headers, reading] of objects) {
      const requests: readonly Request[] = [
        { path: at(key), headers, body: 'another' },
        { path: at(key), headers: { ...headers, ...copying('source') } },
        { method: 'POST', path: at(key), query: 'uploads', headers },
        { method: 'GET', path: at(key), headers: reading },
        { method: 'HEAD', path: at(key), headers: reading },
      ];
      for (const asked of requests) {
        const { status, code, fields, body } = await asker.ask(asked);
        expect([key, asked.method, status, code]).toEqual([
          key,
          asked.method,
          503,
          asked.method === 'HEAD' ? undefined : 'ServiceUnavailable',
        ]);
        expect(Number(fields.get('retry-after'))).toBeGreaterThan(0);
        if (asked.method === 'HEAD') expect(body).toBe('');
      }
    }
    await (await redis).restart();
    for (const [key, , headers] of objects) {
      const got = () => asker.ask({ method: 'GET', path: at(key), headers });
      await expect.poll(async () => (await got()).status, { timeout: 20_000 }).toBe(200);
      expect((await got()).body).toBe(CONTENT);
    }
  });
});
