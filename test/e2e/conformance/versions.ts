import { get, head, list, put, remove, type Scenario, VERSIONED } from '../../support/conformance/scenario.ts';

const version = (name: string) => ({ query: { versionId: `{${name}}` } });
const keep = (name: string) => ({ keep: { [name]: 'header x-amz-version-id' } });

export const VERSIONS: readonly Scenario[] = [
  {
    name: 'versions',
    steps: [
      put('before', 'old', 'unversioned'),
      VERSIONED,
      get('before, by id', 'old', { query: { versionId: 'null' } }),
      put('first', 'k', 'one', keep('first')),
      put('second', 'k', 'second', keep('second')),
      get('latest', 'k'),
      get('first again', 'k', version('first')),
      head('head of first', 'k', version('first')),
      get('range of first', 'k', { ...version('first'), headers: { range: 'bytes=1-' } }),
      list('listed', { versions: '' }),
      remove('delete', 'k', keep('marker')),
      get('deleted', 'k'),
      head('head of deleted', 'k'),
      get('the marker', 'k', version('marker')),
      list('listed with a marker', { versions: '' }),
      put('copy of first', 'copied', '', {
        headers: { 'x-amz-copy-source': '/{bucket}/k?versionId={first}' },
        ...keep('copied'),
      }),
      get('what was copied', 'copied'),
      remove('delete the marker', 'k', version('marker')),
      get('back again', 'k'),
      remove('delete first for good', 'k', version('first')),
      get('gone for good', 'k', version('first')),
      get('a version that is none', 'k', { query: { versionId: 'nonsense' } }),
    ],
  },
];
