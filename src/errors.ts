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

declare const PROVEN: unique symbol;

/**
 * The mark of what is known, and not merely claimed by a store: that an envelope or a footer vouches for it, or that a
 * policy takes the store's word. It exists for the compiler alone.
 */
export interface Proof {
  readonly [PROVEN]: true;
}

export type Proven<T> = T & Proof;

/** Marks what was proven. Whoever calls it says why in a comment; test/architecture.test.ts has the list of callers. */
export function proven<T>(value: T): Proven<T> {
  return value as Proven<T>;
}

/** Their statuses, 304 and 416, are taken for success by programs: wget -c and curl -C - call such a download whole. */
export type ConclusiveCode = 'InvalidPartNumber' | 'InvalidRange' | 'NotModified';

export type InconclusiveCode = Exclude<ErrorCode, ConclusiveCode>;

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

  constructor(code: InconclusiveCode, message: string, options: GatewayErrorOptions) {
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

/** An answer that a client takes for the end of what it wants: it takes a proof of what it says, of a length say. */
export class ConclusiveError extends GatewayError {
  constructor(
    code: ConclusiveCode,
    message: string,
    { proof: _proof, ...options }: Omit<GatewayErrorOptions, 'source'> & { readonly proof: Proof },
  ) {
    super(code as never, message, { source: 'client', ...options });
  }
}

/** The client's fault: the commonest kind, so it has the shortest spelling. */
export function clientError(
  code: InconclusiveCode,
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
