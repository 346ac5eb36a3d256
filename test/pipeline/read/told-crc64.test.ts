import { describe, expect, it } from 'vitest';
import { crc64Of } from '../../../src/checksums/crc64.ts';
import type { ToldDigest } from '../../../src/dialects/front-dialect.ts';
import { authorize } from '../../../src/pipeline/admission/authorize.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { uploadPartCopy } from '../../../src/pipeline/copy/copy-part.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { listParts } from '../../../src/pipeline/upload/list.ts';
import { uploadPart } from '../../../src/pipeline/upload/part.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { CompiledRules } from '../../../src/tenants/rules/compiled-rules.ts';
import { payload } from '../../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  elsewhere,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  verifiedBody,
} from '../in-process.ts';
import { MIB, startUpload } from '../upload/upload-stand.ts';

const TOLD = { crc64: 'told', dialect: { digests: ['crc64'] } } as const;
const KEPT = { crc64: 'kept' } as const;
type Asks = Pick<OperationContext, 'crc64' | 'dialect'>;

const hex = (crc: Buffer | undefined) => crc?.toString('hex');
const crcOf = async (...pieces: Buffer[]) => hex(crc64Of(pieces));

const asking = (stand: InProcess, asks: Asks, policy: Parameters<InProcess['context']>[0] = {}): OperationContext => ({
  ...stand.context(policy),
  ...asks,
});

async function put(
  stand: InProcess,
  bytes: Buffer,
  asks: Asks,
  key = 'k',
  declared = true,
): Promise<string | undefined> {
  const stored = await putObject(putOf(key), verifiedBody(bytes, { declared }), asking(stand, asks));
  return hex(stored.crc64);
}

/** What GET, GET of a range and HEAD tell, and the requests to the store that each took. */
async function told(stand: InProcess, context: OperationContext, key = 'k') {
  stand.asked();
  const get = await getObject(getOf(key), context);
  await bodyOf(get);
  const ofGet = stand.asked().length;
  const ranged = await getObject(getOf(key, { range: { kind: 'from', first: 0, last: 0 } }), context);
  await bodyOf(ranged);
  const ofRange = stand.asked().length;
  const { facts } = await headObject(headOf(key), context);
  const ofHead = stand.asked().length;
  return {
    crcs: [get, ranged].map((answer) => hex(answer.facts.crc64)).concat(hex(facts.crc64)),
    ofGet,
    ofRange,
    ofHead,
  };
}

async function another(stand: InProcess, emptyIndex: boolean): Promise<OperationContext> {
  return elsewhere({ ...asking(stand, TOLD), ...(await stand.anotherProcess({ emptyIndex })) });
}

const BODIES = [
  ['empty', 0, true],
  ['small', 5, true],
  ['streamed', 300_000, true],
  ['of unknown length', 100, false],
  ['of unknown length, stored in parts', 9 * MIB, false],
] as const;

