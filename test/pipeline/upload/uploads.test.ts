import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startDigest } from '../../../src/checksums/digest.ts';
import { sealedBytes } from '../../../src/envelope/sizes.ts';
import { clientError } from '../../../src/errors.ts';
import { reachablePolicy } from '../../../src/pipeline/admission/reachable.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { abortUpload } from '../../../src/pipeline/upload/abort.ts';
import { backendParts, listParts, listUploads } from '../../../src/pipeline/upload/list.ts';
import { stateIdOf } from '../../../src/pipeline/upload/state.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { ProvenUpload } from '../../../src/store/proven-upload.ts';
import { openFileStates } from '../../../src/uploads/file-states.ts';
import { StagingSweep } from '../../../src/uploads/staging-sweep.ts';
import { temporaryDirectory } from '../../keys/fixture.ts';
import { payload } from '../../support/payload.ts';
import { BUCKET, headOf, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from '../in-process.ts';
import { hurried } from './hurried.ts';
import { MIB, PART, readBack, type StartedUpload, startUpload } from './upload-stand.ts';

const KIB = 1024;
const STAGING = 'staging';

const provenOf = ({ named }: StartedUpload) => ProvenUpload.created(named.ref, named.uploadId);

const listing = { partNumberMarker: 0, maxParts: 1000, urlEncoded: false };
const uploadsOf = { kind: 'ListMultipartUploads', bucket: BUCKET, prefix: '', delimiter: '' } as const;
const allUploads = { ...uploadsOf, keyMarker: '', uploadIdMarker: '', maxUploads: 1000, urlEncoded: false };

/** The store's keys, none where there is no bucket. */
const staged = (stand: InProcess) => stand.stored.keys(STAGING).catch(() => []);

/** Requests that send bytes into the upload. */
const partsSent = (stand: InProcess) =>
  stand
    .asked()
    .filter((line) => /^PUT .*partNumber=/.test(line))
    .map((line) => /partNumber=(\d+)/.exec(line)?.[1]);

async function inAll(stand: InProcess, key: string, parts: readonly Buffer[]) {
  expect((await readBack(stand, key)).equals(Buffer.concat(parts))).toBe(true);
  expect(stand.handling.memory.reservedBytes).toBe(0);
}

describe('uploads of one tenant', () => {
  it('are so many at once; completing and aborting make room', async () => {
    const stand = await inProcess({ openUploads: 2 });
    const [one, two] = [await startUpload(stand, 'one'), await startUpload(stand, 'two')];
    stand.asked();
    await expect(startUpload(stand, 'three')).rejects.toThrow(
      expect.objectContaining({ code: 'QuotaExceeded', message: expect.stringContaining('abort') }),
    );
    expect(stand.asked()).toEqual([]);
    expect(stand.tools.uploadQuota.refused).toBe(1);
    await one.complete([await one.send(1, payload(10, 1))]);
    const three = await startUpload(stand, 'three');
    expect(await refusalOf(startUpload(stand, 'four'))).toBe('QuotaExceeded');
    await abortUpload({ kind: 'AbortMultipartUpload', ...two.named }, stand.context());
    const four = await startUpload(stand, 'four');
    for (const upload of [three, four]) await upload.complete([await upload.send(1, payload(10, 2))]);
    expect(await stand.tools.uploads.openUploads('acme')).toBe(0);
  });
});

describe('parts smaller than the backend takes', () => {
  /** A dialect with parts of 100 KiB; buckets of quantum 2 have room to list them. */
  const small = { smallestPartBytes: 100 * KIB };
  const context = (stand: InProcess) => () => stand.context({ quantum: 2 });

  it('become backend parts of a size that it takes, in bounded memory', async () => {
    const stand = await inProcess({ budgetBytes: 48 * MIB });
    const upload = await startUpload(stand, 'many', { context: context(stand) });
    const all = payload(41 * MIB, 3);
    const bodies = Array.from({ length: 171 }, (_, at) =>
      all.subarray(at * 240 * KIB, at === 170 ? undefined : (at + 1) * 240 * KIB),
    );
    bodies[170] = all.subarray(0, 77);
    const parts = [];
    for (const [at, body] of bodies.entries()) parts.push(await upload.send(at + 1, body));
    expect(partsSent(stand)).toEqual([]);
    expect(await staged(stand)).toHaveLength(171);
    await upload.complete(parts, small);
    // 40 MiB in pieces of 16, the last with the footer.
    expect(
      partsSent(stand)
        .map(Number)
        .sort((one, other) => one - other),
    ).toEqual([1, 70, 139]);
    await inAll(stand, 'many', bodies);
    expect(await staged(stand)).toEqual([]);
    const total = Buffer.concat(bodies).length;
    expect((await stand.stored.read(BUCKET, 'many')).record.bytes).toBe(sealedBytes(total, 2));
  });

  it('may stand between large ones, where together they are large enough', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'mixed', { context: context(stand) });
    const bodies = [PART, 3 * MIB, 2 * MIB + 1, PART + 5, 200 * KIB].map((bytes, at) => payload(bytes, at));
    const parts = [];
    for (const [at, body] of bodies.entries()) parts.push(await upload.send(10 * at + 1, body));
    stand.asked();
    await upload.complete(parts, small);
    expect(partsSent(stand).sort()).toEqual(['11', '41']);
    await inAll(stand, 'mixed', bodies);
  });

  it('are the client’s mistake where its dialect has no such parts', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'mistake');
    const parts = [];
    for (let number = 1; number <= 3; number++) parts.push(await upload.send(number, payload(3 * MIB, number)));
    expect(await refusalOf(upload.complete(parts))).toBe('EntityTooSmall');
    await upload.complete(parts, { smallestPartBytes: 3 * MIB });
    await inAll(
      stand,
      'mistake',
      [1, 2, 3].map((number) => payload(3 * MIB, number)),
    );
  });

  it('are staged for those whom the backend lets add parts, which is asked once', async () => {
    const stand = await inProcess();
    const credentials = { accessKeyId: 'caller', secret: { reveal: () => 'secret' }, region: 'us-east-1' };
    const store = stand.tools.store.as({ asker: 'caller', credentials });
    const asCaller = () => ({ ...stand.context(), store });
    const upload = await startUpload(stand, 'rights', { context: asCaller });
    stand.asked();
    stand.faults.plan(
      { where: ({ target }) => target.raw.includes('partNumber=10000') },
      { kind: 'refuse', status: 403, code: 'AccessDenied' },
    );
    expect(await refusalOf(upload.send(1, payload(10, 1)))).toBe('AccessDenied');
    expect(await staged(stand)).toEqual([]);
    stand.asked();
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(10, 2))];
    parts.push(await upload.send(3, payload(10, 3)));
    expect(partsSent(stand)).toEqual(['1', '10000']);
    await upload.complete(parts, { smallestPartBytes: 0 });
    await inAll(stand, 'rights', [payload(PART, 1), payload(10, 2), payload(10, 3)]);
  });

  it('are too small where together they are not', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'lonely', { context: context(stand) });
    const parts = [await upload.send(1, payload(PART, 1))];
    parts.push(await upload.send(2, payload(100 * KIB, 2)), await upload.send(3, payload(PART, 3)));
    expect(await refusalOf(upload.complete(parts, small))).toBe('EntityTooSmall');
    expect(await refusalOf(upload.complete(parts))).toBe('EntityTooSmall');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
  });

  it('are too many for a bucket whose footers have no room for their list', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'quantum');
    const parts = [];
    for (let number = 1; number <= 60; number++) parts.push(await upload.send(number, payload(100 * KIB, number)));
    expect(await refusalOf(upload.complete(parts, small))).toBe('EntityTooSmall');
  });

  it('that are gone from the staging bucket must be sent again; those that were altered there never become an object', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'staged');
    const body = payload(200 * KIB, 4);
    const first = await upload.send(1, payload(PART, 5));
    const gone = await upload.send(2, body);
    await stand.stored.delete(STAGING, (await staged(stand))[0] as string);
    expect(await refusalOf(upload.complete([first, gone]))).toBe('InvalidPart');
    const altered = await upload.send(2, body);
    for (const at of [0, 63, 64, 70_000, -1]) {
      await stand.stored.flip(STAGING, (await staged(stand))[0] as string, at);
      expect(await refusalOf(upload.complete([first, altered]))).toBe('ObjectCorrupted');
      await stand.stored.flip(STAGING, (await staged(stand))[0] as string, at);
    }
    await stand.stored.truncate(STAGING, (await staged(stand))[0] as string, 1000);
    expect(await refusalOf(upload.complete([first, altered]))).toBe('InvalidPart');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    await upload.complete([first, await upload.send(2, body)]);
    await inAll(stand, 'staged', [payload(PART, 5), body]);
    expect(await staged(stand)).toEqual([]);
  });

  it('wait in a bucket that is made again when it was removed', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'bucket');
    await upload.send(1, payload(10, 6));
    for (const key of await staged(stand)) await stand.stored.delete(STAGING, key);
    await stand.tools.store.buckets.delete(STAGING, new AbortController().signal);
    expect(await refusalOf(upload.send(1, payload(10, 6)))).toBe('BackendUnavailable');
    await upload.complete([await upload.send(1, payload(10, 6))]);
    await inAll(stand, 'bucket', [payload(10, 6)]);
  });

  it('are not mixed up with a bucket of somebody else’s: the error says what the operator must do', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'foreign');
    const at = (method: string) => ({
      method,
      where: ({ target }: { target: { raw: string } }) => target.raw === `/${STAGING}`,
    });
    const refusal = {
      code: 'BackendError',
      message: expect.stringMatching(/operator must .*uploads\.stagingBucket/),
    };
    await stand.tools.store.buckets.create(
      { kind: 'CreateBucket', bucket: STAGING, location: undefined },
      new AbortController().signal,
    );
    // A stranger's that anybody may write to: HEAD says that it is there.
    stand.faults.plan(at('PUT'), { kind: 'refuse', status: 409, code: 'BucketAlreadyExists' });
    await expect(upload.send(1, payload(10, 6))).rejects.toMatchObject(refusal);
    stand.faults.plan(at('PUT'), { kind: 'refuse', status: 409, code: 'BucketAlreadyExists' });
    await expect(stand.tools.staging.standing(new AbortController().signal)).rejects.toMatchObject(refusal);
    // One that nobody may look at, of a key that may make no buckets.
    stand.faults.plan(at('PUT'), { kind: 'refuse', status: 403, code: 'AccessDenied' });
    stand.faults.plan(at('HEAD'), { kind: 'refuse', status: 403, code: 'AccessDenied' });
    await expect(upload.send(1, payload(10, 6))).rejects.toMatchObject(refusal);
    expect(await staged(stand)).toEqual([]);
    // Its operator made it.
    stand.faults.plan(at('PUT'), { kind: 'refuse', status: 403, code: 'AccessDenied' });
    await upload.send(1, payload(10, 6));
    expect(await staged(stand)).toHaveLength(1);
    expect(stand.faults.left).toBe(0);
  });

  it('are swept out when nobody finished their upload, and not before', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'swept');
    for (let number = 1; number <= 3; number++) await upload.send(number, payload(10, number));
    let now = new Date();
    const swept: number[] = [];
    const sweep = new StagingSweep({
      staging: stand.tools.staging,
      uploads: stand.tools.uploads,
      keepSeconds: 3600,
      now: () => now,
      random: () => 0.5,
      onSwept: (parts) => swept.push(parts),
      onFailure: (error) => {
        throw error;
      },
    });
    now = new Date(Date.now() + (3600 + 86_000) * 1000);
    await sweep.run();
    expect([swept, (await staged(stand)).length]).toEqual([[], 3]);
    // Another gateway over the same bucket keeps uploads for longer: this one is still under way.
    now = new Date(Date.now() + (3600 + 87_000) * 1000);
    await sweep.run();
    expect([swept, (await staged(stand)).length]).toEqual([[], 3]);
    await stand.tools.uploads.delete(stateIdOf(upload.named, stand.context()));
    await sweep.run();
    expect([swept, await staged(stand)]).toEqual([[3], []]);
    sweep.stop();
  });

  it('are all that is swept out: what else lies in the bucket is somebody’s data', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'beside');
    await upload.send(1, payload(10, 1));
    const [part = ''] = await staged(stand);
    const others = ['report.pdf', `${part}.bak`, `backup/${part}`, part.replace(/.$/, 'X'), part.replace('/', '/0')];
    for (const key of others) {
      const metadata = { content: {}, user: [] };
      const put = { ref: { bucket: STAGING, key }, metadata, conditions: {}, body: payload(10, 2) };
      await stand.tools.store.put(put, new AbortController().signal);
    }
    const options = { before: new Date(Date.now() + 1000), isUnderWay: async () => false };
    expect(await stand.tools.staging.sweep(options, new AbortController().signal)).toBe(1);
    expect((await staged(stand)).sort()).toEqual(others.sort());
  });

  it('lie where no tenant reaches, whatever its patterns', async () => {
    const stand = await inProcess();
    const context = stand.context();
    const everything = { ...context.tenant, buckets: [{ ...context.policy, pattern: '*' }] };
    expect(reachablePolicy('anything', { ...context, tenant: everything })).toBeDefined();
    expect(reachablePolicy(STAGING, { ...context, tenant: everything })).toBeUndefined();
  });
});

