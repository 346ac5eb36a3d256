import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from '../../support/property.ts';
import { type Stand, standEmbedded, standOnMinio } from '../../support/servers/stand.ts';
import { onceClient } from '../../support/sight.ts';

/**
 * Keys of whatever characters stores take, listed in every form and page by page: each comes once, in order, as it was
 * put, in its size; and with a delimiter keys and common prefixes are what S3 defines, whatever the delimiter's length.
 */

const Bucket = 'acme-awkward';
const SEED = 20_261_125;
const KEYS = 120;

/** What XML, URLs, form encoding, quoting, JSON and paths treat in a way of their own, and characters of 2 to 4 bytes. */
const CHARACTERS = [
  ...' !"#$%&\'()*+,-.:;<=>?@[]^_`{|}~aZ09',
  '%2F',
  '%25',
  '&amp;',
  '&#10;',
  ']]>',
  '\t',
  '\n',
  '\r',
  '\u0001',
  '\u001f',
  '\u007f',
  '\u0085',
  'é',
  'e\u0301',
  'ß',
  '中',
  '\u2028',
  '\ufeff',
  '\uff5e',
  '\u{1f642}',
  '\u{10ffff}',
];

/** Stores that keep files take no name of more than 255 bytes, none that is `.` or `..`, and none that is empty. */
const name = fc
  .array(fc.constantFrom(...CHARACTERS), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.join(''))
  .filter((text) => !/^\.+$/.test(text.trim()));

/** The number keeps a key from being another's folder. */
const KEY_LIST: readonly string[] = fc
  .sample(fc.array(name, { minLength: 1, maxLength: 3 }), { seed: SEED, numRuns: KEYS })
  .map(
    (names, at) =>
      `${names
        .slice(0, -1)
        .map((folder) => `${folder}d/`)
        .join('')}${names.at(-1)}${at}`,
  );

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** Encoded by the store as a form is. */
const decoded = (text: string) => decodeURIComponent(text.replaceAll('+', '%20'));

interface Seen {
  readonly keys: [string, number | undefined][];
  readonly prefixes: string[];
}

interface Asked {
  readonly EncodingType?: 'url';
  readonly MaxKeys: number;
  readonly Delimiter?: string;
}

const ENCODINGS = [undefined, 'url'] as const;

type Lister = (client: S3Client, asked: Asked) => Promise<Seen>;

async function inV2(client: S3Client, asked: Asked): Promise<Seen> {
  const seen: Seen = { keys: [], prefixes: [] };
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ...asked, ContinuationToken }));
    add(seen, page.Contents, page.CommonPrefixes, asked);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return seen;
}

async function inV1(client: S3Client, asked: Asked): Promise<Seen> {
  const seen: Seen = { keys: [], prefixes: [] };
  let Marker: string | undefined;
  for (;;) {
    const page = await client.send(new ListObjectsCommand({ Bucket, ...asked, Marker }));
    add(seen, page.Contents, page.CommonPrefixes, asked);
    if (page.IsTruncated !== true) return seen;
    // S3 tells NextMarker only where there is a delimiter; else the last key leads on.
    const next = page.NextMarker ?? page.Contents?.at(-1)?.Key ?? '';
    Marker = asked.EncodingType === 'url' ? decoded(next) : next;
  }
}

async function inVersions(client: S3Client, asked: Asked): Promise<Seen> {
  const seen: Seen = { keys: [], prefixes: [] };
  let [KeyMarker, VersionIdMarker] = [undefined, undefined] as [string | undefined, string | undefined];
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket, ...asked, KeyMarker, VersionIdMarker }));
    add(seen, page.Versions, page.CommonPrefixes, asked);
    if (page.IsTruncated !== true) return seen;
    const next = page.NextKeyMarker ?? '';
    [KeyMarker, VersionIdMarker] = [asked.EncodingType === 'url' ? decoded(next) : next, page.NextVersionIdMarker];
  }
}

function add(
  seen: Seen,
  entries: readonly { Key?: string | undefined; Size?: number | undefined }[] = [],
  prefixes: readonly { Prefix?: string | undefined }[] = [],
  { EncodingType }: Asked,
): void {
  const plain = (text = '') => (EncodingType === 'url' ? decoded(text) : text);
  for (const { Key, Size } of entries) seen.keys.push([plain(Key), Size]);
  for (const { Prefix } of prefixes) seen.prefixes.push(plain(Prefix));
}

/** AWS: "ListObjectsV2", Delimiter. */
function grouped(keys: readonly string[], delimiter: string | undefined): Seen {
  const seen: Seen = { keys: [], prefixes: [] };
  for (const key of keys) {
    const at = delimiter === undefined ? -1 : key.indexOf(delimiter);
    const prefix = at < 0 ? undefined : key.slice(0, at + (delimiter?.length ?? 0));
    if (prefix === undefined) seen.keys.push([key, KEY_LIST.indexOf(key)]);
    else if (!seen.prefixes.includes(prefix)) seen.prefixes.push(prefix);
  }
  return seen;
}

const OBJECT_FORMS: readonly (readonly [form: string, list: Lister])[] = [
  ['ListObjectsV2', inV2],
  ['ListObjects', inV1],
];

/** The embedded store has no versions. */
describe.each([
  ['MinIO and Redis', standOnMinio, [...OBJECT_FORMS, ['ListObjectVersions', inVersions]]],
  ['the embedded stores', standEmbedded, OBJECT_FORMS],
] as const)('over %s', (_name, start, forms) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await start();
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket }));
    if (stand.store !== undefined) {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    }
    for (const [at, Key] of KEY_LIST.entries()) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(at) }));
    }
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  it.each(forms.flatMap(([form, list]) => ENCODINGS.map((EncodingType) => ({ form, list, EncodingType }))))(
    '$form, encoding-type $EncodingType',
    async ({ list, EncodingType }) => {
      const sorted = KEY_LIST.toSorted(byBytes);
      const type = EncodingType === undefined ? {} : { EncodingType };
      for (const MaxKeys of [7, 1_000]) {
        expect(await list(client, { ...type, MaxKeys })).toEqual(grouped(sorted, undefined));
      }
      for (const Delimiter of ['/', 'd/', '%2F', '&amp;', 'é', '中', ' ', '\u{1f642}']) {
        const seen = await list(client, { ...type, MaxKeys: 1_000, Delimiter });
        expect({ Delimiter, ...seen }).toEqual({ Delimiter, ...grouped(sorted, Delimiter) });
      }
    },
  );

  it('each is got by the name that was listed', async () => {
    for (const [Key, size] of (await inV2(client, { MaxKeys: 50 })).keys) {
      const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key }));
      expect([Key, ContentLength]).toEqual([Key, size]);
    }
  });
});
