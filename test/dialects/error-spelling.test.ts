import { describe, expect, test } from 'vitest';
import { spellErrors } from '../../src/dialects/error-spelling.ts';
import { qingstorFront } from '../../src/dialects/qingstor/front.ts';
import { createS3Front } from '../../src/dialects/s3/front/front.ts';
import { ERROR_KINDS, type ErrorCode } from '../../src/errors.ts';
import type { WireResponse } from '../../src/wire/message.ts';
import { errorOf } from '../support/conclusive.ts';
import { wireRequest } from '../support/requests.ts';

/** What clients and their programs have gone by since these codes are there: status and word in S3 and in QingStor. */
const SPELLINGS: readonly (readonly [ErrorCode, number, string, number, string])[] = [
  ['AccessDenied', 403, 'AccessDenied', 403, 'permission_denied'],
  ['AnonymousRequest', 403, 'AccessDenied', 403, 'permission_denied'],
  ['AuthorizationHeaderMalformed', 400, 'AuthorizationHeaderMalformed', 400, 'invalid_request'],
  ['AuthorizationQueryParametersError', 400, 'AuthorizationQueryParametersError', 400, 'invalid_request'],
  ['ExpiredRequest', 403, 'AccessDenied', 403, 'request_expired'],
  ['ExpiredToken', 400, 'ExpiredToken', 403, 'request_expired'],
  ['InvalidAccessKeyId', 403, 'InvalidAccessKeyId', 401, 'invalid_access_key_id'],
  ['InvalidToken', 400, 'InvalidToken', 400, 'invalid_request'],
  ['RequestTimeTooSkewed', 403, 'RequestTimeTooSkewed', 403, 'request_expired'],
  ['SignatureDoesNotMatch', 403, 'SignatureDoesNotMatch', 401, 'signature_not_matched'],
  ['BadDigest', 400, 'BadDigest', 400, 'bad_digest'],
  ['CustomerKeyNeeded', 400, 'InvalidRequest', 403, 'permission_denied'],
  ['CustomerKeyUnneeded', 400, 'InvalidRequest', 400, 'invalid_request'],
  ['CustomerKeyWrong', 403, 'AccessDenied', 403, 'permission_denied'],
  ['EntityTooLarge', 400, 'EntityTooLarge', 400, 'entity_too_large'],
  ['EntityTooSmall', 400, 'EntityTooSmall', 400, 'entity_too_small'],
  ['IncompleteBody', 400, 'IncompleteBody', 400, 'incomplete_body'],
  ['IncorrectNumberOfFilesInPostRequest', 400, 'IncorrectNumberOfFilesInPostRequest', 400, 'invalid_request'],
  ['InvalidArgument', 400, 'InvalidArgument', 400, 'invalid_argument'],
  ['InvalidBucketName', 400, 'InvalidBucketName', 400, 'invalid_bucket_name'],
  ['InvalidDigest', 400, 'InvalidDigest', 400, 'bad_digest'],
  ['InvalidEncryptionAlgorithm', 400, 'InvalidEncryptionAlgorithmError', 400, 'invalid_argument'],
  ['InvalidObjectName', 400, 'InvalidArgument', 400, 'invalid_object_name'],
  ['InvalidPart', 400, 'InvalidPart', 400, 'invalid_argument'],
  ['InvalidPartNumber', 416, 'InvalidPartNumber', 416, 'invalid_range'],
  ['InvalidPartOrder', 400, 'InvalidPartOrder', 400, 'invalid_argument'],
  ['InvalidPolicyDocument', 400, 'InvalidPolicyDocument', 400, 'invalid_request'],
  ['InvalidRange', 416, 'InvalidRange', 416, 'invalid_range'],
  ['InvalidRequest', 400, 'InvalidRequest', 400, 'invalid_request'],
  ['InvalidURI', 400, 'InvalidURI', 400, 'invalid_request'],
  ['KeyTooLongError', 400, 'KeyTooLongError', 400, 'invalid_object_name'],
  ['MalformedBody', 400, 'MalformedXML', 400, 'invalid_json'],
  ['MalformedPolicy', 400, 'MalformedPolicy', 400, 'invalid_request'],
  ['MalformedPOSTRequest', 400, 'MalformedPOSTRequest', 400, 'invalid_request'],
  ['MaxMessageLengthExceeded', 400, 'MaxMessageLengthExceeded', 400, 'entity_too_large'],
  ['MaxPostPreDataLengthExceeded', 400, 'MaxPostPreDataLengthExceeded', 400, 'entity_too_large'],
  ['KmsKeyDisabled', 400, 'KMS.DisabledException', 400, 'invalid_argument'],
  ['KmsKeyInvalidState', 400, 'KMS.KMSInvalidStateException', 400, 'invalid_argument'],
  ['KmsKeyNotFound', 400, 'KMS.NotFoundException', 400, 'invalid_argument'],
  ['MetadataTooLarge', 400, 'MetadataTooLarge', 400, 'metadata_too_large'],
  ['MethodNotAllowed', 405, 'MethodNotAllowed', 405, 'method_not_allowed'],
  ['MissingContentLength', 411, 'MissingContentLength', 411, 'missing_content_length'],
  ['NotImplemented', 501, 'NotImplemented', 501, 'not_implemented'],
  ['RequestHeaderSectionTooLarge', 400, 'RequestHeaderSectionTooLarge', 400, 'invalid_request'],
  ['RequestTimeout', 400, 'RequestTimeout', 400, 'incomplete_body'],
  ['XAmzContentSHA256Mismatch', 400, 'XAmzContentSHA256Mismatch', 400, 'bad_digest'],
  ['BucketAlreadyExists', 409, 'BucketAlreadyExists', 409, 'bucket_already_exists'],
  ['BucketAlreadyOwnedByYou', 409, 'BucketAlreadyOwnedByYou', 409, 'bucket_already_exists'],
  ['BucketNotEmpty', 409, 'BucketNotEmpty', 409, 'bucket_not_empty'],
  ['ConditionalRequestConflict', 409, 'ConditionalRequestConflict', 409, 'operation_conflict'],
  ['InvalidObjectState', 403, 'InvalidObjectState', 400, 'invalid_object_state'],
  ['OperationAborted', 409, 'OperationAborted', 409, 'operation_conflict'],
  ['NoSuchBucketPolicy', 404, 'NoSuchBucketPolicy', 400, 'invalid_request'],
  ['NoBucketEncryption', 404, 'ServerSideEncryptionConfigurationNotFoundError', 400, 'invalid_request'],
  ['NoSuchBucket', 404, 'NoSuchBucket', 404, 'bucket_not_exists'],
  ['NoSuchKey', 404, 'NoSuchKey', 404, 'object_not_exists'],
  ['NoSuchUpload', 404, 'NoSuchUpload', 404, 'upload_not_exists'],
  ['NoSuchVersion', 404, 'NoSuchVersion', 404, 'object_not_exists'],
  ['NotModified', 304, 'NotModified', 304, 'not_modified'],
  ['PreconditionFailed', 412, 'PreconditionFailed', 412, 'precondition_failed'],
  ['QuotaExceeded', 403, 'QuotaExceeded', 403, 'quota_exceeded'],
  ['ObjectCorrupted', 422, 'ObjectCorrupted', 409, 'object_corrupted'],
  ['ObjectMoved', 409, 'ObjectMoved', 409, 'object_moved'],
  ['ObjectNotSealed', 409, 'ObjectNotSealed', 409, 'object_not_sealed'],
  ['KeyUnavailable', 403, 'KeyUnavailable', 409, 'key_unavailable'],
  ['BackendKeyRefused', 403, 'AccessDenied', 403, 'permission_denied'],
  ['BackendError', 502, 'BackendError', 500, 'internal_error'],
  ['BackendRefused', 400, 'InvalidArgument', 400, 'invalid_object_name'],
  ['BackendUnavailable', 503, 'ServiceUnavailable', 503, 'service_unavailable'],
  ['InternalError', 500, 'InternalError', 500, 'internal_error'],
  ['KeyStoreUnavailable', 503, 'ServiceUnavailable', 503, 'service_unavailable'],
  ['SlowDown', 503, 'SlowDown', 503, 'service_unavailable'],
];

