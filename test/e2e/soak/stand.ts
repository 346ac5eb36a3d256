import type { S3Client } from '@aws-sdk/client-s3';
import { Config, QingStor } from 'qingstor-sdk';
import { expect } from 'vitest';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { onceClient } from '../../support/sight.ts';

export const OPAQUE = 'acme-soak';
/** Its policy is `etag=md5`. */
export const WITH_MD5 = 'acme-soak-md5';
export const BUCKETS = [OPAQUE, WITH_MD5] as const;
export const VERSIONED = 'acme-soak-versions';
export const STAGING_BUCKET = 'sealgate-staging';

/** One of the gateways, and what speaks to it. */
export interface Door {
  readonly gateway: GatewayProcess;
  readonly s3: S3Client;
  readonly qingstor: QingStor;
}

/** Two gateways over one MinIO and one Redis. */
export interface SoakStand {
  readonly minio: Minio;
  readonly redis: RedisServer;
  readonly doors: readonly [Door, Door];
  stop(): Promise<void>;
}

export async function startSoakStand(): Promise<SoakStand> {
  const [minio, redis] = await Promise.all([startMinio(), startRedis({ persistent: true })]);
  const settings = {
    backend: {
      endpoint: minio.endpoint,
      credentials: { accessKeyId: minio.accessKeyId, secretAccessKey: minio.secretAccessKey },
    },
    keyStore: { redis: redis.url, commandSeconds: 1 },
    more: { uploads: { stagingBucket: STAGING_BUCKET } },
  };
  const first = await startGateway(settings);
  const policies = ['--bucket', `${WITH_MD5}:etag=md5,acme-*`];
  expect((await first.command(['tenant', 'set', TENANT.name, ...policies])).stderr).toBe('');
  const gateways = [first, await startGateway({ ...settings, tenantExists: true })] as const;
  const doors = [door(gateways[0]), door(gateways[1])] as const;
  return {
    minio,
    redis,
    doors,
    async stop() {
      for (const { s3 } of doors) s3.destroy();
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await Promise.all([minio.stop(), redis.stop()]);
    },
  };
}

function door(gateway: GatewayProcess): Door {
  const service = new QingStor(
    new Config({
      access_key_id: TENANT.accessKeyId,
      secret_access_key: TENANT.secretAccessKey,
      endpoint: gateway.endpoint,
      log_level: 'error',
      getAxiosConfig: () => ({ responseType: 'arraybuffer', proxy: false }),
    }),
  );
  return { gateway, s3: onceClient(gateway), qingstor: service };
}
