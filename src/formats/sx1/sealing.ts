import type { BackendLimits } from '../../dialects/backend-limits.ts';
import type { WrappingKey } from '../../encryption/key-source.ts';
import { CARRIED_ENTRY, type GatheredMetadata, layMetadata, readCarried } from '../../envelope/carried-metadata.ts';
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
 * The part of a store's user metadata that the client may not use, in the store's count (names included): the envelope's
 * entry takes 260 bytes, and 28 stay in reserve for one more short entry of the gateway's own (FORMAT.md §3).
 */
const RESERVED_METADATA_BYTES = 288;

/** A new object's envelope, with the keys and the identity that are in it, before the object's body is sealed. */
export interface NewEnvelope {
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  readonly partSalt: Buffer;
  readonly envelope: Buffer;
  /** The client's metadata with the envelope's entry: what the backend stores. */
  readonly metadata: ObjectMetadata;
  readonly encryption: EncryptionFacts;
}

/**
 * Draws DEK and oid for an object, and seals its envelope under the KEK that the request's keys have for new objects
 * (FORMAT.md §2, §3).
 * @param plaintextBytes undefined makes the multipart structure
 * @throws GatewayError MetadataTooLarge, KeyStoreUnavailable, KeyUnavailable
 */
export async function newEnvelope(
  ref: ObjectRef,
  clientMetadata: ObjectMetadata,
  plaintextBytes: number | undefined,
  context: FormatDesk,
): Promise<NewEnvelope> {
  const { keys: source, randomBytes, policy } = context;
  const laid = laidMetadata(clientMetadata, context);
  const kek = await source.forNew();
  const random = randomBytes(80);
  const oid = random.subarray(0, 16);
  const dek = random.subarray(16, 48);
  const multipart = plaintextBytes === undefined;
  const partSalt = multipart ? Buffer.alloc(16) : random.subarray(48, 64);
  const keys = new ObjectKeys(dek, oid);
  const body = { multipart, requested: 0, quantum: policy.quantum, oid, keys, dek, partSalt, plaintextBytes } as const;
  const sealed = sealFor(ref, laid, { body, kek, envelopeSalt: random.subarray(64, 80) }, context);
  return { keys, oid, partSalt, ...sealed, encryption: kek.told };
}

/**
 * What the backend stores beside a copy of a sealed object's bytes: its envelope sealed anew for the new place under
 * the KEK for new objects, the body's own keys and facts as they were (FORMAT.md §9).
 * @throws GatewayError MetadataTooLarge, KeyStoreUnavailable, KeyUnavailable
 */
export async function resealedMetadata(
  { head, fields, keys, dek }: OpenEnvelope,
  ref: ObjectRef,
  clientMetadata: ObjectMetadata,
  context: FormatDesk,
): Promise<{ readonly metadata: ObjectMetadata; readonly encryption: EncryptionFacts }> {
  const { randomBytes } = context;
  const laid = laidMetadata(clientMetadata, context);
  const kek = await context.keys.forNew();
  const body = { ...head, ...fields, keys, dek };
  const { metadata } = sealFor(ref, laid, { body, kek, envelopeSalt: randomBytes(16) }, context);
  return { metadata, encryption: kek.told };
}

/** What an envelope says of the body that it belongs to. A copy elsewhere keeps all of it. */
type SealedBody = Pick<EnvelopeHead, 'multipart' | 'requested' | 'quantum' | 'oid'> &
  Pick<SealedFields, 'partSalt' | 'plaintextBytes'> &
  Pick<OpenEnvelope, 'keys' | 'dek'>;

/** A client's metadata, and how the backend stores it, before the envelope's own entry is added. */
interface Laid {
  /** What the metadata tag covers. */
  readonly canonical: Buffer;
  /** Some of it is in the gateway's own entry. */
  readonly carries: boolean;
  readonly stored: ObjectMetadata;
}

