import { get, head, put, type Scenario } from '../../support/conformance/scenario.ts';

const from = (source: string, more: Readonly<Record<string, string>> = {}) => ({
  headers: { 'x-amz-copy-source': source, ...more },
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
      put('awkward', 'a +%b', 'x'),
      put('copy awkward', 'awkward', '', from('/{bucket}/a%20%2B%25b')),
      get('get awkward', 'awkward'),
    ],
  },
];
