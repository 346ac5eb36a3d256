import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BackendConnection } from '../../src/backend/connection.ts';
import { StoreClaim } from '../../src/dialects/store-claim.ts';
import type { CompletedPart, StorePut } from '../../src/dialects/store-exchange.ts';
import { GatewayError } from '../../src/errors.ts';
import type { ListObjects, ListObjectVersions } from '../../src/operations/listing.ts';
import type { ObjectMetadata } from '../../src/operations/object.ts';
import { collect } from '../../src/wire/bodies/collect.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { IncomingResponse, OutgoingRequest } from '../../src/wire/message.ts';
import { backendOptions } from '../support/backend-options.ts';
import { s3Back } from '../support/plain-back.ts';
import { chunks } from '../support/requests.ts';
import { type Minio, startMinio } from '../support/servers/minio.ts';

const BUCKET = 'bucket';
const PLAIN: ObjectMetadata = { content: {}, user: [] };

let minio: Minio;
let connection: BackendConnection;

beforeAll(async () => {
  minio = await startMinio();
  connection = new BackendConnection(backendOptions(minio.endpoint));
  await expectStatus(200, s3Back.calls.createBucket.render({ bucket: BUCKET, location: undefined }));
}, 60_000);

afterAll(async () => {
  await connection?.close();
  await minio?.stop();
});

function read(response: IncomingResponse): Promise<Buffer> {
  return collect(response.body, 2 ** 30, () => new GatewayError('InternalError', 'too large', { source: 'gateway' }));
}

async function expectStatus(
  status: number,
  request: OutgoingRequest,
): Promise<{ response: IncomingResponse; body: Buffer }> {
  const response = await connection.send(request);
  const body = await read(response);
  expect(`${response.status} ${response.status === status ? '' : body.toString()}`).toBe(`${status} `);
  return { response, body };
}

async function errorCode(request: OutgoingRequest, ref: { bucket?: string; key?: string } = {}): Promise<string> {
  const response = await connection.send(request);
  const refusal = s3Back.readError(response, await read(response), ref);
  return refusal instanceof StoreClaim ? `${refusal.code}/claimed` : `${refusal.code}/${refusal.source}`;
}

function put(key: string, body: Buffer | string, conditions = {}, metadata = PLAIN): OutgoingRequest {
  return s3Back.calls.put.render({ ref: { bucket: BUCKET, key }, metadata, conditions, body: Buffer.from(body) });
}

function list(over: Partial<ListObjects> = {}): ListObjects {
  return {
    kind: 'ListObjects',
    form: 2,
    bucket: BUCKET,
    prefix: '',
    delimiter: '',
    after: '',
    continuationToken: undefined,
    maxKeys: 1_000,
    urlEncoded: false,
    withOwner: true,
    ...over,
  };
}

