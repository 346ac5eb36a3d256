import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { s3Back } from '../../../src/dialects/s3/back/back.ts';
import { canonicalMetadata } from '../../../src/envelope/claims.ts';
import { decodeEnvelope, ENVELOPE_ENTRY, openEnvelope, readEnvelopeHead } from '../../../src/envelope/envelope.ts';
import type { VendorHeaders } from '../../../src/operations/object.ts';
import type { CopyObject } from '../../../src/operations/operation.ts';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { partRanges } from '../../../src/pipeline/copy/copy-in-parts.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { Store } from '../../../src/store/store.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import type { WireRequest } from '../../../src/wire/message.ts';
import { pattern } from '../../devstore/started.ts';
import { s3With } from '../../support/altered-rows.ts';
import { triedOf } from '../../support/quick.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  IGNORES_CONDITIONS,
  type InProcess,
  inProcess,
  isObject,
  KEEPS_TORN,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';
import { startUpload } from '../upload/upload-stand.ts';

function s3Headers(header: readonly [string, string]): VendorHeaders {
  return { dialect: 's3', headers: HeaderList.of([header]) };
}

const PIECE = 8 * 1024 * 1024;
const PLAIN = 'plain-box';
const MIXED = 'mixed-box';
const COARSE = 'coarse-box';
const BUCKETS = [
  { pattern: PLAIN, protection: 'none' },
  { pattern: MIXED, mixed: true },
  { pattern: COARSE, quantum: 1 },
  { pattern: 'other-box' },
] as const;

const CONTENT = { contentType: 'text/x-a', cacheControl: 'no-cache' } as const;
const USER = [['name', 'värde']] as const;

const stand = () => inProcess({ buckets: BUCKETS });

interface Put {
  readonly bucket?: string;
  readonly declared?: boolean;
  readonly tags?: string;
}

async function put(here: InProcess, key: string, bytes: Buffer, { bucket = BUCKET, declared, tags }: Put = {}) {
  const vendor = tags === undefined ? undefined : s3Headers(['x-amz-tagging', tags]);
  const operation = putOf(key, { ref: { bucket, key }, metadata: { content: CONTENT, user: USER, vendor } });
  const stored = await putObject(operation, verifiedBody(bytes, { declared: declared ?? true }), here.at(bucket));
  here.asked();
  return stored;
}

const copy = (here: InProcess, operation: CopyObject) => copyObject(operation, here.at(operation.ref.bucket));

async function read(here: InProcess, key: string, bucket = BUCKET) {
  const content = await getObject(getOf(key, { ref: { bucket, key } }), here.at(bucket));
  const head = await headObject(headOf(key, { ref: { bucket, key } }), here.at(bucket));
  expect(head.facts.plaintextBytes).toBe(content.facts.plaintextBytes);
  const { objects, release } = await listObjects(listOf({ bucket, prefix: key }), here.at(bucket));
  release();
  expect(objects.find((object) => object.key === key)).toMatchObject({
    plaintextBytes: content.facts.plaintextBytes,
    etag: content.facts.etag,
  });
  return { bytes: await bodyOf(content), facts: content.facts };
}

/** The envelope that lies beside an object, opened by hand. */
async function envelopeOf(here: InProcess, key: string, bucket = BUCKET) {
  const { record } = await here.stored.read(bucket, key);
  const text = record.metadata.find(([name]) => name === ENVELOPE_ENTRY)?.[1] as string;
  const bytes = decodeEnvelope(text);
  const { keyRingId, kekVersion } = readEnvelopeHead(bytes);
  const { key: kek } = await here.keyRings.kek(keyRingId, kekVersion);
  return { text, ...openEnvelope(bytes, { kek, tenant: 'acme' }) };
}

