import type { ErrorCode } from '../../errors.ts';
import { type ErrorSpelling, spellErrors } from '../error-spelling.ts';

/** The status and QingStor code of every error. Source: the vendor's API documentation, "Error codes". */
export const QINGSTOR_ERRORS: Readonly<Record<ErrorCode, ErrorSpelling>> = spellErrors({
  AccessDenied: 'permission_denied',
  // The vendor has published no codes for keys of clients. A read without the key is not permitted.
  CustomerKeyNeeded: { status: 403, code: 'permission_denied' },
  ExpiredRequest: 'request_expired',
  InvalidAccessKeyId: { status: 401, code: 'invalid_access_key_id' },
  RequestTimeTooSkewed: 'request_expired',
  SignatureDoesNotMatch: { status: 401, code: 'signature_not_matched' },

  BadDigest: 'bad_digest',
  EntityTooLarge: 'entity_too_large',
  EntityTooSmall: 'entity_too_small',
  IncompleteBody: 'incomplete_body',
  InvalidArgument: 'invalid_argument',
  InvalidBucketName: 'invalid_bucket_name',
  InvalidObjectName: 'invalid_object_name',
  InvalidRange: 'invalid_range',
  InvalidRequest: 'invalid_request',
  MalformedBody: 'invalid_json',
  MetadataTooLarge: 'metadata_too_large',
  MethodNotAllowed: 'method_not_allowed',
  MissingContentLength: 'missing_content_length',
  NotImplemented: 'not_implemented',

  BucketAlreadyExists: 'bucket_already_exists',
  BucketNotEmpty: 'bucket_not_empty',
  ConditionalRequestConflict: 'operation_conflict',
  InvalidObjectState: { status: 400, code: 'invalid_object_state' },
  NoSuchBucket: 'bucket_not_exists',
  NoSuchKey: 'object_not_exists',
  NoSuchUpload: 'upload_not_exists',
  NotModified: 'not_modified',
  PreconditionFailed: 'precondition_failed',
  QuotaExceeded: 'quota_exceeded',

  // The vendor has no codes for these. Another attempt would fail too, so they have a 4xx status, which no SDK retries.
  ObjectCorrupted: { status: 409, code: 'object_corrupted' },
  ObjectMoved: 'object_moved',
  ObjectNotSealed: 'object_not_sealed',
  KeyUnavailable: { status: 409, code: 'key_unavailable' },

  // A store refuses by a rule of its own mostly because of a key that it cannot keep.
  BackendRefused: 'invalid_object_name',
  BackendUnavailable: 'service_unavailable',
  InternalError: 'internal_error',
});
