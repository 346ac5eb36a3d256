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
      create('empty', { name: 'create empty' }),
      part('a part of 0 bytes', 'empty', 1, '', 'none'),
      complete('complete empty', 'empty', [[1, '{none}']]),
      get('get empty', 'empty'),
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
