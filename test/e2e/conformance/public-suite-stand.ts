import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type MinioUser, minioAdmin } from '../../support/servers/minio-admin.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';

/** How the suite's requests reach the store. */
export type Way = 'through' | 'direct';

/** What the suite runs against. */
export interface SuiteStand {
  /** The path of the suite's configuration. */
  readonly configuration: string;
  stop(): Promise<void>;
}

/** Those who may do nothing in the buckets of others: what the suite calls alt and tenant. */
const STRANGERS: readonly MinioUser[] = ['Alt', 'Tenant', 'Iam'].map((name) => ({
  accessKeyId: `suite${name}`,
  secretAccessKey: `plantedSecretOfTheSuite${name}`,
}));

/** As MinIO calls the owner of whatever lies there. */
const MINIO_OWNER = {
  user_id: '02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4',
  display_name: 'minio',
};

const KMS_KEYS = ['suite-key-1', 'suite-key-2'] as const;

/**
 * MinIO without keys and without TLS, and for requests that go through the gateway Redis and a gateway over both, which
 * takes all that the suite sends.
 * @param folder for the suite's configuration, and for secrets
 */
export async function startSuiteStand(folder: string, way: Way): Promise<SuiteStand> {
  const minio = await startMinio();
  const admin = await minioAdmin(minio);
  for (const user of STRANGERS)
    await admin.addUser(user, [{ actions: ['s3:ListAllMyBuckets', 's3:CreateBucket'], on: ['*'] }]);
  const gateway = way === 'through' ? await startSuiteGateway(folder, minio) : undefined;
  const configuration = join(folder, 'suite.conf');
  await writeFile(
    configuration,
    gateway === undefined
      ? suiteConfiguration(minio.port, minio, MINIO_OWNER)
      : suiteConfiguration(gateway.port, TENANT, { user_id: TENANT.name, display_name: TENANT.name }),
  );
  return {
    configuration,
    stop: async () => {
      await gateway?.stop();
      await admin.close();
      await minio.stop();
    },
  };
}

async function startSuiteGateway(folder: string, minio: Minio): Promise<Pick<GatewayProcess, 'port' | 'stop'>> {
  const redis = await startRedis();
  const gateway = await startGateway({
    backend: backendSettings(minio),
    keyStore: { redis: redis.url },
    buckets: ['*:etag=md5:anonymous'],
    more: { customerKeys: { overHttp: 'loopback' }, workers: 2 },
  });
  const command = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await gateway.command(args);
    if (code !== 0) throw new Error(`${args.slice(0, 2).join(' ')} failed:\n${stdout}${stderr}`);
  };
  await command('tenant', 'set', TENANT.name, '--sigv2', 'on');
  for (const name of KMS_KEYS) await command('key', 'add', TENANT.name, '--name', name);
  const secretFile = join(folder, 'secret');
  for (const { accessKeyId, secretAccessKey } of STRANGERS) {
    await writeFile(secretFile, secretAccessKey, { mode: 0o600 });
    const own = ['--access-key', accessKeyId, '--secret-file', secretFile];
    const atStore = ['--backend-access-key', accessKeyId, '--backend-secret-file', secretFile];
    await command('credential', 'add', TENANT.name, ...own, ...atStore);
  }
  return {
    port: gateway.port,
    stop: async () => {
      await gateway.stop();
      await redis.stop();
    },
  };
}

function suiteConfiguration(port: number, owner: MinioUser, named: Readonly<Record<string, string>>): string {
  const [alt, tenant, iam] = STRANGERS as [MinioUser, MinioUser, MinioUser];
  const [kms_keyid, kms_keyid2] = KMS_KEYS;
  const user = ({ accessKeyId, secretAccessKey }: MinioUser) => ({
    display_name: accessKeyId,
    user_id: accessKeyId,
    email: `${accessKeyId}@example.com`,
    access_key: accessKeyId,
    secret_key: secretAccessKey,
  });
  const sections = {
    DEFAULT: { host: '127.0.0.1', port, is_secure: false, ssl_verify: false },
    fixtures: { 'bucket prefix': 'suite-{random}-' },
    's3 main': { ...user(owner), ...named, api_name: '', kms_keyid, kms_keyid2, lc_debug_interval: 1 },
    's3 alt': user(alt),
    's3 tenant': { ...user(tenant), tenant: 'suite' },
    iam: user(iam),
    'iam root': user(iam),
    'iam alt root': user(iam),
  };
  return Object.entries(sections)
    .map(([name, fields]) =>
      [`[${name}]`, ...Object.entries(fields).map(([field, value]) => `${field} = ${value}`), ''].join('\n'),
    )
    .join('\n');
}
