import { describe, expect, it } from 'vitest';
import { peekedContent } from '../../../src/formats/peeked-content.ts';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { objectAttributes } from '../../../src/pipeline/read/attributes.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import type { StoredContent } from '../../../src/store/store.ts';
import {
  BUCKET,
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
} from '../../pipeline/in-process.ts';
import { readBack } from '../../pipeline/upload/upload-stand.ts';
import { payload } from '../../support/payload.ts';

/** In a bucket that is mixed, a sealed object whose metadata was lost would look like a plain one of ciphertext. */

const MIXED = { pattern: 'mixed', mixed: true } as const;
const REF = { bucket: 'mixed', key: 'k' };
const RANGE = { kind: 'from', first: 100_000, last: 100_009 } as const;

interface Stand {
  readonly here: InProcess;
  readonly context: () => OperationContext;
}

async function stand(): Promise<Stand> {
  const here = await inProcess({ buckets: [MIXED, { pattern: 'md5s', mixed: true, etag: 'md5' }] });
  return { here, context: () => here.at('mixed') };
}

/** Leaves the bytes and takes the metadata away, as a migration by hand does. */
async function lose({ here }: Stand, bytes = 300_000): Promise<void> {
  await putObject(putOf('k', { ref: REF }), verifiedBody(payload(bytes, 1)), here.at('mixed'));
  await here.stored.overwrite('mixed', 'k', (await here.stored.read('mixed', 'k')).bytes, { metadata: [] });
}

const READS: Readonly<Record<string, (context: OperationContext) => Promise<unknown>>> = {
  GET: (context) => getObject(getOf('k', { ref: REF }), context),
  'GET of a range': (context) => getObject(getOf('k', { ref: REF, range: RANGE }), context),
  'GET of the first byte': (context) =>
    getObject(getOf('k', { ref: REF, range: { kind: 'from', first: 0, last: 0 } }), context),
  'GET of the end': (context) => getObject(getOf('k', { ref: REF, range: { kind: 'suffix', bytes: 10 } }), context),
  HEAD: (context) => headObject(headOf('k', { ref: REF }), context),
  attributes: (context) => {
    const attributes = new Set(['size'] as const);
    return objectAttributes(
      { kind: 'GetObjectAttributes', ref: REF, attributes, maxParts: 1, partNumberMarker: 0 },
      context,
    );
  },
  copy: (context) => copyObject(copyOf('mixed/k', 'copy', { ref: { bucket: 'mixed', key: 'copy' } }), context),
};

describe.each([10, 300_000])('a sealed object of %d bytes without its metadata', (bytes) => {
  it.each(Object.entries(READS))('%s is refused and counted', async (_name, read) => {
    const lost = await stand();
    await lose(lost, bytes);
    const context = lost.context();
    expect(await refusalOf(read(context))).toBe('ObjectCorrupted');
    expect(context.trace.lostEnvelopes).toBe(1);
    expect(await lost.here.stored.keys('mixed')).toEqual(['k']);
    expect(lost.here.handling.memory.reservedBytes).toBe(0);
  });

  it('is listed as it lies there, and its ETag is not said to be of plaintext', async () => {
    const lost = await stand();
    await lose(lost, bytes);
    const { bytes: stored, record } = await lost.here.stored.read('mixed', 'k');
    await lost.here.stored.overwrite('md5s', 'k', stored, record);
    for (const bucket of ['mixed', 'md5s']) {
      const { objects, release } = await listObjects(listOf({ bucket }), lost.here.at(bucket));
      release();
      expect(objects).toMatchObject([{ plaintextBytes: stored.length, etag: `${record.etag}-0` }]);
    }
  });
});

it('an object of which only the entry of carried metadata is left is no plain one', async () => {
  const { here, context } = await stand();
  await here.stored.overwrite('mixed', 'k', payload(100, 1), { metadata: [['sx1m', 'AQ']] });
  expect(await refusalOf(headObject(headOf('k', { ref: REF }), context()))).toBe('ObjectCorrupted');
});

describe('a plain object costs', () => {
  const asked = async ({ here, context }: Stand, name: string) => {
    here.asked();
    const content = await (READS[name] as (context: OperationContext) => ReturnType<typeof getObject>)(context());
    if (content.body !== undefined) await bodyOf(content);
    return here.asked().length;
  };

  it('one more small request where its beginning is not read, and only the first time', async () => {
    const plain = await stand();
    await plain.here.stored.overwrite('mixed', 'k', payload(300_000, 1));
    expect(await asked(plain, 'HEAD')).toBe(2);
    expect(await asked(plain, 'HEAD')).toBe(1);
    await plain.here.stored.overwrite('mixed', 'k', payload(300_000, 2));
    expect(await asked(plain, 'GET')).toBe(1);
    expect(await asked(plain, 'HEAD')).toBe(1);
  });

  it('no request more where it is too small to be a sealed one, or its bucket is without protection', async () => {
    const plain = await stand();
    await plain.here.stored.overwrite('mixed', 'k', payload(500, 1));
    expect(await asked(plain, 'HEAD')).toBe(1);
    await plain.here.stored.overwrite(BUCKET, 'k', payload(300_000, 1));
    plain.here.asked();
    await headObject(headOf('k'), plain.here.context({ protection: 'none' }));
    expect(plain.here.asked().length).toBe(1);
  });

  it('and is read to the byte', async () => {
    const plain = await stand();
    for (const bytes of [0, 1, 3, 4, 528, 300_000]) {
      await plain.here.stored.overwrite('mixed', 'k', payload(bytes, bytes));
      const whole = await bodyOf(await getObject(getOf('k', { ref: REF }), plain.context()));
      expect(whole.equals(payload(bytes, bytes)), `${bytes}`).toBe(true);
    }
  });
});

it('bytes of a sealed object where no protection is wanted are anybody’s', async () => {
  const { here } = await stand();
  await putObject(putOf('k'), verifiedBody(payload(1000, 1)), here.context());
  const { bytes } = await here.stored.read(BUCKET, 'k');
  await here.stored.overwrite(BUCKET, 'k', bytes, { metadata: [] });
  expect((await readBack(here, 'k', here.context({ protection: 'none' }))).equals(bytes)).toBe(true);
});

describe('content that is looked at before it is read', () => {
  /** Each chunk is overwritten at the next pull, as a connection does. */
  const dribbled = (text: string, pieceBytes: number): StoredContent => {
    const whole = Buffer.from(text);
    const reused = Buffer.alloc(pieceBytes);
    const body = (async function* () {
      for (let at = 0; at < whole.length; at += pieceBytes) {
        yield reused.subarray(0, whole.copy(reused, 0, at, at + pieceBytes));
        reused.fill(0x21);
      }
    })();
    return { object: {} as StoredContent['object'], body, discard: () => undefined };
  };

  it.each([1, 2, 3, 4, 5, 100])('in pieces of %d bytes is all there', async (pieceBytes) => {
    for (const text of ['', 'ab', 'abcd', 'abcdefghij']) {
      const content = peekedContent(dribbled(text, pieceBytes));
      expect((await content.peek(4)).toString()).toBe(text.slice(0, 4));
      expect((await content.peek(4)).toString()).toBe(text.slice(0, 4));
      let read = '';
      for await (const piece of content.body) read += piece.toString();
      expect(read).toBe(text);
    }
  });
});