describe('what is known of an upload', () => {
  it('is lost: parts and Complete say what to do, and Abort still clears the store', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'lost');
    const part = await upload.send(1, payload(PART, 7));
    await stand.tools.uploads.delete(stateIdOf(upload.named, stand.context()));
    for (const lost of [upload.send(2, payload(10, 8)), upload.complete([part])]) {
      await expect(lost).rejects.toMatchObject({
        code: 'NoSuchUpload',
        message: expect.stringMatching(/lost its state.*begin it again/),
      });
    }
    expect(await refusalOf(listParts({ kind: 'ListParts', ...upload.named, ...listing }, stand.context()))).toBe(
      'NoSuchUpload',
    );
    const abort = () => abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, stand.context());
    await abort();
    expect(await refusalOf(abort())).toBe('NoSuchUpload');
  });

  it('lacks one part: that part must be sent again, no other', async () => {
    const directory = await temporaryDirectory();
    const stand = await withStates(directory);
    const upload = await startUpload(stand, 'part');
    const parts = [await upload.send(1, payload(PART, 9)), await upload.send(2, payload(PART, 10))];
    const file = (await readdir(directory)).find((name) => !name.startsWith('by-')); // beside the marks that count it
    const lines = (await readFile(join(directory, file as string), 'utf8')).trimEnd().split('\n');
    await writeFile(join(directory, file as string), `${lines.slice(0, -1).join('\n')}\n`);
    await expect(upload.complete(parts)).rejects.toMatchObject({
      code: 'InvalidPart',
      details: { PartNumber: '2' },
    });
    const again = await upload.send(2, payload(PART, 10));
    await upload.complete([parts[0] as (typeof parts)[number], again]);
    await inAll(stand, 'part', [payload(PART, 9), payload(PART, 10)]);
  });

  it('is reserved for while it is read, so that many who ask at once wait their turn', async () => {
    const stand = await inProcess({ budgetBytes: 16 * MIB });
    const upload = await startUpload(stand, 'wide');
    const id = stateIdOf(upload.named, stand.context());
    await upload.send(1, payload(10, 1));
    const [header, part] = (await stand.tools.uploads.read(id)) as [Buffer, Buffer];
    await stand.tools.uploads.create(id, [header, ...Array<Buffer>(6_000).fill(part)], 60);
    const list = () => listParts({ kind: 'ListParts', ...upload.named, ...listing }, stand.context());
    const asked = await Promise.allSettled([list(), list(), list(), list()]);
    const refused = asked.filter((each) => each.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(4);
    for (const { reason } of refused) expect(reason.code).toBe('SlowDown');
    expect(stand.handling.memory.reservedBytes).toBe(0);
    expect((await list()).parts).toHaveLength(1);
  });

  it('was altered, or brought from another upload: refused', async () => {
    const stand = await inProcess();
    const { uploads } = stand.tools;
    const [one, two] = [await startUpload(stand, 'one'), await startUpload(stand, 'two')];
    const [idOne, idTwo] = [one, two].map(({ named }) => stateIdOf(named, stand.context())) as [string, string];
    const part = await one.send(1, payload(10, 11));
    await two.send(1, payload(10, 12));
    const [headerOne, partOne] = (await uploads.read(idOne)) as Buffer[];
    const [headerTwo] = (await uploads.read(idTwo)) as Buffer[];
    await uploads.create(idTwo, [headerTwo as Buffer, partOne as Buffer], 60);
    expect(await refusalOf(two.complete([part]))).toBe('ObjectCorrupted');
    await uploads.create(idTwo, [headerOne as Buffer, partOne as Buffer], 60);
    expect(await refusalOf(two.complete([part]))).toBe('ObjectCorrupted');
    expect(await refusalOf(two.send(1, payload(10, 12)))).toBe('ObjectCorrupted');
    await uploads.create(idOne, [headerOne as Buffer, randomBytes(77)], 60);
    expect(await refusalOf(one.complete([part]))).toBe('ObjectCorrupted');
    await uploads.create(idOne, [headerOne as Buffer, partOne as Buffer], 60);
    await one.complete([part]);
  });

  it('stays with the upload when its bucket’s policy changes', async () => {
    const stand = await inProcess();
    let protection: 'seal' | 'none' = 'seal';
    const context = () => stand.context({ protection, mixed: true });
    const upload = await startUpload(stand, 'policy', { context });
    const first = await upload.send(1, payload(PART, 13));
    protection = 'none';
    await upload.complete([first, await upload.send(2, payload(10, 14))]);
    await inAll(stand, 'policy', [payload(PART, 13), payload(10, 14)]);
    expect((await stand.stored.read(BUCKET, 'policy')).bytes.includes(payload(10, 14))).toBe(false);
  });

  it('is not a tenant’s of the same name that was made anew since, and has other keys', async () => {
    const stand = await inProcess();
    let { tenant } = stand.context();
    const context = () => {
      const asked = stand.context();
      return { ...asked, tenant, keys: stand.tools.keySources.open({ ...asked, tenant, asked: undefined }) };
    };
    const upload = await startUpload(stand, 'former', { context });
    const part = await upload.send(1, payload(10, 14));
    tenant = { ...tenant, ringId: 'ffffffffffffffff' };
    expect(await refusalOf(upload.send(2, payload(10, 15)))).toBe('ObjectCorrupted');
    expect(await refusalOf(upload.complete([part]))).toBe('ObjectCorrupted');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
  });

  it('is nothing that another tenant, bucket or key reaches', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'mine');
    await upload.send(1, payload(10, 15));
    const id = stateIdOf(upload.named, stand.context());
    const other = { ...stand.context(), tenant: { ...stand.context().tenant, name: 'other' } };
    expect(stateIdOf(upload.named, other)).not.toBe(id);
    const foreign = { ...upload.named, ref: { bucket: BUCKET, key: 'theirs' } };
    expect(await refusalOf(listParts({ kind: 'ListParts', ...foreign, ...listing }, stand.context()))).toBe(
      'NoSuchUpload',
    );
    expect(await refusalOf(abortUpload({ kind: 'AbortMultipartUpload', ...foreign }, stand.context()))).toBe(
      'NoSuchUpload',
    );
  });
});