describe('a copy within one protection', () => {
  it.each([
    [0, true],
    [1, true],
    [65_536, true],
    [1_000_000, true],
    [PIECE + 1, false],
  ])('of %i bytes (length declared: %s) is the backend’s own', async (bytes, declared) => {
    const here = await stand();
    const whole = pattern(bytes);
    await put(here, 'a', whole, { declared });
    const copied = await copy(here, copyOf(`${BUCKET}/a`, 'b'));
    // The ETag of what came in parts is not kept, and so does not tell whether it was still the source.
    const looked = declared ? [] : [`HEAD /${BUCKET}/a`];
    expect(here.asked()).toEqual([`HEAD /${BUCKET}/a`, `GET /${BUCKET}/a`, `PUT /${BUCKET}/b`, ...looked]);
    const { bytes: there, facts } = await read(here, 'b');
    expect(there.equals(whole)).toBe(true);
    expect(facts.metadata).toMatchObject({ content: CONTENT, user: USER });
    expect(copied).toMatchObject({ etag: facts.etag, sourceVersionId: undefined, versionId: undefined });
    expect(Math.abs(copied.lastModified.getTime() - facts.lastModified.getTime())).toBeLessThan(1000);
    expect((await read(here, 'a')).bytes.equals(whole)).toBe(true);
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('keeps the stored bytes, and seals the envelope anew for the place', async () => {
    const here = await stand();
    await put(here, 'a', pattern(100_000));
    const before = await envelopeOf(here, 'a');
    await here.keyRings.rotate(before.head.keyRingId);
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { ref: { bucket: 'other-box', key: 'b' } }));
    const [source, target] = [await here.stored.read(BUCKET, 'a'), await here.stored.read('other-box', 'b')];
    expect(target.bytes.equals(source.bytes)).toBe(true);
    const after = await envelopeOf(here, 'b', 'other-box');
    expect(after.dek.equals(before.dek)).toBe(true);
    expect(after.head).toEqual({ ...before.head, kekVersion: 2 });
    expect(after.fields.partSalt.equals(before.fields.partSalt)).toBe(true);
    expect(after.fields.plaintextBytes).toBe(100_000);
    expect(after.fields.locationTag.equals(after.keys.locationTag('other-box', 'b'))).toBe(true);
    const canonical = canonicalMetadata({ content: CONTENT, user: USER });
    expect(after.fields.metadataTag.equals(after.keys.metadataTag(canonical))).toBe(true);
    const salt = (text: string) => decodeEnvelope(text).subarray(32, 48).toString('hex');
    expect(salt(after.text)).not.toBe(salt(before.text));
    expect((await read(here, 'b', 'other-box')).bytes.equals(pattern(100_000))).toBe(true);
  });

  it('replaces metadata where told, and reseals what the tag covers', async () => {
    const here = await stand();
    await put(here, 'a', pattern(10));
    const replacement = { content: { contentType: 'b/c' }, user: [['other', '1']] } as const;
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { replacement }));
    expect((await read(here, 'b')).facts.metadata).toMatchObject(replacement);
    expect((await read(here, 'b')).facts.metadata.content.cacheControl).toBeUndefined();
    const large = { content: {}, user: [['n', 'x'.repeat(1800)]] } as const;
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'c', { replacement: large })))).toBe('MetadataTooLarge');
  });

  it.each([
    ['one request', {}],
    ['parts', { conditions: { ifNoneMatch: '*' } }],
    ['an opened copy', { ref: { bucket: COARSE, key: 'b' } }],
  ] as const)('by %s takes tags along, or replaces them', async (_, over) => {
    const here = await stand();
    await put(here, 'a', pattern(10), { tags: 'k=v%20%26&second=' });
    const tagsOf = async (bucket: string) => (await here.stored.read(bucket, 'b')).record.tags;
    const bucket = 'ref' in over ? over.ref.bucket : BUCKET;
    await copy(here, copyOf(`${BUCKET}/a`, 'b', over));
    expect(await tagsOf(bucket)).toEqual([
      ['k', 'v &'],
      ['second', ''],
    ]);
    await here.stored.delete(bucket, 'b');
    const vendor = s3Headers(['x-amz-tagging', 'n=1']);
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { ...over, tags: 'replace', vendor }));
    expect(await tagsOf(bucket)).toEqual([['n', '1']]);
    await here.stored.delete(bucket, 'b');
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { ...over, tags: 'replace' }));
    expect(await tagsOf(bucket)).toEqual([]);
  });

  it('takes the storage class of the request, never that of the source', async () => {
    const here = await stand();
    const cold = s3Headers(['x-amz-storage-class', 'STANDARD_IA']);
    await putObject(
      putOf('a', { metadata: { content: {}, user: [], vendor: cold } }),
      verifiedBody(pattern(1)),
      here.at(BUCKET),
    );
    await copy(here, copyOf(`${BUCKET}/a`, 'b'));
    const classOf = async (key: string) =>
      (await read(here, key)).facts.metadata.vendor?.headers.get('x-amz-storage-class');
    expect(await classOf('b')).toBeUndefined();
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { vendor: cold }));
    expect(await classOf('b')).toBe('STANDARD_IA');
  });

  /** Without what no run repeats. */
  const asked = (here: InProcess) => here.asked().map((line) => line.replace(/uploadId=.*/, 'uploadId'));
  const ontoItself = {
    [`HEAD /${BUCKET}/a`]: 'looked at',
    [`GET /${BUCKET}/a`]: 'footer',
    [`GET /${BUCKET}/a?tagging=`]: 'tags',
  };

  it.each([0, 1, 70_000, 3_000_000])('of %i bytes onto itself is one conditional PUT', async (bytes) => {
    const here = await stand();
    await put(here, 'a', pattern(bytes), { tags: 'k=v' });
    const before = (await here.stored.read(BUCKET, 'a')).record;
    const conditions: (string | undefined)[] = [];
    const store = new Store(
      s3With({
        put: {
          render: (write) => {
            conditions.push(write.conditions.ifMatch);
            return s3Back.calls.put.render(write);
          },
        },
      }),
      here.connection,
    );
    const replacement = { content: { contentType: 'new/type' }, user: [] } as const;
    const context = { ...here.at(BUCKET), store };
    const copied = await copyObject(copyOf(`${BUCKET}/a`, 'a', { replacement }), context);
    expect(asked(here)).toEqual([
      ...Object.keys(ontoItself),
      `GET /${BUCKET}/a`,
      `PUT /${BUCKET}/a`,
      `HEAD /${BUCKET}/a`,
    ]);
    expect(conditions).toEqual([`"${before.etag}"`]);
    const { bytes: there, facts } = await read(here, 'a');
    expect(there.equals(pattern(bytes))).toBe(true);
    expect([facts.metadata.content.contentType, facts.etag]).toEqual(['new/type', copied.etag]);
    expect((await here.stored.read(BUCKET, 'a')).record.tags).toEqual([['k', 'v']]);
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it.each([
    ['too large for that', 16 * 1024 * 1024 + 1, {}],
    ['over a store whose conditions hold for nothing', 70_000, IGNORES_CONDITIONS],
    ['too large for a store that keeps what broke off', 8 * 1024 * 1024 + 1, KEEPS_TORN],
  ] as const)('onto itself goes by parts: %s', async (_, bytes, habit) => {
    const here = await stand();
    await put(here, 'a', pattern(bytes), { tags: 'k=v' });
    const replacement = { content: { contentType: 'new/type' }, user: [] } as const;
    const context = { ...here.at(BUCKET), ...habit };
    const copied = await copyObject(copyOf(`${BUCKET}/a`, 'a', { replacement }), context);
    expect(asked(here)).toEqual([
      ...Object.keys(ontoItself),
      `POST /${BUCKET}/a?uploads=`,
      `PUT /${BUCKET}/a?partNumber=1&uploadId`,
      `HEAD /${BUCKET}/a`,
      `POST /${BUCKET}/a?uploadId`,
      `HEAD /${BUCKET}/a`,
    ]);
    const { bytes: there, facts } = await read(here, 'a');
    expect(there.equals(pattern(bytes))).toBe(true);
    expect([facts.metadata.content.contentType, facts.etag]).toEqual(['new/type', copied.etag]);
    expect((await here.stored.read(BUCKET, 'a')).record.tags).toEqual([['k', 'v']]);
  });

  it('of a folder marker, onto itself or on a condition, is no upload in parts, which MinIO refuses there', async () => {
    const here = await stand();
    await put(here, 'dir/', Buffer.alloc(0));
    const replacement = { content: { contentType: 'application/x-directory' }, user: [['mode', '16877']] } as const;
    await copy(here, copyOf(`${BUCKET}/dir/`, 'dir/', { replacement }));
    await copy(here, copyOf(`${BUCKET}/dir/`, 'other/', { conditions: { ifNoneMatch: '*' } }));
    expect(here.asked().filter((line) => line.includes('upload'))).toEqual([]);
    const again = copyOf(`${BUCKET}/dir/`, 'other/', { conditions: { ifNoneMatch: '*' } });
    expect(await refusalOf(copy(here, again))).toBe('PreconditionFailed');
    for (const key of ['dir/', 'other/']) expect((await read(here, key)).facts.metadata).toMatchObject(replacement);
  });

  it('onto itself keeps a checksum, and of one of parts makes one of the whole, as S3 does', async () => {
    const here = await stand();
    const replacement = { content: {}, user: [] };
    const value = createHash('sha512').update(pattern(10)).digest();
    const checksum = { algorithm: 'SHA512', value } as const;
    await putObject(
      putOf('a'),
      { ...verifiedBody(pattern(10)), proof: () => ({ checksum, md5: undefined }) },
      here.at(BUCKET),
    );
    expect((await copy(here, copyOf(`${BUCKET}/a`, 'a', { replacement }))).checksum).toMatchObject(checksum);
    const upload = await startUpload(here, 'parts', { checksum: { algorithm: 'SHA512', composite: true } });
    const bytes = pattern(70_000);
    await upload.complete([await upload.send(1, bytes)]);
    const copied = await copy(here, copyOf(`${BUCKET}/parts`, 'parts', { replacement }));
    expect(copied.checksum).toEqual({ algorithm: 'SHA512', value: createHash('sha512').update(bytes).digest() });
  });

  it('of plaintext between buckets without protection is the backend’s own too', async () => {
    const here = await stand();
    await put(here, 'a', pattern(100_000), { bucket: PLAIN });
    await copy(here, copyOf(`${PLAIN}/a`, 'b', { ref: { bucket: PLAIN, key: 'b' } }));
    expect(here.asked()).toEqual([`HEAD /${PLAIN}/a`, `PUT /${PLAIN}/b`]);
    expect((await here.stored.read(PLAIN, 'b')).bytes.equals(pattern(100_000))).toBe(true);
    expect((await read(here, 'b', PLAIN)).facts.metadata).toMatchObject({ content: CONTENT, user: USER });
    await put(here, 'empty', Buffer.alloc(0), { bucket: PLAIN });
    await copy(here, copyOf(`${PLAIN}/empty`, 'b', { ref: { bucket: PLAIN, key: 'b' }, conditions: { ifMatch: '*' } }));
    expect((await here.stored.read(PLAIN, 'b')).bytes.length).toBe(0);
  });
});

