import { clientError } from '../../../errors.ts';
import type { WireRequest } from '../../../wire/message.ts';
import { OVERRIDE_NAMES } from '../../response-overrides.ts';
import { encodedName, listedName } from './canonical.ts';
import { LEGACY_PARAMETER, SIGNATURE_PARAMETERS, type SignatureFields } from './signature-fields.ts';

/*
 * COS signs only what the client lists. So whoever was given a signed URL, or sits between a client and the gateway,
 * could add to it: with x-cos-copy-source, the URL for one upload would copy any object of the tenant; with
 * `?uploads`, a GET of a page would be a listing. Therefore everything that makes a request another one must be listed.
 * The vendor's SDKs list it all. What they add after they have signed is let in, since it changes nothing.
 */

/** Headers that SDKs add after signing, or that change nothing here. */
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  'x-cos-sdk-retry',
  'x-cos-security-token',
  'x-cos-traffic-limit',
  'x-cos-request-id',
  'x-ci-security-token',
]);

/** A customer's key in a read opens what it fits, and changes nothing. A presigned URL may need it. */
const CUSTOMER_KEY = 'x-cos-server-side-encryption-customer-';

/** Which page of a list is told, and how. The SDK for Python signs none of them where it lists buckets. */
const PAGING = [
  ...['prefix', 'delimiter', 'encoding-type', 'marker', 'max-keys', 'key-marker', 'version-id-marker', 'region'],
  ...['upload-id-marker', 'max-uploads', 'part-number-marker', 'max-parts'],
  ...['create-time', 'range', 'tagkey', 'tagvalue'],
];

/**
 * Parameters that clients add to signed requests, and that make no other request of them: content headers of the
 * answer, and a part of the list that may be seen whole.
 */
const HARMLESS_PARAMETERS: ReadonlySet<string> = new Set([
  ...OVERRIDE_NAMES,
  ...PAGING,
  ...SIGNATURE_PARAMETERS,
  LEGACY_PARAMETER,
  'x-cos-security-token',
  'x-cos-traffic-limit',
]);

/** @throws GatewayError AccessDenied for a header or a parameter with a meaning that the signature does not cover */
export function refuseUnsigned(request: WireRequest, { headers, parameters }: SignatureFields): void {
  const { method } = request;
  request.headers.forEach((name) => {
    if (!isMeaningful(name) || headers.has(encodedName(name))) return;
    if ((method === 'GET' || method === 'HEAD') && name.startsWith(CUSTOMER_KEY)) return;
    throw notSigned('header', name, 'q-header-list');
  });
  for (const { name } of request.query.parameters) {
    if (HARMLESS_PARAMETERS.has(name) || listedName(name, parameters) !== undefined) continue;
    throw notSigned('query parameter', name, 'q-url-param-list');
  }
}

function isMeaningful(name: string): boolean {
  if (HARMLESS_HEADERS.has(name)) return false;
  return name.startsWith('x-cos-') || name.startsWith('x-ci-') || name === 'pic-operations';
}

function notSigned(what: string, name: string, list: string): Error {
  return clientError(
    'AccessDenied',
    `The ${what} ${name.slice(0, 64)} is not signed. List it in ${list}: it would change what was signed.`,
  );
}
