import { createHmac } from 'node:crypto';
import { clientError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import { parseHttpDate } from '../../../wire/dates.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { SignatureClaim } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import type { SigningSecret } from '../../signing-secret.ts';
import {
  latin1,
  malformedHeader,
  malformedQuery,
  neededParameter,
  noMatch,
  refuseExpired,
  refuseSkew,
  type SignedPlace,
  signedHeaders,
  signedPath,
} from './signed-fields.ts';
import { isSubresource, isSubresourceForAll } from './subresources.ts';

/* Signature Version 1 of OSS: base64 of an HMAC-SHA1 (vendor documentation, "Include signatures in headers/URL"). */

const HEADER_FORM = /^OSS ([^:\s]{1,128}):([A-Za-z0-9+/]{27}=)$/;
const NO_OTHERS: ReadonlySet<string> = new Set();

/** The query parameters of a URL that is signed by Version 1. */
export const V1_PARAMETERS = ['OSSAccessKeyId', 'Expires', 'Signature'] as const;

/** Reads the header form, `OSS AccessKeyId:Signature`. @throws GatewayError AuthorizationHeaderMalformed */
export function v1HeaderClaim(request: WireRequest, place: SignedPlace, authorization: string): SignatureClaim {
  const match = HEADER_FORM.exec(authorization);
  if (match === null) throw malformedHeader('it must read "OSS AccessKeyId:Signature"');
  const [, accessKeyId = '', signature = ''] = match;
  return {
    accessKeyId,
    verify(secret, now) {
      const date = request.headers.get('x-oss-date') ?? request.headers.get('date') ?? '';
      const signedAt = parseHttpDate(date);
      if (signedAt === undefined) {
        throw clientError('AccessDenied', 'A signed request needs a valid Date or x-oss-date header.');
      }
      refuseSkew(signedAt, now);
      verifyAny(request, { place, date, signature }, secret);
      return plainBody(request);
    },
  };
}

/** Reads the form in a URL. @throws GatewayError AuthorizationQueryParametersError */
export function v1QueryClaim(request: WireRequest, place: SignedPlace): SignatureClaim {
  const [accessKeyId = '', expires = '', sent = ''] = V1_PARAMETERS.map((name) => neededParameter(request, name));
  if (!/^\d{1,11}$/.test(expires)) throw malformedQuery('Expires must be in seconds since 1970');
  // Whoever does not encode the plus signs of base64 sends what reads as blanks.
  const signature = sent.replaceAll(' ', '+');
  return {
    accessKeyId,
    presigned: true,
    verify(secret, now) {
      verifyAny(request, { place, date: expires, signature }, secret);
      refuseExpired(Number(expires) * 1000, now);
      return plainBody(request);
    },
  };
}

interface Signed {
  readonly place: SignedPlace;
  /** What is signed in place of the date. */
  readonly date: string;
  readonly signature: string;
}

function verifyAny(request: WireRequest, { place, date, signature }: Signed, secret: SigningSecret): void {
  const { headers, method } = request;
  const [md5, type] = ['content-md5', 'content-type'].map((name) => headers.getAll(name).join(','));
  const head = `${method}\n${md5}\n${type}\n${date}\n${signedHeaders(headers, NO_OTHERS)}${latin1(signedPath(place))}`;
  for (const subresources of renderings(request)) {
    const computed = createHmac('sha1', secret.reveal())
      .update(head + subresources, 'latin1')
      .digest('base64');
    if (equalInConstantTime(computed, signature)) return;
  }
  throw noMatch();
}

/**
 * Returns the ways in which SDKs write the sub-resources, three at most: a parameter without a value as its name
 * alone, or, as the SDK for Java writes it, with the `=` that it has in the URL; and without a parameter that older
 * SDKs do not sign.
 */
function renderings({ query }: WireRequest): ReadonlySet<string> {
  const written = (covers: (name: string) => boolean, equals: boolean) => {
    const pieces = query.parameters
      .filter(({ name }) => covers(name))
      .map(({ name, value, hasEquals }): [string, string] => [
        name,
        value !== '' ? `=${latin1(value)}` : equals && hasEquals ? '=' : '',
      ])
      .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    return pieces.length === 0 ? '' : `?${pieces.map(([name, value]) => latin1(name) + value).join('&')}`;
  };
  return new Set([written(isSubresource, false), written(isSubresource, true), written(isSubresourceForAll, false)]);
}