async function withStates(directory: string): Promise<InProcess> {
  const stand = await inProcess();
  const uploads = await openFileStates({ directory, now: () => new Date() });
  const tools = { ...stand.tools, uploads };
  return { ...stand, tools, context: (policy) => ({ ...stand.context(policy), uploads }) };
}

describe('parts', () => {
  it('that turn out bad are not recorded, and leave nothing staged', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'bad');
    const refusal = clientError('BadDigest', 'no');
    for (const bytes of [10, PART]) {
      expect(await refusalOf(upload.send(1, verifiedBody(payload(bytes, 16), { refusal })))).toBe('BadDigest');
    }
    const listed = await listParts({ kind: 'ListParts', ...upload.named, ...listing }, stand.context());
    expect([listed.parts, await staged(stand)]).toEqual([[], []]);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('of unknown length are gathered, up to a bound', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'unknown');
    const body = payload(PART + 3, 17);
    const parts = [await upload.send(1, verifiedBody(body, { declared: false }))];
    const huge = verifiedBody(Buffer.alloc(17 * MIB), { declared: false, pieceBytes: MIB });
    expect(await refusalOf(upload.send(2, huge))).toBe('MissingContentLength');
    await upload.complete(parts);
    await inAll(stand, 'unknown', [body]);
  });

  it('overwritten in the backend by another attempt are named, and the other attempt can be completed', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'overwritten');
    const old = await upload.send(1, payload(PART, 18));
    const last = await upload.send(2, payload(10, 19));
    const young = await upload.send(1, payload(PART, 20));
    await expect(upload.complete([old, last])).rejects.toMatchObject({
      code: 'InvalidPart',
      details: { PartNumber: '1' },
    });
    await upload.complete([young, last]);
    await inAll(stand, 'overwritten', [payload(PART, 20), payload(10, 19)]);
  });

  it.each([
    ['small, then small', 1000, 2000],
    ['small, then large', 1000, PART],
    ['large, then small', PART, 1000],
    ['large, then large', PART, PART],
    ['small, then with as many bytes', 1000, 1000],
  ])('sent again with other bytes count as they were sent last: %s', async (_what, before, after) => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'again');
    const old = await upload.send(1, payload(before, 21));
    const young = await upload.send(1, payload(after, 22));
    await expect(upload.complete([old])).rejects.toMatchObject({ code: 'InvalidPart', details: { PartNumber: '1' } });
    await upload.complete([young]);
    await inAll(stand, 'again', [payload(after, 22)]);
  });

  it('sent again with the same bytes, which their checksums prove, may be named by either ETag', async () => {
    for (const named of [0, 1]) {
      const stand = await inProcess();
      const upload = await startUpload(stand, 'same', { checksum: { algorithm: 'CRC32C', composite: false } });
      const parts = [await upload.send(1, payload(1000, 23)), await upload.send(1, payload(1000, 23))] as const;
      expect(parts[0].etag).not.toBe(parts[1].etag);
      await upload.complete([parts[named] as (typeof parts)[0]]);
      await inAll(stand, 'same', [payload(1000, 23)]);
    }
  });

  it('of which the backend cannot tell for a moment are neither shown nor taken for missing', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'moment');
    const old = await upload.send(1, payload(PART, 18));
    const young = await upload.send(1, payload(PART, 20));
    const last = await upload.send(2, payload(10, 19));
    let asked = 0;
    const { store } = stand.tools;
    const listed = store.uploads.listParts.bind(store.uploads);
    store.uploads.listParts = async (...args) => {
      const page = await listed(...args);
      return ++asked > 1 ? page : { ...page, parts: page.parts.map((part) => ({ ...part, etag: '' })) };
    };
    const shown = await listParts({ kind: 'ListParts', ...upload.named, ...listing }, stand.context());
    expect(shown.parts.map(({ partNumber }) => partNumber)).toEqual([2]);
    asked = 0;
    await expect(upload.complete([old, last])).rejects.toMatchObject({
      code: 'InvalidPart',
      details: { PartNumber: '1' },
    });
    expect(asked).toBe(2);
    await upload.complete([young, last]);
    await inAll(stand, 'moment', [payload(PART, 20), payload(10, 19)]);
  });

  it('that arrive while their upload is aborted are refused and leave nothing staged', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'late');
    await upload.send(1, payload(10, 21));
    const late = verifiedBody(payload(10, 22), {
      late: async () => {
        await abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, stand.context());
      },
    });
    expect(await refusalOf(upload.send(2, late))).toBe('NoSuchUpload');
    expect(await staged(stand)).toEqual([]);
  });

  it('are listed where the backend still holds them', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'held');
    await upload.send(1, payload(PART, 37));
    await upload.send(2, payload(PART, 38));
    const part = { partNumber: 1, body: payload(PART, 39) };
    await stand.tools.store.uploads.putPart(provenOf(upload), part, new AbortController().signal);
    const listed = await listParts({ kind: 'ListParts', ...upload.named, ...listing }, stand.context());
    expect(listed.parts.map(({ partNumber }) => partNumber)).toEqual([2]);
  });

  it('are listed in pages of any size, each once', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'pages');
    for (const number of [5, 1, 9, 3, 7]) await upload.send(number, payload(number, number));
    for (const maxParts of [1, 2, 4, 5, 6]) {
      const seen: number[] = [];
      for (let partNumberMarker = 0, more = true; more; ) {
        const asked = { kind: 'ListParts', ...upload.named, partNumberMarker, maxParts, urlEncoded: false } as const;
        const page = await listParts(asked, stand.context());
        expect(page.parts.length).toBeLessThanOrEqual(maxParts);
        seen.push(...page.parts.map(({ partNumber }) => partNumber));
        more = page.truncated;
        partNumberMarker = page.parts.at(-1)?.partNumber ?? 0;
      }
      expect(seen).toEqual([1, 3, 5, 7, 9]);
    }
    const none = { kind: 'ListParts', ...upload.named, ...listing, maxParts: 0 } as const;
    expect(await listParts(none, stand.context())).toMatchObject({ parts: [], truncated: false });
  });
});

