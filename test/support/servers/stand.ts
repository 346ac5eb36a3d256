import { type GatewayProcess, type GatewaySettings, startGateway, TENANT } from './gateway.ts';
import { type Minio, type SharedMinio, sharedMinio, startMinio } from './minio.ts';
import { type RedisServer, type SharedRedis, sharedRedis, startRedis } from './redis.ts';
import { backendSettings, type Store } from './store.ts';

/** A gateway process of this test file's own, over real servers. */
export interface Stand {
  readonly gateway: GatewayProcess;
  /** undefined over the embedded stores. */
  readonly store: Store | undefined;
  /** undefined over the embedded stores. */
  readonly redis: SharedRedis | undefined;
  stop(): Promise<void>;
}

/** What a team runs: a store behind, keys in Redis. */
export interface StoreStand extends Stand {
  readonly store: Store;
  readonly redis: SharedRedis;
}

/** For what is asked of MinIO alone, and for its disk. The servers are the run's. */
export async function standOnMinio(
  settings: GatewaySettings = {},
): Promise<StoreStand & { readonly minio: SharedMinio }> {
  const minio = await sharedMinio();
  return { ...(await standOver(minio, settings)), minio };
}

/** For tests that make users of MinIO or take Redis away: the servers are this file's own. */
export async function standOnOwnServers(
  settings: GatewaySettings = {},
): Promise<StoreStand & { readonly minio: Minio; readonly redis: RedisServer }> {
  const [minio, redis] = await Promise.all([startMinio(), startRedis()]);
  return { ...(await standOn(minio, redis, settings)), minio, redis };
}

/** Over a store that runs already, and ends with the stand. */
export async function standOver(store: Store, settings: GatewaySettings = {}): Promise<StoreStand> {
  return standOn(store, await sharedRedis(), settings);
}

async function standOn(store: Store, redis: SharedRedis, settings: GatewaySettings): Promise<StoreStand> {
  const stopStores = () => Promise.all([store.stop(), redis.stop()]);
  const gateway = await startGateway({
    backend: { ...backendSettings(store), ...settings.backend },
    keyStore: { redis: redis.url, ...settings.keyStore },
    ...(settings.more && { more: settings.more }),
    ...(settings.env && { env: settings.env }),
    ...(settings.buckets && { buckets: settings.buckets }),
  }).catch(async (error: unknown) => {
    await stopStores();
    throw error;
  });
  return {
    gateway,
    store,
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
  return { gateway, store: undefined, redis: undefined, stop: () => gateway.stop() };
}

/** What every S3 SDK needs to know. */
export function clientSettings(gateway: GatewayProcess) {
  return {
    endpoint: gateway.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: TENANT.accessKeyId, secretAccessKey: TENANT.secretAccessKey },
  };
}

/** Buckets whose ETags are MD5s, as S3's own. */
export const MD5_ETAGS = { buckets: ['acme-*:etag=md5'] } as const;

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
