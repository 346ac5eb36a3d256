import { describe, expect, it } from 'vitest';
import { renderCos } from '../../../src/dialects/cos/front/answers/render.ts';
import { renderCosError } from '../../../src/dialects/cos/front/answers/render-error.ts';
import { clientError, type ErrorCode, GatewayError, type InconclusiveCode } from '../../../src/errors.ts';
import type { Answer } from '../../../src/operations/answer.ts';
import { wireRequest } from '../../support/requests.ts';

const SETTINGS = { region: 'us-east-1', domains: [] };
const OWNER = { id: '1250000000', displayName: '1250000000' };
const AT = new Date('2024-01-02T03:04:05.678Z');

function rendered(answer: Answer, target = '/', method = 'GET') {
  const request = wireRequest({ method, target, headers: [['Host', 'acme-1250000000.cos.x.myqcloud.com']] });
  const { status, headers, body } = renderCos(answer, { requestId: 'R1', settings: SETTINGS, request });
  return { status, headers, body: Buffer.isBuffer(body) ? body.toString() : '' };
}

function failure(code: ErrorCode, method = 'GET', headers: readonly (readonly [string, string])[] = []) {
  const request = wireRequest({ method, target: '/a%20b', headers });
  const error = new GatewayError(code as InconclusiveCode, 'It says why.', { source: 'client' });
  const { status, headers: told, body } = renderCosError(error, { requestId: 'R1', settings: SETTINGS, request });
  return { status, headers: told, body: Buffer.isBuffer(body) ? body.toString() : undefined };
}

describe('errors', () => {
  it('have all elements on which SDKs insist, and none of them empty', () => {
    const { status, headers, body } = failure('NoSuchKey');
    expect(status).toBe(404);
    expect(body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>It says why.</Message>' +
        '<Resource>/a%20b</Resource><RequestId>R1</RequestId><TraceId>R1</TraceId></Error>',
    );
    expect([headers.get('x-cos-request-id'), headers.get('x-cos-trace-id')]).toEqual(['R1', 'R1']);
  });

  it('have no body on a HEAD, and a Content-Length on a 304', () => {
    const head = failure('NoSuchKey', 'HEAD');
    expect([head.status, head.body, head.headers.get('content-length')]).toEqual([404, undefined, '0']);
    const same = failure('NotModified');
    expect([same.status, same.body, same.headers.get('content-length')]).toEqual([304, undefined, '0']);
    expect(same.headers.get('x-cos-request-id')).toBe('R1');
  });

  it.each([
    ['CustomerKeyNeeded', 'GET', 400, 'SsecDecryptHeaderInvalid'],
    ['CustomerKeyWrong', 'GET', 400, 'SsecDecryptHeaderInvalid'],
    ['CustomerKeyUnneeded', 'GET', 400, 'SsecDecryptHeaderInvalid'],
    ['CustomerKeyNeeded', 'PUT', 400, 'InvalidArgument'],
    ['CustomerKeyWrong', 'PUT', 403, 'AccessDenied'],
    ['KmsKeyNotFound', 'PUT', 400, 'KmsKeyNotExist'],
    ['KmsKeyDisabled', 'PUT', 400, 'KmsKeyDisabled'],
    ['NoBucketEncryption', 'GET', 404, 'NoSuchEncryptionConfiguration'],
    ['KeyTooLongError', 'PUT', 400, 'KeyTooLong'],
    ['ExpiredRequest', 'GET', 403, 'AccessDenied'],
  ] as const)('%s on a %s is %i %s', (code, method, status, word) => {
    const told = failure(code, method);
    expect([told.status, /<Code>(.*?)</.exec(told.body ?? '')?.[1]]).toEqual([status, word]);
  });

  it('a code of COS’s own is told, and not the detail', () => {
    const error = clientError('InvalidArgument', 'Why.', { details: { cosCode: 'SSEHeaderNotAllowed' } });
    const { body } = renderCosError(error, { requestId: 'R1', settings: SETTINGS, request: undefined });
    expect(String(body)).toMatch(/<Code>SSEHeaderNotAllowed</);
    expect(String(body)).not.toMatch(/cosCode/);
  });

  it('an object that must not be overwritten is another error than a condition', () => {
    expect(failure('PreconditionFailed', 'PUT', [['x-cos-forbid-overwrite', 'true']]).status).toBe(409);
    expect(failure('PreconditionFailed', 'PUT', [['If-Match', '"x"']]).status).toBe(412);
  });
});

