import { get, head, list, post, put, remove, type Scenario, type Step } from '../../support/conformance/scenario.ts';
import { payload } from '../../support/payload.ts';

/** The least that S3 takes as a part that is not the last. */
const MIN_PART_BYTES = 5 * 1024 * 1024;
const FIRST = payload(MIN_PART_BYTES + 1);

const create = (key: string, more: Partial<Step> = {}): Step =>
  post('create', key, '', { query: { uploads: '' }, keep: { upload: 'element UploadId' }, ...more });

const part = (name: string, key: string, number: number, body: string | Buffer, keep: string): Step =>
  put(name, key, body, {
    query: { partNumber: String(number), uploadId: '{upload}' },
    keep: { [keep]: 'header etag' },
  });

const complete = (name: string, key: string, parts: readonly (readonly [number, string])[], more: Partial<Step> = {}) =>
  post(
    name,
    key,
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts
      .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join('')}</CompleteMultipartUpload>`,
    { query: { uploadId: '{upload}' }, ...more },
  );

const attributes = (name: string, key: string, which: string, more: Readonly<Record<string, string>> = {}): Step =>
  get(name, key, { query: { attributes: '' }, headers: { 'x-amz-object-attributes': which, ...more } });

export const UPLOADS: readonly Scenario[] = [
  {
    name: 'multipart',
    steps: [
      create('k', { headers: { 'content-type': 'text/plain', 'x-amz-meta-a': 'b' } }),
      part('part 1', 'k', 1, FIRST, 'etag1'),
      part('part 3', 'k', 3, 'the last', 'etag3'),
      get('parts', 'k', { query: { uploadId: '{upload}' } }),
      get('a page of parts', 'k', { query: { uploadId: '{upload}', 'max-parts': '1' } }),
      list('uploads', { uploads: '' }),
      get('not there yet', 'k'),
      complete('in the wrong order', 'k', [
        [3, '{etag3}'],
        [1, '{etag1}'],
      ]),
      complete('with a wrong ETag', 'k', [
        [1, '"0123456789abcdef0123456789abcdef"'],
        [3, '{etag3}'],
      ]),
      complete('with a part that is not there', 'k', [
        [1, '{etag1}'],
        [2, '{etag3}'],
      ]),
      complete('with no parts', 'k', []),
      post('with no document', 'k', 'nonsense', { query: { uploadId: '{upload}' } }),
      complete('complete', 'k', [
        [1, '{etag1}'],
        [3, '{etag3}'],
      ]),
      head('head', 'k'),
      get('get', 'k'),
      get('a range over both parts', 'k', { headers: { range: `bytes=${MIN_PART_BYTES - 3}-` } }),
      get('read part 1', 'k', { query: { partNumber: '1' } }),
      head('head of part 1', 'k', { query: { partNumber: '1' } }),
      get('read part 2', 'k', { query: { partNumber: '2' } }),
      get('read part 4', 'k', { query: { partNumber: '4' } }),
      get('read part 10001', 'k', { query: { partNumber: '10001' } }),
      get('a part and a range', 'k', { query: { partNumber: '1' }, headers: { range: 'bytes=0-1' } }),
      attributes('all attributes', 'k', 'ETag,Checksum,ObjectParts,ObjectSize,StorageClass'),
      attributes('a page of its parts', 'k', 'ObjectParts', { 'x-amz-max-parts': '1' }),
      attributes('the rest of its parts', 'k', 'ObjectParts', { 'x-amz-part-number-marker': '1' }),
      list('listed', { 'list-type': '2' }),
      list('no uploads', { uploads: '' }),
      get('parts of none', 'k', { query: { uploadId: '{upload}' } }),
    ],
  },
  {
    name: 'multipart in other ways',
    steps: [
      create('one'),
      part('only part', 'one', 1, 'all of it', 'only'),
      part('only part again', 'one', 1, 'all of it, again', 'only'),
      complete('complete one', 'one', [[1, '{only}']]),
      get('get one', 'one'),
      get('the only part of one', 'one', { query: { partNumber: '1' } }),
      create('empty', { name: 'create empty' }),
      part('a part of 0 bytes', 'empty', 1, '', 'none'),
      complete('complete empty', 'empty', [[1, '{none}']]),
      get('get empty', 'empty'),
      get('the only part of empty', 'empty', { query: { partNumber: '1' } }),
      create('small', { name: 'create small' }),
      part('small 1', 'small', 1, 'too small', 'small1'),
      part('small 2', 'small', 2, 'to be', 'small2'),
      complete('complete small', 'small', [
        [1, '{small1}'],
        [2, '{small2}'],
      ]),
      put('part 0', 'small', 'x', { query: { partNumber: '0', uploadId: '{upload}' } }),
      put('part 10000', 'small', 'x', { query: { partNumber: '10000', uploadId: '{upload}' } }),
      put('part 10001', 'small', 'x', { query: { partNumber: '10001', uploadId: '{upload}' } }),
      put('a part that is no number', 'small', 'x', { query: { partNumber: 'one', uploadId: '{upload}' } }),
      remove('abort', 'small', { query: { uploadId: '{upload}' } }),
      remove('abort again', 'small', { query: { uploadId: '{upload}' } }),
      put('a part of none', 'small', 'x', { query: { partNumber: '1', uploadId: '{upload}' } }),
      complete('complete none', 'small', [[1, '{small1}']]),
      put('taken', 'taken', 'x'),
      create('taken', { name: 'create taken' }),
      part('taken 1', 'taken', 1, 'y', 'taken1'),
      complete('complete if none', 'taken', [[1, '{taken1}']], { headers: { 'if-none-match': '*' } }),
      get('still there', 'taken'),
    ],
  },
];
