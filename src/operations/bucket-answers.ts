/* The answers to operations on buckets themselves, in no dialect's terms. */

/** Whose a bucket or an object is. */
export interface Owner {
  readonly id: string;
  readonly displayName: string;
}

export interface BucketListing {
  readonly kind: 'BucketListing';
  readonly owner: Owner;
  readonly buckets: readonly { readonly name: string; readonly created: Date }[];
}

export interface BucketFound {
  readonly kind: 'BucketFound';
  readonly bucket: string;
  readonly region: string;
  readonly owner: Owner;
  /** Since when there is the bucket; undefined where nobody asked, or the store does not list it to the caller. */
  readonly created?: Date | undefined;
  /** How much lies in the bucket, where somebody asked. Counting ends at some number of objects. */
  readonly contents?: { readonly objects: number; readonly bytes: number } | undefined;
}

export interface BucketCreated {
  readonly kind: 'BucketCreated';
  readonly bucket: string;
}

export interface BucketDeleted {
  readonly kind: 'BucketDeleted';
}

export interface BucketLocation {
  readonly kind: 'BucketLocation';
  readonly region: string;
}
