import { clientError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { SignatureClaim } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import { signatureOf, stringToSign } from './canonical.ts';
import { refuseOutside } from './sign-time.ts';
import {
  fieldsInQuery,
  fieldsInText,
  isSignedInQuery,
  LEGACY_PARAMETER,
  malformed,
  type SignatureFields,
} from './signature-fields.ts';
import { refuseUnsigned } from './unsigned.ts';

/** The name of the temporary credentials' token, in headers and queries. */
const TOKEN = 'x-cos-security-token';

/**
 * Reads a request's signature, in the header or in the URL, for one reading of its address.
 * @param path the path that the client has signed: decoded, and without a bucket
 * @returns undefined for an anonymous request
 * @throws GatewayError AuthorizationHeaderMalformed; InvalidToken for temporary credentials, which the gateway does not
 *   have
 */
export function readCosClaim(request: WireRequest, path: string): SignatureClaim | undefined {
  const claim = readSignature(request, path);
  if (claim === undefined) return undefined;
  if (hasToken(request)) throw noTemporaryCredentials();
  return claim;
}

/** An empty token is none: SDKs that were given an empty one send it. */
function hasToken({ headers, query }: WireRequest): boolean {
  return [...headers.getAll(TOKEN), ...query.getAll(TOKEN)].some((token) => token !== '');
}

/** The error for a request or a form with the token of temporary credentials. */
export function noTemporaryCredentials(): Error {
  return clientError(
    'InvalidToken',
    'The gateway has no temporary credentials. Send an access key of the tenant, and no security token.',
  );
}

/** Reads the signature alone, whether or not there is a token. */
export function readSignature(request: WireRequest, path: string): SignatureClaim | undefined {
  // The SDK for Python sends an empty header where it was told to send none.
  const authorizations = request.headers.getAll('authorization').filter((value) => value !== '');
  const presigned = isSignedInQuery(request);
  if (authorizations.length + (presigned ? 1 : 0) > 1) throw malformed('the request has more than one');
  const fields = presigned ? queryFields(request) : authorizations[0] && fieldsInText(authorizations[0]);
  if (!fields) return undefined;
  return {
    accessKeyId: fields.accessKeyId,
    presigned,
    verify(secret, now) {
      const matches = hostsOf(request).some((host) =>
        equalInConstantTime(
          signatureOf(stringToSign(request, fields, { path, host }), fields.keyTime.text, secret),
          fields.signature,
        ),
      );
      if (!matches) throw noMatch();
      refuseOutside(fields, now);
      refuseUnsigned(request, fields);
      return plainBody(request);
    },
  };
}

function queryFields(request: WireRequest): SignatureFields {
  const [legacy, ...more] = request.query.getAll(LEGACY_PARAMETER);
  if (legacy === undefined) return fieldsInQuery(request);
  if (more.length > 0 || request.query.has('q-signature')) throw malformed('the URL has more than one');
  return fieldsInText(legacy);
}

/** The values of `host` that clients sign, two at most. The SDK for Python signs it in lower case, without port. */
function hostsOf({ headers }: WireRequest): readonly string[] {
  const hosts = headers.getAll('host');
  if (hosts.length > 1) throw clientError('InvalidRequest', 'The request has more than one Host header.');
  const host = hosts[0] ?? '';
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  return name === host ? [host] : [host, name];
}

function noMatch(): Error {
  return clientError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method, ' +
      'and that the endpoint names the bucket as your SDK believes (docs/cos.md).',
  );
}
