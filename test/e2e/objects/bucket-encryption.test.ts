import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type S3Client,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { startGateway } from '../../support/servers/gateway.ts';
import type { Stand } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { backendClient, onceClient, refusal } from '../../support/sight.ts';

const UNSET = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }];
const AES256 = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } } as const;
const BLOCKED: ServerSideEncryptionRule = { BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } };
const ALLOWED: ServerSideEncryptionRule = { BlockedEncryptionTypes: { EncryptionType: ['NONE'] } };
const KEY = Buffer.alloc(32, 7).toString('base64');

const put = (Bucket: string, Rules: ServerSideEncryptionRule[]) =>
  new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } });

async function rules(client: S3Client, Bucket: string): Promise<ServerSideEncryptionRule[] | undefined> {
  const { ServerSideEncryptionConfiguration } = await client.send(new GetBucketEncryptionCommand({ Bucket }));
  return ServerSideEncryptionConfiguration?.Rules;
}

/** Writes with a customer key, and returns what came of it. Where keys are refused, it is not because of the bucket. */
async function customerWrite(client: S3Client, Bucket: string): Promise<string> {
  const [, code] = await refusal(
    client.send(
      new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY }),
    ),
  );
  return code;
}

describe.each(ALL_STANDS)('the default encryption of buckets over %s', (_name, start) => {
  let stand: Stand;
  let client: S3Client;
  let buckets = 0;

  async function bucket(): Promise<string> {
    const Bucket = `acme-default-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
  }

  beforeAll(async () => {
    stand = await start();
    client = onceClient(stand.gateway);
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  it('is AES256 where nothing was set, and again after it was taken back', async () => {
    const Bucket = await bucket();
    expect(await rules(client, Bucket)).toEqual(UNSET);
    await client.send(put(Bucket, [{ ...AES256, BucketKeyEnabled: true }]));
    expect(await rules(client, Bucket)).toEqual([{ ...AES256, BucketKeyEnabled: true }]);
    const { ServerSideEncryption } = await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    expect(ServerSideEncryption).toBe('AES256');
    await client.send(new DeleteBucketEncryptionCommand({ Bucket }));
    expect(await rules(client, Bucket)).toEqual(UNSET);
    await client.send(new DeleteBucketEncryptionCommand({ Bucket }));
  });

  it('is not told the store', async () => {
    if (stand.store === undefined) return;
    const Bucket = await bucket();
    await client.send(put(Bucket, [AES256]));
    const backend = backendClient(stand.store);
    const [, code] = await refusal(backend.send(new GetBucketEncryptionCommand({ Bucket })));
    expect(code).toMatch(/^(?:ServerSideEncryptionConfigurationNotFoundError|NotImplemented)$/);
    backend.destroy();
  });

  it('holds whether customer keys are blocked', async () => {
    const Bucket = await bucket();
    expect(await customerWrite(client, Bucket)).not.toBe('AccessDenied');
    await client.send(put(Bucket, [{ ...AES256, ...BLOCKED }]));
    expect(await rules(client, Bucket)).toEqual([{ ...UNSET[0], ...BLOCKED }]);
    expect(await customerWrite(client, Bucket)).toBe('AccessDenied');
    // What is not said stays: neither another default nor its removal opens the bucket.
    await client.send(put(Bucket, [{ ...AES256, BucketKeyEnabled: true }]));
    expect(await customerWrite(client, Bucket)).toBe('AccessDenied');
    await client.send(new DeleteBucketEncryptionCommand({ Bucket }));
    expect(await rules(client, Bucket)).toEqual([{ ...UNSET[0], ...BLOCKED }]);
    await client.send(put(Bucket, [ALLOWED]));
    expect(await rules(client, Bucket)).toEqual([{ ...UNSET[0], ...ALLOWED }]);
    expect(await customerWrite(client, Bucket)).not.toBe('AccessDenied');
  });

  it('refuses what it cannot hold', async () => {
    const Bucket = await bucket();
    const code = (Rules: ServerSideEncryptionRule[], to = Bucket) => refusal(client.send(put(to, Rules)));
    const method = (SSEAlgorithm: string, KMSMasterKeyID?: string): ServerSideEncryptionRule => ({
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: SSEAlgorithm as 'AES256', KMSMasterKeyID },
    });
    expect(await code([])).toEqual([400, 'MalformedXML']);
    expect(await code([AES256, AES256])).toEqual([400, 'MalformedXML']);
    expect(await code([method('ROT13')])).toEqual([400, 'MalformedXML']);
    expect(await code([method('AES256', 'cards')])).toEqual([400, 'InvalidArgument']);
    expect(await code([method('aws:kms:dsse')])).toEqual([501, 'NotImplemented']);
    expect(await code([AES256], 'acme-default-none')).toEqual([404, 'NoSuchBucket']);
    const none = { Bucket: 'acme-default-none' };
    expect(await refusal(client.send(new GetBucketEncryptionCommand(none)))).toEqual([404, 'NoSuchBucket']);
    expect(await refusal(client.send(new DeleteBucketEncryptionCommand(none)))).toEqual([404, 'NoSuchBucket']);
    expect(await code([AES256], 'beta-bucket')).toEqual([403, 'AccessDenied']);
    expect(await rules(client, Bucket)).toEqual(UNSET);
  });

  it('is nothing for strangers', async () => {
    const Bucket = await bucket();
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await fetch(`${stand.gateway.endpoint}/${Bucket}?encryption`, { method });
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('AccessDenied')]);
    }
  });

  it('goes with its bucket', async () => {
    const Bucket = await bucket();
    await client.send(put(Bucket, [{ ...AES256, ...BLOCKED }]));
    await client.send(new DeleteBucketCommand({ Bucket }));
    await client.send(new CreateBucketCommand({ Bucket }));
    expect(await rules(client, Bucket)).toEqual(UNSET);
    expect(await customerWrite(client, Bucket)).not.toBe('AccessDenied');
  });

  it('goes with a bucket that is deleted past the gateway', async () => {
    if (stand.store === undefined) return;
    const backend = backendClient(stand.store);
    const Bucket = await bucket();
    await client.send(put(Bucket, [{ ...AES256, ...BLOCKED }]));
    await backend.send(new DeleteBucketCommand({ Bucket }));
    await client.send(new CreateBucketCommand({ Bucket }));
    expect(await rules(client, Bucket)).toEqual(UNSET);
    if (stand.store.capabilities.lastingBucketDates) {
      await client.send(put(Bucket, [{ ...AES256, ...BLOCKED }]));
      expect(await customerWrite(client, Bucket)).toBe('AccessDenied');
      await backend.send(new DeleteBucketCommand({ Bucket }));
      await backend.send(new CreateBucketCommand({ Bucket }));
      await expect.poll(() => customerWrite(client, Bucket), { timeout: 5000 }).not.toBe('AccessDenied');
      expect(await rules(client, Bucket)).toEqual(UNSET);
    } else {
      // Objects change the date that this store tells of a bucket, and the default stays nevertheless.
      await client.send(put(Bucket, [{ ...AES256, ...BLOCKED }]));
      await client.send(new PutObjectCommand({ Bucket, Key: 'at-the-top', Body: 'x' }));
      expect(await customerWrite(client, Bucket)).toBe('AccessDenied');
    }
    backend.destroy();
  });

  it('is in force on another gateway within a second, and blocks new buckets where the settings say so', async () => {
    if (stand.store === undefined || stand.redis === undefined) return;
    const other = await startGateway({
      backend: backendSettings(stand.store),
      keyStore: { redis: stand.redis.url },
      more: { customerKeys: { newBuckets: 'block' } },
      tenantExists: true,
    });
    const there = onceClient(other);
    try {
      const Bucket = await bucket();
      expect(await customerWrite(there, Bucket)).not.toBe('AccessDenied');
      await client.send(put(Bucket, [{ ...AES256, ...BLOCKED }]));
      await expect.poll(() => customerWrite(there, Bucket), { timeout: 1000, interval: 50 }).toBe('AccessDenied');
      const made = `${Bucket}-blocked`;
      await there.send(new CreateBucketCommand({ Bucket: made }));
      expect(await rules(there, made)).toEqual([{ ...UNSET[0], ...BLOCKED }]);
      expect(await customerWrite(there, made)).toBe('AccessDenied');
      expect(await refusal(there.send(new CreateBucketCommand({ Bucket: made })))).toEqual([
        409,
        'BucketAlreadyOwnedByYou',
      ]);
      await there.send(put(made, [ALLOWED]));
      expect(await customerWrite(there, made)).not.toBe('AccessDenied');
    } finally {
      there.destroy();
      await other.stop();
    }
  });
});