describe('the parts of a copy', () => {
  const MIB = 1024 ** 2;
  const TIB = 1024 ** 4;

  it.each([1, 528, 256 * MIB, 256 * MIB + 1, 1024 * MIB + 1, 5 * 1024 * MIB + 123, 48 * TIB])(
    'of %d bytes',
    (bytes) => {
      const ranges = partRanges(bytes, s3Back.limits);
      expect([ranges[0]?.first, ranges.at(-1)?.last]).toEqual([0, bytes - 1]);
      expect(ranges.length).toBeLessThanOrEqual(10_000);
      const wrong = ranges.filter(({ first, last }, at) => {
        const length = last - first + 1;
        const least = at < ranges.length - 1 ? 5 * MIB : 1;
        const follows = first === (at === 0 ? 0 : (ranges[at - 1]?.last as number) + 1);
        return !follows || length < least || length > 5 * 1024 * MIB;
      });
      expect(wrong).toEqual([]);
    },
  );
});

describe('a copy between protections is opened and sealed again', () => {
  const between = [
    [BUCKET, COARSE],
    [COARSE, BUCKET],
    [BUCKET, PLAIN],
    [PLAIN, BUCKET],
    [PLAIN, MIXED],
    [MIXED, PLAIN],
  ].map(([from, to], row) => [from, to, row] as [string, string, number]);

  it.each(between)('from %s to %s', async (from, to, row) => {
    const here = await stand();
    for (const bytes of triedOf([0, 1, 20_000, 300_000, 3_000_000], row)) {
      const whole = pattern(bytes, bytes);
      await put(here, 'a', whole, { bucket: from });
      const copied = await copy(here, copyOf(`${from}/a`, 'b', { ref: { bucket: to, key: 'b' } }));
      const { bytes: there, facts } = await read(here, 'b', to);
      expect(there.equals(whole)).toBe(true);
      expect([facts.etag, facts.lastModified.getTime()]).toEqual([copied.etag, copied.lastModified.getTime()]);
      expect(facts.metadata).toMatchObject({ content: CONTENT, user: USER });
      const { bytes: stored } = await here.stored.read(to, 'b');
      expect(stored.equals(whole)).toBe(to === PLAIN);
      expect(here.handling.memory.reservedBytes).toBe(0);
    }
  });

  it('and so is plaintext that lies in a mixed bucket', async () => {
    const here = await stand();
    await here.stored.overwrite(MIXED, 'legacy', pattern(200_000), { headers: [['content-type', 'a/b']] });
    await copy(
      here,
      copyOf(`${MIXED}/legacy`, 'legacy', {
        ref: { bucket: MIXED, key: 'legacy' },
        replacement: { content: {}, user: [] },
      }),
    );
    const { bytes } = await read(here, 'legacy', MIXED);
    expect(bytes.equals(pattern(200_000))).toBe(true);
    expect((await here.stored.read(MIXED, 'legacy')).bytes.length).toBeGreaterThan(200_000);
  });

  it('a parts-structured source becomes one part', async () => {
    const here = await stand();
    const whole = pattern(2 * PIECE + 5);
    await put(here, 'a', whole, { declared: false });
    expect((await envelopeOf(here, 'a')).head.multipart).toBe(true);
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { ref: { bucket: COARSE, key: 'b' } }));
    expect((await envelopeOf(here, 'b', COARSE)).head.multipart).toBe(false);
    expect((await read(here, 'b', COARSE)).bytes.equals(whole)).toBe(true);
  });

  it.each([30_000, 1_000_000])('a source of %i bytes that fails midway leaves nothing', async (bytes) => {
    const here = await stand();
    await put(here, 'a', pattern(bytes));
    await here.stored.flip(BUCKET, 'a', bytes - 100);
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'b', { ref: { bucket: COARSE, key: 'b' } })))).toBe(
      'ObjectCorrupted',
    );
    expect(await here.stored.keys(COARSE)).toEqual([]);
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('a refused write lets the source go', async () => {
    const here = await stand();
    await put(here, 'a', pattern(1_000_000));
    const replacement = { content: {}, user: [['n', 'x'.repeat(1800)]] } as const;
    const refused = copy(here, copyOf(`${BUCKET}/a`, 'b', { ref: { bucket: COARSE, key: 'b' }, replacement }));
    expect(await refusalOf(refused)).toBe('MetadataTooLarge');
    expect(here.handling.memory.reservedBytes).toBe(0);
  });
});

