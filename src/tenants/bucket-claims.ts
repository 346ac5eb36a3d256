import { clientError } from '../errors.ts';
import { listField, textField } from '../keys/payload.ts';
import type { RecordKind, Records } from '../keys/records.ts';
import { RevisionConflict } from '../keys/store/record-store.ts';
import { patternsOverlap } from './bucket-policy.ts';

/**
 * Says that a bucket pattern belongs to a tenant. Claims keep two administrators from overlapping, and tell who owns a
 * bucket.
 */
export interface BucketClaim {
  readonly pattern: string;
  readonly tenant: string;
}

export const CLAIMS_ID = 'all';
const ATTEMPTS = 20;

/**
 * The kind of record that holds all claims (docs/keys.md, "bucket-claims"). There is one for all tenants, so that
 * compare-and-set rules out overlaps.
 */
export const BUCKET_CLAIMS: RecordKind<readonly BucketClaim[]> = {
  name: 'bucket-claims',
  decode: (payload) =>
    listField(payload, 'claims').map((entry) => ({
      pattern: textField(entry, 'pattern'),
      tenant: textField(entry, 'tenant'),
    })),
  encode: (claims) => ({ claims }),
};

/**
 * Makes `patterns` what the tenant claims, all of them or none.
 * @returns false if the tenant had no claim and wants none
 * @throws GatewayError InvalidArgument, which names both patterns and the other tenant
 */
export async function claimBuckets(records: Records, tenant: string, patterns: readonly string[]): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const held = await records.read(BUCKET_CLAIMS, CLAIMS_ID);
    const before = held?.value ?? [];
    const others = before.filter((claim) => claim.tenant !== tenant);
    refuseOverlap(others, patterns);
    const mine = patterns.map((pattern) => ({ pattern, tenant }));
    if (mine.length === 0 && others.length === before.length) return false;
    try {
      await records.put(BUCKET_CLAIMS, CLAIMS_ID, [...others, ...mine], held?.revision ?? 'absent');
      return true;
    } catch (error) {
      if (!(error instanceof RevisionConflict) || attempt === ATTEMPTS) throw error;
    }
  }
}

function refuseOverlap(others: readonly BucketClaim[], patterns: readonly string[]): void {
  for (const pattern of patterns) {
    const other = others.find((claim) => patternsOverlap(claim.pattern, pattern));
    if (other === undefined) continue;
    const how = other.pattern === pattern ? 'is' : `overlaps ${other.pattern}, which is`;
    throw clientError(
      'InvalidArgument',
      `The bucket pattern ${pattern} ${how} the tenant ${other.tenant}’s. A bucket belongs to one tenant: choose ` +
        `a narrower pattern, or change that tenant’s.`,
    );
  }
}
