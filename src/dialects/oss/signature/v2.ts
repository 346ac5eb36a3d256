import { createHmac } from 'node:crypto';
import { clientError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import { parseHttpDate } from '../../../wire/dates.ts';
import type { WireRequest } from '../../../wire/message.ts';
import { percentEncode } from '../../../wire/percent.ts';
import type { SignatureClaim } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import type { SigningSecret } from '../../signing-secret.ts';
import { additionalNames, namedFields } from './authorization.ts';
import {
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

/*
 * Signature Version 2 of OSS: base64 of an HMAC-SHA256. Only oss2 (Python) and the SDK for Java ever had it
 * (oss2/auth.py, ProviderAuthV2).
 */

export const V2_SCHEME = 'OSS2';
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Reads the header form, `OSS2 AccessKeyId:…,AdditionalHeaders:a;b,Signature:…`.
 * @throws GatewayError AuthorizationHeaderMalformed
 */
export function v2HeaderClaim(request: WireRequest, place: SignedPlace, authorization: string): SignatureClaim {
  const fields = namedFields(authorization.slice(V2_SCHEME.length + 1), ':');
  const accessKeyId = fields.get('AccessKeyId') ?? '';
  const signature = fields.get('Signature') ?? '';
  if (accessKeyId === '' || !BASE64_OF_32_BYTES.test(signature)) {
    throw malformedHeader('it must have AccessKeyId and Signature');
  }
  const additional = additionalNames(fields.get('AdditionalHeaders'));
  return {
    accessKeyId,
    verify(secret, now) {
      const date = request.headers.get('x-oss-date') ?? request.headers.get('date') ?? '';
      const signedAt = parseHttpDate(date);
      if (signedAt === undefined) {
        throw clientError('AccessDenied', 'A signed request needs a valid Date or x-oss-date header.');
      }
      refuseSkew(signedAt, now);
      verify(request, { place, date, additional, signature }, secret);
      return plainBody(request);
    },
  };
}

/** Reads the form in a URL, whose `x-oss-expires` is a time. @throws GatewayError AuthorizationQueryParametersError */
export function v2QueryClaim(request: WireRequest, place: SignedPlace): SignatureClaim {
  const accessKeyId = neededParameter(request, 'x-oss-access-key-id');
  const signature = neededParameter(request, 'x-oss-signature').replaceAll(' ', '+');
  const expires = neededParameter(request, 'x-oss-expires');
  if (!/^\d{1,11}$/.test(expires)) throw malformedQuery('x-oss-expires must be in seconds since 1970');
  const additional = additionalNames(request.query.get('x-oss-additional-headers'));
  return {
    accessKeyId,
    presigned: true,
    verify(secret, now) {
      verify(request, { place, date: expires, additional, signature }, secret);
      refuseExpired(Number(expires) * 1000, now);
      return plainBody(request);
    },
  };
}

interface Signed {
  readonly place: SignedPlace;
  readonly date: string;
  readonly additional: readonly string[];
  readonly signature: string;
}

function verify(request: WireRequest, { place, date, additional, signature }: Signed, secret: SigningSecret): void {
  const { headers, method } = request;
  if (additional.some((name) => !headers.has(name))) throw noMatch();
  const [md5, type] = ['content-md5', 'content-type'].map((name) => headers.getAll(name).join(','));
  const text =
    `${method}\n${md5}\n${type}\n${date}\n${signedHeaders(headers, new Set(additional))}` +
    `${additional.join(';')}\n${percentEncode(signedPath(place))}${queryOf(request)}`;
  const computed = createHmac('sha256', secret.reveal()).update(text, 'latin1').digest('base64');
  if (!equalInConstantTime(computed, signature)) throw noMatch();
}

function queryOf({ query }: WireRequest): string {
  const pieces = query.parameters
    .filter(({ name }) => name !== 'x-oss-signature')
    .map(({ name, value }) => [percentEncode(name), value === '' ? '' : `=${percentEncode(value)}`] as const)
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return pieces.length === 0 ? '' : `?${pieces.map(([name, value]) => name + value).join('&')}`;
}
