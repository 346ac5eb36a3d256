import type { Resource } from '../../operations/object.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { FrontDialect, FrontSettings } from '../front-dialect.ts';
import { oneReading } from '../one-reading.ts';
import { plainBody } from '../plain-body.ts';
import { readAddress } from './address.ts';
import { parseQingstor } from './parse.ts';
import { renderQingstor, renderQingstorError } from './render.ts';
import { readQingstorClaim } from './signature.ts';

function resourceOf(request: WireRequest, settings: FrontSettings): Resource {
  const { bucket, key } = readAddress(request, settings);
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

/**
 * The names of operations by method, for requests without a sub-resource. A sub-resource is a query parameter without a
 * value.
 */
const OPERATIONS = {
  service: { GET: 'ListBuckets' },
  bucket: { GET: 'ListObjects', HEAD: 'HeadBucket', PUT: 'CreateBucket', DELETE: 'DeleteBucket' },
  object: { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject', DELETE: 'DeleteObject' },
} as const;

function operationNamed(request: WireRequest, settings: FrontSettings): string | undefined {
  const { bucket, key } = resourceOf(request, settings);
  if (request.query.parameters.some(({ value }) => value === '')) return undefined;
  const names: Readonly<Record<string, string>> =
    OPERATIONS[bucket === undefined ? 'service' : key === undefined ? 'bucket' : 'object'];
  return Object.hasOwn(names, request.method) ? names[request.method] : undefined;
}

/** The QingStor front: buckets and whole objects, with signatures in the header or in the query. */
export const qingstorFront: FrontDialect = {
  name: 'qingstor',
  digests: [],
  recognises,
  ownsForm,
  readings: oneReading({
    resource: resourceOf,
    operationNamed,
    claim: readQingstorClaim,
    parse: parseQingstor,
    unsignedBody: plainBody,
  }),
  render: renderQingstor,
  renderError: renderQingstorError,
};
