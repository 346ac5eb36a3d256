import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authenticates, continuesUploads, listsObjects, readsObjects, writesOn } from '../../releases/continued.ts';
import { copyOf, type Expected, REDIS_DUMP, RELEASES, type Release, restoreRedis } from '../../releases/fixture.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';

/** What earlier releases left in Redis is opened for ever; test/releases/past.test.ts does it for files. */

const releases: readonly Release[] = JSON.parse(await readFile(join(RELEASES, 'releases.json'), 'utf8'));

describe.each(releases)('release $name, its key store in Redis', ({ name }) => {
  let folder: string | undefined;
  let redis: RedisServer;
  let gateway: GatewayProcess;
  let expected: Expected;

  beforeAll(async () => {
    folder = await copyOf(join(RELEASES, name, 'redis'));
    expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'));
    redis = await startRedis();
    const client = redis.client();
    await restoreRedis(client, JSON.parse(await readFile(join(folder, REDIS_DUMP), 'utf8')));
    client.disconnect();
    gateway = await startGateway({
      backend: { directory: join(folder, 'objects') },
      tenantExists: true,
      more: {
        keys: {
          root: { file: join(folder, 'root.key') },
          store: { redis: redis.url },
          generationFile: join(folder, 'root.key.generation'),
        },
      },
    });
  });

  afterAll(async () => {
    await gateway?.stop();
    await redis?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('has objects, credentials and uploads', () => {
    expect(expected.objects.length).toBeGreaterThanOrEqual(4);
    expect(expected.credentials.length).toBeGreaterThanOrEqual(3);
    expect(expected.uploads.length).toBeGreaterThanOrEqual(3);
  });

  test('objects are read', () => readsObjects(gateway, expected));
  test('objects are listed', () => listsObjects(gateway, expected));
  test('credentials sign, and key rings have their versions', () => authenticates(gateway, expected));
  test('uploads go on', () => continuesUploads(gateway, expected));
  test('new objects are written', () => writesOn(gateway));
});
