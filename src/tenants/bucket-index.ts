import type { BucketClaim } from './bucket-claims.ts';
import { patternMatches } from './bucket-policy.ts';

/**
 * Whose a bucket is, among the patterns of all tenants. Anybody may ask, and as often as they like: the time is at most
 * that of 64 lookups and of the patterns that begin as the bucket does, however many tenants there are.
 */
export class BucketIndex {
  /** By the text before a pattern's first star, the whole of one without. */
  readonly #claims = new Map<string, BucketClaim[]>();

  constructor(claims: readonly BucketClaim[]) {
    for (const claim of claims) {
      const [beginning = ''] = claim.pattern.split('*', 1);
      const known = this.#claims.get(beginning);
      if (known === undefined) this.#claims.set(beginning, [claim]);
      else known.push(claim);
    }
  }

  /** The tenant's name. Patterns of different tenants never overlap. */
  tenantOf(bucket: string): string | undefined {
    for (let length = 0; length <= bucket.length; length++) {
      const claims = this.#claims.get(bucket.slice(0, length));
      const claim = claims?.find(({ pattern }) => patternMatches(pattern, bucket));
      if (claim !== undefined) return claim.tenant;
    }
    return undefined;
  }
}
