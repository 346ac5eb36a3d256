import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, codeOf, pattern, type Started, startDevstore } from './started.ts';

const MIB = 1024 * 1024;
const md5 = (bytes: Buffer) => createHash('md5').update(bytes);

let started: Started;
beforeEach(async () => {
  started = await startDevstore();
});
afterEach(() => started.stop());

const begin = async (Key: string) => {
  const command = new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ContentType: 'x/y', Metadata: { m: 'v' } });
  return (await started.client.send(command)).UploadId as string;
};
const upload = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer) => {
  const { ETag } = await started.client.send(
    new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber, Body }),
  );
  return { PartNumber, ETag };
};
const complete = (
  Key: string,
  UploadId: string,
  Parts: { PartNumber: number; ETag: string | undefined }[],
  more: Partial<CompleteMultipartUploadCommandInput> = {},
) =>
  started.client.send(
    new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts }, ...more }),
  );
const parts = async (Key: string, UploadId: string, more: { MaxParts?: number; PartNumberMarker?: string } = {}) =>
  await started.client.send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId, ...more }));

describe('a multipart upload', () => {
  test('of parts in any order becomes one object with the ETag of its parts', async () => {
    const [one, two, three] = [pattern(5 * MIB, 1), pattern(5 * MIB + 3, 2), pattern(7, 3)];
    const id = await begin('k');
    const third = await upload('k', id, 9, three);
    const first = await upload('k', id, 1, one);
    const second = await upload('k', id, 4, two);
    expect(await started.devstore.stored.keys(BUCKET)).toEqual([]);
    const etag = `"${md5(Buffer.concat([md5(one).digest(), md5(two).digest(), md5(three).digest()])).digest('hex')}-3"`;
    expect((await complete('k', id, [first, second, third])).ETag).toBe(etag);
    const whole = Buffer.concat([one, two, three]);
    const got = await started.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    expect(got).toMatchObject({ ETag: etag, ContentLength: whole.length, ContentType: 'x/y', Metadata: { m: 'v' } });
    expect(whole.equals((await got.Body?.transformToByteArray()) as Uint8Array)).toBe(true);
    const Range = `bytes=${5 * MIB - 10}-${10 * MIB + 5}`; // over both seams
    const ranged = await started.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k', Range }));
    const slice = whole.subarray(5 * MIB - 10, 10 * MIB + 6);
    expect(slice.equals((await ranged.Body?.transformToByteArray()) as Uint8Array)).toBe(true);
    expect(await codeOf(parts('k', id))).toBe('404 NoSuchUpload');
    expect(await started.dataFiles()).toHaveLength(3);
  });

  test('takes only the parts that Complete names, the last sent of each number', async () => {
    const id = await begin('k');
    const replaced = await upload('k', id, 1, pattern(10, 1));
    const first = await upload('k', id, 1, pattern(10, 2));
    await upload('k', id, 2, pattern(10, 3));
    expect(await codeOf(complete('k', id, [replaced]))).toBe('400 InvalidPart');
    await complete('k', id, [first]);
    expect((await started.devstore.stored.read(BUCKET, 'k')).bytes.equals(pattern(10, 2))).toBe(true);
    expect(await started.dataFiles()).toHaveLength(1);
  });

  test('that is refused stays as it was', async () => {
    const id = await begin('k');
    const first = await upload('k', id, 1, pattern(5 * MIB - 1));
    const second = await upload('k', id, 2, pattern(1));
    expect(await codeOf(complete('k', id, [second, first]))).toBe('400 InvalidPartOrder');
    expect(await codeOf(complete('k', id, [first, first]))).toBe('400 InvalidPartOrder');
    expect(await codeOf(complete('k', id, [first, { ...second, PartNumber: 3 }]))).toBe('400 InvalidPart');
    expect(await codeOf(complete('k', id, [first, second]))).toBe('400 EntityTooSmall');
    expect(await codeOf(complete('k', id, []))).toBe('400 MalformedXML');
    expect(await codeOf(complete('other', id, [first]))).toBe('404 NoSuchUpload');
    expect(await started.devstore.stored.keys(BUCKET)).toEqual([]);
    expect((await parts('k', id)).Parts).toHaveLength(2);
    expect(await codeOf(upload('k', id, 10_001, pattern(1)))).toBe('400 InvalidArgument');
    expect(await codeOf(upload('k', id, 0, pattern(1)))).toBe('400 InvalidArgument');
    expect(await codeOf(upload('k', 'none', 1, pattern(1)))).toBe('404 NoSuchUpload');
    await complete('k', id, [first]);
  });

  test('completes under conditions, atomically', async () => {
    const ids = await Promise.all([begin('k'), begin('k'), begin('k')]);
    const only = await Promise.all(ids.map((id, seed) => upload('k', id, 1, pattern(10, seed))));
    const codes = await Promise.all(ids.map((id, i) => codeOf(complete('k', id, [only[i]!], { IfNoneMatch: '*' }))));
    expect(codes.toSorted()).toEqual(['412 PreconditionFailed', '412 PreconditionFailed', 'none']);
    const loser = codes.indexOf('412 PreconditionFailed');
    const { record } = await started.devstore.stored.read(BUCKET, 'k');
    expect(await codeOf(complete('k', ids[loser]!, [only[loser]!], { IfMatch: '"other"' }))).toBe(
      '412 PreconditionFailed',
    );
    await complete('k', ids[loser]!, [only[loser]!], { IfMatch: `"${record.etag}"` });
    expect((await started.devstore.stored.read(BUCKET, 'k')).bytes.equals(pattern(10, loser))).toBe(true);
  });

  test('that is aborted leaves nothing', async () => {
    const id = await begin('k');
    await upload('k', id, 1, pattern(10));
    const abort = () =>
      started.client.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: 'k', UploadId: id }));
    await abort();
    expect(await codeOf(abort())).toBe('404 NoSuchUpload');
    expect(await codeOf(upload('k', id, 2, pattern(10)))).toBe('404 NoSuchUpload');
    expect(await started.dataFiles()).toEqual([]);
  });

  test('survives a restart', async () => {
    const id = await begin('a//../b');
    const first = await upload('a//../b', id, 1, pattern(10));
    started = await started.restart();
    expect((await parts('a//../b', id)).Parts).toMatchObject([{ PartNumber: 1, Size: 10, ETag: first.ETag }]);
    await complete('a//../b', id, [first]);
    started = await started.restart();
    expect((await started.devstore.stored.read(BUCKET, 'a//../b')).bytes.equals(pattern(10))).toBe(true);
  });
});

