import { clientError } from '../../errors.ts';
import type { WireRequest } from '../../wire/message.ts';
import { percentDecode } from '../../wire/percent.ts';
import type { FrontSettings } from '../front-dialect.ts';
import { hostBucket } from '../host-bucket.ts';
import type { Level } from './operation-table.ts';
import { QINGSTOR_VOCABULARY } from './vocabulary.ts';

const MAX_KEY_BYTES = QINGSTOR_VOCABULARY.mostKeyBytes;

/** The bucket and key that a request names, '' where it names none. The key is decoded once, and never normalised. */
export interface Address {
  readonly bucket: string;
  readonly key: string;
}

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Whether an address names the service, a bucket or an object. */
export function levelOf({ bucket, key }: Address): Level {
  return bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
}

/**
 * Reads an address in virtual-host style (`<bucket>.<domain>/key`, for configured domains) or in path style
 * (`/bucket/key`).
 * @param host the bucket that the Host header names; undefined in path style
 * @throws GatewayError InvalidBucketName, InvalidURI, InvalidObjectName, KeyTooLongError
 */
export function readAddress(request: WireRequest, host: string | undefined): Address {
  const { bucket, key } = place(request, host);
  if (bucket === '') {
    // The path `//key` has a key without a bucket, and so it is no request for the service either.
    if (key !== '') throw invalidBucketName();
    return { bucket, key };
  }
  checkBucketName(bucket);
  if (key !== '') checkKey(key);
  return { bucket, key };
}

/** @throws GatewayError InvalidBucketName */
export function checkBucketName(bucket: string): void {
  if (!BUCKET_NAME.test(bucket) || bucket.includes('..')) throw invalidBucketName();
}

function place(request: WireRequest, host: string | undefined): Address {
  const { rawPath } = request.target;
  if (host !== undefined) return { bucket: host, key: percentDecode(rawPath.slice(1)) };
  const slash = rawPath.indexOf('/', 1);
  if (slash === -1) return { bucket: percentDecode(rawPath.slice(1)), key: '' };
  return { bucket: percentDecode(rawPath.slice(1, slash)), key: percentDecode(rawPath.slice(slash + 1)) };
}

/**
 * Returns the buckets that the Host header may name, the likeliest first; undefined stands for path style. SDKs put
 * their zone before the host (`pek3a.<domain>`, `<bucket>.pek3a.<domain>`), and bucket names may have dots, so the
 * signature must decide.
 * @throws GatewayError InvalidRequest for two Host headers
 */
export function qingstorHosts(
  request: WireRequest,
  settings: FrontSettings,
): readonly [string | undefined, ...(string | undefined)[]] {
  const label = qingstorHostBucket(request, settings);
  if (label === undefined) return [undefined];
  const [first, ...zones] = label.split('.');
  return zones.length === 0 ? [label, undefined] : [label, first, undefined];
}

/**
 * Returns the bucket that the Host header names, if any. The JavaScript SDK (3.1.4) sends `undefined.<host>` when it
 * was given no zone, so `undefined` is not taken for a bucket.
 * @throws GatewayError InvalidRequest for two Host headers
 */
function qingstorHostBucket(request: WireRequest, settings: FrontSettings): string | undefined {
  const label = hostBucket(request, settings);
  return label === 'undefined' ? undefined : label;
}

/** Checks that the store can keep this key exactly as it is. @throws GatewayError KeyTooLongError, InvalidObjectName */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw clientError('KeyTooLongError', `An object key has at most ${MAX_KEY_BYTES} bytes; this one has ${bytes}.`);
  }
  // A backend that ends strings at NUL would store another key. Half of a surrogate pair, which JSON can spell, cannot
  // be written in UTF-8 and would become another key too.
  if (key.includes('\0') || !key.isWellFormed()) {
    throw clientError('InvalidObjectName', 'An object key must be Unicode text without a NUL character.');
  }
}

function invalidBucketName(): Error {
  return clientError('InvalidBucketName', 'A bucket name has 3 to 63 lower-case letters, digits, hyphens or dots.');
}
