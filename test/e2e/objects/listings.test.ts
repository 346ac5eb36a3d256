import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SharedMinio } from '../../support/servers/minio.ts';
import { clientSettings, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, refusal } from '../../support/sight.ts';

/** The same keys in two buckets of one MinIO: plain, seen directly, and sealed, seen through the gateway. */
const PLAIN = 'plain-lists';
const SEALED = 'acme-lists';

/** Each object's size is its place here times 1,000. MinIO itself cannot list control characters as they are. */
const KEYS = [
  'a',
  'a b',
  'a+b',
  'a%2Fb',
  'a&b<c>"d\'e',
  'dir/1',
  'dir/2',
  'dir/sub/1',
  'dir/sub/2',
  'dir/ünïcödé/中文',
  'dirt',
  'r/r/r',
  'z\u{1f642}z',
  'z\uff5ez',
  'ä%',
  `${'long/'.repeat(40)}end`,
];
const CONTROL_KEY = 'control\u0001\u001f\u007f\ttab\nline\rreturn';

let stand: Stand & { minio: SharedMinio };
let through: S3Client;
let direct: S3Client;

beforeAll(async () => {
  stand = await standOnMinio();
  through = new S3Client(clientSettings(stand.gateway));
  direct = backendClient(stand.minio);
  for (const [client, Bucket] of [
    [direct, PLAIN],
    [through, SEALED],
  ] as const) {
    await client.send(new CreateBucketCommand({ Bucket }));
    for (const [at, Key] of KEYS.entries()) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(at * 1000) }));
    }
  }
}, 120_000);

afterAll(async () => {
  through?.destroy();
  direct?.destroy();
  await stand?.stop();
});

type Asked = Pick<ListObjectsV2CommandInput, 'Prefix' | 'Delimiter' | 'MaxKeys' | 'EncodingType'> & {
  readonly after?: string;
};

/** What must be the same both ways; tokens are the store's own and only lead on. */
function page(answer: ListObjectsV2CommandOutput | ListObjectsCommandOutput): object {
  const { Contents = [], CommonPrefixes = [], IsTruncated, Prefix, Delimiter, MaxKeys, EncodingType } = answer;
  return {
    contents: Contents.map(({ Key, Size, StorageClass }) => [Key, Size, StorageClass]),
    prefixes: CommonPrefixes.map((entry) => entry.Prefix),
    ...{ IsTruncated, Prefix, Delimiter, MaxKeys, EncodingType },
    ...('KeyCount' in answer && { KeyCount: answer.KeyCount, StartAfter: answer.StartAfter }),
    ...('Marker' in answer && { Marker: bare(answer.Marker), NextMarker: bare(answer.NextMarker) }),
  };
}

