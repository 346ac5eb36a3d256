import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListObjectsV2Command,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { type BackendProxy, startBackendProxy } from '../../support/proxies/backend-proxy.ts';
import { startTcpLink, type TcpLink } from '../../support/proxies/tcp-link.ts';
import { STORES } from '../../support/servers/every-store.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { type SharedRedis, sharedRedis } from '../../support/servers/redis.ts';
import { backendSettings, type Store } from '../../support/servers/store.ts';
import { backendClient, expectServed, onceClient, refusal } from '../../support/sight.ts';

/**
 * Two gateways over one store. The first is killed (-9) at every point between the steps of an upload, and the client
 * goes on with the second, as behind a load balancer: it repeats the request that failed, and begins anew only when it
 * is told that there is no such upload. The object is whole or absent at every moment, and whole at the end.
 */

const PART = 5 * 1024 * 1024;
const BUCKET = 'acme-crash';
const BODIES = [payload(PART, 1), payload(PART + 70_000, 2), payload(70_000, 3)];
const WHOLE = Buffer.concat(BODIES);

describe.each(STORES)('two gateways over %s', (storeName, startStore) => {
  let redis: SharedRedis;
  let proxy: BackendProxy;
  let link: TcpLink;
  let first: GatewayProcess;
  let second: GatewayProcess;
  let doomed: S3Client;
  let survivor: S3Client;
  let direct: S3Client;
  let store: Store;

  beforeAll(async () => {
    [store, redis] = await Promise.all([startStore(), sharedRedis()]);
    [proxy, link] = await Promise.all([startBackendProxy(store), startTcpLink(redis)]);
    // What the store does is said to the gateway whose steps are counted: it would find it out in steps of its own.
    const said = { careful: storeName !== 'MinIO', conditionalUploads: true, conditionalDeletes: false, keys: 'paths' };
    first = await startGateway({
      backend: { ...backendSettings({ ...store, endpoint: proxy.endpoint }), ...said },
      keyStore: { redis: `redis://127.0.0.1:${link.port}` },
    });
    second = await startGateway({
      backend: backendSettings(store),
      keyStore: { redis: redis.url },
      tenantExists: true,
    });
    [doomed, survivor, direct] = [onceClient(first), onceClient(second), backendClient(store)];
    await survivor.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    for (const client of [doomed, survivor, direct]) client?.destroy();
    await Promise.all([first?.stop(), second?.stop()]);
    await Promise.all([proxy?.close(), link?.close()]);
    await Promise.all([store?.stop(), redis?.stop()]);
  });

  /** First by the gateway that may die; what fails is repeated by the other. */
  async function persistently<T>(ask: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await ask(doomed);
    } catch {
      return ask(survivor);
    }
  }

  async function upload(Key: string): Promise<void> {
    const where = { Bucket: BUCKET, Key };
    const { UploadId } = await persistently((client) => client.send(new CreateMultipartUploadCommand(where)));
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const [at, Body] of BODIES.entries()) {
      const part = { ...where, UploadId, PartNumber: at + 1, Body };
      const { ETag } = await persistently((client) => client.send(new UploadPartCommand(part)));
      Parts.push({ PartNumber: at + 1, ETag });
    }
    const list = { ...where, UploadId, MultipartUpload: { Parts } };
    await persistently((client) => client.send(new CompleteMultipartUploadCommand(list)));
  }

  /** Absent, or every byte of it. */
  async function expectWholeOrAbsent(Key: string): Promise<void> {
    const { Contents = [] } = await survivor.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    if (Contents.length > 0) await expectServed(survivor, BUCKET, Key, WHOLE);
  }

  it('serves one upload through both gateways at once, and shows nothing of it in Redis', async () => {
    const Key = 'both/telling-name';
    const { UploadId } = await survivor.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    const where = { Bucket: BUCKET, Key, UploadId };
    const bodies = Array.from({ length: 12 }, (_, at) => payload(at === 11 ? 33 : PART + at, at));
    const Parts = await Promise.all(
      bodies.map(async (Body, at) => {
        const by = at % 2 === 0 ? doomed : survivor;
        const { ETag } = await by.send(
          new UploadPartCommand({ ...where, PartNumber: 12 - at, Body: bodies[11 - at] as Buffer }),
        );
        return { PartNumber: 12 - at, ETag, Body };
      }),
    );
    const client = redis.client();
    const keys = (await client.keys('*upload/*')).filter((name) => !name.includes('/by/'));
    expect(keys).toHaveLength(1);
    // That a tenant has an upload under way is counted.
    expect(await client.zcard('sealgate:upload/by/acme')).toBe(1);
    const dump = Buffer.concat([...(await client.lrangeBuffer(keys[0] as string, 0, -1)), Buffer.from(keys.join())]);
    client.disconnect();
    const told = [BUCKET, Key, UploadId, 'acme', ...Parts.map(({ ETag }) => ETag?.slice(1, -1))] as string[];
    for (const text of told) expect(dump.includes(text)).toBe(false);
    for (const { ETag } of Parts) expect(dump.includes(Buffer.from(ETag?.slice(1, 33) ?? '', 'hex'))).toBe(false);
    Parts.reverse();
    const list = { ...where, MultipartUpload: { Parts: Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) } };
    const answers = await Promise.all(
      [doomed, survivor, doomed, survivor].map((by) => by.send(new CompleteMultipartUploadCommand(list))),
    );
    expect(new Set(answers.map(({ ETag }) => ETag)).size).toBe(1);
    await expectServed(survivor, BUCKET, Key, Buffer.concat(bodies));
  });

  it('says so when Redis lost an upload, and leaves a way to clear it away', async () => {
    const where = { Bucket: BUCKET, Key: 'flushed' };
    const { UploadId } = await survivor.send(new CreateMultipartUploadCommand(where));
    const part = new UploadPartCommand({ ...where, UploadId, PartNumber: 1, Body: BODIES[0] as Buffer });
    const { ETag } = await survivor.send(part);
    const client = redis.client();
    for (const key of await client.keys('*upload/*')) await client.del(key);
    client.disconnect();
    const list = { ...where, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
    await expect(survivor.send(new CompleteMultipartUploadCommand(list))).rejects.toMatchObject({
      name: 'NoSuchUpload',
      message: expect.stringMatching(/lost its state.*begin it again/),
    });
    expect(await refusal(survivor.send(part))).toEqual([404, 'NoSuchUpload']);
    await survivor.send(new AbortMultipartUploadCommand({ ...where, UploadId }));
    expect(await refusal(survivor.send(new AbortMultipartUploadCommand({ ...where, UploadId })))).toEqual([
      404,
      'NoSuchUpload',
    ]);
  });

  type Death =
    /** The store never hears of the request. */
    | 'before'
    /** The store has done it; the gateway does not hear so. */
    | 'unheard'
    /** The gateway hears it, and what it then writes to Redis does not arrive. */
    | 'unwritten'
    /** It arrives, and the gateway does not hear so. */
    | 'unconfirmed';

  async function die(death: Death, Key: string, deliver: () => void): Promise<void> {
    if (death === 'unwritten') link.dropRequests();
    if (death === 'unconfirmed') link.dropAnswers();
    if (death === 'unwritten' || death === 'unconfirmed') {
      deliver();
      // Time to get as far as Redis lets it: nothing here depends on how far that is.
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await first.kill();
    await expectWholeOrAbsent(Key);
  }

  // What a death leaves in Redis is the same over every store.
  const deaths: readonly Death[] =
    storeName === 'MinIO' ? ['before', 'unheard', 'unwritten', 'unconfirmed'] : ['unheard'];

  describe.each(deaths)('killed where the store’s step is %s', (death) => {
    it('at every step, the object is whole or absent, and whole in the end', async () => {
      let struck = true;
      for (let step = 1; struck; step++) {
        const Key = `${death}/${step}`;
        struck = false;
        let dying: Promise<void> = Promise.resolve();
        proxy.stopAt(step, death === 'before' ? 'before' : 'answered', () => {
          struck = true;
          return new Promise<void>((deliver) => {
            dying = die(death, Key, deliver);
          });
        });
        await upload(Key);
        await dying;
        const steps = proxy.seen;
        proxy.pass();
        link.mend();
        const restarted = struck ? first.start() : undefined;
        await Promise.all([expectServed(survivor, BUCKET, Key, WHOLE), restarted]);
        // Whatever happened, the bucket of staged parts was there before, or was made on the way.
        if (!struck) expect(steps.length).toBe(step - 1);
      }
    });
  });

  it('what an interrupted upload left can be aborted, and the store is empty then', async () => {
    const Key = 'left';
    const { UploadId } = await survivor.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    const where = { Bucket: BUCKET, Key, UploadId };
    proxy.stopAt(1, 'before', async () => void (await first.kill()));
    expect(await refusal(doomed.send(new UploadPartCommand({ ...where, PartNumber: 1, Body: BODIES[0] })))).not.toEqual(
      [undefined, 'nothing failed'],
    );
    await survivor.send(new UploadPartCommand({ ...where, PartNumber: 2, Body: 'small' }));
    await survivor.send(new AbortMultipartUploadCommand(where));
    const { Contents = [] } = await direct.send(new ListObjectsV2Command({ Bucket: 'sealgate-staging' }));
    // Parts whose record was never written wait for the sweep; none of this upload does.
    expect(Contents.map(({ Size }) => Size)).not.toContain(5 + 64 + 16);
    const { Contents: objects = [] } = await direct.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    expect(objects).toEqual([]);
  });
});
