import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inPieces, payload, sha256 } from '../../support/payload.ts';
import { ALL_STANDS, STORE_STANDS } from '../../support/servers/every-store.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { clientSettings, type Stand, type StoreStand } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { backendClient, expectAbsent, expectServed, onceClient, read, refusal } from '../../support/sight.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-conditions';

describe.each(ALL_STANDS)('conditions over %s', (name, start) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await start();
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  const put = (Key: string, Body: string | Buffer, more: object = {}) =>
    client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));

  describe('on reads', () => {
    let etag: string;
    let modified: Date;

    beforeAll(async () => {
      // Two kinds of objects: one backend request serves this one; the other takes a footer, and comes in ranges.
      etag = (await put('small', 'plaintext', { CacheControl: 'max-age=60' })).ETag as string;
      const { LastModified } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'small' }));
      modified = LastModified as Date;
    });

    /** RFC 9110 §13.2.2. */
    function expected({ IfMatch, IfNoneMatch, IfUnmodifiedSince, IfModifiedSince }: Partial<GetObjectCommandInput>) {
      const is = (condition: string) => condition === '*' || condition === etag;
      if (IfMatch !== undefined) {
        if (!is(IfMatch)) return 412;
      } else if (IfUnmodifiedSince !== undefined && modified > IfUnmodifiedSince) return 412;
      if (IfNoneMatch !== undefined) return is(IfNoneMatch) ? 304 : 200;
      return IfModifiedSince !== undefined && modified <= IfModifiedSince ? 304 : 200;
    }

    const etags = () => [undefined, etag, '"0123456789abcdef0123456789abcdef-0"', '*'];
    const dates = () => [undefined, ...[-60, 0, 60].map((seconds) => new Date(modified.getTime() + seconds * 1000))];

    function combinations(): Partial<GetObjectCommandInput>[] {
      return etags().flatMap((IfMatch) =>
        etags().flatMap((IfNoneMatch) =>
          dates().flatMap((IfUnmodifiedSince) =>
            dates().map((IfModifiedSince) => ({
              ...(IfMatch !== undefined && { IfMatch }),
              ...(IfNoneMatch !== undefined && { IfNoneMatch }),
              ...(IfUnmodifiedSince !== undefined && { IfUnmodifiedSince }),
              ...(IfModifiedSince !== undefined && { IfModifiedSince }),
            })),
          ),
        ),
      );
    }

    it.each([
      ['HEAD', HeadObjectCommand, {}],
      ['GET', GetObjectCommand, {}],
      ['a range', GetObjectCommand, { Range: 'bytes=2-4' }],
      ['a suffix', GetObjectCommand, { Range: 'bytes=-3' }],
    ] as const)('hold for %s in every combination', async (_what, Command, more) => {
      const all = combinations();
      expect(all).toHaveLength(256);
      for (const conditions of all) {
        const asked = { Bucket: BUCKET, Key: 'small', ...conditions, ...more };
        const status = await client.send(new Command(asked) as GetObjectCommand).then(
          async ({ Body, $metadata }) => {
            await Body?.transformToByteArray();
            return $metadata.httpStatusCode === 206 ? 200 : $metadata.httpStatusCode;
          },
          (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode,
        );
        expect([conditions, status]).toEqual([conditions, expected(conditions)]);
      }
    });

    it('take lists and weak ETags', async () => {
      const get = (conditions: object) =>
        refusal(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'small', ...conditions })));
      const served = [undefined, 'nothing failed'];
      expect(await get({ IfMatch: `"other", ${etag}` })).toEqual(served);
      expect(await get({ IfMatch: '"other", "another"' })).toEqual([412, 'PreconditionFailed']);
      expect(await get({ IfMatch: `W/${etag}` })).toEqual([412, 'PreconditionFailed']);
      expect((await get({ IfNoneMatch: `"other", ${etag}` }))[0]).toBe(304);
      expect((await get({ IfNoneMatch: `W/${etag}` }))[0]).toBe(304);
      expect(await get({ IfNoneMatch: 'W/"other"' })).toEqual(served);
      expect(await get({ IfMatch: etag.replaceAll('"', '') })).toEqual(served);
    });

    it('tell a cache what it may keep', async () => {
      for (const [kind, condition] of [
        ['one that the backend judges', { 'If-None-Match': etag }],
        ['one that the gateway judges', { 'If-None-Match': `W/${etag}` }],
      ] as const) {
        const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'small' }));
        const answer = await fetch(url, { headers: condition });
        expect([kind, answer.status, await answer.text()]).toEqual([kind, 304, '']);
        expect(answer.headers.get('etag')).toBe(etag);
        expect(answer.headers.get('last-modified')).toBe(modified.toUTCString());
        expect(answer.headers.get('cache-control')).toBe('max-age=60');
      }
    });

    it('are judged of the version `null` too', async () => {
      const get = (conditions: object) =>
        refusal(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'small', VersionId: 'null', ...conditions })));
      expect(await get({})).toEqual([undefined, 'nothing failed']);
      expect(await get({ IfMatch: '"other"' })).toEqual([412, 'PreconditionFailed']);
      expect((await get({ IfNoneMatch: etag }))[0]).toBe(304);
    });

    it('let nobody wait for the bytes of a large object that was not modified', async () => {
      const sent = payload(20 * MIB, 4);
      const { ETag } = await put('large', sent);
      for (let time = 0; time < 20; time++) {
        const asked = { Bucket: BUCKET, Key: 'large', IfMatch: '*', IfNoneMatch: `"x", ${ETag}` };
        expect((await refusal(client.send(new GetObjectCommand(asked))))[0]).toBe(304);
      }
      expect(sha256(await read(client, { Bucket: BUCKET, Key: 'large', IfMatch: `"x", ${ETag}` }))).toBe(sha256(sent));
    });
  });

  describe('on deletions', () => {
    it('are held to, or refused: never ignored', async () => {
      const { ETag } = await put('deleted', 'kept');
      const remove = (IfMatch: string) =>
        refusal(client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'deleted', IfMatch })));
      const many = (etag: string | undefined) =>
        client.send(
          new DeleteObjectsCommand({
            Bucket: BUCKET,
            Delete: { Objects: [{ Key: 'deleted', ETag: etag }] },
            ChecksumAlgorithm: 'CRC32',
          }),
        );
      const embedded = name === 'the embedded stores';
      expect(await remove('"other"')).toEqual(embedded ? [412, 'PreconditionFailed'] : [501, 'NotImplemented']);
      if (embedded) {
        const { Errors } = await many('"other"');
        expect(Errors).toMatchObject([{ Key: 'deleted', Code: 'PreconditionFailed' }]);
      } else expect(await refusal(many('"other"'))).toEqual([501, 'NotImplemented']);
      await expectServed(client, BUCKET, 'deleted', Buffer.from('kept'));
      if (embedded) expect((await many(ETag)).Deleted).toMatchObject([{ Key: 'deleted' }]);
      else expect((await many(undefined)).Deleted).toMatchObject([{ Key: 'deleted' }]);
    });
  });
});

