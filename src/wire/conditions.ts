/** The conditional headers of RFC 9110 §13, as they were sent: ETags keep their quotes, and `*` is possible. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  readonly ifUnmodifiedSince?: string | undefined;
}
