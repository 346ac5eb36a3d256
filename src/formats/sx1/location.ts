import type { KeySource, WrappingKey } from '../../encryption/key-source.ts';
import type { OpenEnvelope } from '../../envelope/envelope.ts';
import {
  decodeLocationClaim,
  encodeLocationClaim,
  LOCATION_ENTRY,
  locationTagUnder,
} from '../../envelope/location-claim.ts';
import { GatewayError } from '../../errors.ts';
import { namesForOneObject } from '../../operations/folded-keys.ts';
import type { MetadataEntry, ObjectRef } from '../../operations/object.ts';
import { timingSafeEqualBytes } from '../../secret.ts';
import type { FormatDesk } from '../format-desk.ts';
import { warn } from './warning.ts';

/** The tenant's own keys, whatever keys the request's objects are sealed under. */
export function tenantKeysOf({ keys }: Pick<FormatDesk, 'keys'>): KeySource {
  return keys.tenantKeys ?? keys;
}

/**
 * Makes the location claim that lies beside an envelope under a customer's key (FORMAT.md §3.4).
 * @param kek the tenant's key for new objects
 */
export function locationEntry(envelope: Buffer, ref: ObjectRef, kek: WrappingKey): MetadataEntry {
  const tag = locationTagUnder(kek.key, envelope, ref);
  return [LOCATION_ENTRY, encodeLocationClaim({ keyRingId: kek.ringId, kekVersion: kek.version, tag })];
}

/**
 * Verifies where an object was sealed for, by the claim in its envelope. False where it is another place and the policy
 * `warn` lets that pass.
 * @throws GatewayError ObjectMoved
 */
export function isInPlace({ head, keys, fields }: OpenEnvelope, ref: ObjectRef, desk: FormatDesk): boolean {
  if (!head.hasLocationClaim) return true;
  const holds = namesForOneObject(ref.key, desk.store.foldsFirstSlash).some((key) =>
    timingSafeEqualBytes(keys.locationTag(ref.bucket, key), fields.locationTag),
  );
  if (!holds) passesMoved(desk);
  return holds;
}

/** A location claim beside an envelope that was found to hold, and the fingerprint of the key that it is under. */
export interface HeldLocation {
  /** The text of the claim's entry. */
  readonly text: string;
  readonly kek: string;
}

/**
 * The same, by the claim beside the envelope. undefined where it is another place and the policy `warn` lets that pass.
 * @param text the text of the claim's entry; undefined where there is none
 * @param before the claim that held for this object and this place before
 * @throws GatewayError ObjectMoved; KeyUnavailable where the key of the claim is gone; KeyStoreUnavailable
 */
export async function heldLocation(
  envelope: Buffer,
  text: string | undefined,
  { ref, before }: { readonly ref: ObjectRef; readonly before?: HeldLocation | undefined },
  desk: FormatDesk,
): Promise<HeldLocation | undefined> {
  const claim = text === undefined ? undefined : decodeLocationClaim(text);
  if (text === undefined || claim === undefined) return passesMoved(desk);
  const { keyRingId: ringId, kekVersion: version, tag } = claim;
  const kek = await tenantKeysOf(desk).forExisting({ ringId, version }).catch(undefinedIfForeign);
  if (kek === undefined) return passesMoved(desk);
  if (before?.text === text && before.kek === kek.fingerprint) return before;
  const { bucket } = ref;
  const holds = namesForOneObject(ref.key, desk.store.foldsFirstSlash).some((key) =>
    timingSafeEqualBytes(locationTagUnder(kek.key, envelope, { bucket, key }), tag),
  );
  return holds ? { text, kek: kek.fingerprint } : passesMoved(desk);
}

/** A claim that names no key of this tenant was not made here. One whose key is away or gone cannot be judged. */
function undefinedIfForeign(error: unknown): undefined {
  const code = error instanceof GatewayError ? error.code : undefined;
  if (code === 'ObjectCorrupted' || code === 'CustomerKeyNeeded') return undefined;
  throw error;
}

/** Lets an object pass that is not where it was sealed for, if the policy says so. @throws GatewayError ObjectMoved */
function passesMoved(desk: FormatDesk): undefined {
  if (desk.policy.location === 'warn') {
    warn('location', desk);
    return undefined;
  }
  throw new GatewayError(
    'ObjectMoved',
    'The stored object was sealed for another bucket or key: it was moved or swapped in the backend. ' +
      'The bucket policy location=warn serves such objects.',
    { source: 'backend' },
  );
}