describe('objects', () => {
  test('put, get, head, delete: bytes, metadata and content headers exact', async () => {
    const ref = { bucket: BUCKET, key: 'whole/object' };
    const metadata: ObjectMetadata = {
      content: {
        contentType: 'text/x-thing; charset=utf-8',
        cacheControl: 'max-age=3',
        contentDisposition: 'attachment; filename="a b"',
        contentEncoding: 'identity2',
        contentLanguage: 'de',
        expires: 'Thu, 01 Jan 2032 00:00:00 GMT',
      },
      user: [
        ['plain', 'a value'],
        ['umlaut', 'gr\xc3\xbc\xc3\x9fe'],
        ['long', '\xc3\xbc'.repeat(200)],
        ['latin', '\xfc'],
        ['literal', '=?UTF-8?q?gr=C3=BC?='],
        ['empty', ''],
      ],
      vendor: {
        dialect: 's3',
        headers: new HeaderList(['x-amz-tagging', 'a=1&b=2', 'x-amz-storage-class', 'REDUCED_REDUNDANCY']),
      },
    };
    const body = Buffer.alloc(100_000, 7);
    const stored = await expectStatus(200, s3Back.calls.put.render({ ref, metadata, conditions: {}, body }));
    expect(s3Back.calls.put.read(stored.response).etag).toBe(createHash('md5').update(body).digest('hex'));
    const got = await expectStatus(200, s3Back.calls.get.render({ ref, conditions: {} }));
    expect(got.body.equals(body)).toBe(true);
    const object = s3Back.calls.get.read(got.response);
    expect(object).toMatchObject({ storedBytes: 100_000, storedRange: undefined, versionId: undefined });
    expect(object.metadata.content).toEqual(metadata.content);
    expect([...object.metadata.user].sort()).toEqual([...metadata.user].sort());
    expect(object.metadata.vendor?.headers.get('x-amz-tagging-count')).toBe('2');
    expect(object.metadata.vendor?.headers.get('x-amz-storage-class')).toBe('REDUCED_REDUNDANCY');
    expect(Math.abs(object.lastModified.getTime() - Date.now())).toBeLessThan(60_000);
    const head = await expectStatus(200, s3Back.calls.head.render({ ref, conditions: {} }));
    expect(s3Back.calls.get.read(head.response)).toMatchObject({ storedBytes: 100_000, etag: object.etag });
    const gone = await expectStatus(204, s3Back.calls.delete.render({ ref, conditions: {} }));
    expect(s3Back.calls.delete.read(gone.response)).toEqual({ versionId: undefined, deleteMarker: false });
    expect(await errorCode(s3Back.calls.get.render({ ref, conditions: {} }), ref)).toBe('NoSuchKey/client');
    expect(await errorCode(s3Back.calls.head.render({ ref, conditions: {} }), ref)).toBe('NoSuchKey/client');
  });

  test('nothing of the backend leaks into the vendor headers', async () => {
    await expectStatus(200, put('quiet', 'x'));
    const { response } = await expectStatus(
      200,
      s3Back.calls.get.render({ ref: { bucket: BUCKET, key: 'quiet' }, conditions: {} }),
    );
    expect([...(s3Back.calls.get.read(response).metadata.vendor?.headers ?? [])]).toEqual([]);
  });

  test('ranges: from, between, suffix, past the end', async () => {
    const ref = { bucket: BUCKET, key: 'ranges' };
    await expectStatus(200, put('ranges', '0123456789'));
    const range = async (asked: { first: number; last: number | undefined } | { suffixBytes: number }) => {
      const { response, body } = await expectStatus(
        206,
        s3Back.calls.get.render({ ref, range: asked, conditions: {} }),
      );
      const object = s3Back.calls.get.read(response);
      return `${body} ${object.storedRange?.first}-${object.storedRange?.last}/${object.storedBytes}`;
    };
    expect(await range({ first: 2, last: 4 })).toBe('234 2-4/10');
    expect(await range({ first: 8, last: undefined })).toBe('89 8-9/10');
    expect(await range({ suffixBytes: 3 })).toBe('789 7-9/10');
    expect(await errorCode(s3Back.calls.get.render({ ref, range: { first: 10, last: 12 }, conditions: {} }))).toBe(
      'InvalidRange/claimed',
    );
  });

  test('a stream of 20 MiB', async () => {
    const bytes = 20 * 1024 * 1024;
    const hash = createHash('md5');
    async function* source(): AsyncGenerator<Buffer> {
      for (let sent = 0, at = 0; sent < bytes; at++) {
        const chunk = Buffer.alloc(Math.min(bytes - sent, 1 + ((at * 9_973) % 200_000)), at);
        hash.update(chunk);
        sent += chunk.length;
        yield chunk;
      }
    }
    const ref = { bucket: BUCKET, key: 'stream' };
    const put20 = s3Back.calls.put.render({ ref, metadata: PLAIN, conditions: {}, body: { bytes, source: source() } });
    const { response } = await expectStatus(200, put20);
    const etag = hash.digest('hex');
    expect(s3Back.calls.put.read(response).etag).toBe(etag);
    const got = await expectStatus(200, s3Back.calls.get.render({ ref, conditions: {} }));
    expect(createHash('md5').update(got.body).digest('hex')).toBe(etag);
  });

  test('a stream that fails leaves no object', async () => {
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1_000_000);
      throw new GatewayError('BadDigest', 'no', { source: 'client' });
    }
    const ref = { bucket: BUCKET, key: 'partial' };
    const request = s3Back.calls.put.render({
      ref,
      metadata: PLAIN,
      conditions: {},
      body: { bytes: 2_000_000, source: source() },
    });
    await expect(connection.send(request)).rejects.toMatchObject({ code: 'BadDigest' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await errorCode(s3Back.calls.head.render({ ref, conditions: {} }), ref)).toBe('NoSuchKey/client');
  });

  test('conditions on reads and writes', async () => {
    const ref = { bucket: BUCKET, key: 'conditional' };
    const { response } = await expectStatus(200, put('conditional', 'one', { ifNoneMatch: '*' }));
    const etag = `"${s3Back.calls.put.read(response).etag}"`;
    expect(await errorCode(put('conditional', 'two', { ifNoneMatch: '*' }))).toBe('PreconditionFailed/claimed');
    expect(await errorCode(put('conditional', 'two', { ifMatch: '"00000000000000000000000000000000"' }))).toBe(
      'PreconditionFailed/claimed',
    );
    await expectStatus(200, put('conditional', 'one', { ifMatch: etag }));
    expect(await errorCode(s3Back.calls.get.render({ ref, conditions: { ifNoneMatch: etag } }))).toBe(
      'NotModified/claimed',
    );
    expect(await errorCode(s3Back.calls.head.render({ ref, conditions: { ifNoneMatch: etag } }))).toBe(
      'NotModified/claimed',
    );
    const past = { ifUnmodifiedSince: 'Thu, 01 Jan 2015 00:00:00 GMT' };
    expect(await errorCode(s3Back.calls.get.render({ ref, conditions: past }))).toBe('PreconditionFailed/claimed');
    const future = { ifModifiedSince: new Date(Date.now() + 3_600_000).toUTCString() };
    expect(await errorCode(s3Back.calls.head.render({ ref, conditions: future }))).toBe('NotModified/claimed');
  });

  test('metadata: what metadataBytes says is what MinIO takes', async () => {
    const user = (bytes: number): ObjectMetadata['user'] => [
      ['a', 'b'],
      [
        'long',
        'x'.repeat(
          bytes -
            s3Back.limits.userMetadata.count([
              ['a', 'b'],
              ['long', ''],
            ]),
        ),
      ],
    ];
    const fits = user(s3Back.limits.userMetadata.bytes);
    expect(s3Back.limits.userMetadata.count(fits)).toBe(s3Back.limits.userMetadata.bytes);
    await expectStatus(200, put('fits', 'x', {}, { ...PLAIN, user: fits }));
    const over = user(s3Back.limits.userMetadata.bytes + 1);
    expect(await errorCode(put('over', 'x', {}, { ...PLAIN, user: over }))).toBe('MetadataTooLarge/client');
  });
});

