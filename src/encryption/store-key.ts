import { createHash, hkdfSync } from 'node:crypto';
import type { KekBytes } from '../envelope/envelope-binding.ts';
import { CustomerKey } from '../operations/encryption.ts';

/** It must never change, because the keys of existing objects are made with it. */
const LABEL = 'sealgate store key 1';
const KEY_BYTES = 32;

/** How many buckets' keys are remembered for a version of a tenant's key. */
const MOST_REMEMBERED = 256;

/** The derived keys, for as long as the tenant's key is in the cache of records. Deriving takes 50 µs. */
const remembered = new WeakMap<KekBytes, Map<string, CustomerKey>>();

/**
 * Derives the key under which a store encrypts a tenant's objects in one bucket (S3's SSE-C): HKDF-SHA256 (RFC 5869)
 * over one version of the tenant's key, with the label as salt, and tenant and bucket as info. There is no random salt
 * for each object: it could lie in the object's metadata only, and those are not given out before the key is known.
 */
export function storeKeyOf(
  kek: KekBytes,
  { tenant, bucket }: { readonly tenant: string; readonly bucket: string },
): CustomerKey {
  // Neither name contains a NUL, so no two pairs make the same text.
  const info = `${tenant}\0${bucket}`;
  const known = remembered.get(kek) ?? new Map<string, CustomerKey>();
  remembered.set(kek, known);
  let key = known.get(info);
  if (key === undefined) {
    key = derived(kek, info);
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(info, key);
  }
  return key;
}

function derived(kek: KekBytes, info: string): CustomerKey {
  const secret = kek.export();
  const key = Buffer.from(hkdfSync('sha256', secret, LABEL, info, KEY_BYTES));
  secret.fill(0);
  return new CustomerKey(key, createHash('md5').update(key).digest());
}