describe('the CRC-64 of an object', () => {
  it.each(BODIES)('%s is told of the plaintext by the write and by every read', async (_name, bytes, declared) => {
    const stand = await inProcess();
    const sent = payload(bytes, 3);
    const crc = await crcOf(sent);
    expect(await put(stand, sent, TOLD, 'k', declared)).toBe(crc);
    // An empty object has no range to read.
    if (bytes === 0) {
      expect(hex((await headObject(headOf('k'), asking(stand, TOLD))).facts.crc64)).toBe(crc);
      return;
    }
    expect((await told(stand, asking(stand, TOLD))).crcs).toEqual([crc, crc, crc]);
    expect(stand.etagsFound()).not.toContain('footer');
    for (const emptyIndex of [false, true])
      expect((await told(stand, await another(stand, emptyIndex))).crcs, String(emptyIndex)).toEqual([crc, crc, crc]);
  });

  it.each(BODIES.slice(1))('%s costs no request where this gateway wrote it', async (_name, bytes, declared) => {
    const stand = await inProcess();
    await put(stand, payload(bytes, 3), TOLD, 'k', declared);
    const asked = await told(stand, asking(stand, TOLD));
    const plain = await told(stand, { ...(await another(stand, false)), crc64: undefined });
    expect([asked.ofGet, asked.ofRange, asked.ofHead]).toEqual([plain.ofGet, plain.ofRange, plain.ofHead]);
    expect(plain.crcs).toEqual([undefined, undefined, undefined]);
  });

  it('is in the footer where the bucket may be used in a dialect that tells it, though S3 wrote the object', async () => {
    const stand = await inProcess();
    const sent = payload(300_000, 4);
    expect(await put(stand, sent, KEPT)).toBe(await crcOf(sent));
    const context = await another(stand, true);
    stand.asked();
    const { facts } = await headObject(headOf('k'), context);
    expect(hex(facts.crc64)).toBe(await crcOf(sent));
    // The body, which is more than the footer, was not read.
    expect(stand.asked()).toEqual([`HEAD /${BUCKET}/k`, `GET /${BUCKET}/k`]);
    expect(stand.etagsFound()).toEqual(['footer']);
  });

  it('is computed at the first read of an object that S3 wrote, and remembered', async () => {
    const stand = await inProcess();
    for (const [key, bytes] of [
      ['small', 70_000],
      ['large', 400_000],
    ] as const) {
      const sent = payload(bytes, 5);
      expect(await put(stand, sent, {}, key)).toBeUndefined();
      const crc = await crcOf(sent);
      const context = asking(stand, TOLD);
      expect(hex((await headObject(headOf(key), context)).facts.crc64), key).toBe(crc);
      const again = await told(stand, context, key);
      expect(again.crcs, key).toEqual([crc, crc, crc]);
      expect([again.ofGet, again.ofRange, again.ofHead], key).toEqual([1, 1, 1]);
      expect((await told(stand, await another(stand, false), key)).ofHead, key).toBe(1);
      expect((await told(stand, await another(stand, true), key)).crcs, key).toEqual([crc, crc, crc]);
    }
  });

  it('of a large object that S3 wrote is left out until a client has read all of it', async () => {
    const stand = await inProcess();
    const sent = payload(64 * MIB + 1, 6);
    const crc = await crcOf(sent);
    await put(stand, sent, {});
    const context = asking(stand, TOLD);
    stand.asked();
    expect((await headObject(headOf('k'), context)).facts.crc64).toBeUndefined();
    expect(stand.asked().length).toBe(2);
    const broken = await getObject(getOf('k'), context);
    for await (const _piece of broken.body as AsyncIterable<Buffer>) break;
    expect((await headObject(headOf('k'), context)).facts.crc64).toBeUndefined();
    const whole = await getObject(getOf('k'), context);
    expect(whole.facts.crc64).toBeUndefined();
    for await (const _piece of whole.body as AsyncIterable<Buffer>);
    expect(hex((await headObject(headOf('k'), context)).facts.crc64)).toBe(crc);
  });

  it('that is stored as it was sent is told too', async () => {
    const stand = await inProcess();
    const sent = payload(300_000, 8);
    const crc = await crcOf(sent);
    const context = (asks: Asks) => asking(stand, asks, { protection: 'none' });
    const stored = await putObject(putOf('k'), verifiedBody(sent), context(TOLD));
    expect(hex(stored.crc64)).toBe(crc);
    const read = await told(stand, context(TOLD));
    expect([read.crcs, read.ofGet, read.ofRange, read.ofHead]).toEqual([[crc, crc, crc], 1, 1, 1]);
    await putObject(putOf('s3'), verifiedBody(sent), context(KEPT));
    expect((await told(stand, context(TOLD), 's3')).crcs).toEqual([crc, crc, crc]);
    await putObject(putOf('empty'), verifiedBody(Buffer.alloc(0)), context({}));
    expect(hex((await headObject(headOf('empty'), context(TOLD))).facts.crc64)).toBe('0'.repeat(16));
  });
});