describe('Complete', () => {
  it('that fails takes no part away that it does not name', async () => {
    const stand = await inProcess();
    await putObject(putOf('kept'), verifiedBody(payload(10, 1)), stand.context());
    const upload = await startUpload(stand, 'kept');
    const parts = [];
    for (const number of [1, 2, 3]) parts.push(await upload.send(number, payload(PART, 30 + number)));
    const absent = { conditions: { ifNoneMatch: '*' } };
    expect(await refusalOf(upload.complete(parts.slice(0, 2), absent))).toBe('PreconditionFailed');
    await upload.complete(parts);
    await inAll(stand, 'kept', [payload(PART, 31), payload(PART, 32), payload(PART, 33)]);
  });

  it('is the end: a part that comes after it is refused, whatever its size, and leaves nothing staged', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'over');
    await upload.complete([await upload.send(1, payload(PART, 34))]);
    expect(await refusalOf(upload.send(2, payload(PART, 35)))).toBe('NoSuchUpload');
    expect(await refusalOf(upload.send(2, payload(10, 36)))).toBe('NoSuchUpload');
    expect(await staged(stand)).toEqual([]);
    const other = await startUpload(stand, 'while');
    const late = verifiedBody(payload(10, 40), {
      late: async () => {
        await other.complete([await other.send(1, payload(10, 41))]);
      },
    });
    expect(await refusalOf(other.send(2, late))).toBe('NoSuchUpload');
    expect(await staged(stand)).toEqual([]);
    await inAll(stand, 'while', [payload(10, 41)]);
  });

  it('that was first is not undone by an Abort, which says so, and can be asked again', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'race');
    const abort = () => abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, stand.context());
    const parts = [await upload.send(1, payload(PART, 50)), await upload.send(2, payload(10, 51))];
    const held = stand.faults.hold({ method: 'DELETE', where: ({ target }) => target.raw.includes('uploadId=') });
    const aborted = refusalOf(abort());
    await held.reached;
    await upload.complete(parts);
    held.release();
    expect(await aborted).toBe('NoSuchUpload');
    await upload.complete(parts);
    await inAll(stand, 'race', [payload(PART, 50), payload(10, 51)]);

    // The gateway that completed it stopped before it said so anywhere.
    const other = await startUpload(stand, 'unsaid');
    const part = await other.send(1, payload(PART, 52));
    const completing = ({ method, target }: { method: string; target: { raw: string } }) =>
      method === 'POST' && target.raw.includes('uploadId=');
    stand.faults.plan({ where: completing }, { kind: 'drop', what: 'answer' });
    expect(await refusalOf(other.complete([part]))).toBe('BackendUnavailable');
    const again = { kind: 'AbortMultipartUpload', ...other.named } as const;
    expect(await refusalOf(abortUpload(again, stand.context()))).toBe('NoSuchUpload');
    await other.complete([part]);
    await inAll(stand, 'unsaid', [payload(PART, 52)]);
  });

  it('whose success was not heard succeeds when it is asked again', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'unheard');
    const parts = [await upload.send(1, payload(PART, 23)), await upload.send(2, payload(10, 24))];
    const where = ({ method, target }: { method: string; target: { raw: string } }) =>
      method === 'POST' && target.raw.includes('uploadId=');
    const other = await upload.send(3, payload(10, 99));
    stand.faults.plan({ where }, { kind: 'drop', what: 'answer' });
    expect(await refusalOf(upload.complete(parts))).toBe('BackendUnavailable');
    const otherList = () => refusalOf(upload.complete([parts[0] as (typeof parts)[number], other]));
    expect(await hurried(otherList)).toBe('NoSuchUpload');
    // Even under the condition that there be none: this very object is there.
    const again = await upload.complete(parts, { conditions: { ifNoneMatch: '*' } });
    const head = await headObject(headOf('unheard'), stand.context());
    expect(head.facts.etag).toBe(again.etag);
    expect(await staged(stand)).toEqual([]);
    expect(await refusalOf(upload.complete(parts.slice(0, 1)))).toBe('NoSuchUpload');
    await inAll(stand, 'unheard', [payload(PART, 23), payload(10, 24)]);
  });

  it('is not told of another object as if it were its own', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'another');
    const parts = [await upload.send(1, payload(10, 25))];
    await stand.tools.store.uploads.abort(provenOf(upload), new AbortController().signal);
    await putObject(putOf('another'), verifiedBody(payload(10, 25)), stand.context());
    expect(await hurried(() => refusalOf(upload.complete(parts)))).toBe('NoSuchUpload');
    const done = await startUpload(stand, 'replaced');
    const few = [await done.send(1, payload(10, 25))];
    await done.complete(few);
    const again = await startUpload(stand, 'replaced');
    await again.complete([await again.send(1, payload(10, 25))]);
    expect(await refusalOf(done.complete(few))).toBe('NoSuchUpload');
  });

  it('refuses what the client says of the whole and what is not so', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'whole', { checksum: { algorithm: 'CRC32', composite: false } });
    const bodies = [payload(PART, 26), payload(1000, 27)];
    const parts = [await upload.send(1, bodies[0] as Buffer), await upload.send(2, bodies[1] as Buffer)];
    const digest = await startDigest('CRC32');
    for (const body of bodies) digest.update(body);
    const value = digest.digest();
    const wrong = Buffer.from(value.map((byte) => byte ^ 1));
    const refused = async (over: Parameters<typeof upload.complete>[1]) => refusalOf(upload.complete(parts, over));
    expect(await refused({ checksum: { algorithm: 'CRC32', value: wrong } })).toBe('BadDigest');
    expect(await refused({ checksum: { algorithm: 'CRC32C', value } })).toBe('InvalidRequest');
    expect(await refused({ checksum: { algorithm: 'CRC32', value, parts: 2 } })).toBe('BadDigest');
    expect(await refused({ composite: true })).toBe('InvalidRequest');
    expect(await refused({ plaintextBytes: PART + 999 })).toBe('InvalidRequest');
    const other = { ...(parts[1] as (typeof parts)[number]), checksum: { algorithm: 'CRC32', value } as const };
    expect(await refusalOf(upload.complete([parts[0] as (typeof parts)[number], other]))).toBe('InvalidPart');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    const over = { checksum: { algorithm: 'CRC32', value }, composite: false, plaintextBytes: PART + 1000 } as const;
    expect((await upload.complete(parts, over)).checksum).toEqual({ algorithm: 'CRC32', value, parts: undefined });
    const head = await headObject(headOf('whole', { wantsChecksum: true }), stand.context());
    expect(head.facts.checksum).toEqual({ algorithm: 'CRC32', value, parts: undefined });
  });

  it('computes what clients leave to the store, and keeps MD5s where all parts have one', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'computed', { checksum: { algorithm: 'SHA256', composite: true } });
    const bodies = [payload(PART, 28), payload(3, 29)];
    const withMd5 = (body: Buffer) => ({
      ...verifiedBody(body),
      proof: () => ({ checksum: undefined, md5: createHash('md5').update(body).digest() }),
    });
    const parts = [];
    for (const [at, body] of bodies.entries()) parts.push(await upload.send(at + 1, withMd5(body)));
    const sums = bodies.map((body) => createHash('sha256').update(body).digest());
    const value = createHash('sha256').update(Buffer.concat(sums)).digest();
    expect((await upload.complete(parts)).checksum).toEqual({ algorithm: 'SHA256', value, parts: 2 });
    expect(stand.memory.layouts.get('acme', { bucket: BUCKET, key: 'computed' })?.manifest.md5).toEqual(
      createHash('md5')
        .update(Buffer.concat(bodies.map((body) => createHash('md5').update(body).digest())))
        .digest(),
    );
  });

  it('refuses parts whose checksum is of another kind than the upload’s', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'kinds', { checksum: { algorithm: 'CRC32', composite: true } });
    const body = { ...verifiedBody(payload(10, 30)), checksumAlgorithm: 'SHA256' as const };
    expect(await refusalOf(upload.send(1, body))).toBe('InvalidRequest');
    expect(await staged(stand)).toEqual([]);
  });
});

