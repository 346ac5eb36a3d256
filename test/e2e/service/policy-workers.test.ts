import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../keys/eventually.ts';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { setKeyState } from '../../support/servers/key-states.ts';
import { type SharedMinio, sharedMinio } from '../../support/servers/minio.ts';
import { type SharedRedis, sharedRedis } from '../../support/servers/redis.ts';
import { clientSettings } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';

/** What is changed by a command or a client holds on every worker of two gateways within a second. */

const Bucket = 'acme-workers';
const DENIED = 'AccessDenied';
const FINE = 'fine';
const KMS = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'cards' } as const;
const KEY_BYTES = Buffer.alloc(32, 9);
const CUSTOMER = {
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: KEY_BYTES.toString('base64'),
  SSECustomerKeyMD5: createHash('md5').update(KEY_BYTES).digest('base64'),
};

/** A client with one connection, which stays with the worker that took it. */
interface WorkerClient {
  readonly gateway: GatewayProcess;
  readonly client: s3.S3Client;
  readonly worker: number;
}

let minio: SharedMinio;
let redis: SharedRedis;
const gateways: GatewayProcess[] = [];
const workers: WorkerClient[] = [];

/** Which worker answers this client, as the log says of the request. */
async function workerOf(gateway: GatewayProcess, client: s3.S3Client): Promise<number> {
  const { $metadata } = await client.send(new s3.ListBucketsCommand({}));
  return eventually(10_000, () => {
    const line = gateway
      .output()
      .split('\n')
      .find((each) => each.includes(`"requestId":"${$metadata.requestId}"`));
    return line === undefined ? undefined : (JSON.parse(line) as { worker: number }).worker;
  });
}

function clientOf(gateway: GatewayProcess): s3.S3Client {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
  return new s3.S3Client({ ...clientSettings(gateway), maxAttempts: 1, requestHandler: { httpAgent } });
}

/** Connections are dealt to the workers in turn, so a few reach both. */
async function bothWorkers(gateway: GatewayProcess): Promise<WorkerClient[]> {
  const found = new Map<number, WorkerClient>();
  for (let tries = 0; tries < 20 && found.size < 2; tries++) {
    const client = clientOf(gateway);
    const worker = await workerOf(gateway, client);
    if (found.has(worker)) client.destroy();
    else found.set(worker, { gateway, client, worker });
  }
  expect([...found.keys()].sort()).toEqual([1, 2]);
  return [...found.values()];
}

beforeAll(async () => {
  [minio, redis] = await Promise.all([sharedMinio(), sharedRedis()]);
  for (const tenantExists of [false, true]) {
    gateways.push(
      await startGateway({
        backend: backendSettings(minio),
        keyStore: { redis: redis.url },
        more: { workers: 2, customerKeys: { overHttp: 'loopback' } },
        tenantExists,
      }),
    );
  }
  for (const gateway of gateways) workers.push(...(await bothWorkers(gateway)));
  await workers[0]?.client.send(new s3.CreateBucketCommand({ Bucket }));
  const { code } = await (gateways[0] as GatewayProcess).command(['key', 'add', TENANT.name, '--name', 'cards']);
  expect(code).toBe(0);
});

afterAll(async () => {
  for (const { client } of workers) client.destroy();
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await Promise.all([minio?.stop(), redis?.stop()]);
});

/** What becomes of a request: `fine`, or its code. */
type Probe = (client: s3.S3Client) => Promise<unknown>;

const fate = (probe: Probe, client: s3.S3Client): Promise<string> =>
  probe(client).then(
    () => FINE,
    (error: { name: string }) => error.name,
  );

const put = (Key: string, asked: Partial<s3.PutObjectCommandInput> = {}): Probe => {
  return (client) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', ...asked }));
};
const get = (Key: string, asked: Partial<s3.GetObjectCommandInput> = {}): Probe => {
  return async (client) =>
    (await client.send(new s3.GetObjectCommand({ Bucket, Key, ...asked }))).Body?.transformToByteArray();
};

/** Every worker of both gateways says this of the request within a second, and none says anything else after that. */
async function expectEverywhere(probe: Probe, expected: string): Promise<void> {
  const fates = () => Promise.all(workers.map(({ client }) => fate(probe, client)));
  const agreed = workers.map(() => expected);
  await eventually(1000, async () => (await fates()).every((each) => each === expected)).catch(async () => {
    expect(await fates()).toEqual(agreed);
    throw new Error('It held at last, and not within a second.');
  });
  for (let again = 0; again < 3; again++) expect(await fates()).toEqual(agreed);
}

