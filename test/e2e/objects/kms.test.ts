import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesHolding } from '../../support/at-rest.ts';
import { payload } from '../../support/payload.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { type Stand, standEmbedded, standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, onceClient, read, refusal } from '../../support/sight.ts';

const MIB = 1024 * 1024;
const Bucket = 'acme-kms';
const CONTEXT = Buffer.from('{ "dept": "planted-department" }').toString('base64');

const STANDS = [
  ['the embedded stores', standEmbedded],
  ['MinIO and Redis', standOnMinio],
] as const;

/** A gateway hears of a new key within a second; a loaded machine gets a few. */
const KNOWN = { timeout: 20_000 };

const CARDS = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'cards' } as const;

/** What an answer tells of the encryption. */
function told(answer: object) {
  const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = answer as Partial<s3.PutObjectCommandOutput>;
  return { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
}

describe.each(STANDS)('KMS keys over %s', (_name, start) => {
  let stand: Stand;
  let client: s3.S3Client;

  beforeAll(async () => {
    stand = await start();
    client = onceClient(stand.gateway);
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    for (const name of ['cards', 'pay/roll']) {
      const { code } = await stand.gateway.command(['key', 'add', TENANT.name, '--name', name]);
      expect(code).toBe(0);
    }
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  it('are known to a running gateway soon after they were added', async () => {
    const asked = { Bucket, Key: 'first', Body: 'x', ...CARDS, SSEKMSKeyId: 'pay/roll' } as const;
    const put = () => refusal(client.send(new s3.PutObjectCommand(asked)));
    await expect.poll(put, KNOWN).toEqual([undefined, 'nothing failed']);
  });

  it.each([
    ['cards', 'cards'],
    ['alias/pay/roll', 'pay/roll'],
    ['arn:aws:kms:us-east-1:123456789012:key/cards', 'cards'],
    [undefined, 'aws/s3'],
  ] as const)('a key asked for as %s is told by every answer', async (SSEKMSKeyId, name) => {
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId, BucketKeyEnabled: true } as const;
    const at = (Key: string) => ({ Bucket, Key });
    const answers: object[] = [];
    answers.push(await client.send(new s3.PutObjectCommand({ ...at('k'), Body: payload(1000, 1), ...kms })));
    answers.push(await client.send(new s3.CopyObjectCommand({ ...at('c'), CopySource: `${Bucket}/k`, ...kms })));
    const created = await client.send(new s3.CreateMultipartUploadCommand({ ...at('m'), ...kms }));
    const { UploadId } = created;
    const part = { ...at('m'), UploadId, PartNumber: 1 };
    const sent = await client.send(new s3.UploadPartCommand({ ...part, Body: payload(5 * MIB, 2) }));
    const copied = await client.send(
      new s3.UploadPartCopyCommand({ ...part, PartNumber: 2, CopySource: `${Bucket}/k` }),
    );
    const Parts = [
      { PartNumber: 1, ETag: sent.ETag },
      { PartNumber: 2, ETag: copied.CopyPartResult?.ETag },
    ];
    const completed = await client.send(
      new s3.CompleteMultipartUploadCommand({ ...at('m'), UploadId, MultipartUpload: { Parts } }),
    );
    answers.push(created, sent, copied, completed);
    for (const Key of ['k', 'c', 'm']) {
      answers.push(await client.send(new s3.HeadObjectCommand(at(Key))));
      const got = await client.send(new s3.GetObjectCommand(at(Key)));
      const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      const whole = Key === 'm' ? Buffer.concat([payload(5 * MIB, 2), payload(1000, 1)]) : payload(1000, 1);
      expect(bytes.equals(whole)).toBe(true);
      answers.push(got);
    }
    const expected = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: name, BucketKeyEnabled: true };
    expect(answers.map(told)).toEqual(answers.map(() => expected));
    const back = new s3.PutObjectCommand({ ...at('back'), Body: 'x', ...kms, SSEKMSKeyId: name });
    expect(told(await client.send(back))).toEqual(expected);
  });

  it('an upload of many parts, with a context, is read whole and by range', async () => {
    const Body = payload(17 * MIB, 7);
    const params = { Bucket, Key: 'large', Body, ...CARDS, SSEKMSEncryptionContext: CONTEXT };
    await new Upload({ client, params, partSize: 5 * MIB }).done();
    expect((await read(client, { Bucket, Key: 'large' })).equals(Body)).toBe(true);
    const Range = `bytes=${6 * MIB}-${11 * MIB}`;
    const some = await read(client, { Bucket, Key: 'large', Range });
    expect(some.equals(Body.subarray(6 * MIB, 11 * MIB + 1))).toBe(true);
    const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'large' }));
    expect([head.SSEKMSKeyId, head.Metadata, head.ContentLength]).toEqual(['cards', {}, Body.length]);
  });

  it.each([
    ['an unknown key', { SSEKMSKeyId: 'unknown' }, 400, 'KMS.NotFoundException'],
    ['a context that is no map', { SSEKMSEncryptionContext: 'W10=' }, 400, 'InvalidArgument'],
    ['a key for AES256', { ServerSideEncryption: 'AES256' }, 400, 'InvalidArgument'],
    ['two layers', { ServerSideEncryption: 'aws:kms:dsse' }, 501, 'NotImplemented'],
  ] as const)('%s is refused, on each way to begin an object', async (_what, over, status, code) => {
    const kms = { ...CARDS, ...over };
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'there', Body: 'was there' }));
    const at = { Bucket, Key: 'there' };
    const ends = await Promise.all([
      refusal(client.send(new s3.PutObjectCommand({ ...at, Body: 'new', ...kms }))),
      refusal(client.send(new s3.CopyObjectCommand({ ...at, CopySource: `${Bucket}/first`, ...kms }))),
      refusal(client.send(new s3.CreateMultipartUploadCommand({ ...at, ...kms }))),
    ]);
    for (const end of ends) expect(end).toEqual([status, code]);
    expect((await read(client, at)).toString()).toBe('was there');
  });

  it('a context stands nowhere in clear', async () => {
    const params = { Bucket, Key: 'context', Body: 'x', ...CARDS, SSEKMSEncryptionContext: CONTEXT };
    await client.send(new s3.PutObjectCommand(params));
    expect(await filesHolding(stand.gateway.folder, 'planted-department')).toEqual([]);
    expect(stand.gateway.output()).not.toContain('planted-department');
  });
});

