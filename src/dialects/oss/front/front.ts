import type { WireRequest } from '../../../wire/message.ts';
import type { FrontDialect, FrontSettings, Reading } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import { isVendorHost, levelOf, placesOf, resourceOf } from '../address.ts';
import { isOssAuthorization, isSignedInQuery, readOssClaim } from '../signature/claim.ts';
import type { SignedPlace } from '../signature/signed-fields.ts';
import { renderOss } from './answers/render.ts';
import { renderOssError } from './answers/render-error.ts';
import { parseOss } from './parse.ts';
import { operationNamed } from './requests/route.ts';

/** The OSS front. */
export const ossFront: FrontDialect = {
  name: 'oss',
  digests: [],
  recognises,
  ownsForm: (fields) => ['ossaccesskeyid', 'x-oss-signature', 'x-oss-credential'].some((name) => fields.has(name)),
  readings(request: WireRequest, settings: FrontSettings): readonly [Reading, ...Reading[]] {
    const isSigned = request.headers.has('authorization') || isSignedInQuery(request);
    const [first, ...others] = placesOf(request, settings, isSigned);
    return [readingAt(request, first), ...others.map((place) => readingAt(request, place))];
  },
  render: renderOss,
  renderError: renderOssError,
};

/** Recognises OSS by its signatures, and unsigned requests by the vendor's headers and hosts. */
function recognises(request: WireRequest): boolean {
  const authorization = request.headers.get('authorization');
  if (authorization !== undefined) return isOssAuthorization(authorization);
  if (isSignedInQuery(request)) return true;
  // Another dialect's signed URL may be sent to OSS's S3 host.
  if (request.target.rawQuery.includes('AWSAccessKeyId=') || /X-Amz-/.test(request.target.rawQuery)) return false;
  let speaks = isVendorHost(request);
  request.headers.forEach((name) => {
    speaks ||= name.startsWith('x-oss-');
  });
  return speaks;
}

function readingAt(request: WireRequest, place: SignedPlace): Reading {
  return {
    resource: () => resourceOf(place),
    operationNamed: () => operationNamed(request, levelOf(place)),
    claim: () => readOssClaim(request, place),
    parse: () => parseOss(request, place),
    unsignedBody: () => plainBody(request),
  };
}
