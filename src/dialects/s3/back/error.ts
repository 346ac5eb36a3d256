import {
  BackendRefusal,
  type ErrorFacts,
  type ErrorSource,
  GatewayError,
  type InconclusiveCode,
} from '../../../errors.ts';
import type { DeleteFailure } from '../../../operations/answer.ts';
import { parseHttpDate } from '../../../wire/dates.ts';
import { readXml, xmlText } from '../../../wire/xml/xml.ts';
import type { AnswerHead } from '../../backend-calls.ts';
import type { Asker } from '../../backend-dialect.ts';
import { type ClaimCode, StoreClaim } from '../../store-claim.ts';

/*
 * Reads a backend's refusals as neutral errors. A client is told the backend's own message only where it states a rule
 * of the backend's, and never its request id, host id or resource.
 */

type ObjectName = { readonly bucket?: string | undefined; readonly key?: string | undefined };

/** What a code of the backend's means: the neutral error, who caused it, and the message for the client. */
interface Meaning {
  readonly code: InconclusiveCode;
  readonly source: ErrorSource;
  readonly message: string;
}

function client(code: InconclusiveCode, message: string): Meaning {
  return { code, source: 'client', message };
}

function backend(code: InconclusiveCode, message: string): Meaning {
  return { code, source: 'backend', message };
}

/** The refusal of a key by MinIO and stores like it. The message states the whole rule, so that users can follow it. */
const OBJECT_KEY_REFUSED = backend(
  'BackendRefused',
  'The backend does not take this key: it allows no part that is "." or "..", no empty part ("//"), ' +
    'and no part between slashes of more than 255 bytes.',
);
const OBJECT_KEY_IS_FOLDER = backend(
  'BackendRefused',
  'The backend keeps keys as files and folders: a key cannot be both an object and the folder of another one.',
);
const GATEWAY_CREDENTIALS_REFUSED = backend('BackendError', "The backend refused the gateway's own credentials.");
/**
 * The codes that refuse an access key. RequestTimeTooSkewed is not among them, because the clock is always the
 * gateway's.
 */
