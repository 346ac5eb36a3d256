/** The conditional headers of RFC 9110 §13, dates parsed, ETags as sent (quotes kept, `*` possible). */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  readonly ifUnmodifiedSince?: string | undefined;
}
