import { clientError } from '../../errors.ts';
import type { Resource } from '../../operations/object.ts';
import type { WireRequest } from '../../wire/message.ts';
import { percentDecode } from '../../wire/percent.ts';
import type { FrontSettings } from '../front-dialect.ts';
import { hostBucket } from '../host-bucket.ts';
import type { Level } from './operation-row.ts';
import { S3_VOCABULARY } from './vocabulary.ts';

/**
 * What a request's address names: the service, a bucket or an object. The key is decoded once, and never normalised.
 */
export type Address =
  | { readonly level: Extract<Level, 'service'> }
  | { readonly level: Extract<Level, 'bucket'>; readonly bucket: string }
  | { readonly level: Extract<Level, 'object'>; readonly bucket: string; readonly key: string };

const MAX_KEY_BYTES = S3_VOCABULARY.mostKeyBytes;

/**
 * Reads an address in virtual-host style (`<bucket>.<domain>/key`, for configured domains) or in path style
 * (`/bucket/key`).
 * @throws GatewayError InvalidBucketName, InvalidURI, InvalidObjectName, KeyTooLongError, InvalidRequest (two hosts)
 */
export function readAddress(request: WireRequest, settings: FrontSettings): Address {
  const { rawPath } = request.target;
  const bucket = hostBucket(request, settings);
  if (bucket !== undefined) return address(bucket, rawPath.slice(1));
  if (rawPath === '/') return { level: 'service' };
  const slash = rawPath.indexOf('/', 1);
  return slash === -1 ? address(rawPath.slice(1), '') : address(rawPath.slice(1, slash), rawPath.slice(slash + 1));
}

/** The S3 front's Reading.resource. @throws GatewayError as readAddress */
export function resourceOf(request: WireRequest, settings: FrontSettings): Resource {
  const address = readAddress(request, settings);
  return address.level === 'service' ? {} : address;
}

function address(rawBucket: string, rawKey: string): Address {
  const bucket = percentDecode(rawBucket);
  checkBucketName(bucket);
  if (rawKey === '') return { level: 'bucket', bucket };
  const key = percentDecode(rawKey);
  checkKey(key);
  return { level: 'object', bucket, key };
}

/**
 * Names that a bucket may have. S3's rule for new buckets is stricter, but old ones have upper case and underscores.
 */
const BUCKET_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{1,61})[A-Za-z0-9]$/;

/** Checks the name of a bucket that may exist. @throws GatewayError InvalidBucketName */
export function checkBucketName(bucket: string): void {
  if (BUCKET_NAME.test(bucket) && !bucket.includes('..')) return;
  throw clientError('InvalidBucketName', 'The specified bucket is not valid.', { details: { bucket } });
}

const NEW_BUCKET_NAME = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;

/**
 * Checks a name by S3's rules for new general-purpose buckets (User Guide, "Bucket naming rules").
 * @throws GatewayError InvalidBucketName
 */
export function checkNewBucketName(bucket: string): void {
  if (NEW_BUCKET_NAME.test(bucket) && !IP_ADDRESS.test(bucket)) return;
  throw clientError(
    'InvalidBucketName',
    'A bucket’s name has 3 to 63 lower-case letters, digits, dots and hyphens, and is not an IP address.',
    { details: { bucket } },
  );
}

/** Checks an object's key. @throws GatewayError KeyTooLongError, InvalidObjectName */
export function checkKey(key: string): void {
  const bytes = key.length <= MAX_KEY_BYTES / 4 ? key.length : Buffer.byteLength(key, 'utf8');
  if (bytes > MAX_KEY_BYTES) {
    throw clientError('KeyTooLongError', 'Your key is too long.', {
      details: { Size: String(bytes), MaxSizeAllowed: String(MAX_KEY_BYTES) },
    });
  }
  if (key.includes('\0')) {
    // XML cannot express a NUL, so no listing could name the key; and a backend that ends strings at NUL would store
    // another key.
    throw clientError('InvalidObjectName', 'An object key must not have a NUL character.');
  }
}