describe('the CRC-64 of an upload', () => {
  it('is told of each part, in listings, and of the object; copied parts have theirs', async () => {
    const stand = await inProcess();
    const source = payload(300_000, 1);
    await put(stand, source, {}, 'source');
    const context = () => asking(stand, TOLD);
    const { named, send, complete } = await startUpload(stand, 'k', { context });
    const [one, two] = [payload(6 * MIB, 2), payload(5 * MIB, 3)];
    const first = await uploadPart({ kind: 'UploadPart', ...named, partNumber: 1 }, verifiedBody(one), context());
    expect(hex(first.crc64)).toBe(await crcOf(one));
    const second = await send(2, two);
    const from = { ref: { bucket: BUCKET, key: 'source' }, conditions: {} };
    const copied = await uploadPartCopy(
      { kind: 'UploadPartCopy', ...named, partNumber: 3, source: from, range: { first: 1, last: 200_000 } },
      context(),
    );
    const three = source.subarray(1, 200_001);
    expect(hex(copied.crc64)).toBe(await crcOf(three));
    const listing = await listParts(
      { kind: 'ListParts', ...named, partNumberMarker: 0, maxParts: 9, urlEncoded: false },
      context(),
    );
    const crcs = await Promise.all([one, two, three].map((part) => crcOf(part)));
    expect(listing.parts.map(({ crc64 }) => hex(crc64))).toEqual(crcs);
    const whole = await crcOf(one, two, three);
    const parts = [
      { partNumber: 1, etag: first.etag, checksum: undefined },
      second,
      { partNumber: 3, etag: copied.etag, checksum: undefined },
    ];
    expect(hex((await complete(parts)).crc64)).toBe(whole);
    expect(hex((await complete(parts)).crc64)).toBe(whole);
    expect((await told(stand, context())).crcs).toEqual([whole, whole, whole]);
    expect((await told(stand, await another(stand, true))).crcs).toEqual([whole, whole, whole]);
  });

  it('of which S3 sent a part is computed of the object', async () => {
    const stand = await inProcess();
    let asks: Asks = {};
    const { send, complete } = await startUpload(stand, 'k', { context: () => asking(stand, asks) });
    const [one, two] = [payload(6 * MIB, 2), payload(1000, 3)];
    const first = await send(1, one);
    asks = TOLD;
    const done = await complete([first, await send(2, two)]);
    expect(hex(done.crc64)).toBe(await crcOf(one, two));
  });
});

describe('the CRC-64 of a copy', () => {
  it.each([
    ['that the store makes, of an object that has one', TOLD, {}],
    ['that the store makes, of an object that has none', {}, {}],
    ['that is written anew, of an object that has one', TOLD, { checksumAlgorithm: 'SHA256' }],
    ['that is written anew, of an object that has none', {}, { checksumAlgorithm: 'SHA256' }],
  ] as const)('%s', async (_name, written, over) => {
    const stand = await inProcess();
    const sent = payload(300_000, 1);
    const crc = await crcOf(sent);
    await put(stand, sent, written, 'source');
    const context = asking(stand, TOLD);
    const copied = await copyObject(copyOf(`${BUCKET}/source`, 'k', over), context);
    expect(hex(copied.crc64)).toBe(crc);
    expect((await told(stand, context)).crcs).toEqual([crc, crc, crc]);
    expect((await told(stand, await another(stand, true))).crcs).toEqual([crc, crc, crc]);
  });
});

describe('which requests compute it', () => {
  it('those of a dialect that tells it, and those for a bucket whose rule names one', async () => {
    const stand = await inProcess();
    const { tools } = stand;
    const { tenant, client, signal, trace } = stand.context();
    const ruled = (...dialects: string[]) => {
      const rule = { bucket: BUCKET, fields: { dialects }, file: 'a.yaml', line: 1, column: 1 };
      return { ...tenant, rules: new CompiledRules([rule], 'seal') };
    };
    const asks = (of: typeof tenant, digests: readonly ToldDigest[], keepsCrc64 = false) =>
      authorize(
        BUCKET,
        { tenant: of, client, signal, trace, dialect: { digests } },
        { ...tools, crc64Dialects: new Set(['oss']), keepsCrc64 },
      ).crc64;
    expect(asks(tenant, [])).toBeUndefined();
    expect(asks(ruled('s3', 'qingstor'), [])).toBeUndefined();
    expect(asks(ruled('s3', 'oss'), [])).toBe('kept');
    expect(asks(ruled('s3', 'oss'), ['crc64'])).toBe('told');
    expect(asks(tenant, ['crc64'])).toBe('told');
    // The settings give such a dialect a port of its own; a rule that names dialects says more.
    expect(asks(tenant, [], true)).toBe('kept');
    expect(asks(ruled('s3'), [], true)).toBeUndefined();
  });
});
