import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackendConnection, type BackendOptions } from '../../src/backend/connection.ts';
import type { BackendCall } from '../../src/dialects/backend-calls.ts';
import type { BackendDialect } from '../../src/dialects/backend-dialect.ts';
import { StoreClaim } from '../../src/dialects/store-claim.ts';
import { GatewayError } from '../../src/errors.ts';
import { ALL_CAPABILITIES } from '../../src/store/capabilities.ts';
import { Store } from '../../src/store/store.ts';
import { collect } from '../../src/wire/bodies/collect.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { IncomingResponse, OutgoingRequest } from '../../src/wire/message.ts';
import { backendOptions } from '../support/backend-options.ts';

/** What a backend's dialect shows of itself to the tests that every one of them passes. */
export interface BackUnderTest {
  readonly back: BackendDialect;
  /** Starts an empty store that speaks the dialect. */
  readonly start: () => Promise<{
    readonly connect: Partial<BackendOptions> & Pick<BackendOptions, 'endpoint'>;
    stop(): Promise<void>;
  }>;
  /** Refusals as a store of the dialect words them, and the neutral codes that they must become. */
  readonly refusals: readonly (readonly [status: number, document: string, code: string])[];
  /** How a store of the dialect refuses a key that it does not know. */
  readonly badKey: readonly [status: number, document: string];
}

const findings = { capabilities: ALL_CAPABILITIES, pending: [] };
const reservedBuckets = new Set(['reserved']);
const NAMES = { keys: 'names', reservedBuckets } as const;
const { signal } = new AbortController();
const BUCKET = 'box';
const MIB = 1024 ** 2;

