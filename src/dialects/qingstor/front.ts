import type { Resource } from '../../operations/object.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { FrontDialect, Reading } from '../front-dialect.ts';
import { plainBody } from '../plain-body.ts';
import { levelOf, qingstorHosts, readAddress } from './address.ts';
import { renderQingstor, renderQingstorError } from './answers/render.ts';
import { parseQingstor } from './parse.ts';
import { operationNamed } from './requests/route.ts';
import { readQingstorClaim } from './signature.ts';

function resourceAt(request: WireRequest, host: string | undefined): Resource {
  const { bucket, key } = readAddress(request, host);
  return { bucket: bucket || undefined, key: key || undefined };
}

/**
 * Recognises QingStor by the signature (`QS …`, or access_key_id in the query), and else by a header of the vendor's.
 */
function recognises(request: WireRequest): boolean {
  const authorization = request.headers.get('authorization');
  if (authorization !== undefined) return authorization.startsWith('QS ');
  if (request.target.rawQuery.includes('access_key_id=')) return request.query.has('access_key_id');
  for (const [name] of request.headers) if (name.toLowerCase().startsWith('x-qs-')) return true;
  return false;
}

/**
 * A QingStor form has its access key in `access_key_id` (vendor documentation, "POST Object"), an S3 form elsewhere.
 */
function ownsForm(fields: ReadonlyMap<string, string>): boolean {
  return fields.has('access_key_id');
}

function readingAt(request: WireRequest, host: string | undefined): Reading {
  return {
    resource: () => resourceAt(request, host),
    operationNamed: () => operationNamed(request, levelOf(readAddress(request, host))),
    claim: () => readQingstorClaim(request, host),
    parse: () => parseQingstor(request, host),
    unsignedBody: () => plainBody(request),
  };
}

/** The QingStor front. */
export const qingstorFront: FrontDialect = {
  name: 'qingstor',
  digests: [],
  recognises,
  ownsForm,
  readings(request, settings) {
    const [first, ...others] = qingstorHosts(request, settings);
    return [readingAt(request, first), ...others.map((host) => readingAt(request, host))];
  },
  render: renderQingstor,
  renderError: renderQingstorError,
};