describe('checksums', () => {
  const CRC32 = { algorithm: 'CRC32', value: Buffer.from('NhCmhg==', 'base64') } as const;
  const SHA256 = Buffer.from('LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=', 'base64');

  async function putHello(here: InProcess) {
    const body = { ...verifiedBody(Buffer.from('hello')), proof: () => ({ checksum: CRC32, md5: undefined }) };
    await putObject(putOf('a'), body, here.at(BUCKET));
    here.asked();
  }
  const checksumOf = async (here: InProcess, bucket: string) =>
    (await headObject(headOf('b', { ref: { bucket, key: 'b' }, wantsChecksum: true }), here.at(bucket))).facts.checksum;

  it.each([BUCKET, COARSE])('that came with the source come along: to %s', async (bucket) => {
    const here = await stand();
    await putHello(here);
    const { checksum } = await copy(here, copyOf(`${BUCKET}/a`, 'b', { ref: { bucket, key: 'b' } }));
    expect(checksum).toMatchObject(CRC32);
    expect(await checksumOf(here, bucket)).toMatchObject(CRC32);
  });

  it('are computed where the client wants another, and only there does the object pass through', async () => {
    const here = await stand();
    await putHello(here);
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { checksumAlgorithm: 'CRC32' }));
    expect(here.asked()).toEqual([`HEAD /${BUCKET}/a`, `GET /${BUCKET}/a`, `PUT /${BUCKET}/b`]);
    for (const bucket of [BUCKET, COARSE, PLAIN]) {
      const over = { ref: { bucket, key: 'b' }, checksumAlgorithm: 'SHA256' } as const;
      const { checksum } = await copy(here, copyOf(`${BUCKET}/a`, 'b', over));
      expect(checksum).toMatchObject({ algorithm: 'SHA256', value: SHA256 });
      if (bucket !== PLAIN)
        expect(await checksumOf(here, bucket)).toMatchObject({ algorithm: 'SHA256', value: SHA256 });
      expect((await read(here, 'b', bucket)).bytes.toString()).toBe('hello');
    }
  });
});

