import { describe, expect, test } from 'vitest';
import type { Asker } from '../../../../src/dialects/backend-dialect.ts';
import { s3Back } from '../../../../src/dialects/s3/back/back.ts';
import { decodeMetadataValue, encodeMetadataValue } from '../../../../src/dialects/s3/encoded-word.ts';
import { StoreClaim } from '../../../../src/dialects/store-claim.ts';
import { GatewayError } from '../../../../src/errors.ts';
import { HeaderList } from '../../../../src/wire/headers.ts';
import type { IncomingResponse } from '../../../../src/wire/message.ts';

function answer(status: number, ...raw: string[]): IncomingResponse {
  return { status, headers: new HeaderList(raw), body: (async function* () {})(), discard: () => undefined };
}

function thrown(action: () => unknown): GatewayError {
  try {
    action();
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('nothing was thrown');
}

const HEAD = ['ETag', '"e"', 'Last-Modified', 'Tue, 02 Jan 2024 03:04:05 GMT', 'Content-Length', '10'];

describe('readObject', () => {
  test('user metadata, content headers and vendor headers apart; what speaks of ciphertext gone', () => {
    const object = s3Back.calls.get.read(
      answer(
        200,
        ...HEAD,
        ...['X-Amz-Meta-Foo', 'bar', 'Content-Type', 'a/b', 'Cache-Control', 'c', 'Content-Disposition', 'd'],
        ...['Content-Encoding', 'e', 'Content-Language', 'l', 'Expires', 'x', 'Server', 's', 'Date', 'd'],
        ...['x-amz-storage-class', 'COLD', 'x-amz-version-id', 'v1', 'x-amz-tagging-count', '1'],
        ...['x-amz-expiration', 'x', 'x-amz-restore', 'r', 'X-Amz-Object-Lock-Mode', 'GOVERNANCE'],
        ...['x-amz-website-redirect-location', '/w', 'x-amz-replication-status', 'PENDING'],
        ...['x-amz-checksum-crc32', 'AAAAAA==', 'x-amz-checksum-type', 'FULL_OBJECT', 'x-amz-request-id', 'r'],
        ...['x-amz-id-2', 'i', 'x-amz-server-side-encryption', 'AES256', 'x-minio-deployment-id', 'm'],
        ...['x-amz-unheard-of', 'u', 'set-cookie', 'c', 'x-amz-security-token', 't'],
        ...['x-amz-server-side-encryption-aws-kms-key-id', 'k', 'x-amz-mp-parts-count', '3', 'Accept-Ranges', 'bytes'],
      ),
    );
    expect(object).toMatchObject({
      storedBytes: 10,
      etag: 'e',
      lastModified: new Date('2024-01-02T03:04:05Z'),
      versionId: 'v1',
    });
    expect(object.metadata.user).toEqual([['foo', 'bar']]);
    expect(object.metadata.content).toEqual({
      contentType: 'a/b',
      cacheControl: 'c',
      contentDisposition: 'd',
      contentEncoding: 'e',
      contentLanguage: 'l',
      expires: 'x',
    });
    expect([...(object.metadata.vendor?.headers ?? [])].map(([name]) => name)).toEqual([
      'x-amz-storage-class',
      'x-amz-tagging-count',
      'x-amz-expiration',
      'x-amz-restore',
      'X-Amz-Object-Lock-Mode',
      'x-amz-website-redirect-location',
      'x-amz-replication-status',
    ]);
  });

  test('the end of nothing, as MinIO tells it, is nothing', () => {
    const ofNothing = answer(206, ...HEAD.slice(0, 5), '0', 'Content-Range', 'bytes 0--1/0');
    expect(s3Back.calls.get.read(ofNothing)).toMatchObject({ storedBytes: 0, storedRange: undefined });
  });

  test.each([
    ['no ETag', 200, ['Last-Modified', HEAD[3] as string, 'Content-Length', '1']],
    ['no date', 200, ['ETag', '"e"', 'Content-Length', '1']],
    ['no length', 200, HEAD.slice(0, 4)],
    ['partial, no range', 206, HEAD],
    ['partial, unknown size', 206, [...HEAD, 'Content-Range', 'bytes 0-9/*']],
    ['partial, past the end', 206, [...HEAD, 'Content-Range', 'bytes 0-10/10']],
    ['partial, of nothing but with bytes', 206, [...HEAD, 'Content-Range', 'bytes 0--1/0']],
    ['partial, backwards', 206, [...HEAD, 'Content-Range', 'bytes 5-4/10']],
    ['partial, several', 206, [...HEAD, 'Content-Type', 'multipart/byteranges; boundary=x']],
  ])('an answer with %s is not used', (_what, status, headers) => {
    expect(thrown(() => s3Back.calls.get.read(answer(status, ...headers))).code).toBe('BackendError');
  });
});

describe('documents', () => {
  test('Complete: blanks before the document, and an error within a 200', () => {
    const done =
      '  \n <?xml version="1.0"?><CompleteMultipartUploadResult><ETag>&#34;e-1&#34;</ETag></CompleteMultipartUploadResult>';
    const version = answer(200, 'x-amz-version-id', 'v');
    expect(s3Back.calls.completeUpload.read(Buffer.from(done), version)).toMatchObject({ etag: 'e-1', versionId: 'v' });
    const failed = Buffer.from('  <Error><Code>InternalError</Code><Message>m</Message></Error>');
    expect(thrown(() => s3Back.calls.completeUpload.read(failed, answer(200))).code).toBe('BackendUnavailable');
    const refused = Buffer.from('<Error><Code>InvalidPart</Code></Error>');
    expect(thrown(() => s3Back.calls.completeUpload.read(refused, answer(200))).code).toBe('InvalidPart');
    const odd = Buffer.from('<Error><Code>Odd</Code></Error>');
    expect(thrown(() => s3Back.calls.completeUpload.read(odd, answer(200))).code).toBe('BackendError');
  });

  test('location: empty is us-east-1', () => {
    expect(s3Back.calls.bucketLocation.read(Buffer.from('<LocationConstraint xmlns="x"/>'))).toBe('us-east-1');
    expect(s3Back.calls.bucketLocation.read(Buffer.from('<LocationConstraint>eu-1</LocationConstraint>'))).toBe('eu-1');
  });
});

describe('readError', () => {
  const error = (status: number, code: string, message = 'm') =>
    s3Back.readError(
      answer(status),
      Buffer.from(
        `<Error><Code>${code}</Code><Message>${message}</Message><Resource>/secret/place</Resource>` +
          '<RequestId>THEIRS</RequestId><HostId>HOSTID</HostId></Error>',
      ),
      { bucket: 'b', key: 'k' },
    );

  test.each([
    [403, 'SignatureDoesNotMatch', 'BackendError', 'backend'],
    [403, 'InvalidAccessKeyId', 'BackendError', 'backend'],
    [403, 'RequestTimeTooSkewed', 'BackendError', 'backend'],
    [400, 'AuthorizationHeaderMalformed', 'BackendError', 'backend'],
    [301, 'PermanentRedirect', 'BackendError', 'backend'],
    [403, 'AccessDenied', 'AccessDenied', 'backend'],
    [404, 'NoSuchKey', 'NoSuchKey', 'client'],
    [412, 'PreconditionFailed', 'PreconditionFailed', 'claim'],
    [412, 'Whatever', 'PreconditionFailed', 'claim'],
    [416, 'Whatever', 'InvalidRange', 'claim'],
    [400, 'InvalidRange', 'InvalidRange', 'claim'],
    [404, 'NotModified', 'NotModified', 'claim'],
    [409, 'ConditionalRequestConflict', 'ConditionalRequestConflict', 'client'],
    [400, 'XMinioInvalidObjectName', 'BackendRefused', 'backend'],
    [503, 'SlowDown', 'SlowDown', 'backend'],
    [429, 'Whatever', 'SlowDown', 'backend'],
    [503, 'Whatever', 'BackendUnavailable', 'backend'],
    [500, 'InternalError', 'BackendUnavailable', 'backend'],
    [507, 'XMinioStorageFull', 'BackendUnavailable', 'backend'],
    [501, 'NotImplemented', 'NotImplemented', 'backend'],
    [501, 'VersioningNotConfigured', 'NotImplemented', 'backend'],
    [307, 'Whatever', 'BackendError', 'backend'],
    [400, 'constructor', 'BackendRefused', 'backend'],
  ])('%i %s is %s of %s', (status, code, neutral, source) => {
    const read = error(status, code);
    const { code: actual, message } = read;
    expect([actual, read instanceof StoreClaim ? 'claim' : read.source]).toEqual([neutral, source]);
    expect(message).not.toMatch(/THEIRS|HOSTID|secret/);
  });

  test('an unknown refusal carries its own code and status for a front of the same dialect', () => {
    const { details, said } = error(404, 'NoSuchTagSet', 'There is no tag set') as GatewayError;
    expect(details).toEqual({ bucket: 'b', key: 'k' });
    expect(said).toEqual({ dialect: 's3', status: 404, code: 'NoSuchTagSet' });
    expect(error(400, 'X', `a\u0000b${'z'.repeat(5_000)}`).message.length).toBeLessThan(400);
  });

  test.each<[number, string[], { key?: string }, string]>([
    [404, [], { key: 'k' }, 'NoSuchKey'],
    [404, [], {}, 'NoSuchBucket'],
    [404, ['X-Minio-Error-Code', 'NoSuchBucket'], { key: 'k' }, 'NoSuchBucket'],
    [403, [], { key: 'k' }, 'AccessDenied'],
    [304, [], { key: 'k' }, 'NotModified'],
    [412, [], { key: 'k' }, 'PreconditionFailed'],
    [416, [], { key: 'k' }, 'InvalidRange'],
    [405, ['x-amz-delete-marker', 'true'], { key: 'k' }, 'MethodNotAllowed'],
    [400, [], { key: 'a/../b' }, 'BackendRefused'],
    [500, [], { key: 'k' }, 'BackendUnavailable'],
    [502, [], { key: 'k' }, 'BackendUnavailable'],
  ])('without a document, %i %j speaks by status', (status, headers, ref, code) => {
    const read = s3Back.readError(answer(status, ...headers), Buffer.alloc(0), ref);
    expect(read.code).toBe(code);
    if (headers[0] === 'x-amz-delete-marker')
      expect((read as GatewayError).facts).toEqual({ deleteMarker: true, allow: ['DELETE'] });
  });

  test.each<[Asker, string, string, string]>([
    ['caller', 'AccessDenied', 'AccessDenied', 'client'],
    ['caller', 'InvalidAccessKeyId', 'BackendKeyRefused', 'backend'],
    ['caller', 'SignatureDoesNotMatch', 'BackendKeyRefused', 'backend'],
    ['caller', 'RequestTimeTooSkewed', 'BackendError', 'backend'], // the gateway's clock, whoever asks
    ['caller', 'NoSuchKey', 'NoSuchKey', 'client'],
    ['anonymous', 'AccessDenied', 'AccessDenied', 'client'],
    ['anonymous', 'SignatureDoesNotMatch', 'BackendError', 'backend'],
    ['gateway', 'AccessDenied', 'AccessDenied', 'backend'],
    ['gateway', 'InvalidAccessKeyId', 'BackendError', 'backend'],
  ])('to a %s %s is %s of %s', (asker, said, code, source) => {
    const document = Buffer.from(`<Error><Code>${said}</Code><Message>AKIDBACKEND</Message></Error>`);
    const read = s3Back.readError(answer(403), document, { bucket: 'b', key: 'k' }, asker) as GatewayError;
    expect([read.code, read.source]).toEqual([code, source]);
    expect(read.message).not.toContain('AKIDBACKEND');
  });

  test.each<[Asker, string]>([
    ['caller', 'this access key'],
    ['anonymous', 'nobody signed'],
    ['gateway', 'the gateway'],
  ])('a refused HEAD, which says nothing, speaks to a %s of %s', (asker, words) => {
    const read = s3Back.readError(answer(403), Buffer.alloc(0), { bucket: 'b', key: 'k' }, asker);
    expect(read.code).toBe('AccessDenied');
    expect(read.message).toContain(words);
  });

  test('a document with a control character in its key, which stores write as a reference, speaks by its code', () => {
    const document = Buffer.from('<Error><Code>NoSuchUpload</Code><Key>a&#x1;&#xFFFF;</Key></Error>');
    expect(s3Back.readError(answer(404), document, { bucket: 'b', key: 'a\u0001\uffff' }).code).toBe('NoSuchUpload');
  });

  test("a load balancer's page speaks by status too", () => {
    const page = Buffer.from('<html><body><h1>502 Bad Gateway</h1></body></html>');
    expect(s3Back.readError(answer(502), page, {}).code).toBe('BackendUnavailable');
  });
});

describe('metadata values', () => {
  test.each(['plain', '', 'a\tb', '\xfc', 'gr\xc3\xbc\xc3\x9fe', '=?UTF-8?q?x?=', 'a =? b', '=?', '\xff'.repeat(500)])(
    '%j comes back as it was sent, and is ASCII in between',
    (value) => {
      const encoded = encodeMetadataValue(value);
      expect(encoded).toMatch(/^[\t\x20-\x7e]*$/);
      expect(decodeMetadataValue(encoded)).toBe(value);
    },
  );

  test("a store's own encoded words are decoded, several too", () => {
    expect(decodeMetadataValue('=?UTF-8?q?gr=C3=BC_=5F?= =?utf-8?B?w58=?=')).toBe('gr\xc3\xbc _\xc3\x9f');
  });

  test.each(['=?UTF-8?q?x?= and text', '=?latin1?q?=FC?=', '=?UTF-8?x?abc?=', '=?UTF-8?q?never ends'])(
    '%j is not encoded words, and stays',
    (value) => expect(decodeMetadataValue(value)).toBe(value),
  );

  // Whoever writes to the store could split the answer's head by it, or a name in a cache.
  test.each(['=?UTF-8?q?a=0D=0ASet-Cookie:_b?=', '=?UTF-8?B?AA==?=', '=?UTF-8?q?=7F?='])(
    '%j would be control characters, and stays',
    (value) => expect(decodeMetadataValue(value)).toBe(value),
  );
});
