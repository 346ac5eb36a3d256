import { describe, expect, it } from 'vitest';
import type { ForStore } from '../../src/dialects/identifiers.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import type { StoreCopy, StorePartCopy } from '../../src/dialects/store-exchange.ts';
import { clientError } from '../../src/errors.ts';
import type { OperationTools } from '../../src/pipeline/context.ts';
import { copyObject } from '../../src/pipeline/copy/copy.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import { Store } from '../../src/store/store.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { OutgoingRequest } from '../../src/wire/message.ts';
import { type AlteredRows, s3With } from '../support/altered-rows.ts';
import { payload } from '../support/payload.ts';
import {
  BUCKET,
  copyOf,
  headOf,
  IGNORES_CONDITIONS,
  type InProcess,
  inProcess,
  KEEPS_TORN,
  putOf,
  refusalOf,
  verifiedBody,
} from './in-process.ts';
import { hurried } from './upload/hurried.ts';
import { MIB, PART, readBack, startUpload } from './upload/upload-stand.ts';

/** What single stores do otherwise than S3 (docs/stores.md), in what a test can hold still. */

type Habit = Partial<Pick<OperationTools, 'findings' | 'store'>>;

const over = (stand: InProcess, habit: Habit) => () => ({
  ...stand.context(),
  ...habit,
});

const speaking = (stand: InProcess, words: AlteredRows) => new Store(s3With(words), stand.connection);

const IF_NONE = { ifNoneMatch: '*' } as const;

describe('a store that keeps what broke off', () => {
  it.each([128 * 1024 + 1, 8 * MIB - 1, 8 * MIB, 20 * MIB])(
    'gets nothing of a bad upload of %d bytes that it could keep',
    async (bytes) => {
      const stand = await inProcess();
      const context = over(stand, KEEPS_TORN);
      await putObject(putOf('k'), verifiedBody(payload(bytes, 1)), context());
      const refusal = clientError('BadDigest', 'The digest does not match.');
      stand.asked();
      expect(await refusalOf(putObject(putOf('k'), verifiedBody(payload(bytes, 2), { refusal }), context()))).toBe(
        'BadDigest',
      );
      expect(stand.asked().filter((line) => /^PUT [^?]*$|^POST .*uploadId/.test(line))).toEqual([]);
      expect((await readBack(stand, 'k')).equals(payload(bytes, 1))).toBe(true);
      expect(stand.handling.memory.reservedBytes).toBe(0);
    },
  );

  it('gets what fits in memory in one request', async () => {
    const stand = await inProcess();
    await putObject(putOf('k'), verifiedBody(payload(5 * MIB)), over(stand, KEEPS_TORN)());
    expect(stand.asked()).toEqual([`PUT /${BUCKET}/k`]);
  });
});

describe('a store that acknowledges what it did not complete', () => {
  it('is not believed', async () => {
    const stand = await inProcess();
    const store = speaking(stand, {});
    store.uploads.complete = async () => ({ etag: 'e'.repeat(32), versionId: undefined });
    const context = over(stand, { ...KEEPS_TORN, store });
    await putObject(putOf('k'), verifiedBody(payload(10)), context());
    const upload = await startUpload(stand, 'k', { context });
    const parts = [await upload.send(1, payload(PART, 2)), await upload.send(2, payload(7, 3))];
    expect(await hurried(() => refusalOf(upload.complete(parts)))).toBe('NoSuchUpload');
    expect(await readBack(stand, 'k')).toEqual(payload(10));
  });

  it('tells the truth most of the time, and is believed then', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'k', { context: over(stand, KEEPS_TORN) });
    const { etag } = await upload.complete([await upload.send(1, payload(PART, 2))]);
    expect(await headObject(headOf('k'), stand.context())).toMatchObject({ facts: { etag } });
  });
});