describe('documents', () => {
  it('lists buckets with their region, page by page', () => {
    const buckets = ['b', 'a', 'c'].map((name) => ({ name, created: AT }));
    const { body } = rendered({ kind: 'BucketListing', owner: OWNER, buckets }, '/?max-keys=2');
    expect(body).toContain(
      '<Bucket><Name>a</Name><Location>us-east-1</Location><CreationDate>2024-01-02T03:04:05Z</CreationDate>',
    );
    expect(body).toMatch(/<NextMarker>b<\/NextMarker><IsTruncated>true</);
    expect(body).not.toMatch(/<Name>c</);
    const rest = rendered({ kind: 'BucketListing', owner: OWNER, buckets }, '/?marker=b');
    expect(rest.body).toMatch(/<IsTruncated>false<.*<Name>c</);
    const elsewhere = rendered({ kind: 'BucketListing', owner: OWNER, buckets }, '/?region=ap-guangzhou');
    expect(elsewhere.body).toContain('<Buckets></Buckets>');
  });

  it('tells a copy in the body, with its CRC-64', () => {
    const copied = {
      lastModified: AT,
      etag: 'e',
      versionId: undefined,
      sourceVersionId: undefined,
      checksum: undefined,
    };
    const crc64 = Buffer.from('ffffffffffffffff', 'hex');
    const { body, headers } = rendered({ kind: 'ObjectCopied', ...copied, crc64 }, '/k', 'PUT');
    expect(body).toContain('<ETag>&quot;e&quot;</ETag><CRC64>18446744073709551615</CRC64></CopyObjectResult>');
    expect(body).toContain('<LastModified>2024-01-02T03:04:05.000Z</LastModified>');
    expect(headers.get('x-cos-hash-crc64ecma')).toBe('18446744073709551615');
  });

  it('has the elements of lists of parts and uploads as COS spells them', () => {
    const asked = { kind: 'ListParts', uploadId: 'U', partNumberMarker: 0, maxParts: 10, urlEncoded: true } as const;
    const ref = { bucket: 'acme', key: 'a b' };
    const parts = rendered({
      kind: 'PartListing',
      asked: { ...asked, ref },
      owner: OWNER,
      parts: [],
      truncated: false,
      checksum: undefined,
    });
    expect(parts.body).toMatch(/<Key>a%20b<\/Key><Encoding-type>url<\/Encoding-type>/);
    const listed = { bucket: 'acme', prefix: '', delimiter: '/', keyMarker: '', uploadIdMarker: '', maxUploads: 10 };
    const uploads = rendered({
      kind: 'UploadListing',
      asked: { kind: 'ListMultipartUploads', ...listed, urlEncoded: true },
      owner: OWNER,
      uploads: [],
      commonPrefixes: ['a b/'],
      truncated: false,
      nextKeyMarker: undefined,
      nextUploadIdMarker: undefined,
    });
    expect(uploads.body).toMatch(/<Encoding-Type>url<.*<CommonPrefixs><Prefix>a%20b\/<\/Prefix><\/CommonPrefixs>/);
    expect(uploads.body).toContain('<NextKeyMarker></NextKeyMarker>');
  });

  it('tells the encryption of a bucket under the root that the SDKs for Go and Python know', () => {
    const rule = { form: 'kms', keyId: 'orders', bucketKey: false, customerKeys: undefined } as const;
    expect(rendered({ kind: 'BucketEncryptionTold', rule }).body).toContain(
      '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>' +
        '<KMSMasterKeyID>orders</KMSMasterKeyID>',
    );
  });
});