describe('who may copy what', () => {
  it('a bucket that is not the tenant’s is refused, as source too, before anything is asked', async () => {
    const here = await stand();
    expect(await refusalOf(copy(here, copyOf('foreign/a', 'b')))).toBe('AccessDenied');
    expect(here.asked()).toEqual([]);
  });

  it.each([
    ['a missing source', 'none', 'NoSuchKey'],
    ['an unmarked source', 'unmarked', 'ObjectNotSealed'],
    ['a moved source', 'moved', 'ObjectMoved'],
    ['a source with changed metadata', 'changed', 'ObjectCorrupted'],
    ['a truncated source', 'cut', 'ObjectCorrupted'],
    ['a source with a broken footer', 'footer', 'ObjectCorrupted'],
  ])('%s: nothing is written', async (_, key, code) => {
    const here = await stand();
    await put(here, 'a', pattern(5_000));
    const { bytes, record } = await here.stored.read(BUCKET, 'a');
    await here.stored.overwrite(BUCKET, 'unmarked', bytes, { ...record, metadata: [] });
    await here.stored.overwrite(BUCKET, 'moved', bytes, record);
    for (const name of ['changed', 'cut', 'footer']) await put(here, name, pattern(5_000));
    const { record: changed } = await here.stored.read(BUCKET, 'changed');
    await here.stored.overwrite(BUCKET, 'changed', (await here.stored.read(BUCKET, 'changed')).bytes, {
      metadata: [...changed.metadata, ['role', 'admin']],
    });
    await here.stored.truncate(BUCKET, 'cut', 100);
    await here.stored.flip(BUCKET, 'footer', -5);
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/${key}`, 'target')))).toBe(code);
    expect(await here.stored.keys(BUCKET)).not.toContain('target');
    expect(here.asked().some((line) => line.startsWith('PUT') || line.startsWith('POST'))).toBe(false);
  });
});

describe('a source that is swapped between read and copy', () => {
  const isComplete = ({ target }: WireRequest) => target.raw.includes('uploadId=');

  const swap = async (here: InProcess, operation: CopyObject) => {
    const hold = here.faults.hold({ method: 'PUT', where: ({ headers }) => headers.has('x-amz-copy-source') });
    const copying = copy(here, operation);
    await hold.reached;
    return { copying, release: () => hold.release() };
  };

  it.each([
    ['one request', 'b', 50_000, { where: ({ headers }: WireRequest) => headers.has('x-amz-copy-source') }],
    ['one PUT, onto itself', 'a', 50_000, { where: ({ headers }: WireRequest) => headers.has('if-match') }],
    ['parts, onto itself', 'a', 17_000_000, { where: ({ headers }: WireRequest) => headers.has('x-amz-copy-source') }],
    ['parts, onto itself, at the end', 'a', 17_000_000, { method: 'POST', where: isComplete }],
  ])(
    'by %s: the new object is read and copied, never the one under the other’s envelope',
    async (_, key, bytes, at) => {
      const here = await stand();
      await put(here, 'a', pattern(bytes, 1));
      const hold = here.faults.hold({ method: 'PUT', ...at });
      const copying = copy(here, copyOf(`${BUCKET}/a`, key, { replacement: { content: {}, user: [['n', '1']] } }));
      await hold.reached;
      await put(here, 'a', pattern(60_000, 2));
      hold.release();
      const copied = await copying;
      const { bytes: there, facts } = await read(here, key);
      expect(there.equals(pattern(60_000, 2))).toBe(true);
      expect([facts.etag, facts.metadata.user]).toEqual([copied.etag, [['n', '1']]]);
    },
  );

  it('by bytes that keep the ETag: what was copied does not open', async () => {
    const here = await stand();
    await put(here, 'a', pattern(50_000, 1));
    await put(here, 'z', pattern(50_000, 2));
    const { copying, release } = await swap(here, copyOf(`${BUCKET}/a`, 'b'));
    await here.stored.swap(BUCKET, ['a', 'z'], 'bytes');
    release();
    await copying;
    expect(await refusalOf(getObject(getOf('b'), here.at(BUCKET)))).toBe('ObjectCorrupted');
  });

  it('that is gone is gone; one that never stands still is given up', async () => {
    const here = await stand();
    await put(here, 'a', pattern(50_000, 1));
    const { copying, release } = await swap(here, copyOf(`${BUCKET}/a`, 'b'));
    await here.stored.delete(BUCKET, 'a');
    release();
    // It was there when the copy began; whoever asks again hears that it is gone.
    expect(await refusalOf(copying)).toBe('SlowDown');
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'b')))).toBe('NoSuchKey');
    await put(here, 'a', pattern(50_000, 1));
    here.faults.plan({ method: 'PUT', times: 3 }, { kind: 'refuse', status: 412, code: 'PreconditionFailed' });
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'b')))).toBe('SlowDown');
    expect(here.faults.left).toBe(0);
  });
});

describe('conditions', () => {
  const HOUR = 3_600_000;
  const date = (offset: number) => new Date(Date.now() + offset).toUTCString();

  it('on the source are judged of the object that is copied', async () => {
    const here = await stand();
    const { etag } = await put(here, 'a', pattern(10));
    const past = date(-HOUR);
    const future = date(HOUR);
    for (const [conditions, expected] of [
      [{ ifMatch: `"${etag}"` }, 'none'],
      [{ ifMatch: etag }, 'none'],
      [{ ifMatch: '*' }, 'none'],
      [{ ifMatch: `"other", "${etag}"` }, 'none'],
      [{ ifMatch: '"other"' }, 'PreconditionFailed'],
      [{ ifNoneMatch: '"other"' }, 'none'],
      [{ ifNoneMatch: `"${etag}"` }, 'PreconditionFailed'],
      [{ ifNoneMatch: '*' }, 'PreconditionFailed'],
      [{ ifModifiedSince: past }, 'none'],
      [{ ifModifiedSince: future }, 'PreconditionFailed'],
      [{ ifUnmodifiedSince: future }, 'none'],
      [{ ifUnmodifiedSince: past }, 'PreconditionFailed'],
      [{ ifMatch: `"${etag}"`, ifUnmodifiedSince: past }, 'none'],
      [{ ifNoneMatch: '"other"', ifModifiedSince: future }, 'none'],
      [{ ifNoneMatch: `"${etag}"`, ifModifiedSince: past }, 'PreconditionFailed'],
      [{ ifUnmodifiedSince: 'soon' }, 'InvalidArgument'],
    ] as const) {
      const source = { ref: { bucket: BUCKET, key: 'a' }, conditions };
      expect([conditions, await refusalOf(copy(here, copyOf('', 'b', { source })))]).toEqual([conditions, expected]);
    }
  });

  it.each([
    ['in the backend', BUCKET],
    ['opened', COARSE],
  ])('on the destination hold at the moment it changes: %s', async (_, bucket) => {
    const here = await stand();
    const ref = { bucket, key: 'b' };
    await put(here, 'a', pattern(10));
    const fresh = (conditions: CopyObject['conditions']) => copy(here, copyOf(`${BUCKET}/a`, 'b', { ref, conditions }));
    expect(await refusalOf(fresh({ ifMatch: '"x"' }))).toBe('NoSuchKey');
    const { etag } = await fresh({ ifNoneMatch: '*' });
    expect(await refusalOf(fresh({ ifNoneMatch: '*' }))).toBe('PreconditionFailed');
    expect(await refusalOf(fresh({ ifMatch: '"x"' }))).toBe('PreconditionFailed');
    await fresh({ ifMatch: `"${etag}"` });
    expect((await read(here, 'b', bucket)).bytes.equals(pattern(10))).toBe(true);
  });

  it('on an object that is copied onto itself are held against what was read', async () => {
    const here = await stand();
    const { etag } = await put(here, 'a', pattern(10));
    const onto = (conditions: CopyObject['conditions']) =>
      refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'a', { conditions, replacement: { content: {}, user: [] } })));
    for (const conditions of [
      { ifNoneMatch: '*' },
      { ifNoneMatch: `"${etag}"` },
      { ifMatch: '"x"' },
      { ifMatch: '"x", "y"' },
    ]) {
      expect(await onto(conditions)).toBe('PreconditionFailed');
    }
    expect(here.asked().filter((line) => line.startsWith('PUT'))).toEqual([]);
    expect(await onto({ ifMatch: `"x", "${etag}"` })).toBe('none');
    expect(await onto({ ifMatch: `"${etag}"` })).toBe('PreconditionFailed'); // it is another object by now
    expect(await onto({ ifNoneMatch: `"${etag}"`, ifMatch: '*' })).toBe('none');
  });

  it('an upload that is refused at its end is aborted', async () => {
    const here = await stand();
    await put(here, 'a', pattern(10));
    await put(here, 'b', pattern(11));
    const refused = copy(here, copyOf(`${BUCKET}/a`, 'b', { conditions: { ifNoneMatch: '*' } }));
    expect(await refusalOf(refused)).toBe('PreconditionFailed');
    expect(here.asked().at(-1)).toMatch(/^DELETE .*uploadId=/);
    expect((await read(here, 'b')).bytes.equals(pattern(11))).toBe(true);
  });

  it('fifty racing copies with If-None-Match: * leave one winner', async () => {
    const here = await stand();
    await put(here, 'a', pattern(10));
    const racing = Array.from({ length: 50 }, () =>
      refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'b', { conditions: { ifNoneMatch: '*' } }))),
    );
    const outcomes = await Promise.all(racing);
    expect(outcomes.filter((code) => code === 'none')).toHaveLength(1);
    expect(outcomes.filter((code) => code === 'PreconditionFailed')).toHaveLength(49);
  });
});

describe('a backend that fails', () => {
  const isCopy = { method: 'PUT', where: isObject('b') };

  it.each([
    ['refuses', 403, 'AccessDenied', 'AccessDenied'],
    ['is full', 507, 'XMinioStorageFull', 'BackendUnavailable'],
  ] as const)('%s', async (_, status, code, expected) => {
    const here = await stand();
    await put(here, 'a', pattern(10));
    here.faults.plan(isCopy, { kind: 'refuse', status, code });
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'b')))).toBe(expected);
  });

  it('answers 200 with an error in the body: it was not copied', async () => {
    const here = await stand();
    await put(here, 'a', pattern(10));
    here.faults.plan(isCopy, { kind: 'refuse', status: 200, code: 'InternalError' });
    expect(await refusalOf(copy(here, copyOf(`${BUCKET}/a`, 'b')))).toBe('BackendUnavailable');
    here.faults.plan(
      { method: 'PUT', where: ({ target }) => target.raw.includes('partNumber=1') },
      { kind: 'refuse', status: 200, code: 'SlowDown' },
    );
    const inParts = copy(here, copyOf(`${BUCKET}/a`, 'b', { conditions: { ifNoneMatch: '*' } }));
    expect(await refusalOf(inParts)).toBe('SlowDown');
    expect(await here.stored.keys(BUCKET)).toEqual(['a']);
  });

  it('without tags copies the rest', async () => {
    const here = await stand();
    await put(here, 'a', pattern(10));
    here.faults.plan(
      { method: 'GET', where: ({ target }) => target.raw.endsWith('?tagging=') },
      { kind: 'refuse', status: 501, code: 'NotImplemented' },
    );
    await copy(here, copyOf(`${BUCKET}/a`, 'b', { conditions: { ifNoneMatch: '*' } }));
    expect((await read(here, 'b')).bytes.equals(pattern(10))).toBe(true);
  });
});
