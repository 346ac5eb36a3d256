import { clientError } from '../../errors.ts';
import type { Resource } from '../../operations/object.ts';
import type { WireRequest } from '../../wire/message.ts';
import { percentDecode } from '../../wire/percent.ts';
import type { FrontSettings } from '../front-dialect.ts';
import { hostBucket } from '../host-bucket.ts';
import type { SignedPlace } from './signature/signed-fields.ts';
import { OSS_VOCABULARY } from './vocabulary.ts';

const MAX_KEY_BYTES = OSS_VOCABULARY.mostKeyBytes;
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Matches the hosts under which OSS itself has buckets. ali-oss sends such a Host even where it was given the address
 * of a gateway as its endpoint.
 */
const VENDOR_HOST = /^(?:([a-z0-9-]{3,63})\.)?(?:s3\.)?oss-[a-z0-9-]+\.aliyuncs\.com(?::\d+)?$/;

/** Whether a request was sent to a host that is OSS's own. */
export function isVendorHost({ headers }: WireRequest): boolean {
  return VENDOR_HOST.test(headers.get('host')?.toLowerCase() ?? '');
}

/**
 * Returns the places that a request may name, the most likely first: the bucket of its host, if there is one, with
 * the whole path as the key, and the bucket at the beginning of its path. Which one is meant the signature decides,
 * because every signature of OSS covers the bucket's name. Nothing is decoded twice, and nothing normalised.
 * @throws GatewayError InvalidURI; InvalidRequest for two Host headers, and for an unsigned request that names its
 *   bucket in both ways, which nothing decides
 */
export function placesOf(
  request: WireRequest,
  settings: FrontSettings,
  isSigned: boolean,
): readonly [SignedPlace, ...SignedPlace[]] {
  const byPath = placeInPath(request.target.rawPath);
  const bucket = hostBucket(request, settings) ?? vendorBucket(request);
  if (bucket === undefined) return [byPath];
  const byHost = { bucket, key: percentDecode(request.target.rawPath.slice(1)) };
  if (isSigned) return [byHost, byPath];
  if (byPath.bucket === bucket && byPath.key !== '') {
    throw clientError(
      'InvalidRequest',
      'The request names its bucket in the host and in the path. Sign it, or use one.',
    );
  }
  return [byHost];
}

/** The place of a request whose path, as it is, names an object of this bucket. */
export function placeInBucket(request: WireRequest, bucket: string): SignedPlace {
  return { bucket, key: percentDecode(request.target.rawPath.slice(1)) };
}

/** The bucket ends at the first slash that is not encoded, since oss2 encodes the slashes of keys. */
function placeInPath(rawPath: string): SignedPlace {
  const slash = rawPath.indexOf('/', 1);
  if (slash === -1) return { bucket: percentDecode(rawPath.slice(1)), key: '' };
  return { bucket: percentDecode(rawPath.slice(1, slash)), key: percentDecode(rawPath.slice(slash + 1)) };
}

function vendorBucket({ headers }: WireRequest): string | undefined {
  return VENDOR_HOST.exec(headers.get('host')?.toLowerCase() ?? '')?.[1];
}

/** What an address names. */
export type Level = 'service' | 'bucket' | 'object';

/** @throws GatewayError InvalidBucketName for a key without a bucket */
export function levelOf({ bucket, key }: SignedPlace): Level {
  if (bucket !== '') return key === '' ? 'bucket' : 'object';
  if (key !== '') throw invalidBucketName();
  return 'service';
}

/** @throws GatewayError InvalidBucketName, InvalidObjectName */
export function resourceOf(place: SignedPlace): Resource {
  const level = levelOf(place);
  if (level === 'service') return {};
  checkBucketName(place.bucket);
  if (level === 'bucket') return { bucket: place.bucket };
  checkKey(place.key);
  return place;
}

/** @throws GatewayError InvalidBucketName */
export function checkBucketName(bucket: string): void {
  if (!BUCKET_NAME.test(bucket) || bucket.includes('..')) throw invalidBucketName();
}

/** Checks that OSS and the store can have this key. @throws GatewayError InvalidObjectName */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw clientError('InvalidObjectName', `An object name has 1 to ${MAX_KEY_BYTES} bytes; this one has ${bytes}.`);
  }
  // A backend that ends strings at NUL would store another key.
  if (/^[/\\]/.test(key) || key.includes('\0') || !key.isWellFormed()) {
    throw clientError(
      'InvalidObjectName',
      'An object name is Unicode text, without a NUL character, and does not begin with / or \\.',
    );
  }
}

function invalidBucketName(): Error {
  return clientError('InvalidBucketName', 'A bucket name has 3 to 63 lower-case letters, digits, hyphens or dots.');
}
