import { laterFlag, laterObject, listField, type Payload, PayloadInvalid, textField } from '../keys/payload.ts';
import type { RecordKind } from '../keys/records.ts';
import { type BackendKey, decodeBackendKey, encodeBackendKey } from './backend-key.ts';
import { type BucketPolicy, type ProtectionWords, policyProblem } from './bucket-policy.ts';
import { decodeRegisteredKeys, encodeRegisteredKeys, type RegisteredKey } from './registered-key.ts';
import type { CompiledRules } from './rules/compiled-rules.ts';
import { decisionFor } from './rules/decision.ts';
import { decodeRuleSet, type RuleSetName } from './rules/rule-records.ts';

/**
 * Someone whose objects are protected by keys of their own. All requests share the value: it is never changed, only
 * replaced.
 */
export interface Tenant {
  readonly name: string;
  /** 16 hex digits, new whenever a tenant of this name is made, so that credentials of an earlier one stay invalid. */
  readonly id: string;
  readonly ringId: string;
  readonly buckets: readonly BucketPolicy[];
  /** Which deprecated signatures (S3's version 2) are accepted beside those of today. */
  readonly legacySignatures: LegacySignatures;
  /** The key with which the tenant's requests go to the backend; undefined means the gateway's. */
  readonly backend: BackendKey | undefined;
  readonly createdAt: Date;
  /** The customer keys that are taken where a rule takes registered ones only; undefined stands for none. */
  readonly registeredKeys?: readonly RegisteredKey[] | undefined;
  /** Names the rules that were applied for the tenant's buckets; undefined where there are none. */
  readonly ruleSet?: RuleSetName | undefined;
  /** The rules that `ruleSet` names. A record lacks them: whoever needs them takes the tenant from RuleSets. */
  readonly rules?: CompiledRules | undefined;
}

/** None, only those of presigned URLs that read, or all. */
export type LegacySignatures = 'none' | 'presigned-reads' | 'all';

export const TENANT_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const HEX_ID = /^[0-9a-f]{16}$/;

/**
 * Returns the policy for one of the tenant's buckets, as the rules and the tenant's own options say; undefined if the
 * bucket is not this tenant's.
 */
export function policyFor(tenant: Pick<Tenant, 'buckets' | 'rules'>, bucket: string): BucketPolicy | undefined {
  return decisionFor(tenant, bucket)?.policy;
}

/** The kind of tenants' records (docs/keys.md, "tenant"). */
export interface TenantKind extends RecordKind<Tenant> {
  /** The words that bucket policies may have for the protection. A record with another one is not read. */
  readonly protections: ProtectionWords;
}

/** Makes the kind of tenants' records whose policies have these words. */
export function tenantKind(protections: ProtectionWords): TenantKind {
  return {
    protections,
    name: 'tenant',
    decode(payload, id) {
      if (textField(payload, 'name', TENANT_NAME) !== id) throw new PayloadInvalid('name');
      return Object.freeze({
        name: id,
        id: textField(payload, 'id', HEX_ID),
        ringId: textField(payload, 'ringId', HEX_ID),
        buckets: Object.freeze(listField(payload, 'buckets').map((entry) => decodePolicy(entry, protections))),
        legacySignatures: decodeLegacy(payload),
        backend: decodeBackendKey(payload),
        createdAt: new Date(textField(payload, 'createdAt')),
        ruleSet: decodeRuleSet(laterObject(payload, 'rules')),
        registeredKeys: decodeRegisteredKeys(payload),
      });
    },
    encode: ({ name, id, ringId, buckets, legacySignatures, backend, createdAt, ruleSet, registeredKeys }) => ({
      name,
      id,
      ringId,
      buckets,
      legacySignatures: legacySignatures === 'all',
      ...(legacySignatures === 'presigned-reads' && { legacyPresignedReads: true }),
      backend: encodeBackendKey(backend),
      createdAt: createdAt.toISOString(),
      ...(ruleSet !== undefined && { rules: ruleSet }),
      ...encodeRegisteredKeys(registeredKeys),
    }),
  };
}

/**
 * Decodes which deprecated signatures are accepted. That only some are has a field of its own, so that older gateways
 * read that none are.
 */
function decodeLegacy(payload: Payload): LegacySignatures {
  if (laterFlag(payload, 'legacySignatures')) return 'all';
  return laterFlag(payload, 'legacyPresignedReads') ? 'presigned-reads' : 'none';
}

/**
 * Decodes a policy. Every field must be there, so that a default which changes does not change what was decided for a
 * tenant. Fields that came later keep their old meaning, for ever, if they are missing.
 */
function decodePolicy(entry: { readonly [field: string]: unknown }, protections: ProtectionWords): BucketPolicy {
  const policy = {
    pattern: textField(entry, 'pattern'),
    protection: entry.protection,
    ...(entry.inject !== undefined && { inject: entry.inject }),
    mixed: entry.mixed,
    location: entry.location,
    metadata: entry.metadata,
    quantum: entry.quantum,
    anonymous: laterFlag(entry, 'anonymous'),
    etag: entry.etag ?? 'opaque',
  } as BucketPolicy;
  if (policyProblem(policy, protections) !== undefined) throw new PayloadInvalid('buckets');
  return Object.freeze(policy);
}
