import { describe, expect, test } from 'vitest';
import { s3Back } from '../../../../src/dialects/s3/back/back.ts';
import { S3_ERRORS } from '../../../../src/dialects/s3/error-table.ts';
import { createS3Front } from '../../../../src/dialects/s3/front/front.ts';
import { clientError, type ErrorCode, GatewayError, proven } from '../../../../src/errors.ts';
import type { Answer, ObjectContent } from '../../../../src/operations/answer.ts';
import { HeaderList } from '../../../../src/wire/headers.ts';
import type { WireResponse } from '../../../../src/wire/message.ts';
import { readXml, xmlChildren, xmlText } from '../../../../src/wire/xml/xml.ts';
import { errorOf } from '../../../support/conclusive.ts';
import fc from '../../../support/property.ts';
import { readingOf } from '../../../support/reading.ts';
import { chunks, wireRequest } from '../../../support/requests.ts';
import { NOW, SETTINGS } from '../signature/signing.ts';

const front = createS3Front(() => NOW);

function context(method = 'GET', target = '/bucket/key') {
  return {
    requestId: 'REQ1',
    settings: SETTINGS,
    request: wireRequest({ method, target, headers: [['host', 'h']] }),
  };
}

function render(answer: Answer): WireResponse {
  return front.render(answer, context());
}

function headersOf(response: WireResponse): Record<string, string> {
  return Object.fromEntries([...response.headers].map(([name, value]) => [name.toLowerCase(), value]));
}

function document(response: WireResponse): Buffer {
  if (!Buffer.isBuffer(response.body)) throw new Error('no document');
  expect(response.headers.get('content-length')).toBe(String(response.body.length));
  expect(response.headers.get('content-type')).toBe('application/xml');
  return response.body;
}

const CONTENT: ObjectContent = {
  kind: 'ObjectContent',
  facts: {
    plaintextBytes: proven(1000),
    etag: 'e1',
    lastModified: new Date('2024-01-01T00:00:00.999Z'),
    metadata: {
      content: { contentType: 'text/plain', contentEncoding: 'gzip', expires: 'never' },
      user: [['name', 'Zo\u00c3\u00ab']],
      vendor: { dialect: 's3', headers: HeaderList.of([['x-amz-storage-class', 'STANDARD_IA']]) },
    },
    checksum: { algorithm: 'CRC32', value: Buffer.from('NhCmhg==', 'base64') },
    versionId: 'v1',
  },
  range: undefined,
  overrides: { contentDisposition: 'attachment' },
  body: undefined,
};

const COMMON = {
  'x-amz-request-id': 'REQ1',
  'x-amz-id-2': 'sealgate',
  date: 'Tue, 02 Jan 2024 03:04:05 GMT',
  server: 'Sealgate',
};

