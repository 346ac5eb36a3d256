import type { WireRequest } from '../../../wire/message.ts';
import type { FrontDialect, FrontSettings, Reading } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import { isVendorHost, levelOf, placeInBucket, placesOf, resourceOf } from '../address.ts';
import { isOssAuthorization, isSignedInQuery, readOssClaim } from '../signature/claim.ts';
import type { SignedPlace } from '../signature/signed-fields.ts';
import { renderOss } from './answers/render.ts';
import { renderOssError } from './answers/render-error.ts';
import { isOssForm, ossForms } from './form.ts';
import { parseOss } from './parse.ts';
import { operationNamed } from './requests/route.ts';

/** The OSS front. */
export const ossFront: FrontDialect = {
  name: 'oss',
  digests: ['crc64'],
  recognises,
  ownsForm: isOssForm,
  forms: ossForms,
  readings(request: WireRequest, settings: FrontSettings): readonly [Reading, ...Reading[]] {
    const isSigned = request.headers.has('authorization') || isSignedInQuery(request);
    const [first, ...others] = placesOf(request, settings, isSigned);
    return [readingAt(request, first, settings), ...others.map((place) => readingAt(request, place, settings))];
  },
  readingsIn: (request, settings, buckets) =>
    buckets.map((bucket) => readingAt(request, placeInBucket(request, bucket), settings)),
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

function readingAt(request: WireRequest, place: SignedPlace, settings: FrontSettings): Reading {
  return {
    resource: () => resourceOf(place),
    operationNamed: () => operationNamed(request, levelOf(place)),
    claim: () => readOssClaim(request, place),
    parse: () => parseOss(request, place, settings),
    unsignedBody: () => plainBody(request),
  };
}
