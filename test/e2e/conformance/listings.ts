import { list, put, type Scenario, type Step } from '../../support/conformance/scenario.ts';

const KEYS = ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e f', 'z/1'] as const;
const bucket = (name: string, method: string, query: Readonly<Record<string, string>>, body?: string): Step => ({
  name,
  method,
  query,
  ...(body !== undefined && { body }),
});

export const LISTINGS: readonly Scenario[] = [
  {
    name: 'listings',
    steps: [
      list('empty', {}),
      list('empty, version 2', { 'list-type': '2' }),
      ...KEYS.map((key) => put(`put ${key}`, key, key.repeat(3))),
      list('all', {}),
      list('all, version 2', { 'list-type': '2' }),
      list('with owners', { 'list-type': '2', 'fetch-owner': 'true' }),
      list('folders', { delimiter: '/' }),
      list('folders, version 2', { 'list-type': '2', delimiter: '/' }),
      list('one folder', { 'list-type': '2', delimiter: '/', prefix: 'b/' }),
      list('prefix', { 'list-type': '2', prefix: 'b' }),
      list('a prefix of none', { 'list-type': '2', prefix: 'absent' }),
      list('another delimiter', { 'list-type': '2', delimiter: 'c' }),
      list('encoded', { 'list-type': '2', 'encoding-type': 'url', prefix: 'e ' }),
      list('page', { 'max-keys': '3' }),
      list('page after', { 'max-keys': '3', marker: 'b/2' }),
      list(
        'page, version 2',
        { 'list-type': '2', 'max-keys': '3' },
        { keep: { token: 'element NextContinuationToken' } },
      ),
      list(
        'next page',
        { 'list-type': '2', 'max-keys': '3', 'continuation-token': '{token}' },
        {
          keep: { token2: 'element NextContinuationToken' },
        },
      ),
      list(
        'page of folders',
        { 'list-type': '2', 'max-keys': '2', delimiter: '/' },
        {
          keep: { token3: 'element NextContinuationToken' },
        },
      ),
      list(
        'next page of folders',
        { 'list-type': '2', 'max-keys': '2', delimiter: '/', 'continuation-token': '{token3}' },
        {
          keep: { token4: 'element NextContinuationToken' },
        },
      ),
      list('start after', { 'list-type': '2', 'start-after': 'b/2' }),
      list('a page of versions', { versions: '', 'max-keys': '3' }),
      list('a page of versions and folders', { versions: '', 'max-keys': '2', delimiter: '/' }),
      list('no keys', { 'list-type': '2', 'max-keys': '0' }),
      list('more than a thousand', { 'list-type': '2', 'max-keys': '5000' }),
      list('a negative number', { 'list-type': '2', 'max-keys': '-1' }),
      list('no number', { 'list-type': '2', 'max-keys': 'many' }),
      list('an unknown encoding', { 'list-type': '2', 'encoding-type': 'base64' }),
      list('versions', { versions: '' }),
    ],
  },
  {
    name: 'buckets',
    steps: [
      bucket('location', 'GET', { location: '' }),
      bucket('head', 'HEAD', {}),
      bucket('create again', 'PUT', {}),
      bucket('versioning', 'GET', { versioning: '' }),
      bucket('acl', 'GET', { acl: '' }),
      bucket('no tags', 'GET', { tagging: '' }),
      bucket('no policy', 'GET', { policy: '' }),
      bucket('no lifecycle', 'GET', { lifecycle: '' }),
      bucket('no CORS', 'GET', { cors: '' }),
      bucket('no lock', 'GET', { 'object-lock': '' }),
      put('put', 'k', 'x'),
      bucket('delete with an object', 'DELETE', {}),
      { name: 'delete object', method: 'DELETE', key: 'k' },
      bucket('delete', 'DELETE', {}),
      bucket('deleted', 'HEAD', {}),
      bucket('list deleted', 'GET', {}),
      bucket('delete again', 'DELETE', {}),
    ],
  },
];
