import type { ErrorCode } from '../../errors.ts';
import { type ErrorSpelling, spellErrors } from '../error-spelling.ts';

/** The status and OSS code of every error. Source: the vendor's API documentation, "Error codes". */
export const OSS_ERRORS: Readonly<Record<ErrorCode, ErrorSpelling>> = spellErrors({
  AccessDenied: 'AccessDenied',
  AuthorizationHeaderMalformed: 'InvalidArgument',
  InvalidAccessKeyId: 'InvalidAccessKeyId',
  InvalidToken: { status: 403, code: 'InvalidSecurityToken' },
  RequestTimeTooSkewed: 'RequestTimeTooSkewed',
  SignatureDoesNotMatch: 'SignatureDoesNotMatch',

  BadDigest: 'InvalidDigest',
  EntityTooLarge: 'EntityTooLarge',
  EntityTooSmall: 'EntityTooSmall',
  IncompleteBody: 'InvalidDigest',
  IncorrectNumberOfFilesInPostRequest: 'IncorrectNumberOfFilesInPOSTRequest',
  InvalidArgument: 'InvalidArgument',
  InvalidBucketName: 'InvalidBucketName',
  InvalidDigest: 'InvalidDigest',
  InvalidEncryptionAlgorithm: 'InvalidEncryptionAlgorithmError',
  InvalidObjectName: 'InvalidObjectName',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidPolicyDocument: 'InvalidPolicyDocument',
  InvalidRange: 'InvalidRange',
  InvalidRequest: 'InvalidArgument',
  MalformedBody: 'MalformedXML',
  MalformedPOSTRequest: 'MalformedPOSTRequest',
  MaxPostPreDataLengthExceeded: 'MaxPOSTPreDataLengthExceededError',
  MetadataTooLarge: 'InvalidArgument',
  MethodNotAllowed: 'MethodNotAllowed',
  MissingContentLength: 'MissingContentLength',
  NotImplemented: 'NotImplemented',

  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketNotEmpty: 'BucketNotEmpty',
  ConditionalRequestConflict: 'FileImmutable',
  InvalidObjectState: 'InvalidObjectState',
  NoBucketEncryption: 'NoSuchServerSideEncryptionRule',
  NoSuchBucket: 'NoSuchBucket',
  NoSuchBucketPolicy: 'NoSuchBucketPolicy',
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  NoSuchVersion: 'NoSuchVersion',
  NotModified: 'NotModified',
  PreconditionFailed: 'PreconditionFailed',
  QuotaExceeded: 'QuotaExceeded',

  // OSS has no codes for these. SDKs retry a 5xx, so an error that would come again has a 4xx status.
  ObjectCorrupted: 'ObjectCorrupted',
  ObjectMoved: 'ObjectMoved',
  ObjectNotSealed: 'ObjectNotSealed',
  KeyUnavailable: 'KeyUnavailable',

  BackendError: 'BackendError',
  BackendUnavailable: 'ServiceUnavailable',
  InternalError: 'InternalError',
  SlowDown: 'SlowDown',
});

/**
 * The fine codes (`EC`) that OSS gives beside the code, for the errors of which the vendor's pages tell one. Tools
 * show them, and some tell errors apart by them.
 */
export const OSS_ERROR_NUMBERS: Readonly<Partial<Record<ErrorCode, string>>> = {
  InvalidEncryptionAlgorithm: '0005-00000003',
  KmsKeyNotFound: '0005-00000208',
  NoSuchBucket: '0015-00000101',
  NoSuchKey: '0026-00000001',
  SignatureDoesNotMatch: '0002-00000040',
};
