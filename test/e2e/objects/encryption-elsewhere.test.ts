import { createHash } from 'node:crypto';
import * as s3 from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TENANT } from '../../support/servers/gateway.ts';
import { setKeyState } from '../../support/servers/key-states.ts';
import { type Stand, standEmbedded, standOnMinio } from '../../support/servers/stand.ts';
import { onceClient, read, refusal } from '../../support/sight.ts';

/** Encryption that is asked for elsewhere than in a signed header: in forms, beside presigned URLs, and by the bucket. */

const Bucket = 'acme-elsewhere';
const Key = 'there';
const THERE = 'what was there';
const DONE = [undefined, 'nothing failed'];
const SSE = 'x-amz-server-side-encryption';
const CUSTOMER_KEY = Buffer.alloc(32, 4);
const MD5 = createHash('md5').update(CUSTOMER_KEY).digest('base64');
const CUSTOMER = {
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: CUSTOMER_KEY.toString('base64'),
  SSECustomerKeyMD5: MD5,
};
/** A gateway hears of a key within a second; a loaded machine gets a few. */
const SOON = { timeout: 20_000 };

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>])[] = [
  ['AES256', { [SSE]: 'AES256' }, { [SSE]: 'AES256' }],
  ['a KMS key', { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'cards' }, { [`${SSE}-aws-kms-key-id`]: 'cards' }],
  ['a context', { [SSE]: 'aws:kms', [`${SSE}-context`]: 'eyJhIjoiYiJ9' }, { [`${SSE}-aws-kms-key-id`]: 'aws/s3' }],
  [
    'a bucket key',
    { [SSE]: 'aws:kms', [`${SSE}-bucket-key-enabled`]: 'true' },
    { [`${SSE}-bucket-key-enabled`]: 'true' },
  ],
  [
    'a customer key',
    {
      [`${SSE}-customer-algorithm`]: 'AES256',
      [`${SSE}-customer-key`]: CUSTOMER_KEY.toString('base64'),
      [`${SSE}-customer-key-MD5`]: MD5,
    },
    { [`${SSE}-customer-key-md5`]: MD5 },
  ],
];

