import type { AskedEncryption } from './encryption.ts';
import type { ObjectRef } from './object.ts';

/** This file has the operations that ask for a page of a listing. A page begins after the markers that it names. */

/** ListObjects (form 1) and ListObjectsV2 (form 2). */
export interface ListObjects {
  readonly kind: 'ListObjects';
  readonly bucket: string;
  /** Which of S3's two forms the client uses. Other dialects use 1. */
  readonly form: 1 | 2;
  readonly prefix: string;
  readonly delimiter: string;
  /** The listing begins after this key: the `marker` of form 1, the `start-after` of form 2. */
  readonly after: string;
  readonly continuationToken: string | undefined;
  readonly maxKeys: number;
  readonly urlEncoded: boolean;
  readonly withOwner: boolean;
}

/**
 * Makes the listing by which the gateway itself goes through the keys of a bucket: without delimiter, from the first
 * key.
 * @param over fields that differ from that
 */
export function allKeysOf(
  bucket: string,
  over: Pick<ListObjects, 'maxKeys'> & Partial<Pick<ListObjects, 'form' | 'prefix' | 'after'>>,
): ListObjects {
  return {
    kind: 'ListObjects',
    bucket,
    form: 2,
    prefix: '',
    delimiter: '',
    after: '',
    continuationToken: undefined,
    urlEncoded: true,
    withOwner: false,
    ...over,
  };
}

export interface ListObjectVersions {
  readonly kind: 'ListObjectVersions';
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly versionIdMarker: string;
  readonly maxKeys: number;
  readonly urlEncoded: boolean;
}

export interface ListBuckets {
  readonly kind: 'ListBuckets';
  readonly prefix: string;
}

export interface ListParts {
  readonly kind: 'ListParts';
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** The listing begins after this part number. */
  readonly partNumberMarker: number;
  readonly maxParts: number;
  readonly urlEncoded: boolean;
  /** The encryption with which the upload was begun, where the client repeats it. */
  readonly encryption?: AskedEncryption | undefined;
}

export interface ListMultipartUploads {
  readonly kind: 'ListMultipartUploads';
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
  readonly maxUploads: number;
  readonly urlEncoded: boolean;
}
