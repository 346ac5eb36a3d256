import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGateway, TENANT } from '../../support/servers/gateway.ts';
import { startMinio } from '../../support/servers/minio.ts';
import { type MinioUser, minioAdmin } from '../../support/servers/minio-admin.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';

/** How the suite's requests reach the store. */
export type Way = 'through' | 'direct';

/** What the suite runs against. */
export interface SuiteStand {
  /** The suite's configuration for this way. */
  readonly configuration: (way: Way) => Promise<string>;
  stop(): Promise<void>;
}

/** Those who may do nothing in the buckets of others: what the suite calls alt and tenant. */
const STRANGERS: readonly MinioUser[] = ['Alt', 'Tenant', 'Iam'].map((name) => ({
  accessKeyId: `suite${name}`,
  secretAccessKey: `plantedSecretOfTheSuite${name}`,
}));

const KMS_KEYS = ['suite-key-1', 'suite-key-2'] as const;

/**
 * MinIO without keys and without TLS, Redis, and a gateway over both that takes all that the suite sends.
 * @param folder for its configurations and secrets
 */
export async function startSuiteStand(folder: string): Promise<SuiteStand> {
  const [minio, redis] = await Promise.all([startMinio(), startRedis()]);
  const admin = await minioAdmin(minio);
  for (const user of STRANGERS)
    await admin.addUser(user, [{ actions: ['s3:ListAllMyBuckets', 's3:CreateBucket'], on: ['*'] }]);
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
  const minioOwner = {
    user_id: '02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4',
    display_name: 'minio',
  };
  const ways = {
    through: { port: gateway.port, owner: TENANT, named: { user_id: TENANT.name, display_name: TENANT.name } },
    direct: { port: minio.port, owner: minio, named: minioOwner },
  };
  return {
    configuration: async (way) => {
      const file = join(folder, `${way}.conf`);
      const { port, owner, named } = ways[way];
      await writeFile(file, suiteConfiguration(port, owner, named));
      return file;
    },
    stop: async () => {
      await gateway.stop();
      await admin.close();
      await Promise.all([minio.stop(), redis.stop()]);
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
