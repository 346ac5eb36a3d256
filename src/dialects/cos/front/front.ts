import { clientError } from '../../../errors.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { FrontDialect, FrontSettings, Reading, SignatureClaim } from '../../front-dialect.ts';
import { plainBody } from '../../plain-body.ts';
import { isVendorHost, levelOf, type Place, placesOf, resourceOf } from '../address.ts';
import { readCosClaim } from '../signature/claim.ts';
import { isCosAuthorization, isSignedInQuery } from '../signature/signature-fields.ts';
import { renderCos } from './answers/render.ts';
import { renderCosError } from './answers/render-error.ts';
import { parseCos } from './parse.ts';
import { operationNamed } from './requests/route.ts';

/** The COS front. */
export const cosFront: FrontDialect = {
  name: 'cos',
  digests: ['crc64'],
  // The SDKs for Java and C++ compare ETags of 32 digits with the MD5 of what they sent or got.
  etags: 'md5',
  recognises,
  ownsForm: (fields) => fields.has('q-signature') || fields.has('q-ak'),
  readings(request: WireRequest, settings: FrontSettings): readonly [Reading, ...Reading[]] {
    const [first, ...others] = placesOf(request, settings);
    const about = { request, settings };
    return [readingAt(about, first), ...others.map((place) => readingAt(about, place))];
  },
  render: renderCos,
  renderError: renderCosError,
};

/** Recognises COS by its signatures, and unsigned requests by the vendor's headers and hosts. */
function recognises(request: WireRequest): boolean {
  const authorization = request.headers.get('authorization') || undefined;
  if (authorization !== undefined) return isCosAuthorization(authorization);
  if (isSignedInQuery(request)) return true;
  // Another dialect's signed URL may be sent to COS's S3 host.
  if (/(?:AWSAccessKeyId=|X-Amz-)/.test(request.target.rawQuery)) return false;
  let speaks = isVendorHost(request);
  request.headers.forEach((name) => {
    speaks ||= name.startsWith('x-cos-');
  });
  return speaks;
}

function readingAt(
  { request, settings }: { readonly request: WireRequest; readonly settings: FrontSettings },
  place: Place,
): Reading {
  return {
    resource: () => resourceOf(place),
    operationNamed: () => operationNamed(request, levelOf(place)),
    claim: () => claimAt(request, place),
    parse: () => parseCos(request, place, settings),
    unsignedBody: () => plainBody(request),
  };
}

/**
 * Reads the signature. Without one COS gives nobody an object that is encrypted by the server ("Server-side Encryption
 * Overview"), as all of a gateway's are, and so no request is taken but a browser's preflight.
 * @throws GatewayError AnonymousRequest, and as readCosClaim
 */
function claimAt(request: WireRequest, { signedPath }: Place): SignatureClaim | undefined {
  const claim = readCosClaim(request, signedPath);
  if (claim !== undefined || request.method === 'OPTIONS') return claim;
  throw clientError('AnonymousRequest', 'The request is not signed, and encrypted objects need a signature.');
}
