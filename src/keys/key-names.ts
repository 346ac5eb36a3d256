import { hash } from 'node:crypto';
import { textField } from './payload.ts';
import type { RecordKind } from './records.ts';

/** The most named keys that a tenant may have. */
export const MOST_NAMED_KEYS = 10_000;

/**
 * The name that clients see of a tenant's default ring when they ask for a KMS key and name none. S3 has an alias of
 * this name for the same purpose, so clients may know it.
 */
export const DEFAULT_KEY_NAME = 'aws/s3';

const NAME = /^[A-Za-z0-9/_-]{1,128}$/;
/** `alias/` introduces a name in requests, and `aws/` begins the names that are not the administrator's to give. */
const RESERVED = /^(?:alias|aws)\//;

/** Whether a key may have this name. */
export function isKeyName(name: string): boolean {
  return NAME.test(name) && !RESERVED.test(name);
}

/** Says which ring of a tenant has a name. */
export interface NamedRing {
  readonly tenant: string;
  readonly name: string;
  readonly ringId: string;
  readonly createdAt: Date;
}

/**
 * The kind of record that finds a ring by tenant and name (docs/keys.md, "canary"). It is a canary by its name, and has
 * a canary's field, because gateways of release 0.1 do not start over records of kinds that they do not know.
 */
export const NAMED_RING: RecordKind<NamedRing> = {
  name: 'canary',
  decode: (payload) => ({
    tenant: textField(payload, 'tenant'),
    name: textField(payload, 'name'),
    ringId: textField(payload, 'ringId'),
    createdAt: new Date(textField(payload, 'createdAt')),
  }),
  encode: ({ tenant, name, ringId, createdAt }) => ({ tenant, name, ringId, createdAt: createdAt.toISOString() }),
};

/** How many hex digits of a hash stand for a key's name in the name of its record. */
const HASH_DIGITS = 32;

/** The id of the record for one of a tenant's keys. The name itself may be too long for it, and has slashes. */
export function namedRingId(tenant: string, name: string): string {
  const digits = hash('sha256', JSON.stringify([tenant, name]), 'hex').slice(0, HASH_DIGITS);
  return `${idPrefix(tenant)}${digits}`;
}

/** Whether an id is that of a record for one of the tenant's keys. */
export function isNamedRingOf(tenant: string, id: string): boolean {
  const prefix = idPrefix(tenant);
  return id.startsWith(prefix) && /^[0-9a-f]{32}$/.test(id.slice(prefix.length));
}

/** Whether an id is that of a record for some tenant's key. */
export function isNamedRing(id: string): boolean {
  return id.startsWith('key.');
}

function idPrefix(tenant: string): string {
  return `key.${tenant}.`;
}
