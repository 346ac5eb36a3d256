import {
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareKeys, KeyIndex } from '../../src/devstore/key-order.ts';
import { lastItem, listKeys } from '../../src/devstore/list-keys.ts';
import fc, { runs } from '../support/property.ts';
import { BUCKET, codeOf, raw, type Started, startDevstore } from './started.ts';

const UNKIND = ['\u0001', ' ', '+', '/', '//x', '/x', '<&>', 'A', 'a', 'a/', 'a/b', 'a/b/c', 'a/c', 'a//', 'ab', 'é'];
const KEYS = [...UNKIND, '\uffff', '\u{10000}', 'z/'].sort(compareKeys);

let started: Started;
beforeAll(async () => {
  started = await startDevstore();
  for (const key of KEYS) await started.devstore.stored.overwrite(BUCKET, key, Buffer.from(key));
});
afterAll(() => started.stop());

/** What S3 promises of a whole listing: keys and rolled-up prefixes behind `after`, each once, in order. */
function model(keys: readonly string[], prefix: string, delimiter: string, after: string): string[] {
  const names = new Set<string>();
  for (const key of keys) {
    if (!key.startsWith(prefix) || compareKeys(key, after) <= 0) continue;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut === -1 ? key : key.slice(0, cut + delimiter.length);
    if (cut === -1 || name !== after) names.add(name);
  }
  return [...names].sort(compareKeys);
}

describe('a page of keys', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\uffff', '\u{10000}'), maxLength: 5 });
  const asked = fc.record({
    prefix: name,
    delimiter: fc.constantFrom('', '/', 'b', '/a'),
    maxItems: fc.integer({ min: 1, max: 5 }),
  });

  test('after page makes the listing of the model, nothing twice and nothing missing', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          name.filter((key) => key !== ''),
          { maxLength: 30 },
        ),
        asked,
        name,
        (keys, question, first) => {
          const index = new KeyIndex(keys);
          const listed: string[] = [];
          for (let after = first, more = true; more; ) {
            const page = listKeys(index, { ...question, after });
            expect(page.items.length).toBeLessThanOrEqual(question.maxItems);
            listed.push(...page.items.map((item) => ('key' in item ? item.key : item.commonPrefix)));
            more = page.truncated;
            after = lastItem(page) ?? after;
          }
          expect(listed).toEqual(model(keys, question.prefix, question.delimiter, first));
        },
      ),
      { numRuns: runs(500) },
    );
  });
});