/** What every backend's dialect is held to, over a store that speaks it. */
export function backConformance({ back, start, refusals, badKey }: BackUnderTest): void {
  let stop: () => Promise<void>;
  let connection: BackendConnection;
  let store: Store;
  /** The answers that came, by the request's row, for those that read a document. */
  const documents = new Map<BackendCall<never, unknown>, { head: IncomingResponse; document: Buffer }>();

  beforeAll(async () => {
    const started = await start();
    stop = started.stop;
    connection = new BackendConnection(backendOptions(started.connect.endpoint, { ...started.connect, dialect: back }));
    store = new Store(recording(back, documents), connection, { findings, reservedBuckets });
  });

  afterAll(async () => {
    await connection.destroy();
    await stop();
  });

  describe(`the ${back.name} backend: what is asked`, () => {
    const ref = { bucket: BUCKET, key: 'k/ü +%' };
    const metadata = { content: {}, user: [] };
    const source = { ref: { bucket: BUCKET, key: 'from' }, etag: 'e1' };
    const upload = { ref, uploadId: 'a1' };
    const listing = { bucket: BUCKET, prefix: '', delimiter: '' };
    const objects = {
      kind: 'ListObjects',
      ...listing,
      form: 2,
      after: '',
      continuationToken: undefined,
      maxKeys: 3,
    } as const;
    const get = { ref, conditions: {} };
    const conditions = [{ ifMatch: '"a"' }, { ifMatch: '"b"' }, { ifNoneMatch: '*' }].map((one) => ({
      conditions: one,
    }));
    const places = [{ ref: { ...ref, key: 'k' } }, { ref: { ...ref, bucket: 'other' } }];
    const described = [
      ...['contentType', 'cacheControl', 'contentDisposition', 'contentEncoding', 'contentLanguage', 'expires'].map(
        (name) => ({ metadata: { ...metadata, content: { [name]: 'x' } } }),
      ),
      { metadata: { ...metadata, user: [['a', 'b']] } },
      {
        metadata: {
          ...metadata,
          user: [
            ['a', 'b'],
            ['c', 'd'],
          ],
        },
      },
    ];
    /** For each row a question, and others that differ from it in one thing each. */
    const questions: Readonly<Record<string, readonly [base: object, others: readonly object[]]>> = {
      put: [
        { ref, metadata, conditions: {}, body: Buffer.from('1') },
        [...places, ...conditions, ...described, { body: Buffer.from('2') }],
      ],
      get: [
        get,
        [
          ...[...places, ...conditions, { part: 1 }, { part: 2 }, { ref: { ...ref, versionId: 'v' } }],
          ...[{ first: 0, last: 1 }, { first: 0, last: undefined }, { first: 1, last: 1 }, { suffixBytes: 1 }].map(
            (range) => ({ range }),
          ),
          { conditions: { ifModifiedSince: 'Thu, 01 Jan 2026 00:00:00 GMT' } },
          { conditions: { ifUnmodifiedSince: 'Thu, 01 Jan 2026 00:00:00 GMT' } },
        ],
      ],
      head: [get, [...places, ...conditions, { ref: { ...ref, versionId: 'v' } }]],
      delete: [get, [...places, { conditions: { ifMatch: '"a"' } }, { ref: { ...ref, versionId: 'v' } }]],
      deleteMany: [
        { bucket: BUCKET, targets: [{ key: 'a' }] },
        [[{ key: 'b' }], [{ key: 'a' }, { key: 'b' }], [{ key: 'a', versionId: 'v' }], [{ key: 'a', etag: 'e' }]].map(
          (targets) => ({ targets }),
        ),
      ],
      list: [
        { ...objects, urlEncoded: true, withOwner: false },
        [
          { bucket: 'other' },
          { prefix: 'p' },
          { delimiter: '/' },
          { after: 'a' },
          { continuationToken: 't' },
          { maxKeys: 4 },
        ],
      ],
      listVersions: [
        { kind: 'ListObjectVersions', ...listing, keyMarker: '', versionIdMarker: '', maxKeys: 3, urlEncoded: true },
        [{ prefix: 'p' }, { delimiter: '/' }, { keyMarker: 'a' }, { versionIdMarker: 'v' }, { maxKeys: 4 }],
      ],
      headBucket: [{ bucket: BUCKET }, [{ bucket: 'other' }]],
      createBucket: [{ bucket: BUCKET, location: undefined }, [{ bucket: 'other' }, { location: 'there' }]],
      deleteBucket: [{ bucket: BUCKET }, [{ bucket: 'other' }]],
      tryBucketEncryption: [
        { bucket: BUCKET, asks: 'change' },
        [{ bucket: 'other' }, { asks: 'read' }, { asks: 'acl' }],
      ],
      bucketPolicy: [{ bucket: BUCKET }, [{ bucket: 'other' }]],
      bucketPolicyStatus: [{ bucket: BUCKET }, [{ bucket: 'other' }]],
      putBucketPolicy: [
        { bucket: BUCKET, document: Buffer.from('{}') },
        [{ bucket: 'other' }, { document: Buffer.from('[]') }],
      ],
      deleteBucketPolicy: [{ bucket: BUCKET }, [{ bucket: 'other' }]],
      tryBucketPolicy: [{ bucket: BUCKET }, [{ bucket: 'other' }]],
      createUpload: [{ ref, metadata }, [...places, ...described]],
      uploadPart: [
        { ...upload, partNumber: 1, body: Buffer.from('1') },
        [...places, { uploadId: 'b1' }, { partNumber: 2 }, { body: Buffer.from('2') }],
      ],
      impossiblePart: [upload, [...places, { uploadId: 'b1' }]],
      completeUpload: [
        { ...upload, parts: [{ partNumber: 1, etag: 'e' }], conditions: {} },
        [
          ...[...places, ...conditions, { uploadId: 'b1' }],
          ...[[{ partNumber: 2, etag: 'e' }], [{ partNumber: 1, etag: 'f' }]].map((parts) => ({ parts })),
        ],
      ],
      abortUpload: [upload, [...places, { uploadId: 'b1' }]],
      listParts: [{ ...upload, partNumberMarker: 0 }, [...places, { uploadId: 'b1' }, { partNumberMarker: 1 }]],
      listUploads: [
        {
          kind: 'ListMultipartUploads',
          ...listing,
          keyMarker: '',
          uploadIdMarker: '',
          maxUploads: 3,
          urlEncoded: true,
        },
        [
          { prefix: 'p' },
          { delimiter: '/' },
          { keyMarker: 'a' },
          { keyMarker: 'a', uploadIdMarker: 'b1' },
          { maxUploads: 4 },
        ],
      ],
      copy: [
        { ref, source, metadata, tags: 'copy' },
        [
          ...[...places, ...described, { tags: 'replace' }, { source: { ...source, etag: 'e2' } }],
          ...[{ bucket: 'other' }, { key: 'other' }, { versionId: 'v' }].map((one) => ({
            source: { ...source, ref: { ...source.ref, ...one } },
          })),
        ],
      ],
      copyPart: [
        { ...upload, partNumber: 1, source, range: undefined },
        [
          ...[...places, { uploadId: 'b1' }, { partNumber: 2 }, { source: { ...source, etag: 'e2' } }],
          ...[
            { first: 0, last: 1 },
            { first: 1, last: 1 },
            { first: 0, last: 2 },
          ].map((range) => ({ range })),
        ],
      ],
      tags: [{ ref }, [...places, { ref: { ...ref, versionId: 'v' } }]],
    };
    const rows = Object.entries(questions).filter(([name]) => Object.hasOwn(back.calls, name));

    it.each(rows)('%s: everything that is asked goes out, or is refused in words', (name, [base, others]) => {
      const { render } = rowOf(back, name);
      const rendered = [base, ...others.map((other) => ({ ...base, ...other }))].map((asked) => {
        try {
          return written(render(asked));
        } catch (error) {
          // What the vendor has no such thing for is refused, and never left out.
          expect(error).toMatchObject({ code: 'NotImplemented' });
          return randomBytes(8).toString('hex');
        }
      });
      expect(new Set(rendered).size).toBe(rendered.length);
      expect(written(render(base))).toBe(rendered[0]);
    });

    it.each(rows)('%s: goes to the host that its bucket has, and its path begins with a slash', (name, [base]) => {
      const request = rowOf(back, name).render(base);
      const authority = back.authorityOf(new URL('http://store.test:8080'), request.bucket);
      expect(new URL(`http://${authority}`).host).toBe(authority);
      expect(authority.endsWith('store.test:8080')).toBe(true);
      expect(request.path).toMatch(/^\/[!-~]*$/);
      expect(`${authority}${request.path}`).toContain(BUCKET);
    });

    it('is signed by key and secret for one host, path and time, and tells no secret; unsigned it bears no signature', () => {
      const credentials = { accessKeyId: 'AKID', secret: { reveal: () => 'verySecretSecret' }, region: 'r-1' };
      const now = new Date('2026-01-02T03:04:05Z');
      const signed = (over: { key?: string; host?: string; secret?: string; now?: Date } = {}) => {
        const { key = 'k', host = 'h', secret = 'verySecretSecret' } = over;
        const request = rowOf(back, 'get').render({ ref: { bucket: BUCKET, key }, conditions: {} });
        back.sign(request, { ...credentials, secret: { reveal: () => secret } }, host, over.now ?? now);
        return request;
      };
      const once = written(signed());
      expect(once).toContain('AKID');
      expect(once).not.toContain('verySecretSecret');
      const others = [{ key: 'j' }, { host: 'g' }, { secret: 'other' }, { now: new Date('2026-01-02T03:04:06Z') }];
      const signatures = [{}, ...others].map((over) => [...signed(over).headers].at(-1)?.join());
      expect(new Set(signatures).size).toBe(signatures.length);
      // A request that is sent again is signed again, in place of what it had.
      const again = signed();
      back.sign(again, credentials, 'h', now);
      expect(written(again)).toBe(once);
      back.sign(again, undefined, 'h', now);
      expect(again.headers.get('host')).toBe('h');
      expect(written(again)).not.toContain('AKID');
    });

    it.each([
      [
        'bucket',
        ['', 'reserved', 'a/b', '..', 'a..b', 'box?', 'box#', 'b@x', 'b:80', 'b x', '\0', 'ü'.repeat(3)],
        'InvalidBucketName',
      ],
      ['key', ['', 'a\0', '\ud800', 'k'.repeat(1025)], 'InvalidObjectName'],
      ['versionId', ['..', '../x', 'a b', '\0', 'a?b'], 'InvalidArgument'],
      ['uploadId', ['', '..', '../x', 'a b', 'a/b', '\0', 'a?b'], 'NoSuchUpload'],
      ['location', ['', 'a b', '<x/>', 'ü'], 'InvalidArgument'],
      ['prefix', ['a\0', '\ud800'], 'InvalidArgument'],
      ['continuationToken', ['a\0'], 'InvalidArgument'],
    ] as const)('a %s that no store can have is refused', (name, texts, code) => {
      const grammar = back.grammar(NAMES);
      for (const text of texts) {
        expect(() => grammar[name](text), JSON.stringify(text)).toThrow(expect.objectContaining({ code }));
      }
    });

    it('a key that climbs is refused where the store keeps keys as paths', () => {
      const { key } = back.grammar({ ...NAMES, keys: 'paths' });
      for (const text of ['..', '../k', 'a/../b', 'a//b', './a']) {
        expect(() => key(text), text).toThrow(expect.objectContaining({ code: 'InvalidObjectName' }));
      }
      key('a/b..c');
    });
  });

  describe(`the ${back.name} backend: over a store`, () => {
    const ref = { bucket: BUCKET, key: 'a/ü ?&=+%25"<>' };
    const body = randomBytes(70_000);
    const user = [
      ['name', 'value'],
      ['long', 'x'.repeat(300)],
    ] as const;
    const content = { contentType: 'text/x-test', cacheControl: 'no-cache' };
    const bytesOf = async (source: AsyncIterable<Buffer>) =>
      collect(source, 64 * MIB, () => new GatewayError('InternalError', '', { source: 'gateway' }));
    const put = (key: string, bytes = Buffer.from('x'), conditions = {}) =>
      store.put({ ref: { bucket: BUCKET, key }, metadata: { content: {}, user: [] }, conditions, body: bytes }, signal);

    it('buckets are made, found, listed, and deleted when they are empty', async () => {
      expect(await code(store.buckets.head(BUCKET, signal))).toBe('NoSuchBucket');
      const make = (bucket: string) =>
        store.buckets.create({ kind: 'CreateBucket', bucket, location: undefined }, signal);
      await make(BUCKET);
      await store.buckets.head(BUCKET, signal);
      expect(await code(make(BUCKET))).toMatch(/^BucketAlready/);
      await make('other');
      expect((await store.buckets.list(signal)).map(({ name }) => name)).toEqual(
        expect.arrayContaining([BUCKET, 'other']),
      );
      await store.buckets.delete('other', signal);
      expect(await code(store.buckets.head('other', signal))).toBe('NoSuchBucket');
    });

    it('an object comes back as it was put, whole and in ranges', async () => {
      const stored = await store.put({ ref, metadata: { content, user }, conditions: {}, body }, signal);
      const read = await store.get({ ref, conditions: {} }, signal);
      expect((await bytesOf(read.body)).equals(body)).toBe(true);
      const { object } = read;
      expect([object.etag, object.storedBytes, object.storedRange]).toEqual([stored.etag, body.length, undefined]);
      expect(object.metadata).toMatchObject({ content, user: expect.arrayContaining(user.map((entry) => [...entry])) });
      expect(Math.abs(object.lastModified.getTime() - Date.now())).toBeLessThan(60_000);
      const head = await store.head({ ref, conditions: { ifMatch: `"${stored.etag}"` } }, signal);
      expect([head.etag, head.storedBytes]).toEqual([stored.etag, body.length]);
      for (const [range, first, last] of [
        [{ first: 10, last: 19 }, 10, 19],
        [{ first: 69_990, last: undefined }, 69_990, 69_999],
        [{ suffixBytes: 5 }, 69_995, 69_999],
      ] as const) {
        const part = await store.get({ ref, range, conditions: {} }, signal);
        expect((await bytesOf(part.body)).equals(body.subarray(first, last + 1))).toBe(true);
        expect([part.object.storedRange, part.object.storedBytes]).toEqual([{ first, last }, body.length]);
      }
    });

    it('what is not there, does not match or lies past the end is told as such', async () => {
      const absent = { ref: { bucket: BUCKET, key: 'absent' }, conditions: {} };
      expect(await code(store.get(absent, signal))).toBe('NoSuchKey');
      expect(await code(store.head(absent, signal))).toBe('NoSuchKey');
      expect(await code(store.head({ ref: { bucket: 'nowhere', key: 'k' }, conditions: {} }, signal))).toMatch(
        /^NoSuch/,
      );
      expect(await code(store.get({ ref, conditions: { ifMatch: '"other"' } }, signal))).toBe('PreconditionFailed');
      const past = await store.read({ ref, range: { first: 70_000, last: undefined }, conditions: {} }, signal);
      expect([past instanceof StoreClaim, (past as StoreClaim).code]).toEqual([true, 'InvalidRange']);
      const { etag } = await store.head({ ref, conditions: {} }, signal);
      const unchanged = await store.read({ ref, conditions: { ifNoneMatch: `"${etag}"` } }, signal);
      expect([unchanged instanceof StoreClaim, (unchanged as StoreClaim).code]).toEqual([true, 'NotModified']);
      expect(await code(put(ref.key, body, { ifNoneMatch: '*' }))).toBe('PreconditionFailed');
    });

    it('listings page through all keys in order, and fold what a delimiter ends', async () => {
      for (const key of ['l/1', 'l/2', 'l/d/1', 'l/d/2', 'l/e']) await put(key);
      const asked = {
        kind: 'ListObjects',
        bucket: BUCKET,
        prefix: 'l/',
        maxKeys: 2,
        urlEncoded: true,
        withOwner: false,
      } as const;
      for (const [delimiter, expected] of [
        ['', ['l/1', 'l/2', 'l/d/1', 'l/d/2', 'l/e']],
        ['/', ['l/1', 'l/2', 'l/d/', 'l/e']],
      ] as const) {
        for (const form of [1, 2] as const) {
          const seen: string[] = [];
          let [after, continuationToken]: [string, string | undefined] = ['', undefined];
          for (let pages = 0; pages < 9; pages++) {
            const page = await store.list({ ...asked, form, delimiter, after, continuationToken }, signal);
            seen.push(...[...page.entries.map(({ key }) => key), ...page.commonPrefixes].sort());
            expect(page.entries.length + page.commonPrefixes.length).toBeLessThanOrEqual(2);
            if (!page.truncated) break;
            if (form === 1) after = page.nextMarker as string;
            else continuationToken = page.nextContinuationToken as string;
          }
          expect(seen).toEqual(expected);
        }
      }
    });

    it('an upload takes parts, tells them, and becomes the object or nothing', async () => {
      const at = { bucket: BUCKET, key: 'uploaded' };
      const upload = await store.uploads.create(at, { content, user }, signal);
      const { smallestPartBytes } = back.limits;
      const pieces = [randomBytes(smallestPartBytes), randomBytes(10)];
      const parts = [];
      for (const [at, piece] of pieces.entries()) {
        const source = (async function* () {
          yield piece;
        })();
        parts.push(
          await store.uploads.putPart(upload, { partNumber: at + 1, body: { bytes: piece.length, source } }, signal),
        );
      }
      await store.uploads.tryPart(upload, signal);
      const told = await store.uploads.listParts(upload, 0, signal);
      expect(told.parts.map(({ partNumber, storedBytes }) => [partNumber, storedBytes])).toEqual([
        [1, smallestPartBytes],
        [2, 10],
      ]);
      expect((await store.uploads.listParts(upload, 1, signal)).parts.map(({ partNumber }) => partNumber)).toEqual([2]);
      const listing = {
        kind: 'ListMultipartUploads',
        bucket: BUCKET,
        prefix: 'uploaded',
        delimiter: '',
        urlEncoded: true,
      } as const;
      const open = await store.uploads.list({ ...listing, keyMarker: '', uploadIdMarker: '', maxUploads: 5 }, signal);
      expect(open.uploads.map(({ key, uploadId }) => [key, uploadId])).toEqual([['uploaded', upload.uploadId]]);
      const { etag } = await store.uploads.complete(upload, { parts, conditions: { ifNoneMatch: '*' } }, signal);
      const read = await store.get({ ref: at, conditions: { ifMatch: `"${etag}"` } }, signal);
      expect((await bytesOf(read.body)).equals(Buffer.concat(pieces))).toBe(true);
      expect(read.object.metadata.content.contentType).toBe('text/x-test');
      expect(await code(store.uploads.listParts(upload, 0, signal))).toBe('NoSuchUpload');
      expect(await code(store.uploads.tryPart(upload, signal))).toBe('NoSuchUpload');
      const other = await store.uploads.create(at, { content, user }, signal);
      const forged = { parts: [{ partNumber: 1, etag: 'e'.repeat(32) }], conditions: {} };
      expect(await code(store.uploads.complete(other, forged, signal))).toBe('InvalidPart');
      await store.uploads.abort(other, signal);
      expect(await code(store.uploads.abort(other, signal))).toBe('NoSuchUpload');
    });

    it('deletes one or many, each refused for itself, in as many requests as the store needs', async () => {
      const keys = Array.from({ length: 7 }, (_, at) => `d/${at}`);
      for (const key of keys) await put(key);
      await store.delete({ bucket: BUCKET, key: 'd/0' }, {}, signal);
      const targets = [...keys, 'd/never', 'd/\0'].map((key) => ({ key }));
      const { deleted, failures } = await store.deleteMany(BUCKET, targets, signal);
      expect(deleted.map(({ key }) => key).sort()).toEqual([...keys, 'd/never'].sort());
      expect(failures).toMatchObject([{ key: 'd/\0', code: 'InvalidArgument' }]);
      for (const key of keys) {
        expect(await code(store.head({ ref: { bucket: BUCKET, key }, conditions: {} }, signal))).toBe('NoSuchKey');
      }
    });

    it('what it has no row for is NotImplemented, and asks the store nothing', async () => {
      const bare = new Store(
        { ...back, calls: { ...back.calls, copy: undefined, tags: undefined } } as never,
        connection,
      );
      const source = { ref, etag: 'e' };
      const copy = { ref, source, metadata: { content, user }, tags: 'copy' } as const;
      expect(await code(bare.copy(copy, signal))).toBe('NotImplemented');
      expect(await code(bare.tags(ref, signal))).toBe('NotImplemented');
    });

    it('documents that break off, or are something else, are refused', async () => {
      expect(documents.size).toBeGreaterThan(4);
      for (const [row, { head, document }] of documents) {
        const cuts = [0, 1, 3, 7].map((cut) => document.subarray(0, Math.floor((document.length * cut) / 8)));
        const others = ['<html><body>Welcome</body></html>', '{"a":1', '[]', '<?xml version="1.0"?>'].map((one) =>
          Buffer.from(one),
        );
        for (const given of [...cuts, ...others]) {
          expect(await code(readOf(row, given, head)), given.toString()).toBe('BackendError');
        }
      }
    });

    it('heads that say nothing of an object are refused', async () => {
      for (const name of ['get', 'head', 'put', 'uploadPart']) {
        const row = rowOf(back, name);
        expect(await code(readOf(row, Buffer.alloc(0), { status: 200, headers: new HeaderList() }))).toBe(
          'BackendError',
        );
      }
    });
  });

  describe(`the ${back.name} backend: refusals`, () => {
    const said = (status: number, document: string, asker?: 'caller' | 'anonymous') =>
      back.readError({ status, headers: new HeaderList() }, Buffer.from(document), { bucket: BUCKET, key: 'k' }, asker);

    it.each(refusals)('%d %s becomes %s', (status, document, expected) => {
      expect(said(status, document).code).toBe(expected);
    });

    it.each([304, 412, 416])('%d is what the store claims, and no error that could pass on', (status) => {
      expect(said(status, '')).toBeInstanceOf(StoreClaim);
    });

    it.each([500, 502, 503, 504])('%d without a word is a backend that is not available', (status) => {
      expect(said(status, '')).toMatchObject({ code: 'BackendUnavailable', source: 'backend' });
      expect(said(status, '<html>proxy</html>')).toMatchObject({ code: 'BackendUnavailable' });
    });

    it.each([200, 204, 301, 307])('%d is never success where an error was expected', (status) => {
      expect(said(status, '')).toMatchObject({ code: 'BackendError', source: 'backend' });
    });

    it('a refused key is the gateway’s fault, or that of whoever set a caller’s', () => {
      expect(said(...badKey)).toMatchObject({ code: 'BackendError', source: 'backend' });
      expect(said(...badKey, 'caller')).toMatchObject({ code: 'BackendKeyRefused', source: 'backend' });
    });
  });
}

