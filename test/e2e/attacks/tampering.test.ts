import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../server/raw-client.ts';
import { flipped, plantObject, type StoredBytes, storedObject, withBody } from '../../support/attacker.ts';
import { inPieces, payload } from '../../support/payload.ts';
import { type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, expectServed, listedKeys, onceClient, read, refusal } from '../../support/sight.ts';

/**
 * The attacker of FORMAT.md §1: whoever holds the store's own credentials. A column of each table below is a way to
 * read; what stands there is the status and code, or `right` where the bytes that were asked for are not those that
 * were altered. Wrong bytes are nowhere.
 */

const MIB = 1024 * 1024;
const SEGMENT = 65_536;
const SEALED_SEGMENT = SEGMENT + 16;
const HEADER = 64;
const BUCKET = 'acme-tamper';
const ELSEWHERE = 'acme-elsewhere';
const FOREIGN = 'other-tamper';

const CORRUPTED = [422, 'ObjectCorrupted'] as const;
const MOVED = [409, 'ObjectMoved'] as const;
const NOT_SEALED = [409, 'ObjectNotSealed'] as const;
type Verdict = 'right' | readonly [number, string];

let stand: Stand & Awaited<ReturnType<typeof standOnMinio>>;
let client: S3Client;
let other: S3Client;
let store: S3Client;

beforeAll(async () => {
  stand = await standOnMinio();
  const { gateway } = stand;
  const secretAccessKey = 'plantedSecretAccessKeyOfTenantOther00002';
  const secretFile = join(gateway.folder, 'other.secret');
  await writeFile(secretFile, secretAccessKey, { mode: 0o600 });
  const tenant = ['tenant', 'add', 'other', '--bucket', 'other-*', '--access-key', 'AKIDSEALGATETEST0002'];
  const added = await gateway.command([...tenant, '--secret-file', secretFile]);
  expect(added.stderr).toBe('');
  client = onceClient(gateway);
  other = onceClient(gateway, { accessKeyId: 'AKIDSEALGATETEST0002', secretAccessKey });
  store = backendClient(stand.minio);
  for (const Bucket of [BUCKET, ELSEWHERE]) await client.send(new CreateBucketCommand({ Bucket }));
  await other.send(new CreateBucketCommand({ Bucket: FOREIGN }));
});

afterAll(async () => {
  for (const each of [client, other, store]) each?.destroy();
  await stand?.stop();
});

async function put(by: S3Client, Bucket: string, Key: string, Body: Buffer, more: Partial<PutObjectCommandInput> = {}) {
  await by.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/x-honest', ...more }));
  return stored(Bucket, Key);
}

const stored = (Bucket: string, Key: string) => storedObject(store, Bucket, Key);
const plant = (Key: string, object: StoredBytes, Bucket = BUCKET) => plantObject(store, Bucket, Key, object);

async function verdict(promise: Promise<Buffer>, right: Buffer): Promise<Verdict | 'WRONG BYTES'> {
  const outcome = await promise.catch((error: unknown) => refusal(Promise.reject(error)));
  if (!Buffer.isBuffer(outcome)) return outcome as Verdict;
  return outcome.equals(right) ? 'right' : 'WRONG BYTES';
}

