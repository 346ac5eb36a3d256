import type { BackendLimits } from '../../dialects/backend-limits.ts';
import type { WrappingKey } from '../../encryption/key-source.ts';
import { CARRIED_ENTRY, type GatheredMetadata, readCarried, splitMetadata } from '../../envelope/carried-metadata.ts';
import { canonicalMetadata } from '../../envelope/claims.ts';
import {
  decodeEnvelope,
  ENVELOPE_ENTRY,
  type EnvelopeHead,
  encodeEnvelope,
  type OpenEnvelope,
  openEnvelope,
  readEnvelopeHead,
  type SealedFields,
  sealEnvelope,
} from '../../envelope/envelope.ts';
import type { RequestedEncryption } from '../../envelope/envelope-head.ts';
import { ObjectKeys } from '../../envelope/object-keys.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { MetadataEntry, ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import { timingSafeEqualBytes } from '../../secret.ts';
import type { FormatDesk } from '../format-desk.ts';
import { corrupted } from '../refusals.ts';
import { settledContent } from '../settled-content.ts';
import { EnvelopeCache } from './envelope-cache.ts';

/**
 * How many bytes of a store's user metadata the client may not use, as stores count them (names included). The
 * envelope's entry takes 260 bytes, and 28 are kept for one more short entry of the gateway (FORMAT.md §3).
 */
const RESERVED_METADATA_BYTES = 288;

/** The envelope of a new object, with the keys and the object id that it holds. */
export interface NewEnvelope {
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  readonly partSalt: Buffer;
  readonly envelope: Buffer;
  /** The metadata that the backend stores: the client's, and the envelope's entry. */
  readonly metadata: ObjectMetadata;
  readonly encryption: EncryptionFacts;
}

/**
 * Draws DEK and object id for a new object, and seals its envelope under the KEK for new objects (FORMAT.md §2, §3).
 * @param plaintextBytes undefined for an object in the multipart structure
 * @throws GatewayError MetadataTooLarge, InvalidArgument, KeyStoreUnavailable, KeyUnavailable
 */
export async function newEnvelope(
  ref: ObjectRef,
  clientMetadata: ObjectMetadata,
  plaintextBytes: number | undefined,
  context: FormatDesk,
): Promise<NewEnvelope> {
  const { keys: source, randomBytes, policy } = context;
  const storable = storableMetadata(clientMetadata, context);
  const kek = await source.forNew();
  const random = randomBytes(80);
  const oid = random.subarray(0, 16);
  const dek = random.subarray(16, 48);
  const multipart = plaintextBytes === undefined;
  const partSalt = multipart ? Buffer.alloc(16) : random.subarray(48, 64);
  const keys = new ObjectKeys(dek, oid);
  const body = { multipart, quantum: policy.quantum, oid, keys, dek, partSalt, plaintextBytes } as const;
  const sealed = sealFor(ref, storable, { body, kek, envelopeSalt: random.subarray(64, 80) }, context);
  return { keys, oid, partSalt, ...sealed, encryption: kek.told };
}

/**
 * Makes the metadata that the backend stores with a copy of a sealed object's bytes (FORMAT.md §9). The envelope is
 * sealed for the new place, under the KEK for new objects. DEK, object id and what the envelope says of the body stay
 * the same.
 * @throws GatewayError MetadataTooLarge, InvalidArgument, KeyStoreUnavailable, KeyUnavailable
 */
export async function resealedMetadata(
  { head, fields, keys, dek }: OpenEnvelope,
  ref: ObjectRef,
  clientMetadata: ObjectMetadata,
  context: FormatDesk,
): Promise<{ readonly metadata: ObjectMetadata; readonly encryption: EncryptionFacts }> {
  const { randomBytes } = context;
  const storable = storableMetadata(clientMetadata, context);
  const kek = await context.keys.forNew();
  const body = { ...head, ...fields, keys, dek };
  const { metadata } = sealFor(ref, storable, { body, kek, envelopeSalt: randomBytes(16) }, context);
  return { metadata, encryption: kek.told };
}

/** What an envelope says of the body that it belongs to. A copy of the same bytes keeps all of it. */
type SealedBody = Pick<EnvelopeHead, 'multipart' | 'quantum' | 'oid'> &
  Pick<SealedFields, 'partSalt' | 'plaintextBytes'> &
  Pick<OpenEnvelope, 'keys' | 'dek'>;

/** A client's metadata in the form in which the backend stores them, without the envelope's entry. */
interface StorableMetadata {
  /** The canonical form of the metadata, which the metadata tag covers (FORMAT.md §3.2). */
  readonly canonical: Buffer;
  /** Whether some of the metadata are in the entry for carried metadata (FORMAT.md §3.3). */
  readonly carries: boolean;
  readonly stored: ObjectMetadata;
}

/**
 * Lays out a client's metadata for the store.
 * @throws GatewayError MetadataTooLarge, or InvalidArgument for metadata that an answer could not give back
 */
