import { get, head, post, put, type Scenario, type Step } from '../../support/conformance/scenario.ts';
import { payload } from '../../support/payload.ts';

/** The least that S3 takes as a part that is not the last. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const from = (source: string, more: Readonly<Record<string, string>> = {}) => ({
  headers: { 'x-amz-copy-source': source, ...more },
});

const part = (name: string, number: number, more: Readonly<Record<string, string>>, keep?: string): Step =>
  put(name, 'whole', '', {
    ...from('/{bucket}/k', more),
    query: { partNumber: String(number), uploadId: '{upload}' },
    ...(keep !== undefined && { keep: { [keep]: 'element ETag' } }),
  });

export const COPIES: readonly Scenario[] = [
  {
    name: 'copies',
    steps: [
      put('put', 'k', 'to be copied', {
        headers: { 'content-type': 'text/plain', 'x-amz-meta-a': 'b', 'x-amz-tagging': 't=1' },
        keep: { etag: 'header etag' },
      }),
      put('copy', 'copy', '', from('/{bucket}/k')),
      get('get copy', 'copy'),
      get('tags of the copy', 'copy', { query: { tagging: '' } }),
      put('copy without a slash', 'copy', '', from('{bucket}/k')),
      put(
        'replace metadata',
        'replaced',
        '',
        from('/{bucket}/k', {
          'x-amz-metadata-directive': 'REPLACE',
          'x-amz-meta-c': 'd',
          'content-type': 'image/png',
        }),
      ),
      head('head of replaced', 'replaced'),
      put('onto itself', 'k', '', from('/{bucket}/k')),
      put(
        'onto itself with metadata',
        'k',
        '',
        from('/{bucket}/k', {
          'x-amz-metadata-directive': 'REPLACE',
          'x-amz-meta-new': 'yes',
        }),
      ),
      get('get itself', 'k', { keep: { etag: 'header etag' } }),
      put('if match', 'c1', '', from('/{bucket}/k', { 'x-amz-copy-source-if-match': '{etag}' })),
      put('if match another', 'c2', '', from('/{bucket}/k', { 'x-amz-copy-source-if-match': '"other"' })),
      put('if none match', 'c3', '', from('/{bucket}/k', { 'x-amz-copy-source-if-none-match': '{etag}' })),
      put('an absent one', 'c4', '', from('/{bucket}/absent')),
      put('of an absent bucket', 'c5', '', from('/{bucket}absent/k')),
      put('no source', 'c6', '', from('/')),
      put('a wrong directive', 'c7', '', from('/{bucket}/k', { 'x-amz-metadata-directive': 'MERGE' })),
      put('tags anew', 'c8', '', from('/{bucket}/k', { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'z=9' })),
      get('the new tags', 'c8', { query: { tagging: '' } }),
      put('onto none', 'c9', '', from('/{bucket}/k', { 'if-none-match': '*' })),
      put('onto another', 'c9', '', from('/{bucket}/k', { 'if-none-match': '*' })),
      put('onto what it is not', 'c9', '', from('/{bucket}/k', { 'if-match': '"other"' })),
      put('awkward', 'a +%b', 'x'),
      put('copy awkward', 'awkward', '', from('/{bucket}/a%20%2B%25b')),
      get('get awkward', 'awkward'),
    ],
  },
  {
    name: 'copies of parts',
    steps: [
      put('put', 'k', payload(MIN_PART_BYTES + 10), { keep: { etag: 'header etag' } }),
      post('create', 'whole', '', { query: { uploads: '' }, keep: { upload: 'element UploadId' } }),
      part('part', 1, {}, 'etag1'),
      part('range', 2, { 'x-amz-copy-source-range': `bytes=3-${MIN_PART_BYTES + 9}` }, 'etag2'),
      part('if match', 3, { 'x-amz-copy-source-if-match': '{etag}' }, 'etag3'),
      part('if match another', 4, { 'x-amz-copy-source-if-match': '"other"' }),
      part('half a range', 4, { 'x-amz-copy-source-range': 'bytes=3-' }),
      part('no range', 4, { 'x-amz-copy-source-range': 'all' }),
      part('a range past the end', 4, { 'x-amz-copy-source-range': `bytes=0-${MIN_PART_BYTES + 10}` }),
      part('a range behind the end', 4, { 'x-amz-copy-source-range': 'bytes=99999999-99999999' }),
      put('of an absent one', 'whole', '', {
        ...from('/{bucket}/absent'),
        query: { partNumber: '4', uploadId: '{upload}' },
      }),
      put('into no upload', 'whole', '', { ...from('/{bucket}/k'), query: { partNumber: '4', uploadId: 'none' } }),
      post(
        'complete',
        'whole',
        '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
          [1, 2, 3]
            .map((number) => `<Part><PartNumber>${number}</PartNumber><ETag>{etag${number}}</ETag></Part>`)
            .join('') +
          '</CompleteMultipartUpload>',
        { query: { uploadId: '{upload}' } },
      ),
      get('get', 'whole'),
    ],
  },
];