describe('keys', () => {
  const keys = [
    'plain',
    'with space/and plus+',
    'percent %2F %25 %zz',
    'ünïcödé/日本語/🙂',
    'quotes\'"<>&`',
    'control\u0001\u001f\u007f\ttab\nline\rreturn',
    'back\\slash',
    "reserved !*'()=:@&$,;?#[]{}|^~",
    'combining e\u0301 is not \u00e9',
    'x'.repeat(255),
    `${'y'.repeat(200)}/${'z'.repeat(200)}/${'w'.repeat(200)}/${'v'.repeat(200)}/${'u'.repeat(200)}/${'t'.repeat(19)}`,
  ];

  test.each(keys)('%j is stored, listed and read as itself', async (key) => {
    const ref = { bucket: BUCKET, key };
    const text = createHash('sha1').update(key).digest('hex');
    await expectStatus(200, put(key, text));
    expect((await expectStatus(200, s3Back.calls.get.render({ ref, conditions: {} }))).body.toString()).toBe(text);
    const first = await expectStatus(200, s3Back.calls.list.render(list({ prefix: key })));
    expect((await s3Back.calls.list.read(chunks([first.body]))).entries.map((entry) => entry.key)).toContain(key);
    const old = await expectStatus(200, s3Back.calls.list.render(list({ form: 1, prefix: key })));
    expect((await s3Back.calls.list.read(chunks([old.body]))).entries.map((entry) => entry.key)).toContain(key);
    await expectStatus(204, s3Back.calls.delete.render({ ref, conditions: {} }));
  });

  test('a leading slash is sent; MinIO takes it as if it were not there', async () => {
    await expectStatus(200, put('/leading', 'x'));
    await expectStatus(200, s3Back.calls.get.render({ ref: { bucket: BUCKET, key: '/leading' }, conditions: {} }));
    await expectStatus(204, s3Back.calls.delete.render({ ref: { bucket: BUCKET, key: '/leading' }, conditions: {} }));
  });

  test.each([
    ['a//b', /does not take this key.*"\/\/"/],
    ['a/../b', /does not take this key/],
    ['./a', /does not take this key/],
    [`deep/${'x'.repeat(256)}`, /255 bytes|longer than the backend takes/],
    [`${'a/'.repeat(513)}a`, /longer than the backend takes/],
    ['a\\..\\b', /does not take this key/],
  ])('%j is refused with the reason', async (key, reason) => {
    const get = { ref: { bucket: BUCKET, key }, conditions: {} };
    for (const request of [put(key, 'x'), s3Back.calls.get.render(get), s3Back.calls.head.render(get)]) {
      const response = await connection.send(request);
      const error = s3Back.readError(response, await read(response), { bucket: BUCKET, key });
      if (error.code === 'NoSuchKey') continue; // MinIO looks for what it would not store
      expect(['BackendRefused', 'KeyTooLongError']).toContain(error.code);
      expect(error.message).toMatch(reason);
    }
  });
});