const command = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await (gateways[0] as GatewayProcess).command(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};

/** Puts these rules in force, all others out of it. */
async function apply(...rules: readonly string[]): Promise<void> {
  const file = join((gateways[0] as GatewayProcess).folder, 'policy.yaml');
  await writeFile(
    file,
    rules.length === 0 ? 'rules: []\n' : `rules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`,
  );
  await command('policy', 'apply', file, '--yes');
}

const rule = (fields: string) => `{ tenant: ${TENANT.name}, bucket: ${Bucket}, ${fields} }`;

it('rules that are applied, changed and taken back', async () => {
  await expectEverywhere(put('k'), FINE);
  await apply(rule('readOnly: true'));
  await expectEverywhere(put('k'), DENIED);
  await expectEverywhere(get('k'), FINE);
  await apply(rule('require: kms'));
  await expectEverywhere(put('k'), DENIED);
  await expectEverywhere(put('k', KMS), FINE);
  await apply(rule('customerKeys: refuse'));
  await expectEverywhere(put('k', CUSTOMER), DENIED);
  await expectEverywhere(put('k'), FINE);
  await apply();
  await expectEverywhere(put('k', CUSTOMER), FINE);
});

it('what a tenant’s options say', async () => {
  await expectEverywhere(put('options'), FINE);
  const all = ['tenant', 'set', TENANT.name, '--bucket'];
  await command(...all, 'acme-other-*');
  await expectEverywhere(put('options'), DENIED);
  await command(...all, 'acme-*');
  await expectEverywhere(put('options'), FINE);
});

it('a key that is disabled, enabled, and destroyed', async () => {
  const set = (state: Parameters<typeof setKeyState>[2]) => setKeyState(gateways[1] as GatewayProcess, 'cards', state);
  await expectEverywhere(put('under cards', KMS), FINE);
  await expectEverywhere(get('under cards'), FINE);
  await set('disabled');
  await expectEverywhere(put('under cards', KMS), 'KMS.DisabledException');
  await expectEverywhere(get('under cards'), 'KMS.DisabledException');
  await set('decrypt-only');
  await expectEverywhere(get('under cards'), FINE);
  await expectEverywhere(put('under cards', KMS), 'KMS.DisabledException');
  await set('enabled');
  await expectEverywhere(put('under cards', KMS), FINE);
  await set('pending');
  await expectEverywhere(get('under cards'), 'KMS.KMSInvalidStateException');
  await set('destroyed');
  await expectEverywhere(put('under cards', KMS), 'KMS.NotFoundException');
  await expectEverywhere(get('under cards'), 'KMS.NotFoundException');
});

it('a customer key that is registered, and taken back', async () => {
  await apply(rule('customerKeys: registered'));
  await expectEverywhere(put('registered', CUSTOMER), DENIED);
  const file = join((gateways[0] as GatewayProcess).folder, 'customer.key');
  await writeFile(file, KEY_BYTES, { mode: 0o600 });
  const added = await command('customer-key', 'add', TENANT.name, '--key-file', file, '--json');
  await expectEverywhere(put('registered', CUSTOMER), FINE);
  const { fingerprint } = JSON.parse(added) as { fingerprint: string };
  await command('customer-key', 'remove', TENANT.name, fingerprint);
  await expectEverywhere(put('registered', CUSTOMER), DENIED);
  await expectEverywhere(get('registered', CUSTOMER), FINE);
  await apply();
  await expectEverywhere(put('registered', CUSTOMER), FINE);
});

it('what a client sets at one worker for a bucket', async () => {
  const { client } = workers[3] as WorkerClient;
  const block = (EncryptionType: 'SSE-C' | 'NONE') =>
    client.send(
      new s3.PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ BlockedEncryptionTypes: { EncryptionType: [EncryptionType] } }],
        },
      }),
    );
  await block('SSE-C');
  await expectEverywhere(put('blocked', CUSTOMER), DENIED);
  await block('NONE');
  await expectEverywhere(put('blocked', CUSTOMER), FINE);
  const statement = {
    ...{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` },
    Condition: { Null: { 's3:x-amz-server-side-encryption': 'true' } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  await expectEverywhere(put('denied'), DENIED);
  await expectEverywhere(put('denied', { ServerSideEncryption: 'AES256' }), FINE);
  await client.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
  await expectEverywhere(put('denied'), FINE);
});

it('all of this was asked of every worker of both gateways', async () => {
  expect(workers).toHaveLength(4);
  for (const { gateway, client, worker } of workers) expect(await workerOf(gateway, client)).toBe(worker);
});