describe('over the wire', () => {
  const questions: Partial<ListObjectsV2CommandInput>[] = [
    {},
    { Delimiter: '/' },
    { Prefix: 'a' },
    { Prefix: 'a/', Delimiter: '/' },
    { Prefix: '/', Delimiter: '/' },
    { Prefix: '\u0001' },
    { Prefix: 'none' },
    { Delimiter: 'b' },
    { Prefix: '<', Delimiter: '&' },
  ];
  const spellings = [undefined, 'url'] as const;
  const ways = [1, 2, 1000].flatMap((MaxKeys) => spellings.map((EncodingType) => ({ MaxKeys, EncodingType })));
  const decode = (EncodingType: string | undefined, name = '') =>
    EncodingType === 'url' ? decodeURIComponent(name) : name;
  const expected = (question: Partial<ListObjectsV2CommandInput>) =>
    model(KEYS, question.Prefix ?? '', question.Delimiter ?? '', '');

  test.each(questions)('v2 %o, in pages of every size', async (asked) => {
    for (const way of ways) {
      const question = { ...asked, ...way };
      const names: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await started.client.send(
          new ListObjectsV2Command({ Bucket: BUCKET, ...question, ContinuationToken }),
        );
        const found = [
          ...(page.Contents ?? []).map(({ Key }) => Key),
          ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        ];
        expect(page.KeyCount).toBe(found.length);
        expect(page.EncodingType).toBe(question.EncodingType);
        names.push(...found.map((name) => decode(question.EncodingType, name)).sort(compareKeys));
        ContinuationToken = page.NextContinuationToken;
        expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
      } while (ContinuationToken !== undefined);
      expect(names).toEqual(expected(question));
    }
  });

  test.each(questions)('v1 %o, in pages of every size', async (asked) => {
    for (const way of ways) {
      const question = { ...asked, ...way };
      const names: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await started.client.send(new ListObjectsCommand({ Bucket: BUCKET, ...question, Marker }));
        const found = [
          ...(page.Contents ?? []).map(({ Key }) => Key),
          ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        ];
        names.push(...found.map((name) => decode(question.EncodingType, name)).sort(compareKeys));
        expect(decode(question.EncodingType, page.Marker)).toBe(Marker ?? '');
        // As the S3 guide says: NextMarker comes with a delimiter; without one the last key serves.
        Marker = page.IsTruncated
          ? page.NextMarker === undefined
            ? names.at(-1)
            : decode(question.EncodingType, page.NextMarker)
          : undefined;
      } while (Marker !== undefined);
      expect(names).toEqual(expected(question));
    }
  });

  test.each(questions)('versions %o, in pages of every size', async (asked) => {
    for (const way of ways) {
      const question = { ...asked, ...way };
      const names: string[] = [];
      let KeyMarker: string | undefined;
      let VersionIdMarker: string | undefined;
      do {
        const page = await started.client.send(
          new ListObjectVersionsCommand({ Bucket: BUCKET, ...question, KeyMarker, VersionIdMarker }),
        );
        const found = [
          ...(page.Versions ?? []).map(({ Key }) => Key),
          ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        ];
        names.push(...found.map((name) => decode(question.EncodingType, name)).sort(compareKeys));
        for (const version of page.Versions ?? []) expect(version).toMatchObject({ VersionId: 'null', IsLatest: true });
        KeyMarker = page.NextKeyMarker === undefined ? undefined : decode(question.EncodingType, page.NextKeyMarker);
        VersionIdMarker = page.NextVersionIdMarker;
      } while (KeyMarker !== undefined);
      expect(names).toEqual(expected(question));
    }
  });

  test('start-after begins behind it, a token goes on regardless of it', async () => {
    const ask = { Bucket: BUCKET, StartAfter: 'a/b', MaxKeys: 2 };
    const first = await started.client.send(new ListObjectsV2Command(ask));
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(['a/b/c', 'a/c']);
    const again = { ...ask, ContinuationToken: first.NextContinuationToken };
    const second = await started.client.send(new ListObjectsV2Command(again));
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['ab', 'z/']);
  });

  test('an entry says what HEAD says, and its owner where asked', async () => {
    const ask = { Bucket: BUCKET, Prefix: 'a/b/c' };
    const { Contents } = await started.client.send(new ListObjectsV2Command({ ...ask, FetchOwner: true }));
    expect(Contents).toMatchObject([{ Key: 'a/b/c', Size: 5, StorageClass: 'STANDARD', Owner: { ID: 'devstore' } }]);
    const head = await raw(started.url, 'HEAD', `/${BUCKET}/a/b/c`);
    expect(Contents?.[0]?.ETag).toBe(head.headers.etag);
    expect((await started.client.send(new ListObjectsV2Command(ask))).Contents?.[0]?.Owner).toBeUndefined();
  });

  test('zero keys are none and no more; 5,000 are 1,000; what is no number is refused', async () => {
    const none = await started.client.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: 0 }));
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
    const many = await started.client.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: 5000 }));
    expect(many.MaxKeys).toBe(1000);
    for (const query of ['max-keys=x', 'max-keys=-1', 'encoding-type=other', 'list-type=2&continuation-token=%25']) {
      const answer = await raw(started.url, 'GET', `/${BUCKET}?${query}`);
      expect(answer.body.toString()).toContain('<Code>InvalidArgument</Code>');
    }
    const absent = started.client.send(new ListObjectsV2Command({ Bucket: 'absent' }));
    expect(await codeOf(absent)).toBe('404 NoSuchBucket');
  });
});
