/**
 * What can go wrong, in the gateway's own neutral terms. Codes have S3's names if S3 has one. Only a dialect's front
 * turns a code into its vendor's status and word (dialects/error-spelling.ts). Each dialect has a row for every code
 * without `like`, and for as many others as its vendor has words. So a new code with a `like` changes no dialect.
 */
const KINDS = {
  // These codes say who asks, and what they may do.
  AccessDenied: { status: 403 },
  AnonymousRequest: { status: 403, like: 'AccessDenied' },
  AuthorizationHeaderMalformed: { status: 400, like: 'InvalidRequest' },
  AuthorizationQueryParametersError: { status: 400, like: 'AuthorizationHeaderMalformed' },
  ExpiredRequest: { status: 403, like: 'AccessDenied' },
  ExpiredToken: { status: 400, like: 'ExpiredRequest' },
  InvalidAccessKeyId: { status: 403 },
  InvalidToken: { status: 400, like: 'InvalidRequest' },
  RequestTimeTooSkewed: { status: 403 },
  SignatureDoesNotMatch: { status: 403 },
  // These codes say what is wrong with the request.
  BadDigest: { status: 400 },
  /** The object or the upload is encrypted with a customer's key, and the request brings none. */
  CustomerKeyNeeded: { status: 400, like: 'InvalidRequest' },
  /** The request brings a customer's key that the object or the upload does not have. */
  CustomerKeyUnneeded: { status: 400, like: 'InvalidRequest' },
  /** The object does not open under the customer's key that the request brings. */
  CustomerKeyWrong: { status: 403, like: 'AccessDenied' },
  EntityTooLarge: { status: 400 },
  EntityTooSmall: { status: 400 },
  IncompleteBody: { status: 400 },
  IncorrectNumberOfFilesInPostRequest: { status: 400, like: 'MalformedPOSTRequest' },
  InvalidArgument: { status: 400 },
  InvalidBucketName: { status: 400 },
  InvalidDigest: { status: 400, like: 'BadDigest' },
  InvalidEncryptionAlgorithm: { status: 400, like: 'InvalidArgument' },
  InvalidObjectName: { status: 400, like: 'InvalidArgument' },
  InvalidPart: { status: 400, like: 'InvalidArgument' },
  InvalidPartNumber: { status: 416, like: 'InvalidRange' },
  InvalidPartOrder: { status: 400, like: 'InvalidPart' },
  InvalidPolicyDocument: { status: 400, like: 'InvalidRequest' },
  InvalidRange: { status: 416 },
  InvalidRequest: { status: 400 },
  InvalidURI: { status: 400, like: 'InvalidRequest' },
  KeyTooLongError: { status: 400, like: 'InvalidObjectName' },
  MalformedBody: { status: 400 },
  /** The policy that a client sets for a bucket is none. */
  MalformedPolicy: { status: 400, like: 'InvalidRequest' },
  MalformedPOSTRequest: { status: 400, like: 'InvalidRequest' },
  MaxMessageLengthExceeded: { status: 400, like: 'EntityTooLarge' },
  MaxPostPreDataLengthExceeded: { status: 400, like: 'MaxMessageLengthExceeded' },
  /** The tenant has no key of the name that the client asks for, or that an object names. */
  KmsKeyNotFound: { status: 400, like: 'InvalidArgument' },
  /** The named key may not be used now, or not for new objects. */
  KmsKeyDisabled: { status: 400, like: 'InvalidArgument' },
  /** The named key is about to be destroyed. */
  KmsKeyInvalidState: { status: 400, like: 'InvalidArgument' },
  MetadataTooLarge: { status: 400 },
  MethodNotAllowed: { status: 405 },
  MissingContentLength: { status: 411 },
  NotImplemented: { status: 501 },
  RequestHeaderSectionTooLarge: { status: 400, like: 'InvalidRequest' },
  RequestTimeout: { status: 400, like: 'IncompleteBody' },
  XAmzContentSHA256Mismatch: { status: 400, like: 'BadDigest' },
  // These codes say that the state of a bucket or an object does not allow it.
  BucketAlreadyExists: { status: 409 },
  BucketAlreadyOwnedByYou: { status: 409, like: 'BucketAlreadyExists' },
  BucketNotEmpty: { status: 409 },
  ConditionalRequestConflict: { status: 409 },
  InvalidObjectState: { status: 403 },
  NoBucketEncryption: { status: 404, like: 'InvalidRequest' },
  NoSuchBucket: { status: 404 },
  NoSuchBucketPolicy: { status: 404, like: 'InvalidRequest' },
  NoSuchKey: { status: 404 },
  NoSuchUpload: { status: 404 },
  NoSuchVersion: { status: 404, like: 'NoSuchKey' },
  NotModified: { status: 304 },
  /** Another request changes the same setting at this moment. */
  OperationAborted: { status: 409, like: 'ConditionalRequestConflict' },
  PreconditionFailed: { status: 412 },
  /** The tenant has reached the gateway's own limit of open multipart uploads. */
  QuotaExceeded: { status: 403, like: 'AccessDenied' },
  // These codes say that the gateway protects its clients from what it found.
  /** The stored bytes or their envelope fail authentication. */
  ObjectCorrupted: { status: 422 },
  /** The object's bound location does not match (FORMAT.md §3). */
  ObjectMoved: { status: 409 },
  /** An unmarked object lies in a sealed bucket. */
  ObjectNotSealed: { status: 409 },
  /** The key that protects the object is missing or destroyed. */
  KeyUnavailable: { status: 403 },
  // These codes say which part of the system failed or refused.
  /** The backend does not accept the key that a caller or its tenant has there. */
  BackendKeyRefused: { status: 403, like: 'AccessDenied' },
  /** The backend answered something that the gateway cannot use. */
  BackendError: { status: 502, like: 'InternalError' },
  /** The backend refused because of a rule of its own, which the message names. */
  BackendRefused: { status: 400, like: 'InvalidArgument' },
  BackendUnavailable: { status: 503 },
  InternalError: { status: 500 },
  KeyStoreUnavailable: { status: 503, like: 'BackendUnavailable' },
  SlowDown: { status: 503, like: 'BackendUnavailable' },
} as const;

