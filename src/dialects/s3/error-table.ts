import type { ErrorCode } from '../../errors.ts';
import { type ErrorSpelling, spellErrors } from '../error-spelling.ts';

/**
 * The status and S3 code of every error. SDKs retry after 500, 502, 503, 504 and after the codes of throttling, mostly
 * three times. So an error that would come again (a corrupted or moved object, a destroyed key) has a 4xx status, and
 * one that may pass (an unreachable store, a full memory budget) has 503.
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
  InvalidEncryptionAlgorithm: 'InvalidEncryptionAlgorithmError',
  InvalidPart: 'InvalidPart',
  InvalidPartNumber: 'InvalidPartNumber',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidPolicyDocument: 'InvalidPolicyDocument',
  InvalidRange: 'InvalidRange',
  InvalidRequest: 'InvalidRequest',
  InvalidURI: 'InvalidURI',
  KeyTooLongError: 'KeyTooLongError',
  MalformedBody: 'MalformedXML',
  MalformedPolicy: 'MalformedPolicy',
  MalformedPOSTRequest: 'MalformedPOSTRequest',
  MaxMessageLengthExceeded: 'MaxMessageLengthExceeded',
  MaxPostPreDataLengthExceeded: 'MaxPostPreDataLengthExceeded',
  KmsKeyNotFound: 'KMS.NotFoundException',
  KmsKeyDisabled: 'KMS.DisabledException',
  KmsKeyInvalidState: 'KMS.KMSInvalidStateException',
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
  NoBucketEncryption: 'ServerSideEncryptionConfigurationNotFoundError',
  NoSuchBucket: 'NoSuchBucket',
  NoSuchBucketPolicy: 'NoSuchBucketPolicy',
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  NoSuchVersion: 'NoSuchVersion',
  NotModified: 'NotModified',
  OperationAborted: 'OperationAborted',
  PreconditionFailed: 'PreconditionFailed',
  // Ceph has this code for a quota that its operator set. The status is a 4xx because retries at once do not help.
  QuotaExceeded: 'QuotaExceeded',

  // S3 has no codes for these, and a code of S3's for something else would mislead the operator.
  ObjectCorrupted: 'ObjectCorrupted',
  ObjectMoved: 'ObjectMoved',
  ObjectNotSealed: 'ObjectNotSealed',
  KeyUnavailable: 'KeyUnavailable',

  BackendError: 'BackendError',
  BackendUnavailable: 'ServiceUnavailable',
  InternalError: 'InternalError',
  SlowDown: 'SlowDown',
});
