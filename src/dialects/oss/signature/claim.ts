import { clientError } from '../../../errors.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { SignatureClaim } from '../../front-dialect.ts';
import { malformedHeader, malformedQuery, type SignedPlace } from './signed-fields.ts';
import { V1_PARAMETERS, v1HeaderClaim, v1QueryClaim } from './v1.ts';
import { V2_SCHEME, v2HeaderClaim, v2QueryClaim } from './v2.ts';
import { V4_SCHEME, v4HeaderClaim, v4QueryClaim } from './v4.ts';

/** The query parameters of URLs that are signed by Version 2 or 4. */
const NEWER_PARAMETERS = ['x-oss-signature', 'x-oss-signature-version', 'x-oss-credential', 'x-oss-access-key-id'];

/** The names of the temporary credentials' token, in headers and queries. */
const TOKENS = ['x-oss-security-token', 'security-token'];

const QUERY_SIGNATURE = new RegExp(`(?:^|&)(?:OSSAccessKeyId|${NEWER_PARAMETERS.join('|')})=`);

/** Whether a query has a signature of OSS. */
export function isSignedInQuery({ target }: WireRequest): boolean {
  return target.rawQuery !== '' && QUERY_SIGNATURE.test(target.rawQuery);
}

/** Whether an Authorization header has a signature of OSS. */
export function isOssAuthorization(authorization: string): boolean {
  return ['OSS', V2_SCHEME, V4_SCHEME].some((scheme) => authorization.startsWith(`${scheme} `));
}

/**
 * Reads a request's signature, of Version 1, 2 or 4, in the header or in the URL, for one reading of its address.
 * @returns undefined for an anonymous request
 * @throws GatewayError AuthorizationHeaderMalformed, AuthorizationQueryParametersError; InvalidToken for temporary
 *   credentials, which the gateway does not have
 */
export function readOssClaim(request: WireRequest, place: SignedPlace): SignatureClaim | undefined {
  const claim = readSignature(request, place);
  if (claim === undefined) return undefined;
  if (TOKENS.some((name) => request.headers.has(name) || request.query.has(name))) throw noTemporaryCredentials();
  return claim;
}

/** The error for a request or a form with the token of temporary credentials. */
export function noTemporaryCredentials(): Error {
  return clientError(
    'InvalidToken',
    'The gateway has no temporary credentials. Send an access key of the tenant, and no security token.',
  );
}

/** Reads the signature alone, whether or not there is a token. */
export function readSignature(request: WireRequest, place: SignedPlace): SignatureClaim | undefined {
  const authorizations = request.headers.getAll('authorization');
  const inQuery = isSignedInQuery(request);
  if (authorizations.length + (inQuery ? 1 : 0) > 1) throw malformedHeader('the request has more than one signature');
  if (inQuery) return queryClaim(request, place);
  const [authorization] = authorizations;
  return authorization === undefined ? undefined : headerClaim(request, place, authorization);
}

function headerClaim(request: WireRequest, place: SignedPlace, authorization: string): SignatureClaim {
  if (authorization.startsWith(`${V4_SCHEME} `)) return v4HeaderClaim(request, place, authorization);
  if (authorization.startsWith(`${V2_SCHEME} `)) return v2HeaderClaim(request, place, authorization);
  return v1HeaderClaim(request, place, authorization);
}

function queryClaim(request: WireRequest, place: SignedPlace): SignatureClaim {
  const { query } = request;
  const newer = NEWER_PARAMETERS.some((name) => query.has(name));
  if (!newer) return v1QueryClaim(request, place);
  if (V1_PARAMETERS.some((name) => query.has(name))) throw malformedQuery('it has parameters of two versions');
  switch (query.get('x-oss-signature-version')) {
    case V4_SCHEME:
      return v4QueryClaim(request, place);
    case V2_SCHEME:
      return v2QueryClaim(request, place);
    default:
      throw malformedQuery(`x-oss-signature-version must be ${V4_SCHEME} or ${V2_SCHEME}`);
  }
}