describe.each([
  ['the embedded stores', standEmbedded],
  ['MinIO and Redis', standOnMinio],
] as const)('over %s', (_name, start) => {
  let stand: Stand;
  let client: s3.S3Client;
  const at = { Bucket, Key };

  beforeAll(async () => {
    stand = await start({ more: { customerKeys: { overHttp: 'loopback' } } });
    client = onceClient(stand.gateway);
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    for (const name of ['cards', 'wages']) {
      expect((await stand.gateway.command(['key', 'add', TENANT.name, '--name', name])).code).toBe(0);
    }
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  beforeEach(async () => void (await client.send(new s3.PutObjectCommand({ ...at, Body: THERE }))));

  const stands = async () => (await read(client, at)).toString();
  const codeIn = (text: string) => /<Code>(.*?)<\/Code>/.exec(text)?.[1];

  /** Sends a form whose policy allows some fields, with these. */
  async function post(allowed: Readonly<Record<string, string>>, sent: Readonly<Record<string, string>>) {
    const form = await createPresignedPost(client, { ...at, Fields: { ...allowed } });
    const data = new FormData();
    for (const [name, value] of Object.entries({ ...form.fields, ...sent })) {
      if (!(name in allowed) || name in sent) data.append(name, value);
    }
    data.append('file', new Blob(['of the form']));
    const answer = await fetch(form.url, { method: 'POST', body: data });
    return { status: answer.status, code: codeIn(await answer.text()), headers: answer.headers };
  }

  describe.each(FORMS)('a form that asks for %s', (what, fields, told) => {
    it('gets it where its policy has every field', async () => {
      const posted = () => post(fields, fields);
      await expect.poll(async () => (await posted()).status, SOON).toBe(204);
      const { headers } = await posted();
      for (const [name, value] of Object.entries(told)) expect([name, headers.get(name)]).toEqual([name, value]);
      const brings = what === 'a customer key' ? CUSTOMER : {};
      expect((await read(client, { ...at, ...brings })).toString()).toBe('of the form');
    });

    it.each(Object.keys(fields))('is refused where %s does not stand in its policy', async (name) => {
      const { [name]: _, ...others } = fields;
      const { status, code } = await post(others, fields);
      expect([status, code, await stands()]).toEqual([403, 'AccessDenied', THERE]);
    });

    // A form that says more of a KMS key and no method is wrong in itself (see the table of refusals).
    const dispensable = Object.keys(fields).filter((name) => name !== SSE || Object.keys(fields).length === 1);
    it.each(dispensable)('is refused where its policy has %s and it has not', async (name) => {
      const { [name]: _, ...others } = fields;
      const { status, code } = await post(fields, others);
      expect([status, code, await stands()]).toEqual([403, 'AccessDenied', THERE]);
    });
  });

  it.each([
    ['a key without its MD5', { [`${SSE}-customer-key-MD5`]: undefined }, 'InvalidArgument'],
    ['the MD5 of another key', { [`${SSE}-customer-key-MD5`]: 'AAAAAAAAAAAAAAAAAAAAAA==' }, 'InvalidArgument'],
    ['a key that is none', { [`${SSE}-customer-key`]: 'bm9uZQ==' }, 'InvalidArgument'],
    ['another algorithm', { [`${SSE}-customer-algorithm`]: 'AES128' }, 'InvalidEncryptionAlgorithmError'],
    ['AES256 beside its key', { [SSE]: 'AES256' }, 'InvalidArgument'],
  ])('a form with %s is refused, though its policy allows it', async (_what, over, expected) => {
    const whole = { ...FORMS[4]?.[1], ...over } as Record<string, string | undefined>;
    const fields = Object.fromEntries(
      Object.entries(whole).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    );
    const { status, code } = await post(fields, fields);
    expect([status, code, await stands()]).toEqual([400, expected, THERE]);
  });

  describe('beside a presigned URL', () => {
    const put = async (asked: Partial<s3.PutObjectCommandInput>, headers: Readonly<Record<string, string>>) => {
      // The body stays unsigned, and what the command says of encryption stays in headers, which are signed.
      const url = await getSignedUrl(client, new s3.PutObjectCommand({ ...at, ...asked }), {
        unhoistableHeaders: new Set(Object.keys(headers).map((name) => name.toLowerCase())),
      });
      const answer = await fetch(url, { method: 'PUT', headers, body: 'presigned' });
      return { status: answer.status, code: codeIn(await answer.text()), headers: answer.headers };
    };
    const [AES256, KMS] = [{ ServerSideEncryption: 'AES256' }, { ServerSideEncryption: 'aws:kms' }] as const;
    const SIGNED: readonly (readonly [string, Partial<s3.PutObjectCommandInput>, Readonly<Record<string, string>>])[] =
      [
        ['AES256', AES256, { [SSE]: 'AES256' }],
        ['a KMS key', { ...KMS, SSEKMSKeyId: 'cards' }, { [SSE]: 'aws:kms', [`${SSE}-aws-kms-key-id`]: 'cards' }],
        [
          'a context',
          { ...KMS, SSEKMSEncryptionContext: 'eyJhIjoiYiJ9' },
          { [SSE]: 'aws:kms', [`${SSE}-context`]: 'eyJhIjoiYiJ9' },
        ],
        ['a bucket key', { ...KMS, BucketKeyEnabled: true }, FORMS[3]?.[1] ?? {}],
        ['a customer key', CUSTOMER, FORMS[4]?.[1] ?? {}],
      ];

    it.each(SIGNED)('%s is taken where it is signed', async (what, asked, headers) => {
      const sent = () => put(asked, headers);
      await expect.poll(async () => (await sent()).status, SOON).toBe(200);
      const brings = what === 'a customer key' ? CUSTOMER : {};
      expect((await read(client, { ...at, ...brings })).toString()).toBe('presigned');
    });

    // Each header alone is a table of test/dialects/s3/signature/presigned-headers.test.ts.
    it.each(SIGNED)('%s is refused where it is not', async (_what, _asked, headers) => {
      const { status, code } = await put({}, headers);
      expect([status, code, await stands()]).toEqual([403, 'AccessDenied', THERE]);
    });

    it.each(SIGNED)('%s is missed where it was signed and is not sent', async (_what, asked, headers) => {
      const unhoistableHeaders = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
      const url = await getSignedUrl(client, new s3.PutObjectCommand({ ...at, ...asked }), { unhoistableHeaders });
      const answer = await fetch(url, { method: 'PUT', body: 'presigned' });
      const told = [answer.status, codeIn(await answer.text())];
      expect([...told, await stands()]).toEqual([403, 'SignatureDoesNotMatch', THERE]);
    });
  });

  it('a bucket’s default key that is disabled refuses what is begun, and what it protects', async () => {
    const In = 'acme-elsewhere-default';
    const there = { Bucket: In, Key };
    const set = (state: Parameters<typeof setKeyState>[2]) => setKeyState(stand.gateway, 'wages', state);
    const put = (asked: Partial<s3.PutObjectCommandInput> = {}) =>
      refusal(client.send(new s3.PutObjectCommand({ ...there, Body: THERE, ...asked })));
    await client.send(new s3.CreateBucketCommand({ Bucket: In }));
    await client.send(new s3.PutObjectCommand({ Bucket: In, Key: 'before', Body: THERE }));
    const byDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'wages' } as const;
    const setDefault = () =>
      client.send(
        new s3.PutBucketEncryptionCommand({
          Bucket: In,
          ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }] },
        }),
      );
    await expect.poll(() => refusal(setDefault()), SOON).toEqual(DONE);
    expect(await put()).toEqual(DONE);
    expect((await client.send(new s3.HeadObjectCommand(there))).SSEKMSKeyId).toBe('wages');
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ Bucket: In, Key: 'upload' }));
    const part = { Bucket: In, Key: 'upload', UploadId, PartNumber: 1 };
    const sent = await client.send(new s3.UploadPartCommand({ ...part, Body: THERE }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: sent.ETag }] };

    const form = async () => {
      const { url, fields } = await createPresignedPost(client, there);
      const data = new FormData();
      for (const [name, value] of Object.entries(fields)) data.append(name, value);
      data.append('file', new Blob(['of the form']));
      const answer = await fetch(url, { method: 'POST', body: data });
      return [answer.status, codeIn(await answer.text())];
    };
    const source = { Bucket: In, Key: 'copy', CopySource: `${In}/before` };
    const DISABLED = [400, 'KMS.DisabledException'];
    const expectBegun = async (expected: readonly unknown[]) => {
      await expect.poll(() => put(), SOON).toEqual(expected);
      const onto = { ...there, CopySource: `${In}/before` };
      expect(await refusal(client.send(new s3.CopyObjectCommand(onto)))).toEqual(expected);
      expect(await refusal(client.send(new s3.CreateMultipartUploadCommand(there)))).toEqual(expected);
      expect(await form()).toEqual(expected);
    };

    await set('disabled');
    await expectBegun(DISABLED);
    expect(await refusal(read(client, there))).toEqual(DISABLED);
    expect(await refusal(read(client, { ...there, Range: 'bytes=1-2' }))).toEqual(DISABLED);
    expect((await refusal(client.send(new s3.HeadObjectCommand(there))))[0]).toBe(400);
    const from = { ...source, CopySource: `${In}/${Key}`, ServerSideEncryption: 'AES256' } as const;
    expect(await refusal(client.send(new s3.CopyObjectCommand(from)))).toEqual(DISABLED);
    expect(await refusal(client.send(new s3.UploadPartCommand({ ...part, Body: 'x' })))).toEqual(DISABLED);
    const complete = () => client.send(new s3.CompleteMultipartUploadCommand({ ...part, MultipartUpload }));
    expect(await refusal(complete())).toEqual(DISABLED);
    // What another key protects is read and written as ever, and so is what a request names itself.
    expect((await read(client, { Bucket: In, Key: 'before' })).toString()).toBe(THERE);
    expect(await put({ Key: 'named', ServerSideEncryption: 'AES256' })).toEqual(DONE);
    expect(await put({ Key: 'named', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'cards' })).toEqual(DONE);
    // A listing needs no key, nor does a deletion.
    const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: In }));
    expect(Contents.map((each) => [each.Key, each.Size])).toEqual([
      ['before', THERE.length],
      ['named', THERE.length],
      [Key, THERE.length],
    ]);

    await set('decrypt-only');
    await expect.poll(() => refusal(read(client, there)), SOON).toEqual(DONE);
    await expectBegun(DISABLED);

    await set('enabled');
    await expect.poll(() => put(), SOON).toEqual(DONE);
    expect((await read(client, there)).toString()).toBe(THERE);
    await complete();
    expect((await read(client, { Bucket: In, Key: 'upload' })).toString()).toBe(THERE);
  });
});