function storableMetadata(metadata: ObjectMetadata, { store }: FormatDesk): StorableMetadata {
  const settled = { content: settledContent(metadata.content), user: metadata.user };
  const { content, user, carried } = splitMetadata(settled);
  if (carried !== undefined && readCarried(carried) === undefined) {
    throw clientError(
      'InvalidArgument',
      'The metadata has a name twice, a name that begins with sx1, or a value with control characters. ' +
        'Leave it out, or encode it.',
    );
  }
  const entries = carried === undefined ? user : [...user, [CARRIED_ENTRY, carried] as const];
  if (entries.length > 0) refuseLargeMetadata(entries, store.limits);
  // A carried Content-Type is not told to the backend. It is told the default in its place, or it would make one up.
  const typed = { ...content, contentType: content.contentType ?? settledContent({}).contentType };
  return {
    canonical: canonicalMetadata(settled),
    carries: carried !== undefined,
    stored: { ...metadata, content: typed, user: entries },
  };
}

/**
 * What the envelope says of the encryption that was asked for (FORMAT.md §3), by the kind of its key. Managed keys are
 * the bucket's default, so the envelope does not tell whether the client asked for one.
 */
const REQUESTED: Readonly<Record<EncryptionFacts['kind'], RequestedEncryption>> = { managed: 0, kms: 2, customer: 3 };

function sealFor(
  ref: ObjectRef,
  { canonical, carries, stored }: StorableMetadata,
  { body, kek, envelopeSalt }: { readonly body: SealedBody; readonly kek: WrappingKey; readonly envelopeSalt: Buffer },
  { tenant }: FormatDesk,
): { readonly envelope: Buffer; readonly metadata: ObjectMetadata } {
  const { multipart, quantum, oid, keys, dek, partSalt, plaintextBytes } = body;
  const envelope = sealEnvelope({
    head: {
      multipart,
      hasLocationClaim: true,
      hasMetadataTag: true,
      carriesMetadata: carries,
      hasLocationEntry: false,
      requested: REQUESTED[kek.told.kind],
      quantum,
      keyRingId: kek.ringId,
      kekVersion: kek.version,
      oid,
    },
    keys,
    dek,
    fields: {
      locationTag: keys.locationTag(ref.bucket, ref.key),
      metadataTag: keys.metadataTag(canonical),
      partSalt,
      plaintextBytes,
    },
    kek: kek.key,
    tenant: tenant.name,
    envelopeSalt,
  });
  const user = [...stored.user, [ENVELOPE_ENTRY, encodeEnvelope(envelope)] as const];
  return { envelope, metadata: { ...stored, user } };
}

function refuseLargeMetadata(entries: readonly MetadataEntry[], { userMetadata }: BackendLimits): void {
  const bytes = userMetadata.count(entries);
  const mostBytes = userMetadata.bytes - RESERVED_METADATA_BYTES;
  if (bytes <= mostBytes) return;
  throw clientError(
    'MetadataTooLarge',
    `The user metadata takes ${bytes} bytes as it is stored, names included; this gateway takes at most ${mostBytes}` +
      ', because the encryption envelope needs room beside it. What is not plain ASCII takes a third more.',
    { details: { Size: String(bytes), MaxSizeAllowed: String(mostBytes) } },
  );
}

/**
 * Finds the envelope's text in an object's user metadata; undefined for an object that is not sealed.
 * @throws GatewayError ObjectCorrupted where there are two envelopes, because nothing tells which of them is meant
 */
export function envelopeText(metadata: ObjectMetadata): string | undefined {
  let text: string | undefined;
  for (const [name, value] of metadata.user) {
    if (name !== ENVELOPE_ENTRY) continue;
    if (text !== undefined) throw corrupted('It has two envelopes.');
    text = value;
  }
  return text;
}

/**
 * Opens the envelope of a stored object under the KEK that it names, and verifies that it belongs to the place where it
 * was found and to the object's metadata.
 * @param metadata the object's metadata as its client sent them
 * @throws GatewayError ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
 */
export async function openSealed(
  text: string,
  ref: ObjectRef,
  metadata: GatheredMetadata,
  context: FormatDesk,
  envelopes: EnvelopeCache,
): Promise<{ readonly opened: OpenEnvelope; readonly encryption: EncryptionFacts }> {
  const { keys, tenant } = context;
  const name = EnvelopeCache.nameOf({ scope: keys.scope, bucket: ref.bucket, envelope: text, key: ref.key });
  const before = envelopes.get(name);
  const canonical = canonicalMetadata(metadata);
  if (before?.metadata.equals(canonical) && before.opened.head.carriesMetadata === metadata.carries) {
    const { keyRingId, kekVersion } = before.opened.head;
    const kek = await keys.forExisting({ ringId: keyRingId, version: kekVersion });
    if (kek.fingerprint === before.kek) return { opened: before.opened, encryption: kek.told };
  }
  const bytes = decodeEnvelope(text);
  const head = readEnvelopeHead(bytes);
  const kek = await keys.forExisting({ ringId: head.keyRingId, version: head.kekVersion });
  const opened = openEnvelope(bytes, { kek: kek.key, tenant: tenant.name });
  // An envelope with a claim that did not hold is not remembered, so that each request asks the policy about it.
  const undisputed = [
    isInPlace(opened, ref, context),
    hasOwnMetadata(opened, { canonical, carries: metadata.carries }, context),
  ];
  if (!undisputed.includes(false)) envelopes.set(name, { opened, kek: kek.fingerprint, metadata: canonical });
  return { opened, encryption: kek.told };
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
  { canonical, carries }: Pick<StorableMetadata, 'canonical' | 'carries'>,
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
