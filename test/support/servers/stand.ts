import { startCephRgw } from './ceph.ts';
import { type GatewayProcess, type GatewaySettings, startGateway, TENANT } from './gateway.ts';
import { type Minio, startMinio } from './minio.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { backendSettings, type Store, type StoreName } from './store.ts';
import { startVersityGateway } from './versitygw.ts';

/** A gateway process over real servers, all of this test file's own. */
export interface Stand {
  readonly gateway: GatewayProcess;
  /** undefined over the embedded stores. */
  readonly store: Store | undefined;
  /** undefined over the embedded stores. */
  readonly redis: RedisServer | undefined;
  stop(): Promise<void>;
}

/** What a team runs: a store behind, keys in Redis. */
export interface StoreStand extends Stand {
  readonly store: Store;
  readonly redis: RedisServer;
}

/** For what only MinIO has: users and their policies, a disk to look at, a restart. */
export async function standOnMinio(settings: GatewaySettings = {}): Promise<StoreStand & { readonly minio: Minio }> {
  const minio = await startMinio();
  return { ...(await standOver(minio, settings)), minio };
}

/** Over a store that runs already, and ends with the stand. */
export async function standOver(store: Store, settings: GatewaySettings = {}): Promise<StoreStand> {
  const redis = await startRedis();
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

type StartStore = () => Promise<Store>;

/** They share no code. Ceph takes its time to install and to start: it has a command of its own (npm run test:ceph). */
const CEPH_ALONE = process.env.SEALGATE_TEST_STORE === 'ceph';
export const STORES: readonly (readonly [StoreName, StartStore])[] = CEPH_ALONE
  ? [['Ceph RGW', startCephRgw]]
  : [
      ['MinIO', startMinio],
      ['versitygw', startVersityGateway],
    ];

/** For what asks something of the store: nothing may rest on one server's habits. */
export const STORE_STANDS = STORES.map(
  ([name, start]) =>
    [`${name} and Redis`, async (settings: GatewaySettings = {}) => standOver(await start(), settings)] as const,
);

/** For what clients see of the gateway, whatever lies behind. */
const EMBEDDED_STANDS = CEPH_ALONE ? [] : ([['the embedded stores', standEmbedded]] as const);
export const ALL_STANDS = [...STORE_STANDS, ...EMBEDDED_STANDS];

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
