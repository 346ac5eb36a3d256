import { describe, expect, it } from 'vitest';
import type { ObjectContent } from '../../../src/operations/answer.ts';
import type { AskedAttribute, GetObject, GetObjectAttributes } from '../../../src/operations/operation.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { objectAttributes } from '../../../src/pipeline/read/attributes.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { pattern } from '../../devstore/started.ts';
import {
  BUCKET,
  bodyOf,
  elsewhere,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';
import { PART, startUpload } from '../upload/upload-stand.ts';

const FIRST = pattern(PART + 70_001, 1);
const SECOND = pattern(PART, 2);
const LAST = pattern(12_345, 3);

const getPart = (operation: GetObject, part: number, context: OperationContext) =>
  getObject({ ...operation, part }, context);

/** Three parts, with gaps in their numbers. */
async function threeParts(stand: InProcess, key = 'three', last = LAST): Promise<Buffer> {
  const upload = await startUpload(stand, key);
  const parts = [await upload.send(2, FIRST), await upload.send(5, SECOND), await upload.send(9, last)];
  await upload.complete(parts);
  return Buffer.concat([FIRST, SECOND, last]);
}

function told({ range, partsCount, facts }: ObjectContent): unknown[] {
  return [range, partsCount, facts.plaintextBytes];
}

describe('one part of an object', () => {
  it('is its bytes, whatever the numbers that they were sent under', async () => {
    const stand = await inProcess();
    const whole = await threeParts(stand);
    let first = 0;
    for (const [at, bytes] of [FIRST, SECOND, LAST].entries()) {
      const range = { first, last: first + bytes.length - 1 };
      const content = await getPart(getOf('three'), at + 1, stand.context());
      expect((await bodyOf(content)).equals(bytes)).toBe(true);
      expect(told(content)).toEqual([range, 3, whole.length]);
      expect(told(await headObject(headOf('three', { part: at + 1 }), stand.context()))).toEqual(told(content));
      first += bytes.length;
    }
    for (const part of [4, 5, 9, 10_000]) {
      expect(await refusalOf(getPart(getOf('three'), part, stand.context()))).toBe('InvalidPartNumber');
      expect(await refusalOf(headObject(headOf('three', { part }), stand.context()))).toBe('InvalidPartNumber');
    }
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('costs one request once the list of parts is known', async () => {
    const stand = await inProcess();
    await threeParts(stand);
    const context = elsewhere(stand.context());
    stand.asked();
    await bodyOf(await getPart(getOf('three'), 2, context));
    expect(stand.asked().map((line) => line.split(' ')[0])).toEqual(['HEAD', 'GET', 'GET']);
    for (const part of [1, 2, 3]) {
      await bodyOf(await getPart(getOf('three'), part, context));
      expect(stand.asked().map((line) => line.split(' ')[0])).toEqual(['GET']);
    }
  });

  it('is never one of the object that was there before', async () => {
    const stand = await inProcess();
    await threeParts(stand, 'replaced');
    const known = stand.context();
    await bodyOf(await getPart(getOf('replaced'), 1, known));
    // The gateway beside this one replaces it.
    const upload = await startUpload(stand, 'replaced', { context: () => elsewhere(stand.context()) });
    const parts = [await upload.send(1, SECOND), await upload.send(2, pattern(3, 9))];
    await upload.complete(parts);
    const second = await getPart(getOf('replaced'), 2, known);
    expect(await bodyOf(second)).toEqual(pattern(3, 9));
    expect(told(second)).toEqual([{ first: PART, last: PART + 2 }, 2, PART + 3]);
    await putObject(putOf('replaced'), verifiedBody(pattern(5)), elsewhere(stand.context()));
    expect(await refusalOf(getPart(getOf('replaced'), 2, known))).toBe('InvalidPartNumber');
    expect(await bodyOf(await getPart(getOf('replaced'), 1, known))).toEqual(pattern(5));
  });

  it('of an object that was sent in one go is all of it', async () => {
    const stand = await inProcess();
    for (const bytes of [1, 70_000, 300_000]) {
      await putObject(putOf('single'), verifiedBody(pattern(bytes)), stand.context());
      const content = await getPart(getOf('single'), 1, stand.context());
      expect((await bodyOf(content)).equals(pattern(bytes))).toBe(true);
      expect(told(content)).toEqual([{ first: 0, last: bytes - 1 }, undefined, bytes]);
      expect(await refusalOf(getPart(getOf('single'), 2, stand.context()))).toBe('InvalidPartNumber');
    }
  });

  it('may have no bytes', async () => {
    const stand = await inProcess();
    await threeParts(stand, 'empty-end', Buffer.alloc(0));
    await putObject(putOf('empty'), verifiedBody(Buffer.alloc(0)), stand.context());
    const size = FIRST.length + SECOND.length;
    for (const context of [stand.context(), elsewhere(stand.context())]) {
      const end = await getPart(getOf('empty-end'), 3, context);
      expect(await bodyOf(end)).toEqual(Buffer.alloc(0));
      expect(told(end)).toEqual([{ first: size, last: size - 1 }, 3, size]);
      const nothing = await getPart(getOf('empty'), 1, context);
      expect(told(nothing)).toEqual([{ first: 0, last: -1 }, undefined, 0]);
      expect(await bodyOf(nothing)).toEqual(Buffer.alloc(0));
    }
  });

  it('is refused under a condition that does not hold', async () => {
    const stand = await inProcess();
    await threeParts(stand);
    const { facts } = await headObject(headOf('three'), stand.context());
    const under = (conditions: object) => getPart(getOf('three', { conditions }), 1, stand.context());
    expect(await refusalOf(under({ ifMatch: '"other"' }))).toBe('PreconditionFailed');
    expect(await refusalOf(under({ ifNoneMatch: `"${facts.etag}"` }))).toBe('NotModified');
    expect((await bodyOf(await under({ ifMatch: `"${facts.etag}"` }))).equals(FIRST)).toBe(true);
  });
});

describe('attributes', () => {
  const ALL: readonly AskedAttribute[] = ['etag', 'checksum', 'parts', 'storageClass', 'size'];

  function asked(key: string, over: Partial<GetObjectAttributes> = {}): GetObjectAttributes {
    return {
      kind: 'GetObjectAttributes',
      ref: { bucket: BUCKET, key },
      attributes: new Set(ALL),
      partNumberMarker: 0,
      maxParts: 1000,
      ...over,
    };
  }

  it('are the client’s own sizes, ETag and parts, page by page', async () => {
    const stand = await inProcess();
    const whole = await threeParts(stand);
    const head = await headObject(headOf('three'), stand.context());
    const { facts, parts } = await objectAttributes(asked('three'), elsewhere(stand.context()));
    expect([facts.plaintextBytes, facts.etag]).toEqual([whole.length, head.facts.etag]);
    const [first, second, last] = [
      { partNumber: 2, plaintextBytes: FIRST.length },
      { partNumber: 5, plaintextBytes: SECOND.length },
      { partNumber: 9, plaintextBytes: LAST.length },
    ];
    expect(parts).toEqual({ count: 3, listed: [first, second, last], truncated: false });
    const page = async (partNumberMarker: number, maxParts: number) =>
      (await objectAttributes(asked('three', { partNumberMarker, maxParts }), stand.context())).parts;
    expect(await page(0, 1)).toEqual({ count: 3, listed: [first], truncated: true });
    expect(await page(2, 1)).toEqual({ count: 3, listed: [second], truncated: true });
    expect(await page(5, 1)).toEqual({ count: 3, listed: [last], truncated: false });
    expect(await page(3, 5)).toEqual({ count: 3, listed: [second, last], truncated: false });
    expect(await page(9, 5)).toEqual({ count: 3, listed: [], truncated: false });
    expect(await page(0, 0)).toEqual({ count: 3, listed: [], truncated: true });
  });

  it('cost a HEAD, and a look at the footer only where they lie there', async () => {
    const stand = await inProcess();
    await threeParts(stand);
    await putObject(putOf('single'), verifiedBody(pattern(300_000)), stand.context());
    const requests = async (key: string, ...attributes: AskedAttribute[]) => {
      stand.asked();
      const answer = await objectAttributes(
        asked(key, { attributes: new Set(attributes) }),
        elsewhere(stand.context()),
      );
      return [stand.asked().length, answer.parts?.count];
    };
    expect(await requests('three', 'etag', 'storageClass')).toEqual([1, undefined]);
    expect(await requests('three', 'etag', 'size')).toEqual([2, undefined]);
    expect(await requests('three', 'parts')).toEqual([2, 3]);
    expect(await requests('single', 'parts', 'size')).toEqual([1, undefined]);
    expect(await requests('single', 'checksum')).toEqual([2, undefined]);
  });

  it('of what is not there, and of what was damaged, are refused', async () => {
    const stand = await inProcess();
    expect(await refusalOf(objectAttributes(asked('none'), stand.context()))).toBe('NoSuchKey');
    await threeParts(stand);
    await stand.stored.flip(BUCKET, 'three', -20);
    expect(await refusalOf(objectAttributes(asked('three'), elsewhere(stand.context())))).toBe('ObjectCorrupted');
  });
});
