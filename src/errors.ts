/**
 * What can go wrong, in the gateway's own neutral vocabulary. Codes follow S3's names where S3 has one. Only a dialect's
 * front turns a code into its vendor's status and word (dialects/error-spelling.ts): each dialect has a row for every
 * code without `like`, and for as many others as its vendor has words. So a new code with a `like` changes no dialect.
 */
const KINDS = {
  // Who are you, and may you?
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
  // What did you say?
  BadDigest: { status: 400 },
  EntityTooLarge: { status: 400 },
  EntityTooSmall: { status: 400 },
  IncompleteBody: { status: 400 },
  IncorrectNumberOfFilesInPostRequest: { status: 400, like: 'MalformedPOSTRequest' },
  InvalidArgument: { status: 400 },
  InvalidBucketName: { status: 400 },
  InvalidDigest: { status: 400, like: 'BadDigest' },
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
  MalformedPOSTRequest: { status: 400, like: 'InvalidRequest' },
  MaxMessageLengthExceeded: { status: 400, like: 'EntityTooLarge' },
  MaxPostPreDataLengthExceeded: { status: 400, like: 'MaxMessageLengthExceeded' },
  MetadataTooLarge: { status: 400 },
  MethodNotAllowed: { status: 405 },
  MissingContentLength: { status: 411 },
  NotImplemented: { status: 501 },
  RequestHeaderSectionTooLarge: { status: 400, like: 'InvalidRequest' },
  RequestTimeout: { status: 400, like: 'IncompleteBody' },
  XAmzContentSHA256Mismatch: { status: 400, like: 'BadDigest' },
  // What state is it in?
  BucketAlreadyExists: { status: 409 },
  BucketAlreadyOwnedByYou: { status: 409, like: 'BucketAlreadyExists' },
  BucketNotEmpty: { status: 409 },
  ConditionalRequestConflict: { status: 409 },
  InvalidObjectState: { status: 403 },
  NoSuchBucket: { status: 404 },
  NoSuchKey: { status: 404 },
  NoSuchUpload: { status: 404 },
  NoSuchVersion: { status: 404, like: 'NoSuchKey' },
  NotModified: { status: 304 },
  PreconditionFailed: { status: 412 },
  /** The gateway's own bound on a tenant's multipart uploads. */
  QuotaExceeded: { status: 403, like: 'AccessDenied' },
  // What does the gateway protect you from?
  /** The stored bytes or their envelope fail authentication. */
  ObjectCorrupted: { status: 422 },
  /** The location claim does not match (FORMAT.md §3). */
  ObjectMoved: { status: 409 },
  /** An unmarked object lies in a sealed bucket. */
  ObjectNotSealed: { status: 409 },
  /** The key that protects the object is missing or destroyed. */
  KeyUnavailable: { status: 403 },
  // Who is not well?
  /** The backend does not take the key that a caller or its tenant has there. */
  BackendKeyRefused: { status: 403, like: 'AccessDenied' },
  /** The backend answered something that the gateway cannot use. */
  BackendError: { status: 502, like: 'InternalError' },
  /** The backend refused by a rule of its own; the message names it. */
  BackendRefused: { status: 400, like: 'InvalidArgument' },
  BackendUnavailable: { status: 503 },
  InternalError: { status: 500 },
  KeyStoreUnavailable: { status: 503, like: 'BackendUnavailable' },
  SlowDown: { status: 503, like: 'BackendUnavailable' },
} as const;

export type ErrorCode = keyof typeof KINDS;

/** The codes that are like no other: every dialect has a row for each. */
export type RootErrorCode = {
  [Code in ErrorCode]: (typeof KINDS)[Code] extends { readonly like: string } ? never : Code;
}[ErrorCode];

/** What an error code means: its HTTP status as S3 has it, and which code it is a case of. */
export interface ErrorKind {
  readonly status: number;
  /** A dialect that has no word of its own for this code answers as it does for the code named here. */
  readonly like?: ErrorCode;
}

export const ERROR_KINDS: Readonly<Record<ErrorCode, ErrorKind>> = KINDS;

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

/** What an error answer tells in its head. A front spells the facts for which its vendor has a header. */
export interface ErrorFacts {
  /** Whether a delete marker is the reason. */
  readonly deleteMarker?: boolean | undefined;
  readonly versionId?: string | undefined;
  /** Unquoted, as the client sees it. */
  readonly etag?: string | undefined;
  readonly lastModified?: Date | undefined;
  readonly cacheControl?: string | undefined;
  readonly expires?: string | undefined;
  /** The methods that are allowed (RFC 9110 §10.2.1). */
  readonly allow?: readonly string[] | undefined;
}

/** How a store put its refusal. Only a front of the store's own dialect may repeat the code. */
export interface StoreWord {
  /** The name of the store's dialect. */
  readonly dialect: string;
  readonly status: number;
  readonly code: string;
}

export interface GatewayErrorOptions {
  readonly source: ErrorSource;
  readonly cause?: unknown;
  /** Further facts that a dialect may render as fields of the error's document (bucket, key …). Never a secret. */
  readonly details?: Readonly<Record<string, string>>;
  readonly facts?: ErrorFacts | undefined;
  /** Set where the error has no better name than the store's own. */
  readonly said?: StoreWord | undefined;
}

/**
 * The one error that crosses rooms. `message` is shown to the client: it says what is wrong, what was expected and
 * what to do, and never holds a key, a signature, a token or plaintext.
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
