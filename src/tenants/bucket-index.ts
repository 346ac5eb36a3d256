import type { BucketClaim } from './bucket-claims.ts';
import { patternMatches } from './bucket-policy.ts';

/**
 * Finds the tenant of a bucket among the patterns of all tenants. Anybody may ask, without a signature and as often as
 * they like. Therefore its time is at most that of 64 lookups and of the patterns that begin as the bucket does,
 * however many tenants there are.
 */
export class BucketIndex {
  /** The claims by the text before the pattern's first star, or by the whole pattern if it has none. */
  readonly #claims = new Map<string, BucketClaim[]>();

  constructor(claims: readonly BucketClaim[]) {
    for (const claim of claims) {
      const [beginning = ''] = claim.pattern.split('*', 1);
      const known = this.#claims.get(beginning);
      if (known === undefined) this.#claims.set(beginning, [claim]);
      else known.push(claim);
    }
  }

  /** Returns the tenant's name. Patterns of different tenants never overlap. */
  tenantOf(bucket: string): string | undefined {
    for (let length = 0; length <= bucket.length; length++) {
      const claims = this.#claims.get(bucket.slice(0, length));
      const claim = claims?.find(({ pattern }) => patternMatches(pattern, bucket));
      if (claim !== undefined) return claim.tenant;
    }
    return undefined;
  }
}