describe('a bucket without protection', () => {
  it('has uploads as the backend has them, its rules included', async () => {
    const stand = await inProcess();
    const context = () => stand.context({ protection: 'none' });
    const upload = await startUpload(stand, 'plain', { context });
    const parts = [await upload.send(1, payload(PART, 31)), await upload.send(10_000, payload(10, 32))];
    const listed = await listParts({ kind: 'ListParts', ...upload.named, ...listing }, context());
    expect(listed.parts.map(({ partNumber, plaintextBytes, etag }) => [partNumber, plaintextBytes, etag])).toEqual([
      [1, PART, parts[0]?.etag],
      [10_000, 10, parts[1]?.etag],
    ]);
    const refusal = clientError('BadDigest', 'no');
    expect(await refusalOf(upload.send(2, verifiedBody(payload(PART, 33), { refusal })))).toBe('BadDigest');
    const { etag } = await upload.complete(parts);
    expect(etag).toMatch(/^[0-9a-f]{32}-2$/);
    const whole = Buffer.concat([payload(PART, 31), payload(10, 32)]);
    expect((await stand.stored.read(BUCKET, 'plain')).bytes.equals(whole)).toBe(true);
    expect((await readBack(stand, 'plain', context())).equals(whole)).toBe(true);
    const small = await startUpload(stand, 'small', { context });
    const few = [await small.send(1, payload(10, 34)), await small.send(2, payload(10, 35))];
    expect(await refusalOf(small.complete(few))).toBe('EntityTooSmall');
    await abortUpload({ kind: 'AbortMultipartUpload', ...small.named }, context());
  });
});

