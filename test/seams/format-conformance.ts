import { describe, expect, it } from 'vitest';
import type { ObjectFormat } from '../../src/formats/format.ts';
import type { FORMATS, FormatTable } from '../../src/formats/table.ts';
import type { ObjectMetadata } from '../../src/operations/object.ts';
import { listObjects } from '../../src/pipeline/bucket/list.ts';
import { copyObject } from '../../src/pipeline/copy/copy.ts';
import { objectAttributes } from '../../src/pipeline/read/attributes.ts';
import { getObject } from '../../src/pipeline/read/get.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import type { BucketPolicy } from '../../src/tenants/bucket-policy.ts';
import type { OutgoingBody } from '../../src/wire/message.ts';
import {
  bodyOf,
  copyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from '../pipeline/in-process.ts';
import { MIB, PART, startUpload } from '../pipeline/upload/upload-stand.ts';
import { encryptingConnection } from '../support/encrypting-connection.ts';
import { payload } from '../support/payload.ts';
import { triedOf } from '../support/quick.ts';

/** A format under test, and a bucket that is kept in it and in no other. */
export interface FormatCase {
  readonly format: ObjectFormat;
  readonly policy?: Partial<BucketPolicy>;
  /** Whether it finds out that stored bytes were altered. */
  readonly authenticates: boolean;
  /** Other formats whose marked objects its bucket reads, as the policy says. */
  readonly readsToo: readonly ObjectFormat[];
  /** Whether its bucket reads objects that bear no mark that it reads, as they lie. */
  readonly readsUnmarked: boolean;
}

/** The product's formats, and those that only the test knows. */
export type TableUnderTest = FormatTable & typeof FORMATS;

/** Around what is written whole, as a stream and in pieces, and around segments. */
const SIZES = [0, 1, 4096, 65_536, 65_537, 200_000, 300_000];
/** Of unknown length: one piece, a whole one, and one with a short one behind it. */
const SIZES_IN_PIECES = [0, 100, 8 * MIB, 8 * MIB + 1000];

const METADATA: ObjectMetadata = {
  content: { contentType: 'text/plain', cacheControl: 'no-store' },
  user: [['colour', 'blue']],
};

/** What every format must do, through the whole pipeline and with no word of the format in it. */
export function formatConformance(one: FormatCase, all: readonly FormatCase[], table: TableUnderTest): void {
  const { format } = one;
  const bucket = bucketOf(one);
  const row = all.indexOf(one);

  const put = (stand: InProcess, key: string, bytes: Buffer, declared = true) =>
    putObject(
      putOf(key, { ref: { bucket, key }, metadata: METADATA }),
      verifiedBody(bytes, { declared }),
      stand.at(bucket),
    );
  const get = async (stand: InProcess, key: string, over: Parameters<typeof getOf>[1] = {}, at = bucket) =>
    getObject(getOf(key, { ref: { bucket: at, key }, ...over }), stand.at(at));
  const read = async (...args: Parameters<typeof get>) => bodyOf(await get(...args));

  describe(`format ${format.name}`, () => {
    it('gives back what was put, of known and of unknown length', async () => {
      const stand = await standOf(all, table);
      for (const [declared, sizes] of [
        [true, SIZES],
        [false, SIZES_IN_PIECES],
      ] as const) {
        for (const size of triedOf<number>(sizes, row)) {
          const bytes = payload(size, size + 1);
          await put(stand, 'key', bytes, declared);
          expect((await read(stand, 'key')).equals(bytes), `${size} bytes, declared: ${declared}`).toBe(true);
          const atRest = (await stand.stored.read(bucket, 'key')).bytes;
          expect(atRest.length).toBe(format.storedBytes(size, stand.at(bucket).policy));
          if (size >= 4096) expect(atRest.includes(bytes.subarray(0, 64))).toBe(format.asSent);
        }
      }
    }, 30_000);

    it('keeps nothing of a body that was refused at its very end', async () => {
      const stand = await standOf(all, table);
      const refusal = Object.assign(new Error('the last byte is bad'), { code: 'BadDigest' });
      for (const size of triedOf([1000, 300_000, 9 * MIB], row)) {
        const body = verifiedBody(payload(size), { declared: size < MIB, refusal: refusal as never });
        const operation = putOf('bad', { ref: { bucket, key: 'bad' } });
        await expect(putObject(operation, body, stand.at(bucket))).rejects.toThrow('the last byte is bad');
      }
      expect(await stand.stored.keys(bucket)).toEqual([]);
    });

    it('withholds the end of what it writes until the body ended cleanly', async () => {
      const stand = await standOf(all, table);
      const context = stand.at(bucket);
      const object = { ref: { bucket, key: 'key' }, metadata: METADATA };
      const refusal = new Error('the last byte is bad') as never;
      for (const plaintextBytes of [1, 65_536, 300_000]) {
        const body = () => verifiedBody(payload(plaintextBytes), { refusal });
        const writer = await format.begin(object, plaintextBytes, context);
        expect(await bytesBeforeRefusal(writer.stream(body().bytes(), body().proof))).toBeLessThan(
          format.storedBytes(plaintextBytes, context.policy),
        );
        const whole = (await format.begin(object, plaintextBytes, context)).whole(body().bytes(), body().proof);
        await expect(whole).rejects.toThrow('the last byte is bad');
        if (format.uploads === undefined) continue;
        const upload = (await format.uploads.begin(object, context)).writer;
        const part = { partNumber: 1, partSalt: Buffer.alloc(16, 1), plaintextBytes };
        const bytes = format.uploads.storedPartBytes(plaintextBytes);
        const source = upload.part(body().bytes(), part);
        expect(await bytesBeforeRefusal({ bytes, source })).toBeLessThan(bytes);
      }
    });

    it('gives every range, and refuses one past the end', async () => {
      const stand = await standOf(all, table);
      const bytes = payload(200_000);
      await put(stand, 'key', bytes);
      for (const [first, last] of [
        [0, 0],
        [100, 299],
        [65_535, 65_536],
        [131_072, 199_999],
        [199_999, 5_000_000],
        [100_000, undefined],
      ] as const) {
        const part = await read(stand, 'key', { range: { kind: 'from', first, last } });
        expect(part.equals(bytes.subarray(first, (last ?? 200_000) + 1)), `${first}-${last}`).toBe(true);
      }
      for (const suffix of [1, 65_536, 200_000, 300_000]) {
        const part = await read(stand, 'key', { range: { kind: 'suffix', bytes: suffix } });
        expect(part.equals(bytes.subarray(-suffix)), `the last ${suffix}`).toBe(true);
      }
      for (const first of [200_000, 200_001, 900_000]) {
        const refused = refusalOf(get(stand, 'key', { range: { kind: 'from', first, last: undefined } }));
        expect(await refused).toBe('InvalidRange');
      }
    });

    it('tells the client’s own length and metadata, whoever asks', async () => {
      const stand = await standOf(all, table);
      await put(stand, 'key', payload(70_000));
      const ref = { bucket, key: 'key' };
      const head = await headObject(headOf('key', { ref }), stand.at(bucket));
      const { facts } = await get(stand, 'key');
      expect(head.facts).toEqual(facts);
      expect(facts).toMatchObject({
        plaintextBytes: 70_000,
        metadata: METADATA,
        encryption: format.asSent && format.encrypter === undefined ? undefined : { kind: 'managed' },
      });
      const attributes = await objectAttributes(
        { kind: 'GetObjectAttributes', ref, attributes: new Set(['size']), partNumberMarker: 0, maxParts: 10 },
        stand.at(bucket),
      );
      expect(attributes.facts.plaintextBytes).toBe(70_000);
      const { objects } = await listObjects(listOf({ bucket }), stand.at(bucket));
      expect(objects).toMatchObject([{ key: 'key', plaintextBytes: 70_000, etag: facts.etag }]);
    });

    it('makes one object of parts', async () => {
      const stand = await standOf(all, table);
      const upload = await startUpload(stand, 'key', { bucket, context: () => stand.at(bucket) });
      const [large, small] = [payload(PART + 1), payload(1000, 2)];
      const last = await upload.send(7, small);
      const first = await upload.send(2, large);
      await upload.complete([first, last]);
      const whole = Buffer.concat([large, small]);
      expect((await read(stand, 'key')).equals(whole)).toBe(true);
      const range = { kind: 'from', first: PART - 10, last: PART + 500 } as const;
      expect((await read(stand, 'key', { range })).equals(whole.subarray(PART - 10, PART + 501))).toBe(true);
      expect((await stand.stored.read(bucket, 'key')).bytes.includes(large.subarray(0, 64))).toBe(format.asSent);
    });

    it('is copied to itself under other metadata, and to and from every other format', async () => {
      const stand = await standOf(all, table);
      const bytes = payload(70_000);
      await put(stand, 'key', bytes);
      const other = { content: { contentType: 'text/html' }, user: [] };
      const self = copyOf(`${bucket}/key`, 'key', { ref: { bucket, key: 'key' }, replacement: other });
      await copyObject(self, stand.at(bucket));
      const content = await get(stand, 'key');
      expect((await bodyOf(content)).equals(bytes)).toBe(true);
      expect(content.facts.metadata).toMatchObject(other);
      for (const there of all.map(bucketOf)) {
        await copyObject(copyOf(`${bucket}/key`, 'over', { ref: { bucket: there, key: 'over' } }), stand.at(there));
        expect((await read(stand, 'over', {}, there)).equals(bytes), `to ${there}`).toBe(true);
        await copyObject(copyOf(`${there}/over`, 'back', { ref: { bucket, key: 'back' } }), stand.at(bucket));
        expect((await read(stand, 'back')).equals(bytes), `from ${there}`).toBe(true);
      }
    });

    it('never lets an object choose its reader', async () => {
      const stand = await standOf(all, table);
      const bytes = payload(70_000);
      await put(stand, 'key', bytes);
      const { record, bytes: atRest } = await stand.stored.read(bucket, 'key');
      for (const another of all.filter((each) => each !== one && !each.readsToo.includes(format))) {
        const there = bucketOf(another);
        await stand.stored.overwrite(there, 'moved', atRest, record);
        const got = await get(stand, 'moved', {}, there).then(bodyOf, (error: { code: string }) => error.code);
        // Where the policy reads what bears no mark that it knows, this is read as it lies.
        if (another.readsUnmarked) expect(got, there).toEqual(atRest);
        else expect(got, there).toBe('ObjectNotSealed');
      }
    });

    if (one.authenticates)
      it('refuses what was altered, cut short or put in another’s place', async () => {
        const stand = await standOf(all, table);
        const code = async (key: string) => refusalOf(get(stand, key).then(bodyOf));
        for (const size of [1000, 300_000]) {
          for (const at of [0, 70, Math.floor(size / 2), size]) {
            await put(stand, 'key', payload(size));
            await stand.stored.flip(bucket, 'key', at);
            expect(await code('key'), `byte ${at} of ${size}`).toBe('ObjectCorrupted');
          }
          await put(stand, 'key', payload(size));
          await stand.stored.truncate(bucket, 'key', size);
          expect(await code('key'), `cut to ${size}`).toBe('ObjectCorrupted');
        }
        await put(stand, 'one', payload(1000, 3));
        await put(stand, 'two', payload(1000, 4));
        await stand.stored.swap(bucket, ['one', 'two'], 'bytes');
        expect(await code('one')).toBe('ObjectCorrupted');
        await stand.stored.swap(bucket, ['one', 'two'], 'bytes');
        await stand.stored.swap(bucket, ['one', 'two'], 'everything');
        expect(await code('one')).toBe('ObjectMoved');
      });
  });
}

/** How much of a bad body came out before it was refused. */
async function bytesBeforeRefusal(body: OutgoingBody): Promise<number> {
  let bytes = 0;
  const reading = async (): Promise<void> => {
    for await (const piece of Buffer.isBuffer(body) ? [body] : body.source) bytes += piece.length;
  };
  await expect(reading()).rejects.toThrow('the last byte is bad');
  return bytes;
}

function bucketOf({ format }: FormatCase): string {
  return `${format.name}-box`;
}

function standOf(all: readonly FormatCase[], formats: TableUnderTest): Promise<InProcess> {
  return inProcess({
    buckets: all.map((each) => ({ pattern: bucketOf(each), ...each.policy })),
    formats,
    through: (connection) => encryptingConnection(connection).connection,
  });
}