it('sealgate tells key and context of a stored object, and opens what lost its metadata for who knows the context', async () => {
  const Bucket = 'acme-kms-told';
  const stand = await standOnMinio();
  const client = onceClient(stand.gateway);
  try {
    const { command, folder } = stand.gateway;
    await client.send(new s3.CreateBucketCommand({ Bucket }));
    expect((await command(['key', 'add', TENANT.name, '--name', 'cards'])).code).toBe(0);
    const Body = payload(1000, 3);
    const asked = { Bucket, Key: 'k', Body, ...CARDS, SSEKMSEncryptionContext: CONTEXT } as const;
    const put = () => refusal(client.send(new s3.PutObjectCommand(asked)));
    await expect.poll(put, KNOWN).toEqual([undefined, 'nothing failed']);
    const { code, stdout } = await command(['inspect', `s3://${Bucket}/k`, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      envelope: { requestedEncryption: 'KMS key', encryptionContext: true },
      verification: {
        authentic: true,
        keyName: 'cards',
        encryptionContext: { text: '{"dept":"planted-department"}', bucketKey: false },
      },
    });
    const direct = backendClient(stand.minio);
    const raw = await read(direct, { Bucket, Key: 'k' });
    direct.destroy();
    const [file, context, out] = [join(folder, 'raw'), join(folder, 'context.json'), join(folder, 'out')];
    await writeFile(file, raw);
    await writeFile(context, '{ "dept": "planted-department" }');
    expect((await command(['open', file, '--recover', '-o', out])).code).toBe(1);
    expect((await command(['open', file, '--recover', '--context', context, '-o', out])).code).toBe(0);
    expect((await readFile(out)).equals(Body)).toBe(true);
  } finally {
    client.destroy();
    await stand.stop();
  }
});