export type ErrorCode = keyof typeof KINDS;

/** The codes without `like`: every dialect has a row for each. */
export type RootErrorCode = {
  [Code in ErrorCode]: (typeof KINDS)[Code] extends { readonly like: string } ? never : Code;
}[ErrorCode];

/** What an error code means: its HTTP status in S3, and of which code it is a case. */
export interface ErrorKind {
  readonly status: number;
  /** A dialect without a word of its own for this code answers as it does for the code named here. */
  readonly like?: ErrorCode;
}

export const ERROR_KINDS: Readonly<Record<ErrorCode, ErrorKind>> = KINDS;

declare const PROVEN: unique symbol;

/**
 * Marks what is proven and not merely claimed by a store: an envelope or a footer vouches for it, or a policy trusts
 * the store's word. It exists only for the compiler.
 */
export interface Proof {
  readonly [PROVEN]: true;
}

export type Proven<T> = T & Proof;

/** Marks a value as proven. Whoever calls it says why in a comment; test/architecture.test.ts lists the callers. */
export function proven<T>(value: T): Proven<T> {
  return value as Proven<T>;
}

/**
 * Programs take the statuses of these codes, 304 and 416, for success: wget -c and curl -C - then call a download
 * complete.
 */
export type ConclusiveCode = 'InvalidPartNumber' | 'InvalidRange' | 'NotModified';

export type InconclusiveCode = Exclude<ErrorCode, ConclusiveCode>;

/** Who caused an error. It decides what is logged, counted and retried. */
export type ErrorSource = 'client' | 'backend' | 'keys' | 'gateway';

/** What an error's head tells. A front renders the facts for which its vendor has a header. */
export interface ErrorFacts {
  /** Whether a delete marker is the reason. */
  readonly deleteMarker?: boolean | undefined;
  readonly versionId?: string | undefined;
  /** The ETag without quotes, as the client sees it. */
  readonly etag?: string | undefined;
  readonly lastModified?: Date | undefined;
  readonly cacheControl?: string | undefined;
  readonly expires?: string | undefined;
  /** The methods that are allowed (RFC 9110 §10.2.1). */
  readonly allow?: readonly string[] | undefined;
}

/** How a store spelled its refusal. Only a front of the store's own dialect may repeat the code. */
export interface StoreWord {
  /** The name of the store's dialect. */
  readonly dialect: string;
  readonly status: number;
  readonly code: string;
}

export interface GatewayErrorOptions {
  readonly source: ErrorSource;
  readonly cause?: unknown;
  /** Facts that a dialect may render as fields of the error's document (bucket, key …). They never hold a secret. */
  readonly details?: Readonly<Record<string, string>>;
  readonly facts?: ErrorFacts | undefined;
  /** Set if the error has no better name than the store's own. */
  readonly said?: StoreWord | undefined;
}

/**
 * The one error that crosses rooms. `message` is shown to the client: it says what is wrong, what was expected and what
 * to do. It never holds a key, a signature, a token or plaintext.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly details: Readonly<Record<string, string>>;
  readonly facts: ErrorFacts;
  readonly said: StoreWord | undefined;

  constructor(code: InconclusiveCode, message: string, options: GatewayErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.source = options.source;
    this.details = options.details ?? {};
    this.facts = options.facts ?? {};
    this.said = options.said;
  }
}

/** How a backend refused: the cause of the error that the client gets. The log shows status and code. */
export class BackendRefusal extends Error {
  readonly status: number;
  /** The backend's own code. */
  readonly code: string;

  constructor(status: number, code: string, words: string) {
    super(`${status} ${code}: ${words}`);
    this.name = 'BackendRefusal';
    this.status = status;
    this.code = code;
  }
}

/** An error that clients take for the end of what they want. It needs a proof of what it says, such as a length. */
export class ConclusiveError extends GatewayError {
  constructor(
    code: ConclusiveCode,
    message: string,
    { proof: _proof, ...options }: Omit<GatewayErrorOptions, 'source'> & { readonly proof: Proof },
  ) {
    super(code as never, message, { source: 'client', ...options });
  }
}

/** Makes an error that the client caused. Most errors are of this kind, so it has a short spelling. */
export function clientError(
  code: InconclusiveCode,
  message: string,
  extra: { readonly details?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
): GatewayError {
  return new GatewayError(code, message, { source: 'client', ...extra });
}

/**
 * Turns anything that was thrown into a GatewayError. What is not one becomes an InternalError that tells the client
 * nothing.
 */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('InternalError', 'The gateway met an internal error. Try again.', {
    source: 'gateway',
    cause: thrown,
  });
}
