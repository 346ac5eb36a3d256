import { clientError } from '../../../errors.ts';
import type { StoreGrammar, StoreNames } from '../../identifiers.ts';
import {
  isClimbing,
  isClimbingPrefix,
  isFolded,
  isHarmlessMarker,
  isHarmlessToken,
  isOwnFolder,
  isPathlessId,
} from './store-paths.ts';

/** Matches a bucket's name. S3's rule for new buckets is stricter, but old ones have upper case and underscores. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

/** S3's limit for a key, in UTF-8 bytes. */
const MAX_KEY_BYTES = 1024;
/** The limit for a prefix, delimiter or marker, in UTF-8 bytes. A marker may be a key with an addition by the store. */
const MAX_LISTING_BYTES = 4096;

/**
 * Stores choose the ids of versions and uploads. Those of versions are opaque, URL-ready and at most 1,024 bytes (AWS).
 */
const VERSION_ID = /^[A-Za-z0-9._~+=:-]{1,1024}$/;
/** AWS has made version ids with slashes in the past. Only stores that keep keys as names get them. */
const VERSION_ID_OF_NAMES = /^[A-Za-z0-9._~+=:/-]{1,1024}$/;
const UPLOAD_ID = /^[A-Za-z0-9._~+=:-]{1,2048}$/;

/** Continuation tokens are chosen by the store. Most are base64, and some are a key. */
const MAX_TOKEN_CHARACTERS = 8192;

const LOCATION = /^[A-Za-z0-9._:-]{1,64}$/;

/** Implements BackendDialect.grammar for S3-compatible stores. */
export function s3Grammar({ keys, reservedBuckets }: StoreNames): StoreGrammar {
  const asPaths = keys === 'paths';
  const marker = (name: string) => (text: string) => {
    checkListingText(name, text);
    if (asPaths && !isHarmlessMarker(text)) throw noKeyThere(name);
  };
  return {
    bucket: (text) => {
      if (!BUCKET.test(text) || text.includes('..') || reservedBuckets.has(text.toLowerCase())) {
        throw clientError('InvalidBucketName', 'The specified bucket is not valid.', { details: { bucket: text } });
      }
    },
    key: (text) => {
      checkKeyText(text);
      if (asPaths) checkPath(text);
    },
    versionId: (text) => checkVersionId(text, asPaths),
    versionIdMarker: (text) => checkVersionId(text, asPaths),
    uploadId: (text) => {
      if (!isUploadId(text, asPaths)) {
        throw clientError('NoSuchUpload', 'The upload id is none that the store can have given.');
      }
    },
    uploadIdMarker: (text) => {
      if (!isUploadId(text, asPaths)) throw invalid('upload-id-marker must be an upload id, as a listing told it');
    },
    prefix: (text) => {
      checkListingText('prefix', text);
      if (asPaths && isClimbingPrefix(text)) throw noKeyThere('prefix');
    },
    delimiter: (text) => checkListingText('delimiter', text),
    after: marker('The marker'),
    keyMarker: marker('key-marker'),
    continuationToken: (text) => {
      if (text.length > MAX_TOKEN_CHARACTERS || text.includes('\0') || (asPaths && !isHarmlessToken(text))) {
        throw invalid('The continuation token provided is incorrect');
      }
    },
    location: (text) => {
      if (!LOCATION.test(text)) throw invalid('The location is not one that a store can have');
    },
  };
}

function checkKeyText(key: string): void {
  const fits = key !== '' && (key.length <= MAX_KEY_BYTES / 4 || Buffer.byteLength(key, 'utf8') <= MAX_KEY_BYTES);
  if (fits && !key.includes('\0') && key.isWellFormed()) return;
  throw clientError('InvalidObjectName', 'An object key is Unicode text of at most 1,024 bytes without a NUL.');
}

/**
 * Refuses a key that the store would not keep exactly as it is. As a path it could lead to another object, to another
 * bucket, or to a file on the store's host.
 */
function checkPath(key: string): void {
  if (!isClimbing(key) && !isFolded(key) && !isOwnFolder(key)) return;
  throw clientError(
    'InvalidObjectName',
    'This store keeps keys as paths of files, so that a key may have no “.”, “..” or nothing between its slashes, ' +
      'nor begin with .sgwtmp/. If it keeps them as they are, its operator can set backend.keys to names.',
  );
}

function checkListingText(name: string, text: string): void {
  const fits = Buffer.byteLength(text, 'utf8') <= MAX_LISTING_BYTES;
  if (fits && !text.includes('\0') && text.isWellFormed()) return;
  throw invalid(`${name} must be Unicode text of at most ${MAX_LISTING_BYTES} bytes without a NUL`);
}

function checkVersionId(text: string, asPaths: boolean): void {
  const form = asPaths ? VERSION_ID : VERSION_ID_OF_NAMES;
  if (form.test(text) && !text.includes('..') && text !== '.') return;
  throw invalid('Invalid version id specified');
}

function isUploadId(text: string, asPaths: boolean): boolean {
  return UPLOAD_ID.test(text) && !text.includes('..') && text !== '.' && (!asPaths || isPathlessId(text));
}

function noKeyThere(name: string): Error {
  return invalid(`${name} is none that a listing of this store can have`);
}

function invalid(what: string): Error {
  return clientError('InvalidArgument', `${what}.`);
}
