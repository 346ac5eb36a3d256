import type { ErrorCode, ErrorFacts, GatewayError } from '../errors.ts';
import { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';
import { XML_DECLARATION, xmlElement } from '../wire/xml/xml.ts';

/** Status, and S3's spelling where it is not our own code. What is missing here is a 500 InternalError. */
const SPELLING: Partial<Record<ErrorCode, readonly [status: number, code?: string]>> = {
  AccessDenied: [403],
  AnonymousRequest: [403, 'AccessDenied'],
  AuthorizationHeaderMalformed: [400],
  AuthorizationQueryParametersError: [400],
  BadDigest: [400],
  BucketAlreadyExists: [409],
  BucketAlreadyOwnedByYou: [409],
  BucketNotEmpty: [409],
  EntityTooLarge: [400],
  EntityTooSmall: [400],
  ExpiredRequest: [403, 'AccessDenied'],
  IncompleteBody: [400],
  InvalidAccessKeyId: [403],
  InvalidArgument: [400],
  InvalidBucketName: [400],
  InvalidDigest: [400],
  InvalidPart: [400],
  InvalidPartOrder: [400],
  InvalidRange: [416],
  InvalidRequest: [400],
  InvalidURI: [400],
  KeyTooLongError: [400],
  MalformedBody: [400, 'MalformedXML'],
  MaxMessageLengthExceeded: [400],
  MetadataTooLarge: [400],
  MethodNotAllowed: [405],
  MissingContentLength: [411],
  NoSuchBucket: [404],
  NoSuchKey: [404],
  NoSuchUpload: [404],
  NoSuchVersion: [404],
  NotImplemented: [501],
  NotModified: [304],
  PreconditionFailed: [412],
  RequestTimeTooSkewed: [403],
  SignatureDoesNotMatch: [403],
  SlowDown: [503],
  XAmzContentSHA256Mismatch: [400, 'XAmzContentSHA256Mismatch'],
};

export function renderError(
  error: GatewayError,
  request: { readonly path: string; readonly id: string },
): WireResponse {
  const [status, code = error.code] = SPELLING[error.code] ?? [500, 'InternalError'];
  return errorDocument(
    { status, code, message: error.message, details: error.details, headers: factHeaders(error.facts) },
    request,
  );
}

function factHeaders({ etag, lastModified, cacheControl, expires }: ErrorFacts): [string, string][] {
  const facts: [string, string | undefined][] = [
    ['ETag', etag && `"${etag}"`],
    ['Last-Modified', lastModified?.toUTCString()],
    ['Cache-Control', cacheControl],
    ['Expires', expires],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

/** An S3 error answer. */
export function errorDocument(
  fields: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    readonly details?: Readonly<Record<string, string>>;
    readonly headers?: readonly (readonly [string, string])[];
  },
  request: { readonly path: string; readonly id: string },
): WireResponse {
  const { status, code, message, details = {} } = fields;
  const headers = HeaderList.of(fields.headers ?? []);
  if (status === 304) return { status, headers, body: undefined };
  const extra = Object.entries(details).map(([name, value]) => xmlElement(capitalise(name), value));
  const body = Buffer.from(
    `${XML_DECLARATION}<Error>${xmlElement('Code', code)}${xmlElement('Message', message)}${extra.join('')}` +
      `${xmlElement('Resource', request.path)}${xmlElement('RequestId', request.id)}</Error>`,
  );
  return { status, headers: headers.append('Content-Type', 'application/xml'), body };
}

function capitalise(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
