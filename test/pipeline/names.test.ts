import { describe, expect, it } from 'vitest';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { clientError } from '../../src/errors.ts';
import type { OperationContext } from '../../src/pipeline/context.ts';
import { getObject } from '../../src/pipeline/read/get.ts';
import { uploadPart } from '../../src/pipeline/upload/part.ts';
import { deleteObjects } from '../../src/pipeline/write/delete.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import { KnownUploads } from '../../src/store/known-uploads.ts';
import { Store } from '../../src/store/store.ts';
import { payload } from '../support/payload.ts';
import { BUCKET, bodyOf, getOf, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from './in-process.ts';
import { startUpload } from './upload/upload-stand.ts';

const signal = new AbortController().signal;

function ofPaths(stand: InProcess): () => OperationContext {
  const store = new Store(s3Back, stand.connection);
  return () => ({ ...stand.context(), store });
}

describe('a sealed object that lies at the same name with a slash before it', () => {
  async function swapped(): Promise<InProcess> {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(Buffer.from('of a')), stand.context());
    await putObject(putOf('/b'), verifiedBody(Buffer.from('of /b')), stand.context());
    for (const [from, to] of [
      ['a', '/a'],
      ['/b', 'b'],
    ] as const) {
      const { bytes, record } = await stand.stored.read(BUCKET, from);
      await stand.stored.overwrite(BUCKET, to, bytes, record);
    }
    return stand;
  }

  it('is another to a store that keeps keys as they are, and was moved', async () => {
    const stand = await swapped();
    for (const key of ['/a', 'b']) expect(await refusalOf(getObject(getOf(key), stand.context()))).toBe('ObjectMoved');
    for (const key of ['a', '/b']) {
      expect((await bodyOf(await getObject(getOf(key), stand.context()))).toString()).toBe(`of ${key}`);
    }
  });

  it('is the same to a store of paths', async () => {
    const stand = await swapped();
    const context = ofPaths(stand);
    for (const [key, name] of [
      ['/a', 'a'],
      ['b', '/b'],
    ] as const) {
      expect((await bodyOf(await getObject(getOf(key), context()))).toString()).toBe(`of ${name}`);
    }
  });
});

it('a key that no store takes fails for itself in a batch, under a condition that would be looked up too', async () => {
  const stand = await inProcess();
  await putObject(putOf('kept'), verifiedBody(Buffer.from('x')), stand.context());
  const context = { ...ofPaths(stand)(), policy: stand.context({ etag: 'md5' }).policy };
  const targets = [
    { key: '../x', etag: '"d41d8cd98f00b204e9800998ecf8427e"' },
    { key: 'kept' },
    { key: 'kept', versionId: '../y', etag: '"d41d8cd98f00b204e9800998ecf8427e"' },
  ];
  const asked = { kind: 'DeleteObjects', bucket: BUCKET, targets, quiet: false } as const;
  const { deleted, failures } = await deleteObjects(asked, context);
  expect(deleted.map(({ key }) => key)).toEqual(['kept']);
  expect(failures.map(({ key, versionId, code }) => [key, versionId, code])).toEqual([
    ['../x', undefined, 'InvalidArgument'],
    ['kept', '../y', 'InvalidArgument'],
  ]);
});

describe('an upload that the gateway keeps no state of', () => {
  const plain = (stand: InProcess) => () => stand.context({ protection: 'none' });
  const listings = (stand: InProcess) => stand.asked().filter((line) => line.includes('uploads=')).length;

  it('is looked for in the store’s listing once, and not at all where it was begun', async () => {
    const stand = await inProcess();
    const upload = await startUpload(stand, 'k', { context: plain(stand) });
    stand.asked();
    for (const number of [1, 2]) await upload.send(number, payload(10, number));
    expect(listings(stand)).toBe(0);
    const knownUploads = new KnownUploads();
    const another = await stand.anotherProcess({ emptyIndex: true });
    const context = () => ({ ...plain(stand)(), ...another, knownUploads });
    const part = { kind: 'UploadPart', ...upload.named, partNumber: 1 } as const;
    for (let sent = 0; sent < 3; sent++) await uploadPart(part, verifiedBody(payload(10, 3)), context());
    expect(listings(stand)).toBe(1);
    const other = { ...part, ref: { bucket: BUCKET, key: 'k2' } };
    expect(await refusalOf(uploadPart(other, verifiedBody(payload(10, 3)), context()))).toBe('NoSuchUpload');
  });

  /** A store with these uploads, in pages of one. */
  const listing = (uploads: readonly (readonly [key: string, uploadId: string])[], refused = false) => {
    const asked: string[] = [];
    const store = {
      uploads: {
        async list({ keyMarker, uploadIdMarker }: { keyMarker: string; uploadIdMarker: string }) {
          asked.push(`${keyMarker} ${uploadIdMarker}`);
          if (refused) throw clientError('AccessDenied', 'no');
          const at = 1 + uploads.findIndex(([key, uploadId]) => key === keyMarker && uploadId === uploadIdMarker);
          const [key, uploadId] = uploads[at] ?? [undefined, undefined];
          return {
            uploads: key === undefined ? [] : [{ key, uploadId, initiated: new Date(), storageClass: undefined }],
            commonPrefixes: [],
            truncated: at < uploads.length - 1,
            nextKeyMarker: key,
            nextUploadIdMarker: uploadId,
          };
        },
      },
      limits: s3Back.limits,
    } as unknown as Store;
    return { store, asked };
  };
  const named = (uploadId: string) => ({ ref: { bucket: BUCKET, key: 'k' }, uploadId });

  it('is found on whichever page of its key it stands, and no other key is looked through', async () => {
    const { store, asked } = listing([
      ['k', '1'],
      ['k', '2'],
      ['k2', '3'],
      ['k3', '4'],
    ]);
    const known = new KnownUploads();
    expect(await known.prove(named('2'), store, signal)).toMatchObject(named('2'));
    expect(asked.splice(0)).toEqual([' ', 'k 1']);
    for (const uploadId of ['3', '4', '']) {
      expect(await refusalOf(known.prove(named(uploadId), store, signal))).toBe('NoSuchUpload');
      expect(asked.splice(0)).toEqual([' ', 'k 1', 'k 2']);
    }
    known.forget(named('2'));
    await known.prove(named('2'), store, signal);
    expect(asked).toHaveLength(2);
  });

  it('of a caller who may list none is looked for with the gateway’s own rights', async () => {
    const own = listing([['k', '1']]);
    const callers = listing([], true);
    const known = new KnownUploads();
    const store = { ...callers.store, asGateway: () => own.store } as unknown as Store;
    expect(await known.prove(named('1'), store, signal)).toMatchObject(named('1'));
    expect(await refusalOf(known.prove(named('2'), store, signal))).toBe('NoSuchUpload');
    expect([callers.asked.length, own.asked.length]).toEqual([2, 2]);
  });
});