describe('listings', () => {
  test('delimiter, pages of both forms, owner', async () => {
    for (const key of ['l/a', 'l/b c', 'l/dir/1', 'l/dir/2', 'l/z']) await expectStatus(200, put(key, key));
    const { body } = await expectStatus(200, s3Back.calls.list.render(list({ prefix: 'l/', delimiter: '/' })));
    const listing = await s3Back.calls.list.read(chunks([body]));
    expect(listing.entries.map(({ key, storedBytes }) => [key, storedBytes])).toEqual([
      ['l/a', 3],
      ['l/b c', 5],
      ['l/z', 3],
    ]);
    expect(listing.commonPrefixes).toEqual(['l/dir/']);
    expect(listing.truncated).toBe(false);
    expect(listing.entries[0]).toMatchObject({
      storageClass: 'STANDARD',
      etag: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    for (const form of [1, 2] as const) {
      const seen: string[] = [];
      let after = '';
      let continuationToken: string | undefined;
      for (let page = 0; page < 10; page++) {
        const asked = list({ form, prefix: 'l/', maxKeys: 2, after, continuationToken });
        const part = await s3Back.calls.list.read(
          chunks([(await expectStatus(200, s3Back.calls.list.render(asked))).body]),
        );
        seen.push(...part.entries.map(({ key }) => key));
        if (!part.truncated) break;
        if (form === 1) after = part.nextMarker ?? '';
        else continuationToken = part.nextContinuationToken;
      }
      expect(seen).toEqual(['l/a', 'l/b c', 'l/dir/1', 'l/dir/2', 'l/z']);
    }
  });

  test('versions and delete markers, in order, and reading one version', async () => {
    const bucket = 'versioned';
    await expectStatus(
      200,
      s3Back.calls.createBucket.render({
        bucket,
        location: undefined,
        vendor: {
          dialect: 's3',
          headers: new HeaderList(['x-amz-bucket-object-lock-enabled', 'true']),
        },
      }),
    );
    const ref = { bucket, key: 'a b' };
    const write = (text: string) =>
      s3Back.calls.put.render({ ref, metadata: PLAIN, conditions: {}, body: Buffer.from(text) });
    const first = s3Back.calls.put.read((await expectStatus(200, write('one'))).response);
    await expectStatus(200, write('two'));
    const deleted = s3Back.calls.delete.read(
      (await expectStatus(204, s3Back.calls.delete.render({ ref, conditions: {} }))).response,
    );
    expect(deleted.deleteMarker).toBe(true);
    const asked: ListObjectVersions = {
      kind: 'ListObjectVersions',
      bucket,
      prefix: '',
      delimiter: '',
      keyMarker: '',
      versionIdMarker: '',
      maxKeys: 1_000,
      urlEncoded: false,
    };
    const all = await s3Back.calls.listVersions.read(
      chunks([(await expectStatus(200, s3Back.calls.listVersions.render(asked))).body]),
    );
    expect(
      all.entries.map(({ key, latest, deleteMarker, storedBytes }) => [key, latest, deleteMarker, storedBytes]),
    ).toEqual([
      ['a b', true, true, 0],
      ['a b', false, false, 3],
      ['a b', false, false, 3],
    ]);
    const page = await s3Back.calls.listVersions.read(
      chunks([(await expectStatus(200, s3Back.calls.listVersions.render({ ...asked, maxKeys: 1 }))).body]),
    );
    expect(page).toMatchObject({ truncated: true, nextKeyMarker: expect.stringMatching(/^a b/) });
    const rest = { ...asked, keyMarker: page.nextKeyMarker ?? '', versionIdMarker: page.nextVersionIdMarker ?? '' };
    const { entries } = await s3Back.calls.listVersions.read(
      chunks([(await expectStatus(200, s3Back.calls.listVersions.render(rest))).body]),
    );
    expect(entries.map(({ deleteMarker }) => deleteMarker)).toEqual([false, false]);
    const old = { ...ref, versionId: first.versionId };
    const got = await expectStatus(200, s3Back.calls.get.render({ ref: old, conditions: {} }));
    expect(got.body.toString()).toBe('one');
    expect(s3Back.calls.get.read(got.response).versionId).toBe(first.versionId);
    const gone = await connection.send(s3Back.calls.get.render({ ref, conditions: {} }));
    const error = s3Back.readError(gone, await read(gone), ref) as GatewayError;
    expect(error.code).toBe('NoSuchKey');
    expect(error.facts).toMatchObject({ deleteMarker: true });
    expect(
      await errorCode(
        s3Back.calls.get.render({ ref: { ...ref, versionId: '00000000-0000-4000-8000-000000000000' }, conditions: {} }),
        ref,
      ),
    ).toBe('NoSuchVersion/client');
  });

  test('many deleted at once, with what could not be', async () => {
    for (const key of ['d/1', 'd/<2>&']) await expectStatus(200, put(key, 'x'));
    const targets = [{ key: 'd/1' }, { key: 'd/<2>&' }, { key: 'd/never' }];
    const { body } = await expectStatus(200, s3Back.calls.deleteMany.render({ bucket: BUCKET, targets }));
    const { deleted, failures } = s3Back.calls.deleteMany.read(body);
    expect(deleted.map(({ key }) => key)).toEqual(['d/1', 'd/<2>&', 'd/never']);
    expect(failures).toEqual([]);
    // Beside a key that it refuses, MinIO names the others wrongly: their elements are empty.
    const mixed = await expectStatus(
      200,
      s3Back.calls.deleteMany.render({ bucket: BUCKET, targets: [{ key: 'd/1' }, { key: 'd//bad' }] }),
    );
    expect(s3Back.calls.deleteMany.read(mixed.body)).toMatchObject({ deleted: [], failures: [{ key: 'd//bad' }] });
    const bad = s3Back.calls.deleteMany.read(
      (await expectStatus(200, s3Back.calls.deleteMany.render({ bucket: BUCKET, targets: [{ key: 'd/../x' }] }))).body,
    );
    expect(bad.failures).toMatchObject([
      { key: 'd/../x', code: 'BackendRefused', said: { code: 'XMinioInvalidObjectName' } },
    ]);
  });
});

describe('buckets', () => {
  test('create, head, locate, list, refuse, delete', async () => {
    const bucket = 'second-bucket';
    expect(await errorCode(s3Back.calls.headBucket.render({ bucket }), { bucket })).toBe('NoSuchBucket/client');
    await expectStatus(200, s3Back.calls.createBucket.render({ bucket, location: undefined }));
    await expectStatus(200, s3Back.calls.headBucket.render({ bucket }));
    expect(await errorCode(s3Back.calls.createBucket.render({ bucket, location: undefined }))).toBe(
      'BucketAlreadyOwnedByYou/client',
    );
    expect(await errorCode(s3Back.calls.createBucket.render({ bucket: 'elsewhere', location: 'mars-1' }))).toMatch(
      /^(InvalidArgument|BackendError)/,
    );
    const { body } = await expectStatus(200, s3Back.calls.bucketLocation.render({ bucket }));
    expect(s3Back.calls.bucketLocation.read(body)).toBe('us-east-1');
    const buckets = s3Back.calls.listBuckets.read((await expectStatus(200, s3Back.calls.listBuckets.render())).body);
    expect(buckets.map(({ name }) => name)).toEqual(expect.arrayContaining([BUCKET, bucket]));
    await expectStatus(
      200,
      s3Back.calls.put.render({ ref: { bucket, key: 'k' }, metadata: PLAIN, conditions: {}, body: Buffer.from('x') }),
    );
    expect(await errorCode(s3Back.calls.deleteBucket.render({ bucket }), { bucket })).toBe('BucketNotEmpty/client');
    await expectStatus(204, s3Back.calls.delete.render({ ref: { bucket, key: 'k' }, conditions: {} }));
    await expectStatus(204, s3Back.calls.deleteBucket.render({ bucket }));
    expect(await errorCode(s3Back.calls.list.render(list({ bucket })), { bucket })).toBe('NoSuchBucket/client');
  });
});

describe('multipart', () => {
  const ref = { bucket: BUCKET, key: 'multi part' };

  test('create, parts, complete, conditions, abort', async () => {
    const create = await expectStatus(
      200,
      s3Back.calls.createUpload.render({ ref, metadata: { ...PLAIN, user: [['a', 'b']] } }),
    );
    const uploadId = s3Back.calls.createUpload.read(create.body);
    const bytes = [5 * 1024 * 1024, 3];
    const parts = [];
    for (const [index, size] of bytes.entries()) {
      const partNumber = index + 1;
      const { response } = await expectStatus(
        200,
        s3Back.calls.uploadPart.render({ ref, uploadId, partNumber, body: Buffer.alloc(size, partNumber) }),
      );
      parts.push({ partNumber, etag: s3Back.calls.put.read(response).etag });
    }
    const done = await expectStatus(
      200,
      s3Back.calls.completeUpload.render({ ref, uploadId, parts, conditions: { ifNoneMatch: '*' } }),
    );
    expect(s3Back.calls.completeUpload.read(done.body, done.response).etag).toMatch(/^[0-9a-f]{32}-2$/);
    const object = s3Back.calls.get.read(
      (await expectStatus(200, s3Back.calls.head.render({ ref, conditions: {} }))).response,
    );
    expect(object.storedBytes).toBe(5 * 1024 * 1024 + 3);
    expect(object.metadata.user).toEqual([['a', 'b']]);
    const again = s3Back.calls.createUpload.read(
      (await expectStatus(200, s3Back.calls.createUpload.render({ ref, metadata: PLAIN }))).body,
    );
    const part = s3Back.calls.put.read(
      (
        await expectStatus(
          200,
          s3Back.calls.uploadPart.render({ ref, uploadId: again, partNumber: 1, body: Buffer.from('x') }),
        )
      ).response,
    );
    const complete = s3Back.calls.completeUpload.render({
      ref,
      uploadId: again,
      parts: [{ partNumber: 1, etag: part.etag }],
      conditions: { ifNoneMatch: '*' },
    });
    expect(await errorCode(complete, ref)).toBe('PreconditionFailed/claimed');
    await expectStatus(204, s3Back.calls.abortUpload.render({ ref, uploadId: again }));
    expect(
      await errorCode(
        s3Back.calls.uploadPart.render({ ref, uploadId: again, partNumber: 1, body: Buffer.from('x') }),
        ref,
      ),
    ).toBe('NoSuchUpload/client');
  });

  test('a part below the minimum, a wrong part', async () => {
    const uploadId = s3Back.calls.createUpload.read(
      (await expectStatus(200, s3Back.calls.createUpload.render({ ref, metadata: PLAIN }))).body,
    );
    const parts: CompletedPart[] = [];
    for (const partNumber of [1, 2]) {
      const { response } = await expectStatus(
        200,
        s3Back.calls.uploadPart.render({ ref, uploadId, partNumber, body: Buffer.from('small') }),
      );
      parts.push({ partNumber, etag: s3Back.calls.put.read(response).etag });
    }
    const complete = (list: CompletedPart[]) =>
      errorCode(s3Back.calls.completeUpload.render({ ref, uploadId, parts: list, conditions: {} }), ref);
    expect(await complete(parts)).toBe('EntityTooSmall/client');
    expect(await complete([{ partNumber: 1, etag: '00000000000000000000000000000000' }])).toBe('InvalidPart/client');
    expect(await complete(parts.toReversed())).toBe('InvalidPartOrder/client');
  });
});

describe('credentials', () => {
  test.each([
    ['a wrong secret', { accessKeyId: 'testbackend', secret: { reveal: () => 'wrong' }, region: 'us-east-1' }],
    ['an unknown key', { accessKeyId: 'stranger', secret: { reveal: () => 'x' }, region: 'us-east-1' }],
  ])("%s of the gateway's is the backend's error, never the client's", async (_what, credentials) => {
    const wrong = new BackendConnection(backendOptions(minio.endpoint, { credentials }));
    await expect(wrong.check()).rejects.toMatchObject({ code: 'BackendError', source: 'backend' });
    await wrong.close();
  });

  test('a clock that is off is named in the cause', async () => {
    const now = () => new Date(Date.now() - 3_600_000);
    const skewed = new BackendConnection(backendOptions(minio.endpoint, { now }));
    const error = await skewed.check().then(
      () => undefined,
      (thrown) => thrown as GatewayError,
    );
    expect(error?.code).toBe('BackendError');
    expect(String(error?.cause)).toContain("gateway's clock");
    await skewed.close();
  });
});

describe('a backend that dies', () => {
  test('in the middle of a download it is an error; back again it serves', async () => {
    const ref = { bucket: BUCKET, key: 'large' };
    const bytes = 64 * 1024 * 1024;
    await expectStatus(
      200,
      s3Back.calls.put.render({ ref, metadata: PLAIN, conditions: {}, body: Buffer.alloc(bytes) }),
    );
    const response = await connection.send(s3Back.calls.get.render({ ref, conditions: {} }));
    await minio.kill();
    await expect(read(response)).rejects.toMatchObject({ code: 'BackendUnavailable', source: 'backend' });
    await expect(connection.check()).rejects.toMatchObject({ code: 'BackendUnavailable' });
    await minio.restart();
    await connection.check();
    expect((await expectStatus(200, s3Back.calls.get.render({ ref, conditions: {} }))).body).toHaveLength(bytes);
  }, 60_000);
});

/** As sealers do, in memory that is used again. */
async function* inPieces(body: Buffer, pieceBytes: number): AsyncGenerator<Buffer, void, void> {
  const piece = Buffer.alloc(pieceBytes);
  for (let at = 0; at < body.length; at += pieceBytes) {
    yield piece.subarray(0, body.copy(piece, 0, at, at + pieceBytes));
    piece.fill(0xee);
  }
}

describe('writes that lock', () => {
  const LOCKED = 'locked';
  const until = new Date(Date.now() + 600_000).toISOString();
  const vendor = () => ({
    dialect: 's3',
    headers: new HeaderList(['x-amz-object-lock-mode', 'GOVERNANCE', 'x-amz-object-lock-retain-until-date', until]),
  });
  const locking = (key: string, body: StorePut['body'], content = {}) =>
    s3Back.calls.put.render({
      ref: { bucket: LOCKED, key },
      metadata: { content, user: [], vendor: vendor() },
      conditions: {},
      body,
    });

  beforeAll(async () => {
    const enabled = { dialect: 's3', headers: new HeaderList(['x-amz-bucket-object-lock-enabled', 'true']) };
    await expectStatus(200, s3Back.calls.createBucket.render({ bucket: LOCKED, location: undefined, vendor: enabled }));
  });

  test('bear a Content-MD5 when their body is whole', async () => {
    const request = locking('whole', Buffer.from('body'));
    expect(request.headers.get('content-md5')).toBe(createHash('md5').update('body').digest('base64'));
    await expectStatus(200, request);
    const other = locking('other', Buffer.from('body'));
    other.headers.delete('content-md5');
    other.headers.append('content-md5', createHash('md5').update('bodies').digest('base64'));
    expect(await errorCode(other)).toBe('BackendError/backend');
  });

  const MIB = 1024 * 1024;
  test.each([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 77])(
    'of a stream of %i bytes bear a CRC32 in the trailer',
    async (bytes) => {
      const body = Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 7 + (at >> 10)) % 251));
      const key = `stream-${bytes}`;
      const source = inPieces(body, 60_001);
      const request = locking(key, { bytes, source }, { contentEncoding: 'gzip', contentType: 'text/plain' });
      expect(request.headers.get('x-amz-trailer')).toBe('x-amz-checksum-crc32');
      expect(request.headers.get('x-amz-decoded-content-length')).toBe(String(bytes));
      await expectStatus(200, request);
      expect(request.headers.get('x-amz-content-sha256')).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
      const got = await expectStatus(200, s3Back.calls.get.render({ ref: { bucket: LOCKED, key }, conditions: {} }));
      expect(got.body.equals(body)).toBe(true);
      expect(s3Back.calls.get.read(got.response).metadata.content.contentEncoding).toBe('gzip');
      expect(got.response.headers.get('x-amz-object-lock-mode')).toBe('GOVERNANCE');
    },
  );

  test('whose trailer is not of their body are refused', async () => {
    const body = Buffer.alloc(100, 'x');
    const request = locking('bad', { bytes: 100, source: inPieces(body, 100) });
    const framed = request.body as { bytes: number; source: AsyncIterable<Buffer> };
    const pieces: Buffer[] = [];
    for await (const piece of framed.source) pieces.push(Buffer.from(piece));
    const altered = Buffer.concat(pieces);
    expect(altered).toHaveLength(framed.bytes);
    altered[10] = 0x79;
    await expectStatus(400, { ...request, body: altered });
  });

  test('others go as before', () => {
    const source = inPieces(Buffer.from('x'), 1);
    const request = s3Back.calls.put.render({
      ref: { bucket: BUCKET, key: 'k' },
      metadata: PLAIN,
      conditions: {},
      body: { bytes: 1, source },
    });
    expect([request.headers.has('x-amz-trailer'), request.headers.has('content-md5')]).toEqual([false, false]);
    expect(request.body).toEqual({ bytes: 1, source });
  });
});