describe.each(STORE_STANDS)('racing writers over %s', (_name, start) => {
  let stand: StoreStand;
  let second: GatewayProcess;
  let clients: S3Client[];
  let store: S3Client;

  beforeAll(async () => {
    stand = await start();
    second = await startGateway({
      backend: backendSettings(stand.store),
      keyStore: { redis: stand.redis.url },
      tenantExists: true,
    });
    store = backendClient(stand.store);
    clients = [stand.gateway, second].map(
      (gateway) =>
        new S3Client({
          ...clientSettings(gateway),
          maxAttempts: 1,
          requestHandler: { httpAgent: { maxSockets: 200 } },
        }),
    );
    await clients[0]?.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    for (const each of [...(clients ?? []), store]) each?.destroy();
    await second?.stop();
    await stand?.stop();
  });

  const via = (writer: number) => clients[writer % 2] as S3Client;

  async function allAtOnce(writers: number, write: (writer: number) => Promise<unknown>) {
    const outcomes = Array.from(
      { length: writers },
      async (_, writer) => [writer, await refusal(write(writer))] as const,
    );
    return Promise.all(outcomes);
  }

  /** Who won, of writers that each write bytes of their own; the others must have been told so. */
  async function race(writers: number, write: (writer: number) => Promise<unknown>): Promise<number> {
    const outcomes = await allAtOnce(writers, write);
    const winners = outcomes.filter(([, [status]]) => status === undefined);
    const losers = outcomes
      .filter(([, [status]]) => status !== undefined)
      .map(([, [status, code]]) => `${status} ${code}`);
    expect(new Set(losers)).toEqual(new Set(['412 PreconditionFailed']));
    expect(winners.map(([writer]) => writer)).toHaveLength(1);
    return winners[0]?.[0] as number;
  }

  it('two hundred of them with If-None-Match: * over two gateways leave exactly one winner', async () => {
    for (const [Key, bytes] of [
      ['tiny', 1],
      ['small', 5_000],
      ['streamed', 300_000],
    ] as const) {
      const winner = await race(200, (writer) =>
        via(writer).send(
          new PutObjectCommand({ Bucket: BUCKET, Key, Body: payload(bytes, writer + 1), IfNoneMatch: '*' }),
        ),
      );
      for (const client of clients) await expectServed(client, BUCKET, Key, payload(bytes, winner + 1));
    }
  });

  it('with If-Match replace what they read, and only one of them', async () => {
    const Key = 'counter';
    for (let round = 0; round < 3; round++) {
      const { ETag } = await via(round).send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: `round ${round}` }));
      const write = (writer: number) =>
        via(writer).send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: `writer ${writer}`, IfMatch: ETag }));
      if (stand.store.name === 'Ceph RGW') {
        // It compares with the quotes: nobody wins, and nothing is replaced.
        for (const [, [status]] of await allAtOnce(50, write)) expect(status).toBe(412);
        await expectServed(clients[0] as S3Client, BUCKET, Key, Buffer.from(`round ${round}`));
        continue;
      }
      const winner = await race(50, write);
      for (const client of clients) await expectServed(client, BUCKET, Key, Buffer.from(`writer ${winner}`));
    }
  });

  it('of unknown length, in parts, leave one winner and no upload', async () => {
    const Key = 'parts';
    const bytes = 9 * MIB;
    const write = async (writer: number) => {
      const url = await getSignedUrl(via(writer), new PutObjectCommand({ Bucket: BUCKET, Key, IfNoneMatch: '*' }), {
        unhoistableHeaders: new Set(['if-none-match']),
      });
      const answer = await fetch(url, {
        method: 'PUT',
        headers: { 'If-None-Match': '*' },
        body: Readable.toWeb(Readable.from(inPieces(payload(bytes, writer + 1), 100_000))) as ReadableStream,
        duplex: 'half',
      } as RequestInit);
      const code = /<Code>([^<]*)/.exec(await answer.text())?.[1];
      if (!answer.ok)
        throw Object.assign(new Error(code), { name: code, $metadata: { httpStatusCode: answer.status } });
    };
    if (!stand.store.capabilities.conditionalCompletes) {
      for (const [, refused] of await allAtOnce(6, write)) expect(refused).toEqual([501, 'NotImplemented']);
      await expectAbsent(clients[0] as S3Client, BUCKET, Key);
      expect((await store.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? []).toEqual([]);
      return;
    }
    const winner = await race(6, write);
    for (const client of clients) await expectServed(client, BUCKET, Key, payload(bytes, winner + 1));
    expect((await store.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? []).toEqual([]);
  });
});