interface AnyRow {
  readonly takes: string;
  render(asked: object): OutgoingRequest;
}

function rowOf(back: BackendDialect, name: string): AnyRow & BackendCall<never, unknown> {
  return (back.calls as unknown as Record<string, AnyRow & BackendCall<never, unknown>>)[name] as never;
}

/** As it goes out, in words. */
function written({ method, bucket, path, headers, body }: OutgoingRequest): string {
  return JSON.stringify([
    method,
    bucket,
    path,
    [...headers],
    Buffer.isBuffer(body) ? body.toString('latin1') : 'stream',
  ]);
}

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing was thrown';
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
}

async function readOf(
  row: BackendCall<never, unknown>,
  document: Buffer,
  head: Pick<IncomingResponse, 'status' | 'headers'>,
): Promise<unknown> {
  if (row.takes === 'nothing') return row.read(head);
  if (row.takes !== 'stream') return row.read(document, head);
  return row.read(
    (async function* () {
      yield document;
    })(),
    head,
  );
}

/** The same dialect, which notes the documents that its rows read. */
function recording(
  back: BackendDialect,
  documents: Map<BackendCall<never, unknown>, { head: IncomingResponse; document: Buffer }>,
): BackendDialect {
  const calls = Object.fromEntries(
    Object.entries(back.calls).map(([name, row]: [string, BackendCall<never, unknown>]) => {
      if (row.takes !== 'document' && row.takes !== 'acknowledgement') return [name, row];
      if (name === 'impossiblePart') return [name, row];
      const read = (document: Buffer, head: IncomingResponse) => {
        const answer = row.read(document, head);
        documents.set(row, { head, document });
        return answer;
      };
      return [name, { ...row, read }];
    }),
  );
  return { ...back, calls: calls as unknown as BackendDialect['calls'] };
}