const CREDENTIAL_CODES: ReadonlySet<string> = new Set([
  ...['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'ExpiredToken', 'InvalidToken', 'InvalidSecurity'],
  ...['NotSignedUp', 'AccountProblem'],
]);
const CALLER_CREDENTIALS_REFUSED = backend(
  'BackendKeyRefused',
  'The backend does not take the backend key that is set for this access key or its tenant. The operator of the ' +
    'gateway must set a good one (sealgate credential set or tenant set, --backend-access-key).',
);
const CALLER_DENIED = client('AccessDenied', 'Access Denied. The backend does not let this access key do this.');
const ANONYMOUS_DENIED = client(
  'AccessDenied',
  'Access Denied. The backend does not allow this to requests that nobody signed.',
);
const KMS_KEY_NOT_FOUND = backend('KmsKeyNotFound', 'The specified key does not exist in the backend’s KMS.');
const UNAVAILABLE = backend('BackendUnavailable', 'The backend is not available. Try again shortly.');
const SLOW_DOWN = backend('SlowDown', 'The backend asks to slow down. Try again shortly.');
const CHANGED_ON_THE_WAY = backend('BackendError', 'The backend did not get the request as the gateway sent it.');
const WRONG_ENDPOINT = backend('BackendError', 'The backend asks for another endpoint or region than is configured.');

const MEANINGS: Readonly<Record<string, Meaning>> = {
  AccessDenied: backend('AccessDenied', "The backend denies the gateway's credentials this operation."),
  AllAccessDisabled: backend('AccessDenied', 'The backend has disabled all access to this resource.'),
  // The gateway has verified the client's signature before, so these codes are about the gateway's own credentials.
  SignatureDoesNotMatch: GATEWAY_CREDENTIALS_REFUSED,
  InvalidAccessKeyId: GATEWAY_CREDENTIALS_REFUSED,
  RequestTimeTooSkewed: GATEWAY_CREDENTIALS_REFUSED,
  ExpiredToken: GATEWAY_CREDENTIALS_REFUSED,
  InvalidToken: GATEWAY_CREDENTIALS_REFUSED,
  InvalidSecurity: GATEWAY_CREDENTIALS_REFUSED,
  NotSignedUp: GATEWAY_CREDENTIALS_REFUSED,
  AccountProblem: GATEWAY_CREDENTIALS_REFUSED,
  AuthorizationHeaderMalformed: WRONG_ENDPOINT, // The most frequent reason is a wrong region.
  PermanentRedirect: WRONG_ENDPOINT,
  TemporaryRedirect: WRONG_ENDPOINT,
  IllegalLocationConstraintException: client('InvalidArgument', 'The backend does not have this location.'),
  InvalidLocationConstraint: client('InvalidArgument', 'The backend does not have this location.'),
  InvalidRegion: client('InvalidArgument', 'The backend does not have this location.'),

  NoSuchKey: client('NoSuchKey', 'The specified key does not exist.'),
  NoSuchBucket: client('NoSuchBucket', 'The specified bucket does not exist.'),
  NoSuchBucketPolicy: client('NoSuchBucketPolicy', 'The bucket policy does not exist.'),
  NoSuchUpload: client('NoSuchUpload', 'The specified multipart upload does not exist.'),
  NoSuchVersion: client('NoSuchVersion', 'The specified version does not exist.'),
  BucketAlreadyExists: client('BucketAlreadyExists', 'The requested bucket name is not available.'),
  BucketAlreadyOwnedByYou: client('BucketAlreadyOwnedByYou', 'The bucket exists already and you own it.'),
  BucketNotEmpty: client('BucketNotEmpty', 'The bucket you tried to delete is not empty.'),
  ConditionalRequestConflict: client(
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
  ),
  OperationAborted: client('ConditionalRequestConflict', 'A conflicting operation is in progress. Try again.'),
  InvalidPart: client('InvalidPart', 'One or more of the specified parts could not be found.'),
  InvalidPartOrder: client('InvalidPartOrder', 'The list of parts was not in ascending order.'),
  EntityTooSmall: client('EntityTooSmall', 'The proposed upload is smaller than the minimum allowed size.'),
  EntityTooLarge: client('EntityTooLarge', 'The proposed upload exceeds the maximum allowed size.'),
  InvalidBucketName: client('InvalidBucketName', 'The specified bucket is not valid.'),
  KeyTooLongError: client('KeyTooLongError', 'The key is longer than the backend takes.'),
  MethodNotAllowed: client('MethodNotAllowed', 'The specified method is not allowed against this resource.'),
  InvalidObjectState: client('InvalidObjectState', "The operation is not valid for the object's storage class."),
  MetadataTooLarge: client('MetadataTooLarge', 'The user metadata exceeds what the backend takes.'),
  NotImplemented: backend('NotImplemented', 'The backend does not implement this.'),
  // The key that was asked for is that of a rule, or one of those that a rule lets clients name.
  'KMS.NotFoundException': KMS_KEY_NOT_FOUND,
  'kms:KeyNotFound': KMS_KEY_NOT_FOUND,
  'KMS.DisabledException': backend('KmsKeyDisabled', 'The key is disabled in the backend’s KMS.'),
  'KMS.KMSInvalidStateException': backend('KmsKeyInvalidState', 'The key is pending deletion in the backend’s KMS.'),

  XMinioInvalidObjectName: OBJECT_KEY_REFUSED,
  XMinioInvalidResourceName: OBJECT_KEY_REFUSED,
  XMinioParentIsObject: OBJECT_KEY_IS_FOLDER,
  XMinioObjectExistsAsDirectory: OBJECT_KEY_IS_FOLDER,
  XMinioStorageFull: backend('BackendUnavailable', "The backend's storage is full."),

  BadDigest: CHANGED_ON_THE_WAY,
  IncompleteBody: CHANGED_ON_THE_WAY,
  InvalidDigest: CHANGED_ON_THE_WAY,
  XAmzContentSHA256Mismatch: CHANGED_ON_THE_WAY,

  RequestTimeout: UNAVAILABLE,
  InternalError: UNAVAILABLE,
  ServiceUnavailable: UNAVAILABLE,
  XMinioServerNotInitialized: UNAVAILABLE,
  SlowDown: SLOW_DOWN,
  SlowDownRead: SLOW_DOWN,
  SlowDownWrite: SLOW_DOWN,
  TooManyRequests: SLOW_DOWN,
  RequestLimitExceeded: SLOW_DOWN,
  Throttling: SLOW_DOWN,
};

const CLAIM_CODES: ReadonlySet<string> = new Set<ClaimCode>(['NotModified', 'PreconditionFailed', 'InvalidRange']);

/** The statuses that are claims, whatever code comes with them, because programs go by the status. */
const CLAIM_BY_STATUS: Readonly<Record<number, ClaimCode>> = {
  304: 'NotModified',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
};

/** The code to assume for an answer that names none. */
const CODE_BY_STATUS: Readonly<Record<number, string>> = {
  403: 'AccessDenied',
  405: 'MethodNotAllowed',
  411: 'IncompleteBody',
  429: 'SlowDown',
  501: 'NotImplemented',
  507: 'XMinioStorageFull',
};

/** The greatest length of a code or message of the backend's that is passed on, in characters. */
const MAX_MESSAGE_CHARACTERS = 300;

/**
 * Implements BackendDialect.readError. A code that is not in the table becomes a BackendRefused with the backend's own
 * code and status, so that a front of the same dialect can answer as the backend did (NoSuchTagSet,
 * NoSuchLifecycleConfiguration …).
 */
export function readError(
  response: AnswerHead,
  document: Buffer,
  ref: ObjectName,
  asker: Asker = 'gateway',
): GatewayError | StoreClaim {
  const said = readErrorDocument(document);
  const headers = response.headers;
  // The answer to a HEAD has no body, so MinIO sends code and message in headers.
  const code = said?.code ?? headers.get('x-minio-error-code') ?? codeOfStatus(response.status, ref);
  const message = said?.message ?? headers.get('x-minio-error-desc')?.replaceAll('"', '') ?? '';
  const words = `${printable(message)}${hintFor(code, asker)}`;
  const cause = new BackendRefusal(response.status, printable(code), words);
  const details = objectDetails(ref);
  const claim = CLAIM_BY_STATUS[response.status] ?? (CLAIM_CODES.has(code) ? (code as ClaimCode) : undefined);
  if (claim !== undefined) return new StoreClaim(claim, { cause, details });
  const meaning = meaningFor(asker, code) ?? meaningOf(code, response.status);
  if (meaning !== undefined) {
    const { source } = meaning;
    // With the status, the caller can tell this error from that of a backend that could not be reached.
    const told = response.status >= 500 ? { ...details, backendStatus: String(response.status) } : details;
    return new GatewayError(meaning.code, meaning.message, { source, cause, details: told, facts: factsOf(response) });
  }
  const reason = printable(message) || 'It gave no reason.';
  return new GatewayError('BackendRefused', `The backend refused the request (${printable(code)}): ${reason}`, {
    source: 'backend',
    cause,
    details,
    facts: factsOf(response),
    said: { dialect: 's3', status: response.status, code: printable(code) },
  });
}

/** What a refusal of rights or key means where they were not the gateway's own; undefined for all other refusals. */
function meaningFor(asker: Asker, code: string): Meaning | undefined {
  if (asker === 'gateway') return undefined;
  if (code === 'AccessDenied') return asker === 'caller' ? CALLER_DENIED : ANONYMOUS_DENIED;
  return asker === 'caller' && CREDENTIAL_CODES.has(code) ? CALLER_CREDENTIALS_REFUSED : undefined;
}

/** The neutral error for a code; undefined for an unknown 4xx, which is a rule of the backend's own. */
function meaningOf(code: string, status: number): Meaning | undefined {
  const known = Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
  if (known !== undefined) return known;
  if (status >= 300 && status < 400) return WRONG_ENDPOINT;
  if (status < 300) return backend('BackendError', 'The backend answered success where it reports an error.');
  if (status === 429) return SLOW_DOWN;
  // versitygw answers 501 with codes such as VersioningNotConfigured. Unlike after any other 5xx, a retry is no help.
  if (status === 501) return MEANINGS.NotImplemented;
  return status >= 500 ? UNAVAILABLE : undefined;
}

/** Matches keys for which MinIO answers a HEAD with 400 and no code. It treats a backslash as a slash here. */
const BAD_COMPONENT = /(^|[/\\])\.{1,2}([/\\]|$)|\/\//;

function codeOfStatus(status: number, ref: ObjectName): string {
  if (status === 400 && ref.key !== undefined && BAD_COMPONENT.test(ref.key)) return 'XMinioInvalidResourceName';
  if (status === 404) return ref.key === undefined ? 'NoSuchBucket' : 'NoSuchKey';
  return CODE_BY_STATUS[status] ?? `HTTP ${status}`;
}

function readErrorDocument(document: Buffer): { code: string; message: string } | undefined {
  if (document.length === 0) return undefined;
  try {
    // Some stores send blanks before the XML declaration, to keep the connection open until the answer is ready.
    const root = readXml(withoutLeadingBlanks(document), {
      maxDepth: 4,
      maxElements: 100,
      controlReferences: 'taken',
    });
    const code = xmlText(root, 'Code');
    return root.name !== 'Error' || code === undefined ? undefined : { code, message: xmlText(root, 'Message') ?? '' };
  } catch {
    return undefined; // It may be the HTML page of a load balancer. Then the status decides.
  }
}

/** Drops the blanks, line ends and control characters before a document. */
export function withoutLeadingBlanks(document: Buffer): Buffer {
  let start = 0;
  while (start < document.length && (document[start] as number) <= 0x20) start++;
  return document.subarray(start);
}

function hintFor(code: string, asker: Asker): string {
  if (meaningFor(asker, code) === CALLER_CREDENTIALS_REFUSED)
    return ' (check the backend key of the access key, or of its tenant)';
  if (MEANINGS[code] !== GATEWAY_CREDENTIALS_REFUSED) return '';
  return code === 'RequestTimeTooSkewed'
    ? " (compare the gateway's clock with the backend's)"
    : ' (check backend.credentials and backend.region)';
}

function objectDetails(ref: ObjectName): Record<string, string> {
  const details: Record<string, string> = {};
  if (ref.bucket !== undefined) details.bucket = ref.bucket;
  if (ref.key !== undefined) details.key = ref.key;
  return details;
}

/**
 * Reads what the headers of a refusal tell of a delete marker: whether one is the reason, and where the marker itself
 * was asked for (405), since when it is there.
 */
function factsOf({ status, headers }: AnswerHead): ErrorFacts {
  const marker = headers.get('x-amz-delete-marker');
  const deleteMarker = marker === undefined ? undefined : marker === 'true';
  const versionId = headers.get('x-amz-version-id');
  if (status !== 405 || deleteMarker !== true) return { deleteMarker, versionId };
  const since = headers.get('last-modified');
  const lastModified = since === undefined ? undefined : parseHttpDate(since);
  // RFC 9110 §15.5.6 requires Allow with a 405, and MinIO leaves it out. A marker can be deleted, and nothing else.
  return { deleteMarker, versionId, lastModified, allow: ['DELETE'] };
}

/** Reads the refusal to delete one of the objects of a DeleteObjects. Such a refusal has a code, but no status. */
export function readFailure(code: string, message: string): Omit<DeleteFailure, 'key' | 'versionId'> {
  const meaning = Object.hasOwn(MEANINGS, code) ? MEANINGS[code]?.code : undefined;
  const neutral = code === 'PreconditionFailed' ? code : (meaning ?? 'BackendRefused');
  return { code: neutral, message, said: { dialect: 's3', status: 400, code } };
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_MESSAGE_CHARACTERS);
}