describe('a listing of uploads', () => {
  it('shows the client’s, not the gateway’s own, and after a day what nobody knows any more', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'client');
    const orphan = await startUpload(stand, 'orphan');
    await stand.tools.uploads.delete(stateIdOf(orphan.named, stand.context()));
    const keys = async (now = new Date()) => {
      const context = stand.context();
      return (await listUploads(allUploads, { ...context, now: () => now })).uploads.map(({ key }) => key);
    };
    const seen: string[][] = [];
    const own = verifiedBody(payload(9 * MIB, 36), {
      declared: false,
      late: async () => {
        seen.push(await keys());
      },
    });
    await putObject(putOf('own'), own, stand.context());
    expect(seen).toEqual([['client']]);
    expect(await keys(new Date(Date.now() + 86_500_000))).toEqual(['client', 'orphan']);
    await abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, stand.context());
    expect(await keys()).toEqual([]);
  });
});

it('a part of 5 GiB is refused before a byte of it is read, and told how large it may be', async () => {
  const stand = await inProcess();
  const upload = await startUpload(stand, 'k');
  const unread = () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('a byte was read')) }),
  });
  const part = (plaintextBytes: number) => ({ ...verifiedBody(Buffer.alloc(0)), plaintextBytes, bytes: unread });
  stand.asked();
  for (const bytes of [5 * 1024 ** 3, 5_367_398_641]) {
    await expect(upload.send(1, part(bytes))).rejects.toMatchObject({
      code: 'EntityTooLarge',
      details: { ProposedSize: String(bytes), MaxSizeAllowed: '5367398640' },
    });
  }
  expect(stand.asked()).toEqual([]);
  await expect(upload.send(1, part(5_367_398_640))).rejects.not.toMatchObject({ code: 'EntityTooLarge' });
});

