import type { KeyName, WrappingKey } from '../../encryption/key-source.ts';
import type { GatheredMetadata } from '../../envelope/carried-metadata.ts';
import { canonicalMetadata } from '../../envelope/claims.ts';
import { CONTEXT_ENTRY } from '../../envelope/encryption-context.ts';
import {
  decodeEnvelope,
  ENVELOPE_ENTRY,
  type EnvelopeHead,
  type OpenEnvelope,
  openEnvelope,
  readEnvelopeHead,
} from '../../envelope/envelope.ts';
import type { RequestedEncryption } from '../../envelope/envelope-head.ts';
import { LOCATION_ENTRY } from '../../envelope/location-claim.ts';
import { GatewayError } from '../../errors.ts';
import type { EncryptionFacts, EncryptionForm } from '../../operations/encryption.ts';
import type { MetadataEntry, ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import { timingSafeEqualBytes } from '../../secret.ts';
import type { FormatDesk } from '../format-desk.ts';
import { corrupted } from '../refusals.ts';
import { EnvelopeCache } from './envelope-cache.ts';
import { type HeldLocation, heldLocation, isInPlace } from './location.ts';
import { warn } from './warning.ts';

/** The texts of the entries that open an object. */
export interface SealedEntries {
  /** The envelope; undefined for an object that is not sealed. */
  readonly envelope: string | undefined;
  /** The encryption context, which counts only where the envelope says that there is one. */
  readonly context: string | undefined;
  /** The location claim beside the envelope, of which the same is true. */
  readonly location: string | undefined;
}

/**
 * Finds in an object's user metadata the entries that open it.
 * @throws GatewayError ObjectCorrupted where one of them is there twice, because nothing tells which is meant. Two
 *   location claims count as none.
 */
export function sealedEntries({ user }: ObjectMetadata): SealedEntries {
  const locations = user.filter(([name]) => name === LOCATION_ENTRY);
  return {
    envelope: onlyEntry(user, ENVELOPE_ENTRY),
    context: onlyEntry(user, CONTEXT_ENTRY),
    location: locations.length === 1 ? locations[0]?.[1] : undefined,
  };
}

function onlyEntry(user: readonly MetadataEntry[], wanted: string): string | undefined {
  let text: string | undefined;
  for (const [name, value] of user) {
    if (name !== wanted) continue;
    if (text !== undefined) throw corrupted(`It has two entries ${wanted}.`);
    text = value;
  }
  return text;
}

/** The form in which encryption was asked for, by the number in an envelope. */
const FORMS: Readonly<Record<RequestedEncryption, EncryptionForm>> = {
  0: 'managed',
  1: 'managed',
  2: 'kms',
  3: 'customer',
};

/** An envelope that was opened just now. */
export interface JustOpened {
  readonly opened: OpenEnvelope;
  readonly kek: WrappingKey;
  readonly encryption: EncryptionFacts;
}

/**
 * Opens an envelope under the KEK that it names.
 * @param context the text of the entry for the encryption context, where the object has one
 * @throws GatewayError ObjectCorrupted, or CustomerKeyWrong under a customer's key; KeyUnavailable, KeyStoreUnavailable
 */
export async function openUnderItsKek(
  envelope: Buffer,
  context: string | undefined,
  { keys, tenant }: Pick<FormatDesk, 'keys' | 'tenant'>,
): Promise<JustOpened> {
  const kek = await keys.forExisting(keyNameIn(readEnvelopeHead(envelope)));
  const opened = opening(kek, () => openEnvelope(envelope, { kek: kek.key, tenant: tenant.name, context }));
  return { opened, kek, encryption: told(kek, opened) };
}

function opening(kek: WrappingKey, open: () => OpenEnvelope): OpenEnvelope {
  try {
    return open();
  } catch (error) {
    throw kek.refusal?.(error) ?? error;
  }
}

function keyNameIn({ keyRingId, kekVersion, requested }: EnvelopeHead): KeyName {
  return { ringId: keyRingId, version: kekVersion, form: FORMS[requested] };
}

/** What clients are told of the encryption of an object, whose context has the flag of the bucket key. */
function told({ told: facts }: WrappingKey, { context }: OpenEnvelope): EncryptionFacts {
  return context?.bucketKey === true && facts.kind === 'kms' ? { ...facts, bucketKey: true } : facts;
}

/**
 * Opens the envelope of a stored object under the KEK that it names, and verifies that it belongs to the place where it
 * was found and to the object's metadata.
 * @param metadata the object's metadata as its client sent them
 * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable, CustomerKeyNeeded,
 *   CustomerKeyUnneeded, CustomerKeyWrong
 */
export async function openSealed(
  texts: SealedEntries & { readonly envelope: string },
  ref: ObjectRef,
  metadata: GatheredMetadata,
  context: FormatDesk,
  envelopes: EnvelopeCache,
): Promise<{ readonly opened: OpenEnvelope; readonly encryption: EncryptionFacts }> {
  const { keys } = context;
  const name = EnvelopeCache.nameOf({ scope: keys.scope, bucket: ref.bucket, ...texts, key: ref.key });
  const before = envelopes.get(name);
  const canonical = canonicalMetadata(metadata);
  if (before?.metadata.equals(canonical) && before.opened.head.carriesMetadata === metadata.carries) {
    const kek = await keys.forExisting(keyNameIn(before.opened.head));
    if (kek.fingerprint === before.kek) {
      const { opened, location } = before;
      // The claim beside the envelope is not part of the entry's name, and its key may be gone by now.
      if (location !== undefined) {
        await heldLocation(decodeEnvelope(texts.envelope), texts.location, { ref, before: location }, context);
      }
      return { opened, encryption: told(kek, opened) };
    }
  }
  const envelope = decodeEnvelope(texts.envelope);
  const { opened, kek, encryption } = await openUnderItsKek(envelope, texts.context, context);
  // An envelope with a claim that did not hold is not remembered, so that each request asks the policy about it.
  const held = await heldClaims(opened, { ref, envelope, location: texts.location, metadata, canonical }, context);
  if (held !== undefined) envelopes.set(name, { opened, kek: kek.fingerprint, metadata: canonical, ...held });
  return { opened, encryption };
}

/** What the claims of an opened envelope are verified against. */
interface Claimed {
  /** Where the object was found. */
  readonly ref: ObjectRef;
  /** The envelope beside which the claim lies. */
  readonly envelope: Buffer;
  /** The text of the entry with the location claim. */
  readonly location: string | undefined;
  readonly metadata: GatheredMetadata;
  /** The canonical form of the metadata. */
  readonly canonical: Buffer;
}

/**
 * Verifies place and metadata of an object whose envelope was opened. undefined where one of them does not hold and the
 * policy `warn` lets that pass.
 * @throws GatewayError ObjectMoved, ObjectCorrupted, KeyUnavailable, KeyStoreUnavailable
 */
export async function heldClaims(
  opened: OpenEnvelope,
  { ref, envelope, location, metadata, canonical }: Claimed,
  context: FormatDesk,
): Promise<{ readonly location: HeldLocation | undefined } | undefined> {
  const { hasLocationEntry } = opened.head;
  const beside = hasLocationEntry ? await heldLocation(envelope, location, { ref }, context) : undefined;
  const inPlace = hasLocationEntry ? beside !== undefined : isInPlace(opened, ref, context);
  const ownMetadata = hasOwnMetadata(opened, { canonical, carries: metadata.carries }, context);
  return inPlace && ownMetadata ? { location: beside } : undefined;
}

/**
 * Verifies the object's metadata by the envelope's tag. False where they were changed and the policy `warn` lets that
 * pass.
 * @throws GatewayError ObjectCorrupted
 */
function hasOwnMetadata(
  opened: OpenEnvelope,
  { canonical, carries }: { readonly canonical: Buffer; readonly carries: boolean },
  context: FormatDesk,
): boolean {
  const { head, keys, fields } = opened;
  if (!head.hasMetadataTag) return true;
  if (head.carriesMetadata === carries && timingSafeEqualBytes(keys.metadataTag(canonical), fields.metadataTag)) {
    return true;
  }
  if (context.policy.metadata === 'warn') {
    warn('metadata', context);
    return false;
  }
  // The envelope itself is authentic, so this error may say what is wrong and what can be done (FORMAT.md §3).
  throw new GatewayError(
    'ObjectCorrupted',
    'The stored object’s metadata or content headers were changed in the backend. ' +
      'The bucket policy metadata=warn serves such objects.',
    { source: 'backend' },
  );
}