/** @throws GatewayError MetadataTooLarge, InvalidArgument for what no answer could give back */
function laidMetadata(metadata: ObjectMetadata, { store }: FormatDesk): Laid {
  const settled = { content: settledContent(metadata.content), user: metadata.user };
  const { content, user, carried } = layMetadata(settled);
  if (carried !== undefined && readCarried(carried) === undefined) {
    throw clientError(
      'InvalidArgument',
      'The metadata has a name twice, a name that begins with sx1, or a value with control characters. Leave it out, or encode it.',
    );
  }
  const entries = carried === undefined ? user : [...user, [CARRIED_ENTRY, carried] as const];
  if (entries.length > 0) refuseLargeMetadata(entries, store.limits);
  // A backend that is told no type makes one up, which would then stand in an answer's head twice.
  const typed = { ...content, contentType: content.contentType ?? settledContent({}).contentType };
  return {
    canonical: canonicalMetadata(settled),
    carries: carried !== undefined,
    stored: { ...metadata, content: typed, user: entries },
  };
}

function sealFor(
  ref: ObjectRef,
  { canonical, carries, stored }: Laid,
  { body, kek, envelopeSalt }: { readonly body: SealedBody; readonly kek: WrappingKey; readonly envelopeSalt: Buffer },
  { tenant }: FormatDesk,
): { readonly envelope: Buffer; readonly metadata: ObjectMetadata } {
  const { multipart, requested, quantum, oid, keys, dek, partSalt, plaintextBytes } = body;
  const envelope = sealEnvelope({
    head: {
      multipart,
      hasLocationClaim: true,
      hasMetadataTag: true,
      carriesMetadata: carries,
      requested,
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
    `The user metadata takes ${bytes} bytes as it is stored, names included; this gateway takes at most ${mostBytes}, because the encryption envelope needs room beside it. What is not plain ASCII takes a third more.`,
    { details: { Size: String(bytes), MaxSizeAllowed: String(mostBytes) } },
  );
}

/**
 * The envelope's text among an object's user metadata, or undefined for an object that was not sealed.
 * @throws GatewayError ObjectCorrupted where there are two: which of them is meant nobody can say
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
 * Opens a stored object's envelope under the KEK that it names, and checks its claims against where it was found.
 * @param metadata the object's, as its client sent it
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
  // An envelope that only the policy let pass is not remembered: a changed policy must see it again.
  const undisputed = [
    isInPlace(opened, ref, context),
    hasOwnMetadata(opened, { canonical, carries: metadata.carries }, context),
  ];
  if (!undisputed.includes(false)) envelopes.set(name, { opened, kek: kek.fingerprint, metadata: canonical });
  return { opened, encryption: kek.told };
}

/** False when policy `warn` lets a moved object pass. */
function isInPlace(opened: OpenEnvelope, ref: ObjectRef, context: FormatDesk): boolean {
  if (!opened.head.hasLocationClaim) return true;
  if (namesForOneObject(ref.key, context).some((key) => isSealedFor(opened, ref.bucket, key))) return true;
  if (context.policy.location === 'warn') {
    warn('location', context);
    return false;
  }
  throw new GatewayError(
    'ObjectMoved',
    'The stored object was sealed for another bucket or key: it was moved or swapped in the backend. The bucket policy location=warn serves such objects.',
    { source: 'backend' },
  );
}

function isSealedFor(opened: OpenEnvelope, bucket: string, key: string): boolean {
  return timingSafeEqualBytes(opened.keys.locationTag(bucket, key), opened.fields.locationTag);
}

/**
 * Stores of paths keep `/a` and `a` as one object and list it as `a`: what was sealed under either name opens under
 * either. To all others they are two. The claim itself stays over raw bytes (FORMAT.md §3).
 */
function namesForOneObject(key: string, { store }: FormatDesk): readonly string[] {
  if (!store.foldsFirstSlash) return [key];
  return key.startsWith('/') ? [key, key.slice(1)] : [key, `/${key}`];
}

/** False when policy `warn` lets changed metadata pass. */
function hasOwnMetadata(
  opened: OpenEnvelope,
  { canonical, carries }: Pick<Laid, 'canonical' | 'carries'>,
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
  // The envelope opened: like a moved object's, this claim has an error that says what can be done (FORMAT.md §3).
  throw new GatewayError(
    'ObjectCorrupted',
    'The stored object’s metadata or content headers were changed in the backend. The bucket policy metadata=warn serves such objects.',
    { source: 'backend' },
  );
}

function warn(claim: 'location' | 'metadata', context: FormatDesk): void {
  context.trace.warnings ??= [];
  context.trace.warnings.push(claim);
}