/** MinIO writes where it is in a walk of its own behind a marker. */
function bare(marker: string | undefined): string | undefined {
  return marker?.replace(/(?:\[|%5B)minio_cache.*$/, '');
}

/** MinIO walks in circles where a delimiter is no slash and pages are short. Then so it is through the gateway. */
const MAX_PAGES = 2 * KEYS.length;

async function pagesOfV2(client: S3Client, Bucket: string, { after, ...asked }: Asked): Promise<object[]> {
  const pages: object[] = [];
  let ContinuationToken: string | undefined;
  do {
    const answer: ListObjectsV2CommandOutput = await client.send(
      new ListObjectsV2Command({ Bucket, StartAfter: after, ...asked, ContinuationToken }),
    );
    expect(answer.ContinuationToken).toBe(ContinuationToken);
    pages.push(page(answer));
    ContinuationToken = answer.NextContinuationToken;
    expect(ContinuationToken !== undefined).toBe(answer.IsTruncated);
  } while (ContinuationToken !== undefined && pages.length < MAX_PAGES);
  return pages;
}

async function pagesOfV1(client: S3Client, Bucket: string, { after, ...asked }: Asked): Promise<object[]> {
  const pages: object[] = [];
  let Marker = after;
  for (;;) {
    const answer = await client.send(new ListObjectsCommand({ Bucket, ...asked, Marker }));
    pages.push(page(answer));
    if (answer.IsTruncated !== true || pages.length === MAX_PAGES) return pages;
    const next = answer.NextMarker as string;
    Marker = asked.EncodingType === 'url' ? decodeURIComponent(next.replaceAll('+', '%20')) : next;
  }
}

const MATRIX: Asked[] = ['', 'dir/', 'ä', 'none/'].flatMap((Prefix) =>
  ['', '/', 'r', '%', 'ü'].flatMap((Delimiter) => [
    { Prefix, Delimiter, MaxKeys: 1 },
    // MinIO takes no marker that has not the prefix.
    { Prefix, Delimiter, MaxKeys: 3, after: `${Prefix}a+b` },
    { Prefix, Delimiter },
  ]),
);

describe('a listing through the gateway is the store’s own, in plaintext’s sizes', () => {
  it.each([
    ['ListObjectsV2', pagesOfV2],
    ['ListObjects', pagesOfV1],
  ] as const)(
    '%s: every prefix, delimiter, page and place to begin',
    async (_name, pages) => {
      for (const asked of MATRIX) {
        const [sealed, plain] = [await pages(through, SEALED, asked), await pages(direct, PLAIN, asked)];
        expect({ asked, pages: sealed }).toEqual({ asked, pages: plain });
      }
    },
    120_000,
  );

  it.each([
    ['ListObjectsV2', pagesOfV2],
    ['ListObjects', pagesOfV1],
  ] as const)(
    '%s with encoding-type=url: the same names, spelled for URLs',
    async (_name, pages) => {
      const decoded = (value: unknown): unknown => {
        if (typeof value === 'string') return decodeURIComponent(value.replaceAll('+', '%20'));
        if (Array.isArray(value)) return value.map(decoded);
        if (typeof value !== 'object' || value === null) return value;
        return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, decoded(field)]));
      };
      for (const asked of MATRIX.filter(({ MaxKeys }) => MaxKeys !== 1)) {
        const url = { ...asked, EncodingType: 'url' } as const;
        const [sealed, plain] = [await pages(through, SEALED, url), await pages(direct, PLAIN, url)];
        expect({ asked, pages: decoded(sealed) }).toEqual({ asked, pages: decoded(plain) });
      }
    },
    120_000,
  );

  it('max-keys of nothing, of one and of more than there can be', async () => {
    for (const MaxKeys of [0, 1, 1000, 1001, 2_147_483_647]) {
      for (const pages of [pagesOfV1, pagesOfV2]) {
        const asked = { MaxKeys, Prefix: 'dir' };
        const [sealed] = await pages(through, SEALED, asked);
        const [plain] = await pages(direct, PLAIN, asked);
        expect(sealed).toEqual({ ...plain, MaxKeys: Math.min(MaxKeys, 1000) });
      }
    }
    for (const MaxKeys of [-1, 2_147_483_648]) {
      const refused = through.send(new ListObjectsV2Command({ Bucket: SEALED, MaxKeys }));
      expect(await refusal(refused)).toEqual([400, 'InvalidArgument']);
    }
  });

  it('owners where they are asked for', async () => {
    const list = async (client: S3Client, Bucket: string, FetchOwner?: boolean) => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, FetchOwner, MaxKeys: 1 }));
      return Contents[0]?.Owner;
    };
    expect(await list(through, SEALED)).toBeUndefined();
    expect(await list(through, SEALED, true)).toEqual(await list(direct, PLAIN, true));
    const { Contents = [] } = await through.send(new ListObjectsCommand({ Bucket: SEALED, MaxKeys: 1 }));
    expect(Contents[0]?.Owner).toEqual(await list(direct, PLAIN, true));
  });

  it('a token that is none is the client’s mistake', async () => {
    const withToken = (client: S3Client, Bucket: string) =>
      refusal(client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'no/token' })));
    expect(await withToken(through, SEALED)).toEqual(await withToken(direct, PLAIN));
    expect(await refusal(through.send(new ListObjectsV2Command({ Bucket: SEALED, ContinuationToken: '' })))).toEqual([
      400,
      'InvalidArgument',
    ]);
    expect(await refusal(through.send(new ListObjectsV2Command({ Bucket: 'acme-none' })))).toEqual([
      404,
      'NoSuchBucket',
    ]);
  });
});

