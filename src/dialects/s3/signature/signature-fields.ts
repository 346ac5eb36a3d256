import { clientError, type GatewayError, type InconclusiveCode } from '../../../errors.ts';
import { formatBasicIsoDate, parseBasicIsoDate, parseHttpDate } from '../../../wire/dates.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { SigningScope } from './signing-key.ts';
import { readSigV2Header, readSigV2Query, type SigV2Fields } from './sigv2-fields.ts';

/** What a signature of Version 4 says of itself. It is not verified yet. */
export interface SignatureFields {
  readonly version: 4;
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: SigningScope;
  /** The signed headers in the order in which they are listed: lower case, without duplicates, `host` among them. */
  readonly signedHeaders: readonly string[];
  /** The signature as 64 hex digits in lower case. */
  readonly signature: string;
  /** The time as it was signed, in the form yyyymmddThhmmssZ. */
  readonly time: string;
  readonly signedAt: Date;
  /** How long a presigned URL is valid after `signedAt`; undefined for a signature in the Authorization header. */
  readonly expiresSeconds: number | undefined;
}

/** The algorithm of Signature Version 4. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** The algorithm of Signature Version 4A, which AWS has for multi-region access points. */
export const ECDSA_ALGORITHM = 'AWS4-ECDSA-P256-SHA256';
/** S3's limit for the validity of a presigned URL: seven days. */
const MAX_EXPIRES_SECONDS = 604_800;

/**
 * Reads the signature of a request from the Authorization header or from the query.
 * @returns undefined for an anonymous request
 * @throws GatewayError for a signature that is malformed, doubled, or of another scheme
 */
export function readSignatureFields(request: WireRequest): SignatureFields | SigV2Fields | undefined {
  const authorizations = request.headers.getAll('authorization');
  const inQuery = request.target.rawQuery !== '' && hasQuerySignature(request.query);
  if (authorizations.length + (inQuery ? 1 : 0) > 1) {
    throw oneMechanism();
  }
  if (inQuery) return readQueryForm(request);
  const [authorization] = authorizations;
  return authorization === undefined ? undefined : readHeaderForm(request, authorization);
}

const V4_PARAMETERS: readonly string[] = ['X-Amz-Signature', 'X-Amz-Algorithm', 'X-Amz-Credential'];

function hasQuerySignature(query: QueryList): boolean {
  return query.parameters.some(({ name }) => name === 'AWSAccessKeyId' || V4_PARAMETERS.includes(name));
}

function oneMechanism(): GatewayError {
  return clientError(
    'InvalidArgument',
    'Only one auth mechanism allowed: one Authorization header, or a signature in the query.',
  );
}

function readHeaderForm(request: WireRequest, authorization: string): SignatureFields | SigV2Fields {
  const blank = authorization.indexOf(' ');
  const scheme = blank === -1 ? authorization : authorization.slice(0, blank);
  if (scheme === ECDSA_ALGORITHM) throw noEcdsa();
  if (scheme !== 'AWS' && scheme !== ALGORITHM) throw clientError('InvalidArgument', 'Unsupported Authorization Type');
  refuseToken(request.headers.has('x-amz-security-token'));
  if (scheme === 'AWS') return readSigV2Header(request.headers, authorization);
  const fields = authorizationFields(authorization.slice(scheme.length + 1));
  const { time, signedAt } = headerTime(request.headers);
  return {
    version: 4,
    form: 'header',
    ...credential(fields.Credential, headerMalformed),
    signedHeaders: signedHeaderNames(fields.SignedHeaders, headerMalformed),
    signature: hexSignature(fields.Signature, headerMalformed),
    time,
    signedAt,
    expiresSeconds: undefined,
  };
}

interface AuthorizationFields {
  Credential: string;
  SignedHeaders: string;
  Signature: string;
}

function authorizationFields(text: string): AuthorizationFields {
  const fields: Partial<AuthorizationFields> = {};
  for (const piece of text.split(',')) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, equals).trim();
    if (name !== 'Credential' && name !== 'SignedHeaders' && name !== 'Signature') {
      throw headerMalformed('it has a field that is not Credential, SignedHeaders or Signature');
    }
    if (fields[name] !== undefined) throw headerMalformed(`${name} is there twice`);
    fields[name] = piece.slice(equals + 1).trim();
  }
  const { Credential, SignedHeaders, Signature } = fields;
  if (Credential === undefined || SignedHeaders === undefined || Signature === undefined) {
    throw headerMalformed('it needs Credential, SignedHeaders and Signature');
  }
  return { Credential, SignedHeaders, Signature };
}

function headerTime(headers: HeaderList): Pick<SignatureFields, 'time' | 'signedAt'> {
  const times = headers.getAll('x-amz-date');
  if (times.length > 1) throw clientError('AccessDenied', 'x-amz-date may be there once only.');
  const text = times[0] ?? headers.get('date');
  if (text !== undefined) {
    const basic = parseBasicIsoDate(text);
    if (basic !== undefined) return { time: text, signedAt: basic };
    const date = parseHttpDate(text);
    if (date !== undefined) return { time: formatBasicIsoDate(date), signedAt: date };
  }
  throw clientError('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header.');
}