describe('objects', () => {
  test('a whole one', () => {
    const response = render(CONTENT);
    expect(response.status).toBe(200);
    expect(response.body).toBeUndefined();
    expect(headersOf(response)).toEqual({
      ...COMMON,
      'content-length': '1000',
      'accept-ranges': 'bytes',
      etag: '"e1"',
      'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
      'content-disposition': 'attachment',
      expires: 'never',
      'x-amz-meta-name': 'Zo\u00c3\u00ab',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-version-id': 'v1',
      'x-amz-checksum-crc32': 'NhCmhg==',
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
  });

  test('a range of it has no checksum', () => {
    const response = render({ ...CONTENT, range: { first: 10, last: 19 } });
    expect(response.status).toBe(206);
    const headers = headersOf(response);
    expect(headers).toMatchObject({ 'content-length': '10', 'content-range': 'bytes 10-19/1000' });
    expect(headers).not.toHaveProperty('x-amz-checksum-crc32');
  });

  test('overrides win; a type is always told', () => {
    const overrides = {
      contentType: 'a/b',
      contentEncoding: 'br',
      cacheControl: 'c',
      contentLanguage: 'l',
      expires: 'x',
    };
    expect(headersOf(render({ ...CONTENT, overrides }))).toMatchObject({
      'content-type': 'a/b',
      'content-encoding': 'br',
      'cache-control': 'c',
      'content-language': 'l',
      expires: 'x',
    });
    const bare = { ...CONTENT.facts, metadata: { content: {}, user: [] } };
    expect(headersOf(render({ ...CONTENT, facts: bare }))['content-type']).toBe('binary/octet-stream');
  });

  test('stored and deleted', () => {
    const stored = render({
      kind: 'ObjectStored',
      ref: { bucket: 'bucket', key: 'key' },
      etag: 'e1',
      versionId: 'v1',
      checksum: { algorithm: 'SHA1', value: Buffer.alloc(20) },
      vendor: { dialect: 's3', headers: HeaderList.of([['x-amz-expiration', 'soon']]) },
    });
    expect(stored.status).toBe(200);
    expect(headersOf(stored)).toEqual({
      ...COMMON,
      'content-length': '0',
      etag: '"e1"',
      'x-amz-version-id': 'v1',
      'x-amz-checksum-sha1': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-expiration': 'soon',
    });
    const deleted = render({ kind: 'ObjectDeleted', versionId: 'v1', deleteMarker: true });
    expect([deleted.status, deleted.body]).toEqual([204, undefined]);
    expect(headersOf(deleted)).toEqual({ ...COMMON, 'x-amz-version-id': 'v1', 'x-amz-delete-marker': 'true' });
  });
});

describe('buckets', () => {
  test('found, created, deleted', () => {
    const found = render({
      kind: 'BucketFound',
      bucket: 'bucket',
      region: 'eu-west-1',
      owner: { id: 'acme', displayName: 'acme' },
    });
    expect([found.status, headersOf(found)['x-amz-bucket-region']]).toEqual([200, 'eu-west-1']);
    const created = render({ kind: 'BucketCreated', bucket: 'b' });
    expect([created.status, headersOf(created).location]).toEqual([200, '/b']);
    expect(render({ kind: 'BucketDeleted' }).status).toBe(204);
  });

  test.each([
    ['us-east-1', ''],
    ['eu-west-1', 'eu-west-1'],
  ])('location of %s', (region, text) => {
    expect(readXml(document(render({ kind: 'BucketLocation', region })))).toEqual({
      name: 'LocationConstraint',
      text,
      children: [],
    });
  });

  test('listed', () => {
    const xml = document(
      render({
        kind: 'BucketListing',
        owner: { id: 'o', displayName: 'O & Co' },
        buckets: [{ name: 'one', created: NOW }],
      }),
    ).toString();
    expect(xml).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>o</ID><DisplayName>O &amp; Co</DisplayName></Owner><Buckets><Bucket><Name>one</Name><CreationDate>2024-01-02T03:04:05.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>',
    );
  });
});

/** What XML 1.0 can carry: other control characters go out as references that its readers refuse. */
const xmlKey = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('&', '<', '>', '"', "'", '\r', '\n', '\t', ' ', ']', '\u0085', '\u2028', '%', '+', '/'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 12,
  })
  .filter((key) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(key));

