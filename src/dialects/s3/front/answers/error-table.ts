import type { ErrorCode } from '../../../../errors.ts';

export interface S3Error {
  readonly status: number;
  readonly code: string;
}

/**
 * The gateway's errors in S3's spelling. SDKs retry 500, 502, 503, 504 and the codes of throttling, three times by
 * default: so what will not go away (a corrupted object, a moved one, a destroyed key) is a 4xx or 409, never a 5xx
 * that looks like weather; what may go away (stores, budget) is 503.
 */
export const S3_ERRORS: Readonly<Record<ErrorCode, S3Error>> = {
  AccessDenied: { status: 403, code: 'AccessDenied' },
  AnonymousRequest: { status: 403, code: 'AccessDenied' },
  AuthorizationHeaderMalformed: { status: 400, code: 'AuthorizationHeaderMalformed' },
  AuthorizationQueryParametersError: { status: 400, code: 'AuthorizationQueryParametersError' },
  ExpiredRequest: { status: 403, code: 'AccessDenied' },
  ExpiredToken: { status: 400, code: 'ExpiredToken' },
  InvalidAccessKeyId: { status: 403, code: 'InvalidAccessKeyId' },
  InvalidToken: { status: 400, code: 'InvalidToken' },
  RequestTimeTooSkewed: { status: 403, code: 'RequestTimeTooSkewed' },
  SignatureDoesNotMatch: { status: 403, code: 'SignatureDoesNotMatch' },

  BadDigest: { status: 400, code: 'BadDigest' },
  EntityTooLarge: { status: 400, code: 'EntityTooLarge' },
  EntityTooSmall: { status: 400, code: 'EntityTooSmall' },
  IncompleteBody: { status: 400, code: 'IncompleteBody' },
  IncorrectNumberOfFilesInPostRequest: { status: 400, code: 'IncorrectNumberOfFilesInPostRequest' },
  InvalidArgument: { status: 400, code: 'InvalidArgument' },
  InvalidBucketName: { status: 400, code: 'InvalidBucketName' },
  InvalidDigest: { status: 400, code: 'InvalidDigest' },
  InvalidObjectName: { status: 400, code: 'InvalidArgument' },
  InvalidPart: { status: 400, code: 'InvalidPart' },
  InvalidPartNumber: { status: 416, code: 'InvalidPartNumber' },
  InvalidPartOrder: { status: 400, code: 'InvalidPartOrder' },
  InvalidPolicyDocument: { status: 400, code: 'InvalidPolicyDocument' },
  InvalidRange: { status: 416, code: 'InvalidRange' },
  InvalidRequest: { status: 400, code: 'InvalidRequest' },
  InvalidURI: { status: 400, code: 'InvalidURI' },
  KeyTooLongError: { status: 400, code: 'KeyTooLongError' },
  MalformedBody: { status: 400, code: 'MalformedXML' },
  MalformedPOSTRequest: { status: 400, code: 'MalformedPOSTRequest' },
  MaxMessageLengthExceeded: { status: 400, code: 'MaxMessageLengthExceeded' },
  MaxPostPreDataLengthExceeded: { status: 400, code: 'MaxPostPreDataLengthExceeded' },
  MetadataTooLarge: { status: 400, code: 'MetadataTooLarge' },
  MethodNotAllowed: { status: 405, code: 'MethodNotAllowed' },
  MissingContentLength: { status: 411, code: 'MissingContentLength' },
  NotImplemented: { status: 501, code: 'NotImplemented' },
  RequestHeaderSectionTooLarge: { status: 400, code: 'RequestHeaderSectionTooLarge' },
  RequestTimeout: { status: 400, code: 'RequestTimeout' },
  XAmzContentSHA256Mismatch: { status: 400, code: 'XAmzContentSHA256Mismatch' },

  BucketAlreadyExists: { status: 409, code: 'BucketAlreadyExists' },
  BucketAlreadyOwnedByYou: { status: 409, code: 'BucketAlreadyOwnedByYou' },
  BucketNotEmpty: { status: 409, code: 'BucketNotEmpty' },
  ConditionalRequestConflict: { status: 409, code: 'ConditionalRequestConflict' },
  InvalidObjectState: { status: 403, code: 'InvalidObjectState' },
  NoSuchBucket: { status: 404, code: 'NoSuchBucket' },
  NoSuchKey: { status: 404, code: 'NoSuchKey' },
  NoSuchUpload: { status: 404, code: 'NoSuchUpload' },
  NoSuchVersion: { status: 404, code: 'NoSuchVersion' },
  NotModified: { status: 304, code: 'NotModified' },
  PreconditionFailed: { status: 412, code: 'PreconditionFailed' },
  // Ceph’s word for a bound that its operator set. A 4xx, for nothing becomes of trying again at once.
  QuotaExceeded: { status: 403, code: 'QuotaExceeded' },

  // Codes of the gateway's own: no S3 code says this, and a borrowed one would send the operator the wrong way.
  ObjectCorrupted: { status: 422, code: 'ObjectCorrupted' },
  ObjectMoved: { status: 409, code: 'ObjectMoved' },
  ObjectNotSealed: { status: 409, code: 'ObjectNotSealed' },
  KeyUnavailable: { status: 403, code: 'KeyUnavailable' },

  // Nothing that the client or a retry could mend, and its own keys are good: the message names whose are not.
  BackendKeyRefused: { status: 403, code: 'AccessDenied' },
  BackendError: { status: 502, code: 'BackendError' },
  BackendRefused: { status: 400, code: 'InvalidArgument' },
  BackendUnavailable: { status: 503, code: 'ServiceUnavailable' },
  InternalError: { status: 500, code: 'InternalError' },
  KeyStoreUnavailable: { status: 503, code: 'ServiceUnavailable' },
  SlowDown: { status: 503, code: 'SlowDown' },
};
