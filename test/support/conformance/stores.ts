import { expect, it } from 'vitest';
import { clientError } from '../../../src/errors.ts';
import { type StoreFinderParts, storeFinder } from '../../../src/gateway/find-store.ts';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { abortUpload } from '../../../src/pipeline/upload/abort.ts';
import { deleteObject, deleteObjects } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { Secret } from '../../../src/secret.ts';
import type { Finding, StoreFinder } from '../../../src/store/finding/store-finder.ts';
import type { KnownStore } from '../../../src/store/known-stores.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  type InProcess,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from '../../pipeline/in-process.ts';
import { PART, startUpload } from '../../pipeline/upload/upload-stand.ts';
import { payload } from '../payload.ts';

/** A store that the shared conformance of stores is run over. */
export interface StoreUnderTest {
  /** The pipeline over it, new for each test. */
  readonly open: () => Promise<InProcess>;
  /** The row that the gateway must find by itself. */
  readonly row: KnownStore;
  /** Default: KNOWN_STORES. */
  readonly knownStores?: readonly KnownStore[];
  /** How long it may take to notice that an upload broke off. Default: as long as the gateway gives every store. */
  readonly tornMilliseconds?: number;
}

/** Of a store in this process, which hears of it at once. */
export const TORN_IN_PROCESS_MILLISECONDS = 500;

/** What finds out what a backend does, as of a gateway without a setting. */
export function finderFor(
  { back, connection }: StoreFinderParts['backend'],
  options: Pick<StoreFinderParts, 'knownStores' | 'now' | 'tornMilliseconds'>,
): StoreFinder {
  const place = { kind: 'endpoint', endpoint: new URL('http://127.0.0.1'), accessKeyId: '' } as const;
  return storeFinder({
    settings: {
      place: { ...place, secretAccessKey: new Secret('') },
      careful: undefined,
      conditionalUploads: undefined,
      conditionalDeletes: undefined,
      keys: undefined,
    },
    backend: { back, connection },
    stagingBucket: 'conformance-staging',
    onFinding: () => undefined,
    ...options,
  });
}

/** Looks once. */
export async function findOut(
  stand: InProcess,
  knownStores?: readonly KnownStore[],
  options: Pick<StoreFinderParts, 'now' | 'tornMilliseconds'> = {},
) {
  const finder = finderFor(stand, { knownStores, tornMilliseconds: TORN_IN_PROCESS_MILLISECONDS, ...options });
  await finder.lookOnce();
  return finder.finding;
}

const NO_NAME = '"00000000000000000000000000000000-0"';
const IF_NONE = { ifNoneMatch: '*' } as const;

/**
 * What the pipeline promises over every store, of which it was told nothing: whatever a store cannot do is refused, and
 * no object is lost or replaced by it.
 */
