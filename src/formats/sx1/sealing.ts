import type { BackendLimits } from '../../dialects/backend-limits.ts';
import type { WrappingKey } from '../../encryption/key-source.ts';
import { CARRIED_ENTRY, readCarried, splitMetadata } from '../../envelope/carried-metadata.ts';
import { canonicalMetadata } from '../../envelope/claims.ts';
import {
  CONTEXT_ENTRY,
  contextTextLength,
  type EncryptionContext,
  sealContext,
} from '../../envelope/encryption-context.ts';
import {
  ENVELOPE_ENTRY,
  type EnvelopeHead,
  encodeEnvelope,
  type OpenEnvelope,
  type SealedFields,
  sealEnvelope,
} from '../../envelope/envelope.ts';
import type { RequestedEncryption } from '../../envelope/envelope-head.ts';
import { LOCATION_ENTRY, LOCATION_TEXT_LENGTH } from '../../envelope/location-claim.ts';
import { ObjectKeys } from '../../envelope/object-keys.ts';
import { clientError } from '../../errors.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { MetadataEntry, ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { FormatDesk } from '../format-desk.ts';
import { settledContent } from '../settled-content.ts';
import { locationEntry } from './location.ts';

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
  /** The text of the entry for the encryption context; undefined where there is none. */
  readonly contextText: string | undefined;
  /** The metadata that the backend stores: the client's, and the entries of the format. */
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
  const kek = await source.forNew();
  const random = randomBytes(80);
  const oid = random.subarray(0, 16);
  const location = await source.tenantKeys?.forNew();
  const storable = storableMetadata(clientMetadata, { context: kek.context, location }, context);
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
  const kek = await context.keys.forNew();
  const location = await context.keys.tenantKeys?.forNew();
  const storable = storableMetadata(clientMetadata, { context: kek.context, location }, context);
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
  /** The tenant's key for a location claim beside the envelope; undefined where the claim lies in it. */
  readonly location: WrappingKey | undefined;
}

/** What lies beside the envelope, and takes room of the client's metadata. */
interface Beside extends Pick<StorableMetadata, 'location'> {
  readonly context: EncryptionContext | undefined;
}

/**
 * Lays out a client's metadata for the store.
 * @throws GatewayError MetadataTooLarge, or InvalidArgument for metadata that an answer could not give back
 */
function storableMetadata(metadata: ObjectMetadata, beside: Beside, { store }: FormatDesk): StorableMetadata {
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
  const counted = [...entries, ...entriesBeside(beside)];
  if (counted.length > 0) refuseLargeMetadata(counted, store.limits);
  // A carried Content-Type is not told to the backend. It is told the default in its place, or it would make one up.
  const typed = { ...content, contentType: content.contentType ?? settledContent({}).contentType };
  return {
    canonical: canonicalMetadata(settled),
    carries: carried !== undefined,
    stored: { ...metadata, content: typed, user: entries },
    location: beside.location,
  };
}

/** The entries beside the envelope as they are counted. Their texts are made later, and as long. */
function entriesBeside({ context, location }: Beside): readonly MetadataEntry[] {
  return [
    ...(context === undefined ? [] : [[CONTEXT_ENTRY, '.'.repeat(contextTextLength(context))] as const]),
    ...(location === undefined ? [] : [[LOCATION_ENTRY, '.'.repeat(LOCATION_TEXT_LENGTH)] as const]),
  ];
}

const NO_TAG = Buffer.alloc(16);

/**
 * What the envelope says of the encryption that was asked for (FORMAT.md §3), by the kind of its key. Managed keys are
 * the bucket's default, so the envelope does not tell whether the client asked for one.
 */
const REQUESTED: Readonly<Record<EncryptionFacts['kind'], RequestedEncryption>> = { managed: 0, kms: 2, customer: 3 };

function sealFor(
  ref: ObjectRef,
  { canonical, carries, stored, location }: StorableMetadata,
  { body, kek, envelopeSalt }: { readonly body: SealedBody; readonly kek: WrappingKey; readonly envelopeSalt: Buffer },
  { tenant }: FormatDesk,
): Pick<NewEnvelope, 'envelope' | 'contextText' | 'metadata'> {
  const { multipart, quantum, oid, keys, dek, partSalt, plaintextBytes } = body;
  const { context } = kek;
  const envelope = sealEnvelope({
    head: {
      multipart,
      hasLocationClaim: location === undefined,
      hasMetadataTag: true,
      carriesMetadata: carries,
      hasLocationEntry: location !== undefined,
      hasContext: context !== undefined,
      requested: REQUESTED[kek.told.kind],
      quantum,
      keyRingId: kek.ringId,
      kekVersion: kek.version,
      oid,
    },
    keys,
    dek,
    fields: {
      locationTag: location === undefined ? keys.locationTag(ref.bucket, ref.key) : NO_TAG,
      metadataTag: keys.metadataTag(canonical),
      partSalt,
      plaintextBytes,
    },
    kek: kek.key,
    tenant: tenant.name,
    envelopeSalt,
    context,
  });
  const own = [ENVELOPE_ENTRY, encodeEnvelope(envelope)] as const;
  const beside = location === undefined ? [] : [locationEntry(envelope, ref, location)];
  const user = [...stored.user, own, ...beside];
  if (context === undefined) return { envelope, contextText: undefined, metadata: { ...stored, user } };
  const contextText = sealContext(envelope, context, { kek: kek.key, tenant: tenant.name });
  return { envelope, contextText, metadata: { ...stored, user: [...user, [CONTEXT_ENTRY, contextText] as const] } };
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
