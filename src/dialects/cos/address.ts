import { clientError } from '../../errors.ts';
import type { Resource } from '../../operations/object.ts';
import type { WireRequest } from '../../wire/message.ts';
import { percentDecode } from '../../wire/percent.ts';
import type { FrontSettings } from '../front-dialect.ts';
import { hostBucket } from '../host-bucket.ts';
import { COS_VOCABULARY } from './vocabulary.ts';

const MAX_KEY_BYTES = COS_VOCABULARY.mostKeyBytes;
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Bucket and key as one reading of a request has them, '' where it names none, and the path that is signed with it. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
  /** Decoded, and with its slash. SDKs leave out a bucket that stands in the request's path. */
  readonly signedPath: string;
}

/**
 * Matches the hosts under which COS itself has buckets. SDKs that were given the address of a gateway as a proxy or as
 * an IP address send such a Host.
 */
const VENDOR_HOST =
  /^(?:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.)?cos(?:-internal|-website)?\.[a-z0-9-]+\.(?:myqcloud\.com|tencentcos\.cn)(?::\d{1,5})?$/;
/** The hosts that list buckets, beside those above without a bucket. */
const SERVICE_HOST = /^service\.cos\.(?:myqcloud\.com|tencentcos\.cn)(?::\d{1,5})?$/;

/** Whether a request was sent to a host that is COS's own. */
export function isVendorHost(request: WireRequest): boolean {
  const host = hostOf(request);
  return VENDOR_HOST.test(host) || SERVICE_HOST.test(host);
}

function hostOf({ headers }: WireRequest): string {
  return headers.get('host')?.toLowerCase() ?? '';
}

/** The bucket that a host of COS's own names. @param host in lower case */
export function bucketOfVendorHost(host: string): string | undefined {
  return VENDOR_HOST.exec(host)?.[1];
}

/**
 * Returns the places that a request may name, the most likely first: the bucket of its host, if there is one, with the
 * whole path as the key; and the bucket at the beginning of its path, which SDKs do not sign there (`Domain:
 * 'host/{Bucket}'`), and others do. Nothing is decoded twice, and nothing normalised.
 * @throws GatewayError InvalidURI; InvalidRequest for two Host headers
 */
export function placesOf(request: WireRequest, settings: FrontSettings): readonly [Place, ...Place[]] {
  const { rawPath } = request.target;
  const bucket = hostBucket(request, settings) ?? bucketOfVendorHost(hostOf(request));
  const whole = percentDecode(rawPath);
  const byPath = placeInPath(rawPath);
  if (bucket !== undefined) return [{ bucket, key: whole.slice(1), signedPath: whole }, byPath];
  if (byPath.bucket === '') return [byPath];
  return [byPath, { ...byPath, signedPath: whole }];
}

function placeInPath(rawPath: string): Place {
  const slash = rawPath.indexOf('/', 1);
  const bucket = percentDecode(slash === -1 ? rawPath.slice(1) : rawPath.slice(1, slash));
  const key = slash === -1 ? '' : percentDecode(rawPath.slice(slash + 1));
  return { bucket, key, signedPath: `/${key}` };
}

/** What an address names. */
export type Level = 'service' | 'bucket' | 'object';

/** @throws GatewayError InvalidBucketName for a key without a bucket */
export function levelOf({ bucket, key }: Pick<Place, 'bucket' | 'key'>): Level {
  if (bucket !== '') return key === '' ? 'bucket' : 'object';
  if (key !== '') throw invalidBucketName();
  return 'service';
}

/** @throws GatewayError InvalidBucketName, InvalidObjectName, KeyTooLongError */
export function resourceOf({ bucket, key }: Place): Resource {
  const level = levelOf({ bucket, key });
  if (level === 'service') return {};
  checkBucketName(bucket);
  if (level === 'bucket') return { bucket };
  checkKey(key);
  return { bucket, key };
}

/** @throws GatewayError InvalidBucketName */
export function checkBucketName(bucket: string): void {
  if (!BUCKET_NAME.test(bucket) || bucket.includes('..')) throw invalidBucketName();
}

/** Checks that COS and the store can have this key. @throws GatewayError InvalidObjectName, KeyTooLongError */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw clientError('KeyTooLongError', `A key has 1 to ${MAX_KEY_BYTES} bytes; this one has ${bytes}.`);
  }
  // A backend that ends strings at NUL would store another key.
  if (key.includes('\0') || !key.isWellFormed()) {
    throw clientError('InvalidObjectName', 'A key is Unicode text without a NUL character.');
  }
}

function invalidBucketName(): Error {
  return clientError('InvalidBucketName', 'A bucket name has 3 to 63 lower-case letters, digits, hyphens or dots.');
}