export function conformsAsStore({ open, row, knownStores, tornMilliseconds }: StoreUnderTest): void {
  let found: Promise<Finding> | undefined;
  const has = row.capabilities;

  /** The pipeline under keys of its own, with what was found of the store. */
  async function begin(): Promise<{
    readonly stand: InProcess;
    readonly context: () => OperationContext;
    readonly key: string;
  }> {
    const stand = await open();
    found ??= findOut(stand, knownStores, { tornMilliseconds });
    const findings = { capabilities: (await found).capabilities, pending: [] };
    const key = `conformance-${Math.random().toString(36).slice(2)}`;
    return { stand, key, context: () => ({ ...stand.context(), findings }) };
  }
  const put = (key: string, bytes: Buffer, context: OperationContext, over = {}) =>
    putObject(putOf(key, over), verifiedBody(bytes), context);
  const read = async (key: string, context: OperationContext) => bodyOf(await getObject(getOf(key), context));
  const etagOf = async (key: string, context: OperationContext) => (await headObject(headOf(key), context)).facts.etag;

  it('is found to be what it is', async () => {
    await begin();
    const finding = await found;
    expect([finding?.state, finding?.store.name]).toEqual(['found', row.name]);
    expect(finding?.capabilities).toEqual(has);
  });

  it.each([0, 1, 65_536, 200_000, 9 * 1024 * 1024])(
    'keeps an object of %d bytes, lists and deletes it',
    async (bytes) => {
      const { context, key } = await begin();
      const sent = payload(bytes, bytes);
      const { etag } = await put(key, sent, context(), {
        metadata: { content: { contentType: 'a/b' }, user: [['n', 'v']] },
      });
      expect((await read(key, context())).equals(sent)).toBe(true);
      const { facts } = await headObject(headOf(key), context());
      expect([facts.etag, facts.metadata.user]).toEqual([etag, [['n', 'v']]]);
      const { objects, release } = await listObjects(listOf({ prefix: key }), context());
      release();
      expect(objects.map((entry) => [entry.key, entry.plaintextBytes])).toEqual([[key, bytes]]);
      await deleteObject({ kind: 'DeleteObject', ref: { bucket: BUCKET, key }, conditions: {} }, context());
      expect(await refusalOf(headObject(headOf(key), context()))).toBe('NoSuchKey');
    },
  );

  it('replaces nothing by a PUT that a condition forbids', async () => {
    const { context, key } = await begin();
    const { etag } = await put(key, payload(10, 1), context(), { conditions: IF_NONE });
    for (const conditions of [IF_NONE, { ifMatch: NO_NAME }]) {
      expect(await refusalOf(put(key, payload(10, 2), context(), { conditions }))).toBe(
        has.conditionalPuts ? 'PreconditionFailed' : 'NotImplemented',
      );
    }
    expect(await read(key, context())).toEqual(payload(10, 1));
    if (!has.conditionalPuts || !has.matchesOwnEtag) return;
    await put(key, payload(10, 3), context(), { conditions: { ifMatch: `"${etag}"` } });
    expect(await read(key, context())).toEqual(payload(10, 3));
  });

  it('deletes nothing that a condition protects', async () => {
    const { context, key } = await begin();
    await put(key, payload(10, 1), context());
    const remove = (ifMatch: string) =>
      deleteObject({ kind: 'DeleteObject', ref: { bucket: BUCKET, key }, conditions: { ifMatch } }, context());
    expect(await refusalOf(remove(NO_NAME))).toBe(has.conditionalDeletes ? 'PreconditionFailed' : 'NotImplemented');
    const many = deleteObjects(
      { kind: 'DeleteObjects', bucket: BUCKET, targets: [{ key, etag: NO_NAME }], quiet: false },
      context(),
    );
    if (has.conditionalDeletes) expect((await many).failures).toMatchObject([{ key, code: 'PreconditionFailed' }]);
    else expect(await refusalOf(many)).toBe('NotImplemented');
    expect(await read(key, context())).toEqual(payload(10, 1));
    if (!has.conditionalDeletes) return;
    await remove(`"${await etagOf(key, context())}"`);
    expect(await refusalOf(headObject(headOf(key), context()))).toBe('NoSuchKey');
  });

  it('completes an upload once, whoever asks and however often, and tells its ETag', async () => {
    const { stand, context, key } = await begin();
    const upload = await startUpload(stand, key, { context });
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(7, 2))];
    const answers = await Promise.all([1, 2, 3].map(() => upload.complete(parts)));
    expect(new Set(answers.map(({ etag }) => etag))).toEqual(new Set([await etagOf(key, context())]));
    expect((await read(key, context())).equals(Buffer.concat([payload(PART, 1), payload(7, 2)]))).toBe(true);
  });

  it('completes no upload over an object that a condition protects, nor one that was aborted', async () => {
    const { stand, context, key } = await begin();
    await put(key, payload(10, 1), context());
    const upload = await startUpload(stand, key, { context });
    const parts = [await upload.send(1, payload(PART, 2))];
    for (const conditions of [IF_NONE, { ifMatch: NO_NAME }]) {
      expect(await refusalOf(upload.complete(parts, { conditions }))).toBe(
        has.conditionalCompletes ? 'PreconditionFailed' : 'NotImplemented',
      );
    }
    await abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, context());
    expect(await refusalOf(upload.complete(parts))).toBe('NoSuchUpload');
    expect(await read(key, context())).toEqual(payload(10, 1));
  });

  it('keeps an object whose replacement breaks off', async () => {
    const { context, key } = await begin();
    await put(key, payload(10, 1), context());
    const refusal = clientError('BadDigest', 'The digest does not match.');
    const torn = putObject(putOf(key), verifiedBody(payload(3 * 1024 * 1024, 2), { refusal }), context());
    expect(await refusalOf(torn)).toBe('BadDigest');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await read(key, context())).toEqual(payload(10, 1));
  });

  it.each([70_000, 17 * 1024 * 1024])('copies %d bytes, to another key and onto themselves', async (bytes) => {
    const { context, key } = await begin();
    await put(key, payload(bytes, 1), context());
    await copyObject(copyOf(`${BUCKET}/${key}`, `${key}-copy`), context());
    const replacement = { content: { contentType: 'new/type' }, user: [] };
    await copyObject(copyOf(`${BUCKET}/${key}`, key, { replacement }), context());
    for (const name of [key, `${key}-copy`]) expect((await read(name, context())).equals(payload(bytes, 1))).toBe(true);
    expect((await headObject(headOf(key), context())).facts.metadata.content.contentType).toBe('new/type');
    const guarded = copyObject(copyOf(`${BUCKET}/${key}`, `${key}-copy`, { conditions: IF_NONE }), context());
    expect(await refusalOf(guarded)).toBe(has.conditionalCompletes ? 'PreconditionFailed' : 'NotImplemented');
  });
}
