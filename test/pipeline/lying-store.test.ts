import { describe, expect, it } from 'vitest';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import type { GetObject } from '../../src/operations/operation.ts';
import type { OperationContext } from '../../src/pipeline/context.ts';
import { getObject } from '../../src/pipeline/read/get.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { listParts } from '../../src/pipeline/upload/list.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import { Store } from '../../src/store/store.ts';
import { Staging } from '../../src/uploads/staging.ts';
import { type AlteredRows, s3With } from '../support/altered-rows.ts';
import { payload } from '../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from './in-process.ts';
import { PART, readBack, startUpload } from './upload/upload-stand.ts';

/** A store that lies (FORMAT.md §1) in what a real one cannot be made to say: ETags and lists of its own making. */

const STAGING = 'staging';
const FORGED = 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0';
/** Less than a backend's part: it is staged. */
const SMALL = 100_000;

function lying(stand: InProcess, lies: Lies): () => OperationContext {
  const store = new Store(s3With(lies.ofObjects ?? {}), stand.connection);
  const staging = new Staging({
    bucket: STAGING,
    store: new Store(s3With(lies.ofStagedParts ?? {}), stand.connection),
  });
  return () => ({ ...stand.context(), store, staging });
}

interface Lies {
  readonly ofObjects?: AlteredRows;
  readonly ofStagedParts?: AlteredRows;
}

/** What is put and what is read has one and the same ETag, and conditions on ETags are passed over. */
const ONE_ETAG: Lies = {
  ofObjects: {
    get: {
      render: (get) => s3Back.calls.get.render({ ...get, conditions: {} }),
      read: (answer) => ({ ...s3Back.calls.get.read(answer), etag: FORGED }),
    },
    head: {
      render: (get) => s3Back.calls.head.render({ ...get, conditions: {} }),
      read: (answer) => ({ ...s3Back.calls.head.read(answer), etag: FORGED }),
    },
  },
  ofStagedParts: {
    put: { read: (answer) => ({ ...s3Back.calls.put.read(answer), etag: FORGED }) },
    get: { render: (get) => s3Back.calls.get.render({ ...get, conditions: {} }) },
  },
};

describe('one ETag for two attempts at a part', () => {
  async function sentTwice() {
    const stand = await inProcess();
    const context = lying(stand, ONE_ETAG);
    const upload = await startUpload(stand, 'object', { context });
    const [first, second] = [payload(SMALL, 1), payload(SMALL, 2)];
    await upload.send(1, first);
    const [kept] = await stand.stored.keys(STAGING);
    const part = await upload.send(1, second);
    const names = await stand.stored.keys(STAGING);
    const place = names.find((name) => name !== kept) as string;
    return { stand, context, upload, part, kept: kept as string, place, second };
  }

  it('the last one counts, as with every store', async () => {
    const { stand, upload, part, second } = await sentTwice();
    await upload.complete([part]);
    expect((await readBack(stand, 'object')).equals(second)).toBe(true);
  });

  it('the first one in the place of the last makes no object', async () => {
    const { stand, upload, part, kept, place } = await sentTwice();
    await stand.stored.overwrite(STAGING, place, (await stand.stored.read(STAGING, kept)).bytes);
    expect(await refusalOf(upload.complete([part]))).toBe('ObjectCorrupted');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
  });

  it('nor does a part of another upload, or bytes that nobody sealed', async () => {
    const { stand, context, upload, part, place } = await sentTwice();
    const before = await stand.stored.keys(STAGING);
    const other = await startUpload(stand, 'other', { context });
    await other.send(1, payload(SMALL, 3));
    const [foreign] = (await stand.stored.keys(STAGING)).filter((name) => !before.includes(name));
    const { bytes } = await stand.stored.read(STAGING, foreign as string);
    for (const planted of [bytes, payload(bytes.length, 4)]) {
      await stand.stored.overwrite(STAGING, place, planted);
      expect(await refusalOf(upload.complete([part]))).toBe('ObjectCorrupted');
    }
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
  });
});