describe('listings of what is under way', () => {
  test('parts come by number, page by page', async () => {
    const id = await begin('k');
    for (const number of [3, 10, 1, 2]) await upload('k', id, number, pattern(number));
    const numbers: (number | undefined)[] = [];
    let PartNumberMarker: string | undefined;
    do {
      const page = await parts('k', id, { MaxParts: 3, PartNumberMarker });
      numbers.push(...(page.Parts ?? []).map((part) => part.PartNumber));
      PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (PartNumberMarker !== undefined);
    expect(numbers).toEqual([1, 2, 3, 10]);
  });

  test('uploads come by key, several of one key too, rolled up, page by page', async () => {
    const keys = ['b', 'a/1', 'a/2', 'c', 'b', 'é \u0001'];
    const ids = new Map<string, string>();
    for (const key of keys) ids.set(await begin(key), key);
    const list = async (question: { Prefix?: string; Delimiter?: string }) => {
      const names: string[] = [];
      let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
      while (markers !== undefined) {
        const page: ListMultipartUploadsCommandOutput = await started.client.send(
          new ListMultipartUploadsCommand({ Bucket: BUCKET, MaxUploads: 1, ...question, ...markers }),
        );
        for (const { Key, UploadId } of page.Uploads ?? []) {
          expect(ids.get(UploadId ?? '')).toBe(Key);
          names.push(Key ?? '');
        }
        names.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ''));
        const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
        markers = page.IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
      }
      return names;
    };
    expect(await list({})).toEqual(['a/1', 'a/2', 'b', 'b', 'c', 'é \u0001']);
    expect(await list({ Delimiter: '/' })).toEqual(['a/', 'b', 'b', 'c', 'é \u0001']);
    expect(await list({ Prefix: 'a/', Delimiter: '/' })).toEqual(['a/1', 'a/2']);
  });
});

describe('UploadPartCopy', () => {
  test('copies the whole or a range, and refuses what lies outside', async () => {
    const source = pattern(1000);
    await started.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'src/é', Body: source }));
    const UploadId = await begin('k');
    const copy = (PartNumber: number, CopySourceRange?: string, more: { CopySourceIfMatch?: string } = {}) =>
      started.client.send(
        new UploadPartCopyCommand({
          Bucket: BUCKET,
          Key: 'k',
          UploadId,
          PartNumber,
          CopySource: `${BUCKET}/src%2F%C3%A9`,
          CopySourceRange,
          ...more,
        }),
      );
    const { CopyPartResult } = await copy(1, 'bytes=100-199');
    expect(CopyPartResult?.ETag).toBe(`"${md5(source.subarray(100, 200)).digest('hex')}"`);
    expect(await codeOf(copy(2, 'bytes=0-1000'))).toBe('416 InvalidRange');
    expect(await codeOf(copy(2, 'bytes=10-'))).toBe('400 InvalidArgument');
    expect(await codeOf(copy(2, undefined, { CopySourceIfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    await copy(2);
    expect((await parts('k', UploadId)).Parts).toMatchObject([{ Size: 100 }, { Size: 1000 }]);
    await complete('k', UploadId, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
    await started.devstore.stored.delete(BUCKET, 'src/é'); // the copy holds its bytes itself
    expect((await started.devstore.stored.read(BUCKET, 'k')).bytes.equals(source.subarray(100, 200))).toBe(true);
  });
});