function readQueryForm(request: WireRequest): SignatureFields | SigV2Fields {
  const { query } = request;
  const v4 = V4_PARAMETERS.some((name) => query.has(name));
  if (query.has('AWSAccessKeyId')) {
    if (v4) throw oneMechanism();
    refuseToken(query.parameters.some(({ name }) => name.toLowerCase() === 'x-amz-security-token'));
    refuseToken(request.headers.has('x-amz-security-token'));
    return readSigV2Query(request);
  }
  const algorithm = single(query, 'X-Amz-Algorithm');
  if (algorithm === ECDSA_ALGORITHM) throw noEcdsa();
  if (algorithm !== ALGORITHM) throw queryMalformed(`X-Amz-Algorithm must be ${ALGORITHM}`);
  refuseToken(query.has('X-Amz-Security-Token') || request.headers.has('x-amz-security-token'));
  const time = needed(query, 'X-Amz-Date');
  const signedAt = parseBasicIsoDate(time);
  if (signedAt === undefined) throw queryMalformed('X-Amz-Date must be in the form yyyymmddThhmmssZ');
  return {
    version: 4,
    form: 'query',
    ...credential(needed(query, 'X-Amz-Credential'), queryMalformed),
    signedHeaders: signedHeaderNames(needed(query, 'X-Amz-SignedHeaders'), queryMalformed),
    signature: hexSignature(needed(query, 'X-Amz-Signature'), queryMalformed),
    time,
    signedAt,
    expiresSeconds: expiry(needed(query, 'X-Amz-Expires')),
  };
}

/** Reads X-Amz-Expires. As in S3, 0 is valid, and means a URL that has already expired. */
function expiry(text: string): number {
  const seconds = /^\d{1,7}$/.test(text) ? Number(text) : undefined;
  if (seconds === undefined || seconds > MAX_EXPIRES_SECONDS) {
    throw queryMalformed(`X-Amz-Expires must be a number of seconds up to ${MAX_EXPIRES_SECONDS}, a week`);
  }
  return seconds;
}

function single(query: QueryList, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw queryMalformed(`${name} may be there once only`);
  return values[0];
}

function needed(query: QueryList, name: string): string {
  const value = single(query, name);
  if (value === undefined || value === '') throw queryMalformed(`${name} is missing`);
  return value;
}

type Malformed = (reason: string) => GatewayError;

/**
 * Reads the credential of a signature: `<access key id>/yyyymmdd/<region>/s3/aws4_request`.
 * @param malformed makes the error
 */
export function credential(text: string, malformed: Malformed): Pick<SignatureFields, 'accessKeyId' | 'scope'> {
  const pieces = text.split('/');
  const [date, region, service, terminal] = pieces.slice(-4);
  const accessKeyId = pieces.slice(0, -4).join('/');
  if (
    accessKeyId === '' ||
    date === undefined ||
    !/^\d{8}$/.test(date) ||
    region === undefined ||
    terminal !== 'aws4_request'
  ) {
    throw malformed('the credential must be <access key id>/yyyymmdd/<region>/s3/aws4_request');
  }
  if (service !== 's3') throw malformed('the credential must name the service s3');
  return { accessKeyId, scope: { date, region, service } };
}

/**
 * The most headers that may be signed, which is what a request may have (server/framing.ts). It is bounded because each
 * name is looked up before the client is known.
 */
const MAX_SIGNED_HEADERS = 500;

const HEADER_NAMES = /^[a-z0-9!#$%&'*+\-.^_`|~]+(?:;[a-z0-9!#$%&'*+\-.^_`|~]+)*$/;

function signedHeaderNames(text: string, malformed: Malformed): string[] {
  if (!HEADER_NAMES.test(text)) throw malformed('the signed headers must be lower-case names joined by semicolons');
  const names = text.split(';');
  if (names.length > MAX_SIGNED_HEADERS) throw malformed(`at most ${MAX_SIGNED_HEADERS} headers may be signed`);
  if (!names.includes('host')) throw malformed('host must be among the signed headers');
  if (new Set(names).size !== names.length) throw malformed('a signed header is listed twice');
  return names;
}

function hexSignature(text: string, malformed: Malformed): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw malformed('the signature must be 64 lower-case hex digits');
  return text;
}

function headerMalformed(reason: string): GatewayError {
  return malformedAs('AuthorizationHeaderMalformed', `The authorization header is malformed: ${reason}.`);
}

function queryMalformed(reason: string): GatewayError {
  return malformedAs('AuthorizationQueryParametersError', `Error parsing the query’s signature: ${reason}.`);
}

function malformedAs(code: InconclusiveCode, message: string): GatewayError {
  return clientError(code, message);
}

/** Refuses a session token. The gateway issues none, so no token is valid here. @throws GatewayError InvalidToken */
export function refuseToken(present: boolean): void {
  if (present) throw clientError('InvalidToken', 'The provided token is malformed or otherwise invalid.');
}

/** The error for a signature of Version 4A. */
export function noEcdsa(): GatewayError {
  return clientError('NotImplemented', `Signatures of the kind ${ECDSA_ALGORITHM} are not available.`);
}
