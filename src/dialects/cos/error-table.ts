import type { ErrorCode } from '../../errors.ts';
import { type ErrorSpelling, spellErrors } from '../error-spelling.ts';

/** The status and COS code of every error. Source: the vendor's API documentation, "Error Codes" (436/7730). */
export const COS_ERRORS: Readonly<Record<ErrorCode, ErrorSpelling>> = spellErrors({
  AccessDenied: 'AccessDenied',
  AuthorizationHeaderMalformed: 'InvalidArgument',
  InvalidAccessKeyId: 'InvalidAccessKeyId',
  InvalidToken: { status: 403, code: 'AccessDenied' },
  RequestTimeTooSkewed: 'RequestTimeTooSkewed',
  SignatureDoesNotMatch: 'SignatureDoesNotMatch',
  ExpiredToken: 'ExpiredToken',

  BadDigest: 'BadDigest',
  EntityTooLarge: 'EntityTooLarge',
  EntityTooSmall: 'EntityTooSmall',
  IncompleteBody: 'IncompleteBody',
  InvalidArgument: 'InvalidArgument',
  InvalidBucketName: 'InvalidBucketName',
  InvalidDigest: 'InvalidDigest',
  InvalidObjectName: 'InvalidObjectName',
  InvalidPart: 'InvalidPart',
  InvalidPartOrder: 'InvalidPartOrder',
  InvalidPolicyDocument: 'InvalidPolicyDocument',
  InvalidRange: 'InvalidRange',
  InvalidRequest: 'InvalidRequest',
  InvalidURI: 'InvalidURI',
  KeyTooLongError: 'KeyTooLong',
  MalformedBody: 'MalformedXML',
  MalformedPOSTRequest: 'MalformedPOSTRequest',
  MetadataTooLarge: 'MetadataTooLarge',
  MethodNotAllowed: 'MethodNotAllowed',
  MissingContentLength: 'MissingContentLength',
  NotImplemented: 'NotImplemented',
  RequestTimeout: 'RequestTimeOut',

  // Which of these COS answers with a wrong key is not documented. In writes they are AccessDenied (render-error.ts).
  CustomerKeyNeeded: { status: 400, code: 'SsecDecryptHeaderInvalid' },
  CustomerKeyUnneeded: { status: 400, code: 'SsecDecryptHeaderInvalid' },
  CustomerKeyWrong: { status: 400, code: 'SsecDecryptHeaderInvalid' },
  KmsKeyDisabled: 'KmsKeyDisabled',
  KmsKeyInvalidState: 'KmsException',
  KmsKeyNotFound: 'KmsKeyNotExist',

  BucketAlreadyExists: 'BucketAlreadyExists',
  BucketAlreadyOwnedByYou: 'BucketAlreadyOwnedByYou',
  BucketNotEmpty: 'BucketNotEmpty',
  ConditionalRequestConflict: 'PathConflict',
  InvalidObjectState: 'InvalidObjectState',
  NoBucketEncryption: 'NoSuchEncryptionConfiguration',
  NoSuchBucket: 'NoSuchBucket',
  NoSuchBucketPolicy: 'NoSuchBucketPolicy',
  NoSuchKey: 'NoSuchKey',
  NoSuchUpload: 'NoSuchUpload',
  NoSuchVersion: 'NoSuchVersion',
  NotModified: 'NotModified',
  PreconditionFailed: 'PreconditionFailed',

  // COS has no codes for these. SDKs retry a 5xx, so an error that would come again has a 4xx status.
  ObjectCorrupted: 'ObjectCorrupted',
  ObjectMoved: 'ObjectMoved',
  ObjectNotSealed: 'ObjectNotSealed',
  KeyUnavailable: 'KeyUnavailable',

  BackendError: 'BackendError',
  BackendUnavailable: 'ServiceUnavailable',
  InternalError: 'InternalError',
  SlowDown: 'SlowDown',
});
