import { createHash, createHmac } from 'node:crypto';
import { clientError, type GatewayError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import { parseBasicIsoDate } from '../../../wire/dates.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { SignatureClaim } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import type { SigningSecret } from '../../signing-secret.ts';
import { additionalNames, namedFields } from './authorization.ts';
import {
  MAX_SKEW_MILLISECONDS,
  malformedHeader,
  malformedQuery,
  neededParameter,
  noMatch,
  refuseExpired,
  refuseSkew,
  type SignedPlace,
} from './signed-fields.ts';
import { UNSIGNED_PAYLOAD, v4CanonicalRequests } from './v4-canonical.ts';

/* Signature Version 4 of OSS (vendor documentation, "Signature version 4"). */

export const V4_SCHEME = 'OSS4-HMAC-SHA256';
const MAX_EXPIRES_SECONDS = 604_800;
const HEX_OF_32_BYTES = /^[0-9a-f]{64}$/;

/** What a Version 4 signature is made for. A region is any: the signature binds it, and lets nobody else in. */
export interface V4Scope {
  /** `yyyymmdd` */
  readonly date: string;
  readonly region: string;
  readonly product: string;
}

const CREDENTIAL = /^(.{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/(oss|oss-cloudbox)\/aliyun_v4_request$/;

/** Reads a credential, `AccessKeyId/yyyymmdd/region/oss/aliyun_v4_request`. Returns undefined for any other text. */
export function v4Credential(text: string): { readonly accessKeyId: string; readonly scope: V4Scope } | undefined {
  const match = CREDENTIAL.exec(text);
  if (match === null) return undefined;
  const [, accessKeyId = '', date = '', region = '', product = ''] = match;
  return { accessKeyId, scope: { date, region, product } };
}

/** Returns the hexadecimal signature of a text. */
export function v4Signature(secret: SigningSecret, { date, region, product }: V4Scope, text: string): string {
  let key: Buffer | string = `aliyun_v4${secret.reveal()}`;
  for (const piece of [date, region, product, 'aliyun_v4_request']) {
    key = createHmac('sha256', key).update(piece).digest();
  }
  return createHmac('sha256', key).update(text, 'latin1').digest('hex');
}

/**
 * Reads the header form, `OSS4-HMAC-SHA256 Credential=…,AdditionalHeaders=a;b,Signature=…`.
 * @throws GatewayError AuthorizationHeaderMalformed
 */
export function v4HeaderClaim(request: WireRequest, place: SignedPlace, authorization: string): SignatureClaim {
  const fields = namedFields(authorization.slice(V4_SCHEME.length + 1), '=');
  const credential = v4Credential(fields.get('Credential') ?? '');
  const signature = fields.get('Signature') ?? '';
  if (credential === undefined || !HEX_OF_32_BYTES.test(signature)) {
    throw malformedHeader('it must have Credential and Signature');
  }
  const { accessKeyId, scope } = credential;
  const additional = additionalNames(fields.get('AdditionalHeaders'));
  return {
    accessKeyId,
    verify(secret, now) {
      const time = request.headers.get('x-oss-date') ?? '';
      refuseSkew(timeOf(time, scope, malformedHeader), now);
      verifyAny(request, { place, scope, time, additional, signature }, secret);
      refuseHashedPayload(request);
      return plainBody(request);
    },
  };
}

/** Reads the form in a URL. @throws GatewayError AuthorizationQueryParametersError */
export function v4QueryClaim(request: WireRequest, place: SignedPlace): SignatureClaim {
  const credential = v4Credential(neededParameter(request, 'x-oss-credential'));
  if (credential === undefined) throw malformedQuery('x-oss-credential has another form');
  const { accessKeyId, scope } = credential;
  const signature = neededParameter(request, 'x-oss-signature');
  const time = neededParameter(request, 'x-oss-date');
  const expires = neededParameter(request, 'x-oss-expires');
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_SECONDS) {
    throw malformedQuery(`x-oss-expires must be from 1 to ${MAX_EXPIRES_SECONDS} seconds`);
  }
  const additional = additionalNames(request.query.get('x-oss-additional-headers'));
  return {
    accessKeyId,
    presigned: true,
    verify(secret, now) {
      const signedAt = timeOf(time, scope, malformedQuery).getTime();
      verifyAny(request, { place, scope, time, additional, signature }, secret);
      if (signedAt - now.getTime() > MAX_SKEW_MILLISECONDS) {
        throw clientError('AccessDenied', 'The signed URL is not valid yet: x-oss-date is in the future.');
      }
      refuseExpired(signedAt + Number(expires) * 1000, now);
      return plainBody(request);
    },
  };
}

function timeOf(text: string, scope: V4Scope, malformed: (expected: string) => GatewayError): Date {
  const time = parseBasicIsoDate(text);
  if (time === undefined) throw clientError('AccessDenied', 'x-oss-date must be in the form yyyymmddThhmmssZ.');
  if (text.slice(0, 8) !== scope.date) throw malformed('the date of its credential must be that of x-oss-date');
  return time;
}

interface Signed {
  readonly place: SignedPlace;
  readonly scope: V4Scope;
  readonly time: string;
  readonly additional: readonly string[];
  readonly signature: string;
}

function verifyAny(request: WireRequest, signed: Signed, secret: SigningSecret): void {
  const { place, scope, time, additional, signature } = signed;
  if (additional.some((name) => !request.headers.has(name))) throw noMatch();
  const { date, region, product } = scope;
  const head = `${V4_SCHEME}\n${time}\n${date}/${region}/${product}/aliyun_v4_request\n`;
  for (const canonical of v4CanonicalRequests(request, place, additional)) {
    const hashed = createHash('sha256').update(canonical, 'latin1').digest('hex');
    if (equalInConstantTime(v4Signature(secret, scope, head + hashed), signature)) return;
  }
  throw noMatch();
}

/** Refuses a hash of the body. No SDK sends one, and OSS takes none: the body would go unverified. */
function refuseHashedPayload({ headers }: WireRequest): void {
  if (headers.getAll('x-oss-content-sha256').every((value) => value === UNSIGNED_PAYLOAD)) return;
  throw clientError('InvalidArgument', `x-oss-content-sha256 must be ${UNSIGNED_PAYLOAD}.`, {
    details: { ArgumentName: 'x-oss-content-sha256' },
  });
}
