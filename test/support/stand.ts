import { type GatewayProcess, type GatewaySettings, startGateway, TENANT } from './gateway.ts';
import { type Minio, startMinio } from './minio.ts';
import { type RedisServer, startRedis } from './redis.ts';

/** A gateway process over real servers, all of this test file's own. */
export interface Stand {
  readonly gateway: GatewayProcess;
  /** undefined over the embedded stores. */
  readonly minio: Minio | undefined;
  readonly redis: RedisServer | undefined;
  stop(): Promise<void>;
}

/** What a team runs: MinIO behind, keys in Redis. */
export async function standOnMinio(
  settings: GatewaySettings = {},
): Promise<Stand & { minio: Minio; redis: RedisServer }> {
  const [minio, redis] = await Promise.all([startMinio(), startRedis()]);
  const gateway = await startGateway({
    backend: {
      endpoint: minio.endpoint,
      credentials: { accessKeyId: minio.accessKeyId, secretAccessKey: minio.secretAccessKey },
      ...settings.backend,
    },
    keyStore: { redis: redis.url, ...settings.keyStore },
    ...(settings.more && { more: settings.more }),
    ...(settings.env && { env: settings.env }),
  }).catch(async (error: unknown) => {
    await Promise.all([minio.stop(), redis.stop()]);
    throw error;
  });
  return {
    gateway,
    minio,
    redis,
    async stop() {
      await gateway.stop();
      await Promise.all([minio.stop(), redis.stop()]);
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
