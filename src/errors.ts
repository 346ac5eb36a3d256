/**
 * What can go wrong, in the gateway's own neutral vocabulary. A dialect's render turns a code into its vendor's
 * spelling and HTTP status; nothing else does. Codes follow S3's names where S3 has one.
 */
export type ErrorCode =
  // Who are you, and may you?
  | 'AccessDenied'
  | 'AnonymousRequest'
  | 'AuthorizationHeaderMalformed'
  | 'AuthorizationQueryParametersError'
  | 'ExpiredRequest'
  | 'ExpiredToken'
  | 'InvalidAccessKeyId'
  | 'InvalidToken'
  | 'RequestTimeTooSkewed'
  | 'SignatureDoesNotMatch'
  // What did you say?
  | 'BadDigest'
  | 'EntityTooLarge'
  | 'EntityTooSmall'
  | 'IncompleteBody'
  | 'IncorrectNumberOfFilesInPostRequest'
  | 'InvalidArgument'
  | 'InvalidBucketName'
  | 'InvalidDigest'
  | 'InvalidObjectName'
  | 'InvalidPart'
  | 'InvalidPartNumber'
  | 'InvalidPartOrder'
  | 'InvalidPolicyDocument'
  | 'InvalidRange'
  | 'InvalidRequest'
  | 'InvalidURI'
  | 'KeyTooLongError'
  | 'MalformedBody'
  | 'MalformedPOSTRequest'
  | 'MaxMessageLengthExceeded'
  | 'MaxPostPreDataLengthExceeded'
  | 'MetadataTooLarge'
  | 'MethodNotAllowed'
  | 'MissingContentLength'
  | 'NotImplemented'
  | 'RequestHeaderSectionTooLarge'
  | 'RequestTimeout'
  | 'XAmzContentSHA256Mismatch'
  // What state is it in?
  | 'BucketAlreadyExists'
  | 'BucketAlreadyOwnedByYou'
  | 'BucketNotEmpty'
  | 'ConditionalRequestConflict'
  | 'InvalidObjectState'
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchUpload'
  | 'NoSuchVersion'
  | 'NotModified'
  | 'PreconditionFailed'
  | 'QuotaExceeded' // of the gateway's own: a tenant's multipart uploads
  // What the gateway protects you from
  | 'ObjectCorrupted' // the stored bytes or their envelope fail authentication
  | 'ObjectMoved' // the location claim does not match (FORMAT.md §3)
  | 'ObjectNotSealed' // unmarked object in a sealed bucket
  | 'KeyUnavailable' // the key that protects the object is missing or destroyed
  // Who is not well?
  | 'BackendKeyRefused' // the backend does not take the key that a caller or its tenant has there
  | 'BackendError' // the backend answered something the gateway cannot use
  | 'BackendRefused' // a rule of the backend's own; the message names it
  | 'BackendUnavailable'
  | 'InternalError'
  | 'KeyStoreUnavailable'
  | 'SlowDown';

/** Who caused an error: decides what is logged, counted and retried. */
export type ErrorSource = 'client' | 'backend' | 'keys' | 'gateway';

export interface GatewayErrorOptions {
  readonly source: ErrorSource;
  readonly cause?: unknown;
  /** Extra facts a dialect may render as fields (region, bucket, key, versionId …). Never a secret. */
  readonly details?: Readonly<Record<string, string>>;
  /** Response headers that belong to the error (a delete marker's, say), in the backend's spelling. */
  readonly headers?: readonly (readonly [string, string])[];
}

/**
 * The one error that crosses rooms. `message` is shown to the client: it says what is wrong, what was expected and
 * what to do, and never holds a key, a signature, a token or plaintext.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly details: Readonly<Record<string, string>>;
  readonly headers: readonly (readonly [string, string])[];

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.source = options.source;
    this.details = options.details ?? {};
    this.headers = options.headers ?? [];
  }
}

/** What a backend said when it refused: the cause of the error that the client gets. The log tells both parts. */
export class BackendRefusal extends Error {
  readonly status: number;
  /** The backend's own. */
  readonly code: string;

  constructor(status: number, code: string, words: string) {
    super(`${status} ${code}: ${words}`);
    this.name = 'BackendRefusal';
    this.status = status;
    this.code = code;
  }
}

/** The client's fault: the commonest kind, so it has the shortest spelling. */
export function clientError(
  code: ErrorCode,
  message: string,
  extra: { readonly details?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
): GatewayError {
  return new GatewayError(code, message, { source: 'client', ...extra });
}

/** Anything thrown, as a GatewayError: what is not one already becomes an InternalError that tells the client nothing. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('InternalError', 'The gateway met an internal error. Try again.', {
    source: 'gateway',
    cause: thrown,
  });
}
