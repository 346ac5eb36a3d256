import type { ErrorCode } from '../../errors.ts';
import { type ErrorSpelling, spellErrors } from '../error-spelling.ts';

/**
 * The gateway's errors in S3's words. SDKs send a request again after 500, 502, 503, 504 and after the codes of
 * throttling, three times by default. So what stays wrong (a corrupted object, a moved one, a destroyed key) has a 4xx
 * status, and only what may pass (a store that is away, a full memory budget) has 503.
 */
export const S3_ERRORS: Readonly<Record<ErrorCode, ErrorSpelling>> = spellErrors({
  AccessDenied: 'AccessDenied',
  AuthorizationHeaderMalformed: 'AuthorizationHeaderMalformed',
  AuthorizationQueryParametersError: 'AuthorizationQueryParametersError',
  ExpiredToken: 'ExpiredToken',
  InvalidAccessKeyId: 'InvalidAccessKeyId',
  InvalidToken: 'InvalidToken',
  RequestTimeTooSkewed: 'RequestTimeTooSkewed',
  SignatureDoesNotMatch: 'SignatureDoesNotMatch',

  BadDigest: 'BadDigest',
  EntityTooLarge: 'EntityTooLarge',
  EntityTooSmall: 'EntityTooSmall',
  IncompleteBody: 'IncompleteBody',
  IncorrectNumberOfFilesInPostRequest: 'IncorrectNumberOfFilesInPostRequest',
  InvalidArgument: 'InvalidArgument',
  InvalidBucketName: 'InvalidBucketName',
  InvalidDigest: 'InvalidDigest',
  InvalidPart: 'InvalidPart',
  InvalidPartNumber: 'InvalidPartNumber',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidPolicyDocument: 'InvalidPolicyDocument',
  InvalidRange: 'InvalidRange',
  InvalidRequest: 'InvalidRequest',
  InvalidURI: 'InvalidURI',
  KeyTooLongError: 'KeyTooLongError',
  MalformedBody: 'MalformedXML',
  MalformedPOSTRequest: 'MalformedPOSTRequest',
  MaxMessageLengthExceeded: 'MaxMessageLengthExceeded',
  MaxPostPreDataLengthExceeded: 'MaxPostPreDataLengthExceeded',
  MetadataTooLarge: 'MetadataTooLarge',
  MethodNotAllowed: 'MethodNotAllowed',
  MissingContentLength: 'MissingContentLength',
  NotImplemented: 'NotImplemented',
  RequestHeaderSectionTooLarge: 'RequestHeaderSectionTooLarge',
  RequestTimeout: 'RequestTimeout',
  XAmzContentSHA256Mismatch: 'XAmzContentSHA256Mismatch',

  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketAlreadyOwnedByYou: 'BucketAlreadyOwnedByYou',
  BucketNotEmpty: 'BucketNotEmpty',
  ConditionalRequestConflict: 'ConditionalRequestConflict',
  InvalidObjectState: 'InvalidObjectState',
  NoSuchBucket: 'NoSuchBucket',
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  NoSuchVersion: 'NoSuchVersion',
  NotModified: 'NotModified',
  PreconditionFailed: 'PreconditionFailed',
  // Ceph has this word for a bound that its operator set. A 4xx, because trying again at once does not help.
  QuotaExceeded: 'QuotaExceeded',

  // S3 has no word for these, and a borrowed one would mislead the operator.
  ObjectCorrupted: 'ObjectCorrupted',
  ObjectMoved: 'ObjectMoved',
  ObjectNotSealed: 'ObjectNotSealed',
  KeyUnavailable: 'KeyUnavailable',

  BackendError: 'BackendError',
  BackendUnavailable: 'ServiceUnavailable',
  InternalError: 'InternalError',
  SlowDown: 'SlowDown',
});
