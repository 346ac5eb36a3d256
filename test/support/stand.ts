import { type GatewayProcess, type GatewaySettings, startGateway, TENANT } from './gateway.ts';
import { type Minio, startMinio } from './minio.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { startVersityGateway, type VersityGateway } from './versitygw.ts';

/** A gateway process over real servers, all of this test file's own. */
export interface Stand {
  readonly gateway: GatewayProcess;
  /** undefined over another store. */
  readonly minio: Minio | undefined;
  /** undefined over the embedded stores. */
  readonly redis: RedisServer | undefined;
  stop(): Promise<void>;
}

/** What a team runs: MinIO behind, keys in Redis. */
export async function standOnMinio(
  settings: GatewaySettings = {},
): Promise<Stand & { minio: Minio; redis: RedisServer }> {
  const minio = await startMinio();
  return { ...(await standOver(minio, settings)), minio };
}

/** Another store behind, which shares no code with MinIO. */
export async function standOnVersityGateway(
  settings: GatewaySettings = {},
): Promise<Stand & { minio: undefined; store: VersityGateway; redis: RedisServer }> {
  const store = await startVersityGateway();
  return { ...(await standOver(store, settings)), minio: undefined, store };
}

async function standOver(store: Minio | VersityGateway, settings: GatewaySettings) {
  const redis = await startRedis();
  const stopStores = () => Promise.all([store.stop(), redis.stop()]);
  const gateway = await startGateway({
    backend: {
      endpoint: store.endpoint,
      credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
      ...settings.backend,
    },
    keyStore: { redis: redis.url, ...settings.keyStore },
    ...(settings.more && { more: settings.more }),
    ...(settings.env && { env: settings.env }),
  }).catch(async (error: unknown) => {
    await stopStores();
    throw error;
  });
  return {
    gateway,
    redis,
    async stop() {
      await gateway.stop();
      await stopStores();
    },
  };
}

/** What a newcomer runs: everything embedded. */
export async function standEmbedded(settings: GatewaySettings = {}): Promise<Stand> {
  const gateway = await startGateway(settings);
  return { gateway, minio: undefined, redis: undefined, stop: () => gateway.stop() };
}

export const STANDS = [
  ['MinIO and Redis', standOnMinio],
  ['the embedded stores', standEmbedded],
] as const;

/** Where a test leans on no habit of one store: keys that are no paths of files, reads while others write. */
export const ALL_STANDS = [...STANDS, ['versitygw and Redis', standOnVersityGateway]] as const;

/** What every S3 SDK needs to know. */
export function clientSettings(gateway: GatewayProcess) {
  return {
    endpoint: gateway.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: TENANT.accessKeyId, secretAccessKey: TENANT.secretAccessKey },
  };
}

/** AWS environment for command-line tools and boto3. */
export function awsEnvironment(): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: TENANT.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TENANT.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