describe('a store that ignores conditions on multipart uploads', () => {
  const habit = IGNORES_CONDITIONS;

  it('is not asked to complete one under conditions', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'k', { context: over(stand, habit) });
    const parts = [await upload.send(1, payload(PART, 2))];
    stand.asked();
    expect(await refusalOf(upload.complete(parts, { conditions: IF_NONE }))).toBe('NotImplemented');
    expect(stand.asked()).toEqual([]);
    await upload.complete(parts);
    expect(await readBack(stand, 'k')).toEqual(payload(PART, 2));
  });

  it('nor by way of a copy, or of an upload of unknown length that turns out large', async () => {
    const stand = await inProcess();
    const context = over(stand, habit);
    const unknown = (bytes: number) => verifiedBody(payload(bytes, bytes), { declared: false });
    await putObject(putOf('a', { conditions: IF_NONE }), unknown(1000), context());
    const large = putObject(putOf('b', { conditions: IF_NONE }), unknown(9 * MIB), context());
    expect(await refusalOf(large)).toBe('NotImplemented');
    const copied = copyObject(copyOf(`${BUCKET}/a`, 'b', { conditions: IF_NONE }), context());
    expect(await refusalOf(copied)).toBe('NotImplemented');
    expect(await refusalOf(headObject(headOf('b'), stand.context()))).toBe('NoSuchKey');
  });
});

it('an upload whose ETag the store does not tell has the ETag of its parts', async () => {
  const stand = await inProcess();
  const store = speaking(stand, {
    completeUpload: {
      read: (document, answer) => ({ ...s3Back.calls.completeUpload.read(document, answer), etag: '' }),
    },
  });
  const upload = await startUpload(stand, 'k', { context: over(stand, { store }) });
  const parts = [await upload.send(1, payload(PART, 2)), await upload.send(2, payload(PART, 3))];
  const { etag } = await upload.complete(parts);
  expect(await headObject(headOf('k'), stand.context())).toMatchObject({ facts: { etag } });
});

describe('a store that copies what stands there by then, and not what was pinned', () => {
  const unpinned = ({ headers, ...request }: OutgoingRequest): OutgoingRequest => ({
    ...request,
    headers: HeaderList.of([...headers.entries()].filter(([name]) => name !== 'x-amz-copy-source-if-match')),
  });
  const WORDS = {
    copy: { render: (copy: ForStore<StoreCopy>) => unpinned(s3Back.calls.copy.render(copy)) },
    copyPart: { render: (part: ForStore<StorePartCopy>) => unpinned(s3Back.calls.copyPart.render(part)) },
  };

  /** The source is replaced after it was looked at, so many times. */
  async function replacing(times: number, habit: Habit) {
    const stand = await inProcess();
    const put = (seed: number) => putObject(putOf('a'), verifiedBody(payload(70_000 + seed, seed)), stand.context());
    await put(0);
    const store = speaking(stand, WORDS);
    const { copy, copyPart } = { copy: store.copy.bind(store), copyPart: store.uploads.copyPart.bind(store.uploads) };
    let writes = 0;
    const write = async () => {
      if (writes < times) await put(++writes);
    };
    store.copy = async (...asked) => write().then(() => copy(...asked));
    store.uploads.copyPart = async (...asked) => write().then(() => copyPart(...asked));
    return { stand, context: over(stand, { store, ...habit }) };
  }

  it.each([
    ['another key', copyOf(`${BUCKET}/a`, 'b'), {}],
    ['another key, on a condition', copyOf(`${BUCKET}/a`, 'b', { conditions: IF_NONE }), {}],
    ['itself', copyOf(`${BUCKET}/a`, 'a', { replacement: { content: {}, user: [['n', '1']] } }), IGNORES_CONDITIONS],
  ])('gets another copy onto %s', async (_what, copy, habit) => {
    const { stand, context } = await replacing(1, habit);
    await copyObject(copy, context());
    expect(await readBack(stand, copy.ref.key)).toEqual(payload(70_001, 1));
  });

  it('gets none onto the source itself while that is replaced all the time', async () => {
    const { stand, context } = await replacing(9, IGNORES_CONDITIONS);
    const replacement = { content: {}, user: [['n', '1'] as const] };
    expect(await refusalOf(copyObject(copyOf(`${BUCKET}/a`, 'a', { replacement }), context()))).toBe('SlowDown');
    expect(await readBack(stand, 'a')).toEqual(payload(70_003, 3));
  });
});
