import { POOL_VARIABLE } from './borrow.ts';
import { pooledMinio } from './minio.ts';
import { openPool, type ServerPool } from './pool.ts';
import { pooledRedis } from './redis.ts';
import { pooledVersityGateway } from './versitygw.ts';

let pool: ServerPool | undefined;

/** vitest calls this before the first test of each project that names this file: the first one opens the pool. */
export async function setup(): Promise<void> {
  if (pool !== undefined) return;
  pool = await openPool({ minio: pooledMinio, redis: pooledRedis, versitygw: pooledVersityGateway });
  process.env[POOL_VARIABLE] = pool.path;
}

export async function teardown(): Promise<void> {
  const open = pool;
  pool = undefined;
  await open?.close();
}