describe('a list of parts of its own making', () => {
  it('shows no part that was not sent, takes none away from Complete, and adds none', async () => {
    const stand = await inProcess();
    const lastModified = new Date();
    const forged = [
      { partNumber: 1, etag: FORGED, storedBytes: 1, lastModified },
      { partNumber: 7, etag: FORGED, storedBytes: 99, lastModified },
    ];
    const context = lying(stand, { ofObjects: { listParts: { read: () => ({ parts: forged, truncated: false }) } } });
    const upload = await startUpload(stand, 'object', { context });
    const part = await upload.send(1, payload(PART, 5));
    const asked = { partNumberMarker: 0, maxParts: 1000, urlEncoded: false };
    const { parts } = await listParts({ kind: 'ListParts', ...upload.named, ...asked }, context());
    expect(parts).toEqual([]);
    expect(await refusalOf(upload.complete([{ partNumber: 7, etag: `${FORGED}-0`, checksum: undefined }]))).toBe(
      'InvalidPart',
    );
    await upload.complete([part]);
    expect((await readBack(stand, 'object')).equals(payload(PART, 5))).toBe(true);
  });
});

describe('one ETag for two objects of one size', () => {
  /** The object of before, whole, in the place of the one whose footer is known by now. */
  async function putBack(write: (stand: InProcess, context: () => OperationContext, seed: number) => Promise<void>) {
    const stand = await inProcess();
    const context = lying(stand, ONE_ETAG);
    await write(stand, context, 10);
    const { bytes, record } = await stand.stored.read(BUCKET, 'object');
    await write(stand, context, 20);
    const ask = (over: Partial<GetObject> = {}) => getObject({ ...getOf('object'), ...over }, context());
    await bodyOf(await ask());
    await headObject({ ...headOf('object'), wantsChecksum: true }, context());
    await stand.stored.overwrite(BUCKET, 'object', bytes, record);
    return { context, ask };
  }

  const inParts = async (stand: InProcess, context: () => OperationContext, seed: number) => {
    const upload = await startUpload(stand, 'object', { context });
    await upload.complete([await upload.send(1, payload(PART, seed)), await upload.send(2, payload(SMALL, seed + 1))]);
  };
  const inOneGo = async (_stand: InProcess, context: () => OperationContext, seed: number) => {
    await putObject(putOf('object'), verifiedBody(payload(300_000, seed)), context());
  };

  it('a range of it by the list of parts of the other is refused', async () => {
    const { ask } = await putBack(inParts);
    const range = { kind: 'from', first: 10, last: 20 } as const;
    expect(await refusalOf(ask({ range }))).toBe('ObjectCorrupted');
  });

  it('what is told of it is not the other’s: checksums, numbers of parts', async () => {
    for (const write of [inParts, inOneGo]) {
      const { context } = await putBack(write);
      const asked = headObject({ ...headOf('object'), wantsChecksum: true }, context());
      expect(await refusalOf(asked)).toBe('ObjectCorrupted');
    }
    const { ask } = await putBack(inParts);
    expect(await refusalOf(ask({ part: 2 }))).toBe('ObjectCorrupted');
  });

  it('nothing is remembered of the quarrel: it is whole, as any older version that is put back', async () => {
    const { context, ask } = await putBack(inParts);
    await headObject({ ...headOf('object'), wantsChecksum: true }, context()).catch(() => undefined);
    const whole = Buffer.concat([payload(PART, 10), payload(SMALL, 11)]);
    expect((await bodyOf(await ask())).equals(whole)).toBe(true);
  });
});

describe('a store that passes over conditions', () => {
  /** Replaces the object before the second look at it, which was pinned to the first. */
  class Replacing extends Store {
    looks = 0;
    replace: () => Promise<void> = async () => undefined;

    override async read(...[get, signal]: Parameters<Store['read']>): ReturnType<Store['read']> {
      if (++this.looks === 2) await this.replace();
      return super.read({ ...get, conditions: {} }, signal);
    }
  }

  it('a range that takes two looks is of the object that it is said to be of, plain ones too', async () => {
    const stand = await inProcess();
    const store = new Replacing(s3Back, stand.connection);
    const [before, after] = [payload(300_000, 31), payload(300_000, 32)];
    await stand.stored.overwrite(BUCKET, 'object', before);
    store.replace = () => stand.stored.overwrite(BUCKET, 'object', after);
    const context = { ...stand.context({ mixed: true }), store };
    const range = { kind: 'from', first: 10, last: 99_999 } as const;
    const content = await getObject({ ...getOf('object'), range }, context);
    expect((await bodyOf(content)).equals(after.subarray(10, 100_000))).toBe(true);
    const { facts } = await headObject(headOf('object'), context);
    expect(content.facts.etag).toBe(facts.etag);
    expect(store.looks).toBeGreaterThan(2);
  });
});
