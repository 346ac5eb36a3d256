import type { ObjectRef } from './object.ts';

/** What a client asks of a page of a listing, whatever its dialect. A page begins behind its markers. */

export interface ListObjects {
  readonly kind: 'ListObjects';
  readonly bucket: string;
  /** S3's two listing forms; other dialects use 1. */
  readonly form: 1 | 2;
  readonly prefix: string;
  readonly delimiter: string;
  /** The listing begins behind this key. It is the marker of form 1 and the start-after of form 2. */
  readonly after: string;
  readonly continuationToken: string | undefined;
  readonly maxKeys: number;
  readonly urlEncoded: boolean;
  readonly withOwner: boolean;
}

/**
 * Asks for a page of all the keys of a bucket, as the gateway does for itself: without folders, from the first one on.
 * @param over what is asked otherwise
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
  /** The listing begins behind this part number. */
  readonly partNumberMarker: number;
  readonly maxParts: number;
  readonly urlEncoded: boolean;
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