const context = {
  requestId: 'REQ1',
  settings: { region: 'us-east-1', domains: [] },
  request: wireRequest({ method: 'GET', target: '/bucket/key' }),
};
const s3Front = createS3Front(() => new Date(0));

function told({ status, body }: WireResponse): [number, string | undefined] {
  return [status, body === undefined ? undefined : (body as Buffer).toString()];
}

describe('every error', () => {
  test('is in the table', () => {
    expect(SPELLINGS.map(([code]) => code).sort()).toEqual(Object.keys(ERROR_KINDS).sort());
  });

  test.each(SPELLINGS)('%s, byte for byte', (code, status, word, qingstorStatus, qingstorWord) => {
    const error = errorOf(code, 'What?');
    const document =
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${word}</Code><Message>What?</Message><Key>key</Key>` +
      '<BucketName>bucket</BucketName><Resource>/bucket/key</Resource><RequestId>REQ1</RequestId>' +
      '<HostId>sealgate</HostId></Error>';
    expect(told(s3Front.renderError(error, context))).toEqual([status, status === 304 ? undefined : document]);
    const json = `{"code":"${qingstorWord}","message":"What?","request_id":"REQ1","url":""}`;
    // A GET is told of a condition that fails by the status alone.
    const write = { ...context, request: wireRequest({ method: 'PUT', target: '/bucket/key' }) };
    const answer = told(qingstorFront.renderError(error, write));
    expect(answer).toEqual([qingstorStatus, qingstorStatus === 304 ? undefined : json]);
  });

  test('that is like another ends at one that is like none, and never turns into what a program takes for success', () => {
    for (const [code, { status, like }] of Object.entries(ERROR_KINDS)) {
      const seen = new Set<string>([code]);
      for (let next = like; next !== undefined; next = ERROR_KINDS[next].like) {
        expect(seen.has(next), `${code} is like itself`).toBe(false);
        seen.add(next);
        if (status !== 304 && status !== 416) expect([304, 416], code).not.toContain(ERROR_KINDS[next].status);
      }
    }
  });
});

test('a code without a row has status and word of the code that it is like; a row may be a word alone', () => {
  const roots = Object.fromEntries(
    Object.entries(ERROR_KINDS)
      .filter(([, { like }]) => like === undefined)
      .map(([code]) => [code, `root of ${code}`]),
  ) as Parameters<typeof spellErrors>[0];
  const spelled = spellErrors({ ...roots, InvalidRange: { status: 499, code: 'range' }, SlowDown: 'slow' });
  expect(spelled.InvalidPartNumber).toEqual({ status: 499, code: 'range' });
  expect(spelled.AuthorizationQueryParametersError).toEqual({ status: 400, code: 'root of InvalidRequest' });
  expect(spelled.SlowDown).toEqual({ status: 503, code: 'slow' });
  expect(spelled.BackendError).toEqual({ status: 500, code: 'root of InternalError' });
});