it('parts are found though the store lists nothing after a number that no part has, as MinIO does', async () => {
  const stand = await inProcess();
  const upload = await startUpload(stand, 'gaps');
  const sent = [2, 5, 9];
  for (const number of sent) await upload.send(number, payload(PART, number));
  const context = stand.context();
  const { uploads } = context.store;
  const honest = uploads.listParts.bind(uploads);
  const markers: number[] = [];
  uploads.listParts = async (proven, marker, signal) => {
    markers.push(marker);
    const page = await honest(proven, marker, signal);
    return marker === 0 || sent.includes(marker) ? page : { ...page, parts: [], truncated: false };
  };
  const numbers = async (partNumberMarker: number) =>
    (await listParts({ kind: 'ListParts', ...upload.named, ...listing, partNumberMarker }, context)).parts.map(
      ({ partNumber }) => partNumber,
    );
  expect(await numbers(0)).toEqual([2, 5, 9]);
  expect(await numbers(2)).toEqual([5, 9]);
  expect(await numbers(3)).toEqual([5, 9]);
  // Where the number is a part's, one page is all that is asked for.
  markers.length = 0;
  expect([
    ...(await backendParts({ proven: provenOf(upload) } as never, { after: 5, until: 9 }, context)).keys(),
  ]).toEqual([9]);
  expect(markers).toEqual([5]);
});
