import type { ErrorCode } from '../../errors.ts';

export interface QingstorError {
  readonly status: number;
  readonly code: string;
}

/** The gateway's errors in QingStor's spelling: the vendor's code table, else the nearest row of it. */
export const QINGSTOR_ERRORS: Readonly<Record<ErrorCode, QingstorError>> = {
  AccessDenied: { status: 403, code: 'permission_denied' },
  AnonymousRequest: { status: 403, code: 'permission_denied' },
  AuthorizationHeaderMalformed: { status: 400, code: 'invalid_request' },
  AuthorizationQueryParametersError: { status: 400, code: 'invalid_request' },
  ExpiredRequest: { status: 403, code: 'request_expired' },
  ExpiredToken: { status: 403, code: 'request_expired' },
  InvalidAccessKeyId: { status: 401, code: 'invalid_access_key_id' },
  InvalidToken: { status: 400, code: 'invalid_request' },
  RequestTimeTooSkewed: { status: 403, code: 'request_expired' },
  SignatureDoesNotMatch: { status: 401, code: 'signature_not_matched' },

  BadDigest: { status: 400, code: 'bad_digest' },
  EntityTooLarge: { status: 400, code: 'entity_too_large' },
  EntityTooSmall: { status: 400, code: 'entity_too_small' },
  IncompleteBody: { status: 400, code: 'incomplete_body' },
  IncorrectNumberOfFilesInPostRequest: { status: 400, code: 'invalid_request' },
  InvalidArgument: { status: 400, code: 'invalid_argument' },
  InvalidBucketName: { status: 400, code: 'invalid_bucket_name' },
  InvalidDigest: { status: 400, code: 'bad_digest' },
  InvalidObjectName: { status: 400, code: 'invalid_object_name' },
  InvalidPart: { status: 400, code: 'invalid_argument' },
  InvalidPartNumber: { status: 416, code: 'invalid_range' },
  InvalidPartOrder: { status: 400, code: 'invalid_argument' },
  InvalidPolicyDocument: { status: 400, code: 'invalid_request' },
  InvalidRange: { status: 416, code: 'invalid_range' },
  InvalidRequest: { status: 400, code: 'invalid_request' },
  InvalidURI: { status: 400, code: 'invalid_request' },
  KeyTooLongError: { status: 400, code: 'invalid_object_name' },
  MalformedBody: { status: 400, code: 'invalid_json' },
  MalformedPOSTRequest: { status: 400, code: 'invalid_request' },
  MaxMessageLengthExceeded: { status: 400, code: 'entity_too_large' },
  MaxPostPreDataLengthExceeded: { status: 400, code: 'entity_too_large' },
  MetadataTooLarge: { status: 400, code: 'metadata_too_large' },
  MethodNotAllowed: { status: 405, code: 'method_not_allowed' },
  MissingContentLength: { status: 411, code: 'missing_content_length' },
  NotImplemented: { status: 501, code: 'not_implemented' },
  RequestHeaderSectionTooLarge: { status: 400, code: 'invalid_request' },
  RequestTimeout: { status: 400, code: 'incomplete_body' },
  XAmzContentSHA256Mismatch: { status: 400, code: 'bad_digest' },

  BucketAlreadyExists: { status: 409, code: 'bucket_already_exists' },
  BucketAlreadyOwnedByYou: { status: 409, code: 'bucket_already_exists' },
  BucketNotEmpty: { status: 409, code: 'bucket_not_empty' },
  ConditionalRequestConflict: { status: 409, code: 'operation_conflict' },
  InvalidObjectState: { status: 400, code: 'invalid_object_state' },
  NoSuchBucket: { status: 404, code: 'bucket_not_exists' },
  NoSuchKey: { status: 404, code: 'object_not_exists' },
  NoSuchUpload: { status: 404, code: 'upload_not_exists' },
  NoSuchVersion: { status: 404, code: 'object_not_exists' },
  NotModified: { status: 304, code: 'not_modified' },
  PreconditionFailed: { status: 412, code: 'precondition_failed' },
  QuotaExceeded: { status: 403, code: 'quota_exceeded' },

  // Will not go away by itself: a 4xx, so that no SDK retries it as if it were weather.
  ObjectCorrupted: { status: 409, code: 'object_corrupted' },
  ObjectMoved: { status: 409, code: 'object_moved' },
  ObjectNotSealed: { status: 409, code: 'object_not_sealed' },
  KeyUnavailable: { status: 409, code: 'key_unavailable' },

  BackendKeyRefused: { status: 403, code: 'permission_denied' },
  BackendError: { status: 500, code: 'internal_error' },
  BackendRefused: { status: 400, code: 'invalid_object_name' },
  BackendUnavailable: { status: 503, code: 'service_unavailable' },
  InternalError: { status: 500, code: 'internal_error' },
  KeyStoreUnavailable: { status: 503, code: 'service_unavailable' },
  SlowDown: { status: 503, code: 'service_unavailable' },
};
