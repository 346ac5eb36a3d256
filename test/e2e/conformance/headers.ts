import { createHash } from 'node:crypto';
import { get, head, list, put, remove, type Scenario } from '../../support/conformance/scenario.ts';

const ORIGIN = { origin: 'https://app.example.com' };
const PREFLIGHT = { ...ORIGIN, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-amz-date' };

const OTHER_ORIGIN = { origin: 'https://other.example.com' };
const GETTING = { 'access-control-request-method': 'GET' };

const RULES =
  '<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>';

export const HEADERS: readonly Scenario[] = [
  {
    name: 'headers',
    steps: [
      put('a website redirect', 'redirect', 'x', { headers: { 'x-amz-website-redirect-location': '/elsewhere' } }),
      head('head of a website redirect', 'redirect'),
      put('a private ACL', 'acl', 'x', { headers: { 'x-amz-acl': 'private' } }),
      put('a public ACL', 'acl', 'x', { headers: { 'x-amz-acl': 'public-read' } }),
      put('a grant', 'acl', 'x', {
        headers: { 'x-amz-grant-read': 'uri=http://acs.amazonaws.com/groups/global/AllUsers' },
      }),
      get('who pays', 'acl', { headers: { 'x-amz-request-payer': 'requester' } }),
      get('another owner', 'acl', { headers: { 'x-amz-expected-bucket-owner': '123456789012' } }),
      put('retention without a lock', 'locked', 'x', {
        headers: {
          'x-amz-object-lock-mode': 'GOVERNANCE',
          'x-amz-object-lock-retain-until-date': '2033-12-01T16:00:00Z',
        },
      }),
      put('managed encryption', 'managed', 'x', { headers: { 'x-amz-server-side-encryption': 'AES256' } }),
      put('KMS encryption', 'kms', 'x', { headers: { 'x-amz-server-side-encryption': 'aws:kms' } }),
      put('encryption that is none', 'none', 'x', { headers: { 'x-amz-server-side-encryption': 'ROT13' } }),
      put('a header of tomorrow', 'new', 'x', { headers: { 'x-amz-tomorrow': 'x' } }),
      get('a parameter of tomorrow', 'acl', { query: { tomorrow: '' } }),
      get('parameters without meaning', 'acl', { query: { v: '123', utm_source: 'mail', Range: '' } }),
      head('head with a number for a parameter', 'acl', { query: { '1732985': '' } }),
      put('put with a parameter without meaning', 'by user', 'x', { query: { 'x-user': 'ann' } }),
      put('a directive of a copy', 'by directive', 'x', { headers: { 'x-amz-metadata-directive': 'REPLACE' } }),
      put('a write offset', 'append', 'x', { headers: { 'x-amz-write-offset-bytes': '0' } }),
      remove('delete if match', 'acl', { headers: { 'if-match': '"0123456789abcdef0123456789abcdef"' } }),
      put('an expiry', 'expiry', 'x', { headers: { expires: 'never' } }),
      head('head of an expiry', 'expiry'),
      put('metadata of bytes', 'bytes', 'x', { headers: { 'x-amz-meta-bytes': '=?UTF-8?Q?=C3=A4?=' } }),
      head('head of metadata of bytes', 'bytes'),
      put('metadata of nothing', 'nothing', 'x', { headers: { 'x-amz-meta-nothing': '' } }),
      head('head of metadata of nothing', 'nothing'),
    ],
  },
  {
    name: 'browsers',
    steps: [
      put('put', 'k', 'x', { headers: ORIGIN }),
      get('get', 'k', { headers: ORIGIN }),
      get('get of none', 'absent', { headers: ORIGIN }),
      list('list', { 'list-type': '2' }, { headers: ORIGIN }),
      { name: 'preflight', method: 'OPTIONS', key: 'k', headers: PREFLIGHT },
      { name: 'preflight of a bucket', method: 'OPTIONS', headers: PREFLIGHT },
      {
        name: 'rules',
        method: 'PUT',
        query: { cors: '' },
        headers: { 'content-md5': createHash('md5').update(RULES).digest('base64') },
        body: RULES,
      },
      get('get by rules', 'k', { headers: ORIGIN }),
      { name: 'preflight by rules', method: 'OPTIONS', key: 'k', headers: PREFLIGHT },
      put('put by rules', 'k', 'x', { headers: ORIGIN }),
      put('put of another origin', 'k', 'x', { headers: OTHER_ORIGIN }),
      put('put without an origin', 'k', 'x'),
      put('put again if none', 'k', 'x', { headers: { ...ORIGIN, 'if-none-match': '*' } }),
      put('put of nobody', 'k', 'x', { headers: ORIGIN, signed: { anonymous: true } }),
      put('put signed wrong', 'k', 'x', { headers: ORIGIN, signed: { secretAccessKey: 'wrong' } }),
      { name: 'preflight of another method', method: 'OPTIONS', key: 'k', headers: { ...PREFLIGHT, ...GETTING } },
      { name: 'preflight of another origin', method: 'OPTIONS', key: 'k', headers: { ...PREFLIGHT, ...OTHER_ORIGIN } },
      { name: 'preflight of the service', method: 'OPTIONS', bucket: '', headers: PREFLIGHT },
      { name: 'no preflight', method: 'OPTIONS', key: 'k', headers: ORIGIN },
      { name: 'options', method: 'OPTIONS', key: 'k' },
      list('rules read', { cors: '' }, { headers: ORIGIN }),
      { name: 'no rules', method: 'DELETE', query: { cors: '' }, headers: ORIGIN },
      put('put after rules', 'k', 'x', { headers: ORIGIN }),
      { name: 'preflight after rules', method: 'OPTIONS', key: 'k', headers: PREFLIGHT },
    ],
  },
];
