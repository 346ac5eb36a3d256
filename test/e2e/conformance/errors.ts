import { get, head, list, put, remove, type Scenario } from '../../support/conformance/scenario.ts';

export const ERRORS: readonly Scenario[] = [
  {
    name: 'errors',
    steps: [
      get('no such key', 'absent'),
      head('head of no such key', 'absent'),
      get('tags of no such key', 'absent', { query: { tagging: '' } }),
      get('acl of no such key', 'absent', { query: { acl: '' } }),
      get('no such bucket', 'k', { bucket: 'nowhere' }),
      head('head in no such bucket', 'k', { bucket: 'nowhere' }),
      put('put into no such bucket', 'k', 'x', { bucket: 'nowhere' }),
      remove('delete in no such bucket', 'k', { bucket: 'nowhere' }),
      list('list no such bucket', { 'list-type': '2' }, { bucket: 'nowhere' }),
      list('uploads of no such bucket', { uploads: '' }, { bucket: 'nowhere' }),
      { name: 'create in no such bucket', method: 'POST', key: 'k', bucket: 'nowhere', query: { uploads: '' } },
      get('parts of no such upload', 'k', { query: { uploadId: 'nonsense' } }),
      { name: 'a method that is none', method: 'PATCH', key: 'k' },
      put('a document that is none', 'k', '<Tagging', { query: { tagging: '' } }),
      put('a hash that is none', 'k', 'x', { payload: 'nonsense' }),
      put('an ACL that is none', 'k', 'x', { headers: { 'x-amz-acl': 'everybody' } }),
      put('a storage class that is none', 'k', 'x', { headers: { 'x-amz-storage-class': 'PAPER' } }),
      put('tags that are none', 'k', 'x', { headers: { 'x-amz-tagging': 'a=1&a=2' } }),
      put('customer key without one', 'k', 'x', {
        headers: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
      }),
    ],
  },
];