/** Every way to read the object, compared with what the client stored. */
async function verdicts(Key: string, honest: Buffer) {
  const asked = { Bucket: BUCKET, Key };
  const headed = await client.send(new HeadObjectCommand(asked)).then(
    ({ ContentLength }) => (ContentLength === honest.length ? 'right' : 'WRONG LENGTH'),
    (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
  );
  const first = honest.subarray(0, 10);
  const last = honest.subarray(-10);
  return {
    get: await verdict(read(client, asked), honest),
    checksummed: await verdict(read(client, { ...asked, ChecksumMode: 'ENABLED' }), honest),
    first: await verdict(read(client, { ...asked, Range: 'bytes=0-9' }), first),
    last: await verdict(read(client, { ...asked, Range: `bytes=${honest.length - 10}-` }), last),
    suffix: await verdict(read(client, { ...asked, Range: 'bytes=-10' }), last),
    head: headed,
  };
}

function everywhere(refused: readonly [number, string]) {
  const [status] = refused;
  return { get: refused, checksummed: refused, first: refused, last: refused, suffix: refused, head: status };
}

describe('an object of a few segments, read whole before its status line', () => {
  const honest = payload(3 * SEGMENT + 100, 11);
  let object: StoredBytes;
  beforeAll(async () => {
    object = await put(client, BUCKET, 'small', honest, { CacheControl: 'no-cache', Metadata: { author: 'honest' } });
  });

  it('is served as it is when nobody touched it', async () => {
    await plant('small', object);
    const right = { get: 'right', checksummed: 'right', first: 'right', last: 'right', suffix: 'right', head: 'right' };
    expect(await verdicts('small', honest)).toEqual(right);
  });

  const right = 'right' as const;
  const segment = (index: number) => HEADER + index * SEALED_SEGMENT;
  it.each([
    ['the part header', 5, { get: CORRUPTED, first: right, last: right, checksummed: CORRUPTED }],
    ['the part header’s MAC', 63, { get: CORRUPTED, first: right, last: right, checksummed: CORRUPTED }],
    ['the first segment', segment(0), { get: CORRUPTED, first: CORRUPTED, last: right, checksummed: CORRUPTED }],
    ['the first tag', segment(1) - 1, { get: CORRUPTED, first: CORRUPTED, last: right, checksummed: CORRUPTED }],
    ['a middle segment', segment(1) + 9, { get: CORRUPTED, first: right, last: right, checksummed: CORRUPTED }],
    ['the last segment', segment(3) + 1, { get: CORRUPTED, first: right, last: CORRUPTED, checksummed: CORRUPTED }],
    ['the last tag', segment(3) + 115, { get: CORRUPTED, first: right, last: CORRUPTED, checksummed: CORRUPTED }],
    // The footer holds no plaintext; it is read where it is needed.
    ['the footer’s manifest', -80, { get: right, first: right, last: right, checksummed: CORRUPTED }],
    ['the footer’s trailer', -30, { get: right, first: right, last: right, checksummed: CORRUPTED }],
    ['the footer’s tag', -1, { get: right, first: right, last: right, checksummed: CORRUPTED }],
  ] as const)('one bit flipped in %s', async (_name, at, expected) => {
    await plant('small', flipped(object, at));
    const told = await verdicts('small', honest);
    expect(told).toEqual({ ...expected, suffix: expected.last, head: 'right' });
  });

  const cut = (from: number, to?: number) => (whole: StoredBytes) => withBody(whole, whole.body.subarray(from, to));
  const splice = (from: number, to: number, length: number) => (whole: StoredBytes) => {
    const body = Buffer.from(whole.body);
    whole.body.copy(body, to, from, from + length);
    return withBody(whole, body);
  };
  it.each([
    ['truncated by a byte', cut(0, -1)],
    ['truncated by its last segment', (whole: StoredBytes) => cut(0, whole.body.length - SEALED_SEGMENT)(whole)],
    ['truncated to the size of another object', (whole: StoredBytes) => cut(0, whole.body.length - 50)(whole)],
    ['without its first segment', cut(SEALED_SEGMENT)],
    ['extended by a byte', (whole: StoredBytes) => withBody(whole, Buffer.concat([whole.body, Buffer.from('x')]))],
    ['extended by itself', (whole: StoredBytes) => withBody(whole, Buffer.concat([whole.body, whole.body]))],
    ['put at its own end', (whole: StoredBytes) => withBody(whole, Buffer.concat([Buffer.alloc(SEGMENT), whole.body]))],
  ] as const)('%s', async (_name, tamper) => {
    await plant('small', tamper(object));
    expect(await verdicts('small', honest)).toEqual(everywhere(CORRUPTED));
  });

  it.each([0, 1, 10, 527, 528])('cut to %d bytes: no range of it is served either', async (bytes) => {
    await plant('small', withBody(object, object.body.subarray(0, bytes)));
    // Also where the store itself answers that the range lies past the end: it is the store that is not believed.
    expect(await verdicts('small', honest)).toEqual(everywhere(CORRUPTED));
  });

  it('its segments in another order', async () => {
    const swapped = splice(segment(0), segment(1), SEALED_SEGMENT)(object);
    await plant('small', swapped);
    expect(await verdicts('small', honest)).toMatchObject({ get: CORRUPTED, first: right, last: right });
    const body = Buffer.from(object.body);
    object.body.copy(body, segment(0), segment(1), segment(2));
    object.body.copy(body, segment(1), segment(0), segment(1));
    await plant('small', withBody(object, body));
    expect(await verdicts('small', honest)).toMatchObject({ get: CORRUPTED, first: CORRUPTED, last: right });
  });

  it('its last segment made its third: a shorter object of right segments', async () => {
    const body = Buffer.concat([object.body.subarray(0, segment(2)), object.body.subarray(segment(3))]);
    await plant('small', withBody(object, body));
    expect(await verdicts('small', honest)).toEqual(everywhere(CORRUPTED));
  });

  it('plaintext planted in its place, with and without the envelope', async () => {
    await plant('small', { body: honest, metadata: {}, content: object.content });
    expect(await verdicts('small', honest)).toEqual(everywhere(NOT_SEALED));
    await plant('small', { ...object, body: honest });
    expect(await verdicts('small', honest)).toEqual(everywhere(CORRUPTED));
  });

  it('its envelope removed, the sealed bytes left', async () => {
    const { sx1: _, ...rest } = object.metadata;
    await plant('small', { ...object, metadata: rest });
    expect(await verdicts('small', honest)).toEqual(everywhere(NOT_SEALED));
  });

  it('every byte of its envelope altered', async () => {
    const envelope = Buffer.from(object.metadata.sx1 as string, 'base64url');
    for (const at of [0, 1, 2, 3, 8, 15, 20, 40, 60, 100, 130, 150, 166, 183]) {
      const altered = Buffer.from(envelope);
      altered[at] = (altered[at] as number) ^ 0x20;
      await plant('small', { ...object, metadata: { ...object.metadata, sx1: altered.toString('base64url') } });
      const [status, code] = await refusal(read(client, { Bucket: BUCKET, Key: 'small' }));
      // An unknown version of a key that the ring once had is the one case with a name of its own.
      const expected = at === 15 ? [[403, 'KeyUnavailable'], CORRUPTED] : [CORRUPTED];
      expect(expected, `byte ${at}`).toContainEqual([status, code]);
    }
    for (const sx1 of ['', 'AA', 'not base64url!', `${object.metadata.sx1}A`, `${object.metadata.sx1}=`]) {
      await plant('small', { ...object, metadata: { ...object.metadata, sx1 } });
      const refused = await refusal(read(client, { Bucket: BUCKET, Key: 'small' }));
      expect([CORRUPTED, NOT_SEALED], sx1).toContainEqual(refused);
    }
  });

  it.each([
    [
      'the content type',
      (whole: StoredBytes) => ({ ...whole, content: { ...whole.content, ContentType: 'text/html' } }),
    ],
    ['a content header', (whole: StoredBytes) => ({ ...whole, content: { ...whole.content, CacheControl: 'public' } })],
    ['a content header taken away', (whole: StoredBytes) => ({ ...whole, content: { ContentType: 'text/x-honest' } })],
    ['a value', (whole: StoredBytes) => ({ ...whole, metadata: { ...whole.metadata, author: 'mallory' } })],
    ['a name more', (whole: StoredBytes) => ({ ...whole, metadata: { ...whole.metadata, role: 'admin' } })],
    ['a name less', (whole: StoredBytes) => ({ ...whole, metadata: { sx1: whole.metadata.sx1 as string } })],
  ] as const)('metadata changed: %s', async (_name, tamper) => {
    await plant('small', tamper(object));
    expect(await verdicts('small', honest)).toEqual(everywhere(CORRUPTED));
  });

  it('an older version put back is served, whole: freshness is not promised (FORMAT.md §1)', async () => {
    const newer = payload(5000, 12);
    await plant('small', object);
    await put(client, BUCKET, 'small', newer);
    await expectServed(client, BUCKET, 'small', newer);
    await plant('small', object);
    await expectServed(client, BUCKET, 'small', honest);
  });
});

describe('objects that change places', () => {
  const one = payload(200_000, 21);
  const two = payload(200_000, 22);
  let first: StoredBytes;
  let second: StoredBytes;
  beforeAll(async () => {
    first = await put(client, BUCKET, 'place/one', one);
    second = await put(client, BUCKET, 'place/two', two);
  });

  it('within a bucket, a whole object at another key', async () => {
    await plant('place/one', second);
    await plant('place/two', first);
    expect(await verdicts('place/one', one)).toEqual(everywhere(MOVED));
    expect(await verdicts('place/two', two)).toEqual(everywhere(MOVED));
  });

  it('across buckets of one tenant', async () => {
    await put(client, ELSEWHERE, 'place/one', two);
    await plant('place/one', await stored(ELSEWHERE, 'place/one'));
    expect(await verdicts('place/one', one)).toEqual(everywhere(MOVED));
  });

  it('across tenants', async () => {
    await put(other, FOREIGN, 'place/one', two);
    const foreign = await stored(FOREIGN, 'place/one');
    await plant('place/one', foreign);
    expect(await verdicts('place/one', one)).toEqual(everywhere(CORRUPTED));
    await plant('place/one', first, FOREIGN);
    expect(await refusal(read(other, { Bucket: FOREIGN, Key: 'place/one' }))).toEqual(CORRUPTED);
    await plant('place/one', foreign, FOREIGN);
    await expectServed(other, FOREIGN, 'place/one', two);
  });

  it('one object’s envelope with the other’s body of equal size', async () => {
    await plant('place/one', { ...first, body: second.body });
    const told = await verdicts('place/one', one);
    expect(told).toEqual({ ...everywhere(CORRUPTED), head: 'right' });
    await plant('place/one', { ...second, body: first.body });
    expect(await verdicts('place/one', one)).toEqual(everywhere(MOVED));
  });

  it('one segment of the other object in its own position', async () => {
    const body = Buffer.from(first.body);
    second.body.copy(body, HEADER + SEALED_SEGMENT, HEADER + SEALED_SEGMENT, HEADER + 2 * SEALED_SEGMENT);
    await plant('place/one', withBody(first, body));
    expect(await verdicts('place/one', one)).toMatchObject({ get: CORRUPTED, first: 'right', last: 'right' });
    expect(await refusal(read(client, { Bucket: BUCKET, Key: 'place/one', Range: 'bytes=70000-70001' }))).toEqual(
      CORRUPTED,
    );
  });
});

describe('a large object, whose status line is out before its end is read', () => {
  const honest = payload(8 * MIB + 77, 31);
  const lastSegment = Math.floor(honest.length / SEGMENT);
  let object: StoredBytes;
  beforeAll(async () => {
    object = await put(client, BUCKET, 'large', honest);
  });

  /** Over a raw connection, which sees how the transfer ended. */
  async function transfer(range?: string) {
    const fields = range === undefined ? '' : `Range: ${range}\r\n`;
    const url = new URL(
      await getSignedUrl(
        client,
        new GetObjectCommand({ Bucket: BUCKET, Key: 'large', ...(range !== undefined && { Range: range }) }),
      ),
    );
    await using raw = await RawClient.open(stand.gateway.port);
    raw.send(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n${fields}\r\n`);
    const { text, status } = await raw.closed();
    const body = text.indexOf('\r\n\r\n') + 4;
    const declared = Number(/^content-length: (\d+)/im.exec(text)?.[1]);
    return { status, declared, body: Buffer.from(text.slice(body), 'latin1') };
  }

  it.each([
    ['a segment in the middle', 60],
    ['the segment before the last', lastSegment - 1],
    ['the last segment', lastSegment],
  ])('breaks the transfer off before a bit flipped in %s', async (_name, segment) => {
    await plant('large', flipped(object, HEADER + segment * SEALED_SEGMENT + 10));
    const { status, declared, body } = await transfer();
    expect([status, declared]).toEqual([200, honest.length]);
    expect(body.length).toBeLessThanOrEqual(segment * SEGMENT);
    expect(body.equals(honest.subarray(0, body.length))).toBe(true);
    expect(await refusal(read(client, { Bucket: BUCKET, Key: 'large' }))).not.toEqual([undefined, 'nothing failed']);
  });

  it('breaks a range off too, and serves a range beside it', async () => {
    await plant('large', flipped(object, HEADER + 60 * SEALED_SEGMENT + 10));
    const first = 50 * SEGMENT + 7;
    const { status, declared, body } = await transfer(`bytes=${first}-`);
    expect([status, declared]).toEqual([206, honest.length - first]);
    expect(body.length).toBeLessThanOrEqual(60 * SEGMENT - first);
    expect(body.equals(honest.subarray(first, first + body.length))).toBe(true);
    const beside = await read(client, { Bucket: BUCKET, Key: 'large', Range: `bytes=${61 * SEGMENT}-` });
    expect(beside.equals(honest.subarray(61 * SEGMENT))).toBe(true);
  });

  it.each([
    ['the part header', 20],
    ['the first segment', HEADER + 10],
    ['the first tag', HEADER + SEALED_SEGMENT - 1],
  ])('is an error answer while nothing is out yet: a bit flipped in %s', async (_name, at) => {
    await plant('large', flipped(object, at));
    expect(await refusal(read(client, { Bucket: BUCKET, Key: 'large' }))).toEqual(CORRUPTED);
  });

  it('counts what it broke off', async () => {
    const metrics = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
    expect(metrics).toMatch(/^sealgate_errors_total\{code="ObjectCorrupted",source="backend"\} [1-9]/m);
    expect(metrics).toMatch(/^sealgate_unfinished_responses_total\{by="gateway"\} [1-9]/m);
  });
});

describe('an object of several parts', () => {
  const honest = payload(17 * MIB, 41);
  const PART = 8 * MIB;
  const sealedPart = HEADER + PART + 16 * (PART / SEGMENT);
  let object: StoredBytes;
  beforeAll(async () => {
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket: BUCKET, Key: 'parts' }));
    const response = await fetch(url, {
      method: 'PUT',
      body: Readable.toWeb(Readable.from(inPieces(honest, 99_999))) as ReadableStream,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(200);
    object = await stored(BUCKET, 'parts');
  });

  it.each([
    ['the footer', (whole: StoredBytes) => flipped(whole, -100)],
    ['the footer’s tag', (whole: StoredBytes) => flipped(whole, -1)],
    ['the size', (whole: StoredBytes) => withBody(whole, whole.body.subarray(0, -20))],
    [
      'the order of the parts',
      ({ body, ...rest }: StoredBytes) => {
        const parts = [body.subarray(sealedPart, 2 * sealedPart), body.subarray(0, sealedPart)];
        return { ...rest, body: Buffer.concat([...parts, body.subarray(2 * sealedPart)]) };
      },
    ],
  ])('with %s altered answers ObjectCorrupted', async (_name, tamper) => {
    await plant('parts', tamper(object));
    expect(await refusal(read(client, { Bucket: BUCKET, Key: 'parts' }))).toEqual(CORRUPTED);
    const range = { Bucket: BUCKET, Key: 'parts', Range: `bytes=${PART}-${PART + 9}` };
    expect(await refusal(read(client, range))).toEqual(CORRUPTED);
  });

  it('with the second part’s header altered serves its first part at most', async () => {
    await plant('parts', flipped(object, sealedPart + 30));
    await expect(read(client, { Bucket: BUCKET, Key: 'parts' })).rejects.toThrow();
    const first = await read(client, { Bucket: BUCKET, Key: 'parts', Range: `bytes=0-${PART - 1}` });
    expect(first.equals(honest.subarray(0, PART))).toBe(true);
  });

  it('put back is served again', async () => {
    await plant('parts', object);
    await expectServed(client, BUCKET, 'parts', honest);
  });
});

it('nothing that the attacker planted made an object more', async () => {
  expect(await listedKeys(client, BUCKET)).toEqual(['large', 'parts', 'place/one', 'place/two', 'small']);
});