describe('listings', () => {
  const asked = {
    kind: 'ListObjects' as const,
    bucket: 'bucket',
    prefix: 'p&/',
    delimiter: '/',
    after: 'a b',
    continuationToken: undefined,
    maxKeys: 7,
    urlEncoded: false,
    withOwner: true,
  };

  function listing(form: 1 | 2, urlEncoded: boolean, keys: readonly string[], prefixes: readonly string[]) {
    return render({
      kind: 'ObjectListing',
      release: () => undefined,
      asked: { ...asked, form, urlEncoded, continuationToken: form === 2 ? 'c1' : undefined },
      objects: keys.map((key, at) => ({
        key,
        plaintextBytes: at,
        etag: `e${at}`,
        lastModified: NOW,
        storageClass: undefined,
        owner: { id: 'o', displayName: 'd' },
      })),
      commonPrefixes: prefixes,
      truncated: true,
      nextMarker: keys.at(-1) ?? 'm',
      nextContinuationToken: 'c<2',
    });
  }

  test.each([1, 2] as const)('form %d reads back as it was, whatever the keys', async (form) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(xmlKey, { maxLength: 5 }),
        fc.array(xmlKey, { maxLength: 3 }),
        async (keys, prefixes) => {
          // The backend's reader asks for url encoding of its own, so it decodes.
          const read = await s3Back.calls.list.read(chunks([document(listing(form, true, keys, prefixes))]));
          expect(
            read.entries.map(({ key, storedBytes, etag, lastModified }) => [key, storedBytes, etag, lastModified]),
          ).toEqual(keys.map((key, at) => [key, at, `e${at}`, NOW]));
          expect(read.commonPrefixes).toEqual(prefixes);
          expect(read.truncated).toBe(true);
          expect(form === 1 ? read.nextMarker : read.nextContinuationToken).toBe(
            form === 1 ? (keys.at(-1) ?? 'm') : 'c<2',
          );

          const plain = readXml(document(listing(form, false, keys, prefixes)));
          expect(xmlChildren(plain, 'Contents').map((entry) => xmlText(entry, 'Key'))).toEqual(keys);
          expect(xmlChildren(plain, 'CommonPrefixes').map((entry) => xmlText(entry, 'Prefix'))).toEqual(prefixes);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('say what was asked', () => {
    const first = readXml(document(listing(1, true, ['k'], [])));
    const fields = (root: typeof first) => Object.fromEntries(root.children.map(({ name, text }) => [name, text]));
    expect(fields(first)).toEqual({
      Name: 'bucket',
      Prefix: 'p%26/',
      Marker: 'a%20b',
      NextMarker: 'k',
      MaxKeys: '7',
      Delimiter: '/',
      EncodingType: 'url',
      IsTruncated: 'true',
      Contents: '',
    });
    expect(fields(readXml(document(listing(2, false, ['k'], ['q/']))))).toEqual({
      Name: 'bucket',
      Prefix: 'p&/',
      KeyCount: '2',
      StartAfter: 'a b',
      ContinuationToken: 'c1',
      NextContinuationToken: 'c<2',
      MaxKeys: '7',
      Delimiter: '/',
      IsTruncated: 'true',
      Contents: '',
      CommonPrefixes: '',
    });
  });

  test('control characters in keys become references', () => {
    const xml = document(listing(1, false, ['a\x01\r\n\x7f'], [])).toString();
    expect(xml).toContain('<Key>a&#x1;&#xD;&#10;&#x7F;</Key>');
  });

  test('versions and delete markers keep their order', async () => {
    const entry = { lastModified: NOW, owner: undefined };
    const response = render({
      kind: 'VersionListing',
      release: () => undefined,
      asked: { ...asked, kind: 'ListObjectVersions', keyMarker: 'km', versionIdMarker: 'vm', urlEncoded: true },
      entries: [
        { ...entry, deleteMarker: true, key: 'k k', versionId: 'v2', latest: true },
        {
          ...entry,
          deleteMarker: false,
          key: 'k k',
          versionId: 'v1',
          latest: false,
          plaintextBytes: 5,
          etag: 'e',
          storageClass: 'GLACIER',
        },
      ],
      commonPrefixes: ['p/'],
      truncated: true,
      nextKeyMarker: 'nk',
      nextVersionIdMarker: 'nv',
    });
    const read = await s3Back.calls.listVersions.read(chunks([document(response)]));
    expect(read.entries).toMatchObject([
      { deleteMarker: true, key: 'k k', versionId: 'v2', latest: true },
      {
        deleteMarker: false,
        key: 'k k',
        versionId: 'v1',
        latest: false,
        storedBytes: 5,
        etag: 'e',
        storageClass: 'GLACIER',
      },
    ]);
    expect(read).toMatchObject({
      truncated: true,
      nextKeyMarker: 'nk',
      nextVersionIdMarker: 'nv',
      commonPrefixes: ['p/'],
    });
  });

  test('a page of versions says where the next begins, also where keys have no versions', () => {
    const { body } = render({
      kind: 'VersionListing',
      release: () => undefined,
      asked: {
        kind: 'ListObjectVersions',
        bucket: 'b',
        prefix: '',
        delimiter: '',
        maxKeys: 1,
        urlEncoded: false,
        keyMarker: '',
        versionIdMarker: '',
      },
      entries: [],
      commonPrefixes: [],
      truncated: true,
      nextKeyMarker: 'k',
      nextVersionIdMarker: undefined,
    });
    expect(String(body)).toContain('<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker></NextVersionIdMarker>');
  });

  test('deletions', () => {
    const read = s3Back.calls.deleteMany.read(
      document(
        render({
          kind: 'ObjectsDeleted',
          deleted: [{ key: 'a&b', versionId: 'v', deleteMarker: true, deleteMarkerVersionId: 'm' }, { key: 'c' }],
          failures: [
            { key: 'd', code: 'AccessDenied', message: 'no <way>' },
            {
              key: 'e',
              code: 'BackendRefused',
              message: 'm',
              said: { dialect: 's3', status: 400, code: 'XMinioInvalidObjectName' },
            },
            { key: 'f', code: 'MalformedBody', message: 'm', said: { dialect: 'oss', status: 400, code: 'Their' } },
          ],
        }),
      ),
    );
    expect(read.deleted).toMatchObject([
      { key: 'a&b', versionId: 'v', deleteMarker: true, deleteMarkerVersionId: 'm' },
      { key: 'c' },
    ]);
    expect(read.failures).toMatchObject([
      { key: 'd', code: 'AccessDenied', message: 'no <way>' },
      { key: 'e', code: 'BackendRefused', said: { code: 'XMinioInvalidObjectName' } },
      { key: 'f', said: { code: 'MalformedXML' } },
    ]);
  });
});

describe('errors', () => {
  test.each([
    ['s3', 'NoSuchBucketPolicy', 404, 404, 'NoSuchBucketPolicy'],
    ['s3', 'InvalidTag', 400, 400, 'InvalidTag'],
    ['s3', '<x>', 404, 400, 'InvalidArgument'],
    ['s3', 'Strange', 200, 400, 'InvalidArgument'],
    ['s3', 'Strange', 500, 400, 'InvalidArgument'],
    ['oss', 'NoSuchBucketPolicy', 404, 400, 'InvalidArgument'],
  ])('a refusal of a backend that speaks %s, %s with %d', (dialect, code, status, toldStatus, told) => {
    const response = front.renderError(errorOf('BackendRefused', 'm', { said: { dialect, status, code } }), context());
    expect([response.status, xmlText(readXml(document(response)), 'Code')]).toEqual([toldStatus, told]);
  });

  test('that a backend answered at all is told to nobody', () => {
    const details = { backendStatus: '503', bucket: 'b' };
    const error = new GatewayError('BackendUnavailable', 'm', { source: 'backend', details });
    expect(document(front.renderError(error, context())).toString()).not.toMatch(/backendStatus|503/);
  });

  test('stay readable as XML 1.0 when the key is not', () => {
    const response = front.renderError(clientError('NoSuchKey', 'm'), context('GET', '/bucket/a%01b'));
    const error = document(response);
    expect(error.toString()).not.toMatch(/&#x1;|<Key>/);
    const { children } = readXml(error);
    expect(children.map(({ name }) => name)).toEqual([
      'Code',
      'Message',
      'BucketName',
      'Resource',
      'RequestId',
      'HostId',
    ]);
  });

  test.each(Object.keys(S3_ERRORS) as ErrorCode[])('%s', (code) => {
    const response = front.renderError(errorOf(code, 'What & why.'), context());
    expect(response.status).toBe(S3_ERRORS[code].status);
    expect(headersOf(response)).toMatchObject(COMMON);
    if (code === 'NotModified') {
      expect([response.status, response.body]).toEqual([304, undefined]);
      return;
    }
    const root = readXml(document(response));
    expect(root.name).toBe('Error');
    expect(Object.fromEntries(root.children.map(({ name, text }) => [name, text]))).toEqual({
      Code: S3_ERRORS[code].code,
      Message: 'What & why.',
      Key: 'key',
      BucketName: 'bucket',
      Resource: '/bucket/key',
      RequestId: 'REQ1',
      HostId: 'sealgate',
    });
    expect(document(response).toString()).not.toContain('xmlns');
  });

  test('nothing permanent looks like weather: what the SDKs retry is what may pass', () => {
    const retried = Object.entries(S3_ERRORS).filter(([, { status }]) => [500, 502, 503, 504].includes(status));
    expect(retried.map(([code]) => code).sort()).toEqual([
      'BackendError',
      'BackendUnavailable',
      'InternalError',
      'KeyStoreUnavailable',
      'SlowDown',
    ]);
  });

  test('details become fields, a region a header too', () => {
    const error = clientError('AuthorizationHeaderMalformed', 'm', {
      details: { region: 'eu-west-1', versionId: 'v', Size: '5', 'bad name': 'x', key: 'other' },
    });
    const response = front.renderError(error, context());
    const fields = Object.fromEntries(readXml(document(response)).children.map(({ name, text }) => [name, text]));
    expect(fields).toMatchObject({ Region: 'eu-west-1', VersionId: 'v', Size: '5', Key: 'other' });
    expect(response.headers.get('x-amz-bucket-region')).toBe('eu-west-1');
  });

  test('HEAD has a status and no body', () => {
    const response = front.renderError(clientError('NoSuchKey', 'm'), context('HEAD'));
    expect([response.status, response.body, response.headers.get('content-type')]).toEqual([404, undefined, undefined]);
  });

  test('what a 304 says to a cache', () => {
    const facts = { etag: 'e', lastModified: new Date(0), cacheControl: 'no-cache', expires: 'never' };
    const response = front.renderError(errorOf('NotModified', 'm', { facts }), context());
    expect(headersOf(response)).toEqual({
      ...COMMON,
      etag: '"e"',
      'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
      'cache-control': 'no-cache',
      expires: 'never',
    });
  });

  test('what a delete marker says', () => {
    const facts = { deleteMarker: true, versionId: 'v', lastModified: new Date(0), allow: ['DELETE', 'HEAD'] };
    const response = front.renderError(errorOf('MethodNotAllowed', 'm', { facts }), context());
    expect(headersOf(response)).toMatchObject({
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': 'v',
      'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
      allow: 'DELETE, HEAD',
    });
  });

  test('a request that is no address, and none at all', () => {
    const bad = front.renderError(clientError('InvalidURI', 'm'), context('GET', '/bucket/%ff<'));
    expect(xmlText(readXml(document(bad)), 'Resource')).toBe('/bucket/%ff<');
    const none = front.renderError(clientError('InvalidURI', 'm'), {
      requestId: 'R',
      settings: SETTINGS,
      request: undefined,
    });
    expect(xmlText(readXml(document(none)), 'RequestId')).toBe('R');
  });
});

describe('what a store says to a browser', () => {
  const said = new HeaderList(['Access-Control-Allow-Origin', 'https://app.example.com', 'Vary', 'Origin']);

  test('goes on with its status', () => {
    const answer = (status: number) => render({ kind: 'CrossOriginAnswered', status, headers: said });
    expect(answer(200).status).toBe(200);
    expect(headersOf(answer(200))).toEqual({
      ...COMMON,
      'content-length': '0',
      'access-control-allow-origin': 'https://app.example.com',
      vary: 'Origin',
    });
    expect(answer(204).status).toBe(204);
    expect(headersOf(answer(204))['content-length']).toBeUndefined();
  });

  test('is asked of what the address names', () => {
    const of = (target: string, host = 'h') => {
      const { bucket, key } = readingOf(
        front,
        wireRequest({ method: 'OPTIONS', target, headers: [['host', host]] }),
        SETTINGS,
      ).resource();
      return [bucket, key];
    };
    expect(of('/')).toEqual([undefined, undefined]);
    expect(of('/bucket')).toEqual(['bucket', undefined]);
    expect(of('/bucket/a%20b?X-Amz-Signature=x')).toEqual(['bucket', 'a b']);
    expect(of('/a%20b', 'bucket.s3.example.com')).toEqual(['bucket', 'a b']);
    expect(() => of('/b%2Fc/admin/v3/info')).toThrow('bucket is not valid');
  });

  test('asks the store without the query, and never above a bucket', () => {
    const asked = (resource: object) => s3Back.calls.preflight.render({ ...resource, question: said }).path;
    expect(asked({})).toBe('/');
    expect(asked({ bucket: 'b' })).toBe('/b');
    expect(asked({ bucket: 'b', key: 'a b/c?d' })).toBe('/b/a%20b/c%3Fd');
    for (const key of ['..', '../x', 'a/./b', 'a/..']) expect(asked({ bucket: 'b', key })).toBe('/b');
  });
});
