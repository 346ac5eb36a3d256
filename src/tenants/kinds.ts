import { RING } from '../keys/key-ring.ts';
import type { RecordKind } from '../keys/records.ts';
import { BUCKET_CLAIMS } from './bucket-claims.ts';
import { CREDENTIAL } from './credential.ts';
import { ruleKind } from './rules/rule-records.ts';
import type { TenantKind } from './tenant.ts';

/** Every kind of record that the gateway uses, except the canary; the start-up self-test reads them all. */
export function allRecordKinds(tenants: TenantKind): readonly RecordKind<unknown>[] {
  return [tenants, CREDENTIAL, RING, BUCKET_CLAIMS, ruleKind(tenants.protections)];
}
