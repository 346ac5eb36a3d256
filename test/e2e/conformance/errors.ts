import { createHash } from 'node:crypto';
import { get, head, list, put, remove, type Scenario } from '../../support/conformance/scenario.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const KEY_MD5 = createHash('md5').update(Buffer.alloc(32, 7)).digest('base64');

const CUSTOMER_KEYS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['customer key without one', { algorithm: 'AES256' }],
  ['customer key without an algorithm', { key: KEY, 'key-md5': KEY_MD5 }],
  ['customer key without its MD5', { algorithm: 'AES256', key: KEY }],
  ['customer key with another MD5', { algorithm: 'AES256', key: KEY, 'key-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }],
  ['customer key', { algorithm: 'AES256', key: KEY, 'key-md5': KEY_MD5 }],
];

const customerKey = (fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`x-amz-server-side-encryption-customer-${name}`, value]),
  );

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
      ...CUSTOMER_KEYS.map(([name, headers]) => put(name, 'k', 'x', { headers: customerKey(headers) })),
      put('KMS key alone', 'k', 'x', { headers: { 'x-amz-server-side-encryption-aws-kms-key-id': 'k' } }),
      get('get with managed encryption', 'absent', { headers: { 'x-amz-server-side-encryption': 'AES256' } }),
    ],
  },
];
