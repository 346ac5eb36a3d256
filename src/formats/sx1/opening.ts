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
import { GatewayError } from '../../errors.ts';
import type { EncryptionFacts, EncryptionForm } from '../../operations/encryption.ts';
import type { MetadataEntry, ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import { timingSafeEqualBytes } from '../../secret.ts';
import type { FormatDesk } from '../format-desk.ts';
import { corrupted } from '../refusals.ts';
import { EnvelopeCache } from './envelope-cache.ts';

/** The texts of the entries that open an object. */
export interface SealedEntries {
  /** The envelope; undefined for an object that is not sealed. */
  readonly envelope: string | undefined;
  /** The encryption context, which counts only where the envelope says that there is one. */
  readonly context: string | undefined;
}

/**
 * Finds in an object's user metadata the entries that open it.
 * @throws GatewayError ObjectCorrupted where one of them is there twice, because nothing tells which is meant
 */
export function sealedEntries({ user }: ObjectMetadata): SealedEntries {
  return { envelope: onlyEntry(user, ENVELOPE_ENTRY), context: onlyEntry(user, CONTEXT_ENTRY) };
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
 * @throws GatewayError ObjectCorrupted, KeyUnavailable, KeyStoreUnavailable
 */
export async function openUnderItsKek(
  envelope: Buffer,
  context: string | undefined,
  { keys, tenant }: Pick<FormatDesk, 'keys' | 'tenant'>,
): Promise<JustOpened> {
  const kek = await keys.forExisting(keyNameIn(readEnvelopeHead(envelope)));
  const opened = openEnvelope(envelope, { kek: kek.key, tenant: tenant.name, context });
  return { opened, kek, encryption: told(kek, opened) };
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
 * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
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
    if (kek.fingerprint === before.kek) return { opened: before.opened, encryption: told(kek, before.opened) };
  }
  const { opened, kek, encryption } = await openUnderItsKek(decodeEnvelope(texts.envelope), texts.context, context);
  // An envelope with a claim that did not hold is not remembered, so that each request asks the policy about it.
  const undisputed = [
    isInPlace(opened, ref, context),
    hasOwnMetadata(opened, { canonical, carries: metadata.carries }, context),
  ];
  if (!undisputed.includes(false)) envelopes.set(name, { opened, kek: kek.fingerprint, metadata: canonical });
  return { opened, encryption };
}

/**
 * Verifies the envelope's location. False where it is another place and the policy `warn` lets that pass.
 * @throws GatewayError ObjectMoved
 */
function isInPlace(opened: OpenEnvelope, ref: ObjectRef, context: FormatDesk): boolean {
  if (!opened.head.hasLocationClaim) return true;
  if (namesForOneObject(ref.key, context).some((key) => isSealedFor(opened, ref.bucket, key))) return true;
  if (context.policy.location === 'warn') {
    warn('location', context);
    return false;
  }
  throw new GatewayError(
    'ObjectMoved',
    'The stored object was sealed for another bucket or key: it was moved or swapped in the backend. ' +
      'The bucket policy location=warn serves such objects.',
    { source: 'backend' },
  );
}

function isSealedFor(opened: OpenEnvelope, bucket: string, key: string): boolean {
  return timingSafeEqualBytes(opened.keys.locationTag(bucket, key), opened.fields.locationTag);
}

/**
 * The keys that name the same object as `key` does. Stores that keep objects as files take `/a` and `a` for one object
 * and list it as `a`, so an object that was sealed under one of them must open under the other. The location claim
 * itself is made of the key's raw bytes (FORMAT.md §3).
 */
function namesForOneObject(key: string, { store }: FormatDesk): readonly string[] {
  if (!store.foldsFirstSlash) return [key];
  return key.startsWith('/') ? [key, key.slice(1)] : [key, `/${key}`];
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

function warn(claim: 'location' | 'metadata', context: FormatDesk): void {
  context.trace.warnings ??= [];
  context.trace.warnings.push(claim);
}
