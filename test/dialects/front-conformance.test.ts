import { createHash, createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { cosFront } from '../../src/dialects/cos/front/front.ts';
import { ossFront } from '../../src/dialects/oss/front/front.ts';
import { qingstorFront } from '../../src/dialects/qingstor/front.ts';
import { s3Front } from '../../src/dialects/s3/front/front.ts';
import { FRONTS } from '../../src/dialects/table.ts';
import { readXml, xmlText } from '../../src/wire/xml/xml.ts';
import { wireRequest } from '../support/requests.ts';
import { cosAuthorization } from './cos/sign.ts';
import { type AskedRequest, CONTENT, frontConformance } from './front-conformance.ts';
import { sign } from './s3/signature/signing.ts';

const LENGTH = ['Content-Length', String(CONTENT.length)] as const;
const WHOLE = new RegExp(`^${CONTENT}$`);

function unsigned({ method, target, headers = [], body }: AskedRequest) {
  return wireRequest({ method, target, headers: [['Host', 'h'], ...headers], ...(body && { body }) });
}

it('every front of the table is held to what follows', () => {
  expect(FRONTS).toEqual([qingstorFront, ossFront, cosFront, s3Front]);
});

frontConformance({
  front: s3Front,
  async request(asked, key) {
    if (key === undefined) return unsigned(asked);
    const { method, target, body } = asked;
    const { pathname, searchParams } = new URL(target, 'http://h');
    const unsignedHeaders = Object.fromEntries(
      (asked.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const about = { method, path: pathname, query: Object.fromEntries(searchParams), headers: unsignedHeaders };
    const as = { accessKeyId: key.accessKeyId, secretAccessKey: key.secret, host: 'h', date: new Date() };
    const { headers } = await sign({ ...about, ...(body && { body }) }, as);
    return wireRequest({ method, target, headers, ...(body && { body }) });
  },
  operations: [
    { name: 'PutObject', asked: { method: 'PUT', target: '/box/k', headers: [LENGTH], body: CONTENT }, status: 200 },
    { name: 'GetObject', asked: { method: 'GET', target: '/box/k' }, status: 200, body: WHOLE },
    { name: 'HeadObject', asked: { method: 'HEAD', target: '/box/k' }, status: 200 },
    { name: 'GetObjectAttributes', asked: attributes(), status: 200, body: /<ObjectSize>33</ },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box' }, status: 200, body: /<Key>k</ },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box?list-type=2' }, status: 200, body: /<Key>k</ },
    { name: 'ListObjectVersions', asked: { method: 'GET', target: '/box?versions=' }, status: 200, body: /<Key>k</ },
    { name: 'ListMultipartUploads', asked: { method: 'GET', target: '/box?uploads=' }, status: 200 },
    {
      name: 'CreateMultipartUpload',
      asked: { method: 'POST', target: '/box/u?uploads=' },
      status: 200,
      body: /UploadId/,
    },
    { name: 'HeadBucket', asked: { method: 'HEAD', target: '/box' }, status: 200 },
    { name: 'GetBucketLocation', asked: { method: 'GET', target: '/box?location=' }, status: 200 },
    { name: 'ListBuckets', asked: { method: 'GET', target: '/' }, status: 200, body: /<Name>box</ },
    { name: 'CopyObject', asked: copy(), status: 200, body: /<CopyObjectResult/ },
    { name: 'DeleteObject', asked: { method: 'DELETE', target: '/box/k' }, status: 204 },
  ],
  unknown: [
    { method: 'POST', target: '/box/k?select=&select-type=2' },
    { method: 'GET', target: '/box/k?torrent=' },
    { method: 'PUT', target: '/box/k', headers: [['x-amz-unheard-of', '1']] },
    { method: 'POST', target: '/box/k' },
  ],
  absent: { method: 'GET', target: '/box/absent' },
  spelled: {
    NoSuchKey: [404, 'NoSuchKey'],
    SignatureDoesNotMatch: [403, 'SignatureDoesNotMatch'],
    InvalidAccessKeyId: [403, 'InvalidAccessKeyId'],
    AnonymousRequest: [403, 'AccessDenied'],
    NotImplemented: [501, 'NotImplemented'],
  },
  codeIn: (body) => xmlText(readXml(Buffer.from(body)), 'Code'),
});

function attributes(): AskedRequest {
  return { method: 'GET', target: '/box/k?attributes=', headers: [['x-amz-object-attributes', 'ObjectSize']] };
}

function copy(): AskedRequest {
  return { method: 'PUT', target: '/box/copy', headers: [['x-amz-copy-source', 'box/k']] };
}

frontConformance({
  front: qingstorFront,
  async request(asked, key) {
    // The vendor recognises its own by signature and headers; an SDK without a key sends neither.
    if (key === undefined) return unsigned({ ...asked, headers: [...(asked.headers ?? []), ['x-qs-date', 'none']] });
    const date = new Date().toUTCString();
    const [path = '', query = ''] = asked.target.split('?');
    const signedQuery = ['acl', 'delete', 'policy', 'stats', 'uploads'].includes(query) ? `?${query}` : '';
    const vendor = (asked.headers ?? []).filter(([name]) => name.startsWith('x-qs-'));
    const lines = vendor.map(([name, value]) => `${name}:${value}\n`).join('');
    const text = `${asked.method}\n\n\n${date}\n${lines}${path}${signedQuery}`;
    const signature = createHmac('sha256', key.secret).update(text).digest('base64');
    const authorization = ['Authorization', `QS ${key.accessKeyId}:${signature}`] as const;
    return unsigned({ ...asked, headers: [...(asked.headers ?? []), ['Date', date], authorization] });
  },
  operations: [
    { name: 'PutObject', asked: { method: 'PUT', target: '/box/k', headers: [LENGTH], body: CONTENT }, status: 201 },
    { name: 'GetObject', asked: { method: 'GET', target: '/box/k' }, status: 200, body: WHOLE },
    { name: 'HeadObject', asked: { method: 'HEAD', target: '/box/k' }, status: 200 },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box' }, status: 200, body: /"key":"k"/ },
    { name: 'HeadBucket', asked: { method: 'HEAD', target: '/box' }, status: 200 },
    { name: 'ListBuckets', asked: { method: 'GET', target: '/' }, status: 200, body: /"name":"box"/ },
    { name: 'HeadBucket', asked: { method: 'GET', target: '/box?stats' }, status: 200, body: /"count":1,"size":33,/ },
    { name: 'HeadBucket', asked: { method: 'GET', target: '/box?acl' }, status: 200, body: /"FULL_CONTROL"/ },
    {
      name: 'CreateMultipartUpload',
      asked: { method: 'POST', target: '/box/u?uploads' },
      status: 200,
      body: /upload_id/,
    },
    { name: 'ListMultipartUploads', asked: { method: 'GET', target: '/box?uploads' }, status: 200, body: /"key":"u"/ },
    {
      name: 'CopyObject',
      asked: { method: 'PUT', target: '/box/copied', headers: [['x-qs-copy-source', '/box/k']] },
      status: 201,
    },
    {
      name: 'CopyObject',
      asked: { method: 'PUT', target: '/box/k', headers: [['x-qs-copy-source', '/box/k']] },
      status: 201,
    },
    {
      name: 'MoveObject',
      asked: { method: 'PUT', target: '/box/moved', headers: [['x-qs-move-source', '/box/copied']] },
      status: 201,
    },
    { name: 'DeleteObjects', asked: deletion(), status: 200, body: /"deleted":\[\{"key":"other"/ },
    { name: 'DeleteObject', asked: { method: 'DELETE', target: '/box/k' }, status: 204 },
  ],
  unknown: [
    { method: 'POST', target: '/box/k' },
    { method: 'PUT', target: '/box?policy' },
    { method: 'GET', target: '/box/k?unheard-of=1' },
    { method: 'PUT', target: '/box/k', headers: [['x-qs-fetch-source', 'http://127.0.0.1/']] },
    { method: 'PATCH', target: '/box/k' },
  ],
  absent: { method: 'GET', target: '/box/absent' },
  spelled: {
    NoSuchKey: [404, 'object_not_exists'],
    SignatureDoesNotMatch: [401, 'signature_not_matched'],
    InvalidAccessKeyId: [401, 'invalid_access_key_id'],
    AnonymousRequest: [403, 'permission_denied'],
    NotImplemented: [501, 'not_implemented'],
  },
  codeIn: (body) => (JSON.parse(body) as { code?: string }).code,
});

frontConformance({
  front: ossFront,
  async request(asked, key) {
    // The vendor recognises its own by signature and headers; an SDK without a key sends a vendor's host.
    if (key === undefined) return unsigned({ ...asked, headers: [...(asked.headers ?? []), ['x-oss-date', 'none']] });
    const { method, target, headers = [], body } = asked;
    const date = new Date().toUTCString();
    const [path = '', query = ''] = target.split('?');
    const [, bucket = '', name = ''] = path.split('/');
    const signedQuery = query
      .split('&')
      .filter((piece) => /^(acl|delete|encryption|location|uploads|versions)$/.test(piece));
    const vendor = headers.filter(([header]) => header.startsWith('x-oss-'));
    const lines = vendor.map(([header, value]) => `${header}:${value}\n`).join('');
    const md5 = headers.find(([header]) => header === 'Content-MD5')?.[1] ?? '';
    const resource = bucket === '' ? '/' : `/${bucket}/${name}`;
    const text = `${method}\n${md5}\n\n${date}\n${lines}${resource}${signedQuery.length > 0 ? `?${signedQuery}` : ''}`;
    const signature = createHmac('sha1', key.secret).update(text).digest('base64');
    const authorization = ['Authorization', `OSS ${key.accessKeyId}:${signature}`] as const;
    return unsigned({ method, target, headers: [...headers, ['Date', date], authorization], ...(body && { body }) });
  },
  operations: [
    { name: 'PutObject', asked: { method: 'PUT', target: '/box/k', headers: [LENGTH], body: CONTENT }, status: 200 },
    { name: 'GetObject', asked: { method: 'GET', target: '/box/k' }, status: 200, body: WHOLE },
    { name: 'HeadObject', asked: { method: 'HEAD', target: '/box/k' }, status: 200 },
    { name: 'HeadObject', asked: { method: 'GET', target: '/box/k?acl' }, status: 200, body: /<Grant>default</ },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box' }, status: 200, body: /<Key>k<.*<Type>Normal</ },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box?list-type=2' }, status: 200, body: /<Key>k</ },
    { name: 'ListObjectVersions', asked: { method: 'GET', target: '/box?versions' }, status: 200, body: /<Key>k</ },
    { name: 'ListMultipartUploads', asked: { method: 'GET', target: '/box?uploads' }, status: 200 },
    {
      name: 'CreateMultipartUpload',
      asked: { method: 'POST', target: '/box/u?uploads' },
      status: 200,
      body: /UploadId/,
    },
    { name: 'HeadBucket', asked: { method: 'HEAD', target: '/box' }, status: 200 },
    { name: 'HeadBucket', asked: { method: 'GET', target: '/box?acl' }, status: 200, body: /<Grant>private</ },
    {
      name: 'GetBucketLocation',
      asked: { method: 'GET', target: '/box?location' },
      status: 200,
      body: /oss-us-east-1/,
    },
    { name: 'GetBucketEncryption', asked: { method: 'GET', target: '/box?encryption' }, status: 200, body: /AES256/ },
    { name: 'ListBuckets', asked: { method: 'GET', target: '/' }, status: 200, body: /<Name>box</ },
    { name: 'CopyObject', asked: ossCopy(), status: 200, body: /<CopyObjectResult>/ },
    { name: 'DeleteObjects', asked: ossDeletion(), status: 200, body: /<Deleted><Key>other</ },
    { name: 'DeleteObject', asked: { method: 'DELETE', target: '/box/k' }, status: 204 },
  ],
  unknown: [
    { method: 'PUT', target: '/box/k', headers: [['x-oss-unheard-of', '1']] },
    { method: 'PUT', target: '/box/k', headers: [['x-oss-callback', 'e30=']] },
    { method: 'GET', target: '/box/k?unheard-of=1' },
    { method: 'POST', target: '/box/k' },
    { method: 'PUT', target: '/box?acl', headers: [['x-oss-acl', 'public-read']] },
  ],
  absent: { method: 'GET', target: '/box/absent' },
  spelled: {
    NoSuchKey: [404, 'NoSuchKey'],
    SignatureDoesNotMatch: [403, 'SignatureDoesNotMatch'],
    InvalidAccessKeyId: [403, 'InvalidAccessKeyId'],
    AnonymousRequest: [403, 'AccessDenied'],
    NotImplemented: [501, 'NotImplemented'],
  },
  codeIn: (body) => xmlText(readXml(Buffer.from(body)), 'Code'),
});

function ossCopy(): AskedRequest {
  return { method: 'PUT', target: '/box/copy', headers: [['x-oss-copy-source', '/box/k']] };
}

function ossDeletion(): AskedRequest {
  const body = Buffer.from('<Delete><Object><Key>other</Key></Object></Delete>');
  const md5 = createHash('md5').update(body).digest('base64');
  const headers = [
    ['Content-MD5', md5],
    ['Content-Length', String(body.length)],
  ] as const;
  return { method: 'POST', target: '/box?delete', headers, body };
}

function deletion(): AskedRequest {
  const body = Buffer.from('{"objects":[{"key":"other"}]}');
  return { method: 'POST', target: '/box?delete', headers: [['Content-Length', String(body.length)]], body };
}

frontConformance({
  front: cosFront,
  async request(asked, key) {
    // The vendor recognises its own by signature and headers; an SDK without a key sends a vendor's host.
    if (key === undefined) return unsigned({ ...asked, headers: [...(asked.headers ?? []), ['x-cos-sdk-retry', '1']] });
    const { method, target, headers = [], body } = asked;
    const { pathname, searchParams } = new URL(target, 'http://h');
    const signed = [['Host', 'h'], ...headers.filter(([name]) => /^(x-cos-|content-|pic-)/i.test(name))] as const;
    const authorization = cosAuthorization({
      method,
      path: `/${pathname.split('/').slice(2).join('/')}`,
      headers: signed as readonly (readonly [string, string])[],
      parameters: [...searchParams],
      ...key,
    });
    return unsigned({ method, target, headers: [...headers, ['Authorization', authorization]], ...(body && { body }) });
  },
  operations: [
    { name: 'PutObject', asked: { method: 'PUT', target: '/box/k', headers: [LENGTH], body: CONTENT }, status: 200 },
    { name: 'GetObject', asked: { method: 'GET', target: '/box/k' }, status: 200, body: WHOLE },
    { name: 'HeadObject', asked: { method: 'HEAD', target: '/box/k' }, status: 200 },
    { name: 'HeadObject', asked: { method: 'GET', target: '/box/k?acl' }, status: 200, body: /FULL_CONTROL/ },
    { name: 'ListObjects', asked: { method: 'GET', target: '/box' }, status: 200, body: /<Key>k</ },
    { name: 'ListObjectVersions', asked: { method: 'GET', target: '/box?versions' }, status: 200, body: /<Key>k</ },
    { name: 'ListMultipartUploads', asked: { method: 'GET', target: '/box?uploads' }, status: 200 },
    {
      name: 'CreateMultipartUpload',
      asked: { method: 'POST', target: '/box/u?uploads' },
      status: 200,
      body: /UploadId/,
    },
    { name: 'HeadBucket', asked: { method: 'HEAD', target: '/box' }, status: 200 },
    { name: 'HeadBucket', asked: { method: 'GET', target: '/box?acl' }, status: 200, body: /FULL_CONTROL/ },
    { name: 'GetBucketLocation', asked: { method: 'GET', target: '/box?location' }, status: 200, body: /us-east-1/ },
    { name: 'GetBucketEncryption', asked: { method: 'GET', target: '/box?encryption' }, status: 200, body: /AES256/ },
    { name: 'ListBuckets', asked: { method: 'GET', target: '/' }, status: 200, body: /<Name>box</ },
    { name: 'CopyObject', asked: cosCopy(), status: 200, body: /<CopyObjectResult>/ },
    { name: 'DeleteObjects', asked: ossDeletion(), status: 200, body: /<Deleted><Key>other</ },
    { name: 'DeleteObject', asked: { method: 'DELETE', target: '/box/k' }, status: 204 },
  ],
  unknown: [
    { method: 'PUT', target: '/box/k', headers: [['x-cos-unheard-of', '1']] },
    { method: 'PUT', target: '/box/k', headers: [['x-cos-callback', 'e30=']] },
    { method: 'PUT', target: '/box/k', headers: [['Pic-Operations', '{}']] },
    { method: 'GET', target: '/box/k?unheard-of=1' },
    { method: 'GET', target: '/box/k?ci-process=pic' },
    { method: 'POST', target: '/box/k' },
    { method: 'POST', target: '/box/k?append&position=0' },
    { method: 'PUT', target: '/box/k', headers: [['x-cos-server-side-encryption', 'SM4']] },
    { method: 'PUT', target: '/box?acl', headers: [['x-cos-acl', 'public-read']] },
  ],
  absent: { method: 'GET', target: '/box/absent' },
  spelled: {
    NoSuchKey: [404, 'NoSuchKey'],
    SignatureDoesNotMatch: [403, 'SignatureDoesNotMatch'],
    InvalidAccessKeyId: [403, 'InvalidAccessKeyId'],
    AnonymousRequest: [403, 'AccessDenied'],
    NotImplemented: [501, 'NotImplemented'],
  },
  codeIn: (body) => xmlText(readXml(Buffer.from(body)), 'Code'),
});

function cosCopy(): AskedRequest {
  const source = 'box.cos.ap-guangzhou.myqcloud.com/k';
  return { method: 'PUT', target: '/box/copy', headers: [['x-cos-copy-source', source]] };
}