it('ETag, size and date are HEAD’s, and a key of control characters lists as itself', async () => {
  await through.send(new PutObjectCommand({ Bucket: SEALED, Key: CONTROL_KEY, Body: 'x' }));
  for (const EncodingType of [undefined, 'url'] as const) {
    const { Contents = [] } = await through.send(new ListObjectsV2Command({ Bucket: SEALED, EncodingType }));
    expect(Contents).toHaveLength(KEYS.length + 1);
    for (const { Key = '', Size, ETag, LastModified } of Contents) {
      const name = EncodingType === 'url' ? decodeURIComponent(Key) : Key;
      const head = await through.send(new HeadObjectCommand({ Bucket: SEALED, Key: name }));
      expect([Size, ETag]).toEqual([head.ContentLength, head.ETag]);
      // A header's date has no milliseconds.
      expect(Math.floor((LastModified as Date).getTime() / 1000)).toBe((head.LastModified as Date).getTime() / 1000);
    }
  }
  await through.send(new DeleteObjectCommand({ Bucket: SEALED, Key: CONTROL_KEY }));
});

describe('versions', () => {
  const [plain, sealed] = [`${PLAIN}-versions`, `${SEALED}-versions`];

  beforeAll(async () => {
    for (const [client, Bucket] of [
      [direct, plain],
      [through, sealed],
    ] as const) {
      await client.send(new CreateBucketCommand({ Bucket }));
      // Kept from before there were versions: its id is null.
      await client.send(new PutObjectCommand({ Bucket, Key: 'b&', Body: 'before' }));
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
      for (const [Key, sizes] of Object.entries({ 'a b': [1, 2, 3], 'b&': [70_000], 'dir/c': [5] })) {
        for (const size of sizes) await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(size) }));
      }
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'a b' }));
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'never was' }));
    }
  }, 60_000);

  async function pages(
    client: S3Client,
    Bucket: string,
    asked: { MaxKeys?: number; Delimiter?: string },
  ): Promise<object[]> {
    const seen: object[] = [];
    let [KeyMarker, VersionIdMarker] = [undefined, undefined] as [string | undefined, string | undefined];
    for (;;) {
      const answer: ListObjectVersionsCommandOutput = await client.send(
        new ListObjectVersionsCommand({ Bucket, ...asked, KeyMarker, VersionIdMarker }),
      );
      const { Versions = [], DeleteMarkers = [], CommonPrefixes = [], IsTruncated, MaxKeys } = answer;
      seen.push({
        versions: Versions.map(({ Key, Size, IsLatest, VersionId }) => [Key, Size, IsLatest, VersionId === 'null']),
        markers: DeleteMarkers.map(({ Key, IsLatest }) => [Key, IsLatest]),
        prefixes: CommonPrefixes.map((entry) => entry.Prefix),
        ...{ IsTruncated, MaxKeys },
      });
      if (IsTruncated !== true) return seen;
      KeyMarker = answer.NextKeyMarker;
      VersionIdMarker = answer.NextVersionIdMarker;
    }
  }

  it('in the store’s order, in plaintext’s sizes, page by page', async () => {
    for (const asked of [{}, { MaxKeys: 1 }, { MaxKeys: 2 }, { MaxKeys: 3, Delimiter: '/' }]) {
      const listed = await pages(through, sealed, asked);
      expect({ asked, listed }).toEqual({ asked, listed: await pages(direct, plain, asked) });
    }
  });

  it('have the ETags and sizes that HEAD tells of each', async () => {
    const { Versions = [] } = await through.send(new ListObjectVersionsCommand({ Bucket: sealed }));
    expect(Versions).toHaveLength(6);
    for (const { Key, VersionId, ETag, Size } of Versions) {
      const head = await through.send(new HeadObjectCommand({ Bucket: sealed, Key, VersionId }));
      expect([head.ETag, head.ContentLength]).toEqual([ETag, Size]);
    }
  });
});

it('2,500 keys come in pages of 1,000, each once', async () => {
  const Bucket = 'acme-many';
  await through.send(new CreateBucketCommand({ Bucket }));
  const names = Array.from({ length: 2_500 }, (_, at) => `${'p'.repeat(60)}/${at}`);
  for (let at = 0; at < names.length; at += 25) {
    await Promise.all(
      names.slice(at, at + 25).map((Key) => through.send(new PutObjectCommand({ Bucket, Key, Body: Key }))),
    );
  }
  const seen: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const answer: ListObjectsV2CommandOutput = await through.send(
      new ListObjectsV2Command({ Bucket, ContinuationToken }),
    );
    for (const { Key = '', Size } of answer.Contents ?? []) {
      expect(Size).toBe(Key.length);
      seen.push(Key);
    }
    ContinuationToken = answer.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  expect(seen).toEqual(names.sort());
}, 120_000);
