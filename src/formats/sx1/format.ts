import type { StoredObject } from '../../dialects/store-exchange.ts';
import { type GatheredMetadata, gatherMetadata } from '../../envelope/carried-metadata.ts';
import { canonicalMetadata } from '../../envelope/claims.ts';
import { decodeEnvelope, ENVELOPE_ENTRY, readEnvelopeHead } from '../../envelope/envelope.ts';
import { LOCATION_ENTRY } from '../../envelope/location-claim.ts';
import { maxFooterBytes, plaintextBytesOf, QUANTA, sealedBytes } from '../../envelope/sizes.ts';
import { proven } from '../../errors.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { RangeRequest } from '../../wire/range.ts';
import type { FoundObject, IdentifiedObject, ObjectFormat, RememberedObject, StoredRange } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { NewObject, ObjectWriter, PieceWriter } from '../object-writer.ts';
import type { PlainSizeCache } from '../plain-sizes.ts';
import { corrupted } from '../refusals.ts';
import type { OpenedEnvelope } from './customer-upload.ts';
import { EnvelopeCache } from './envelope-cache.ts';
import { LayoutCache } from './layout-cache.ts';
import { heldLocation, locationEntry, tenantKeysOf } from './location.ts';
import { hasLostItsEnvelope } from './lost-envelope.ts';
import { heldClaims, openSealed, sealedEntries } from './opening.ts';
import { SealedObject } from './sealed-object.ts';
import { SealedUploads } from './sealed-upload.ts';
import { SealedPieces, SealedWriter } from './sealed-writer.ts';
import { newEnvelope } from './sealing.ts';
import { storedGuess } from './stored-guess.ts';

/** The memory, in each worker, for verified footers of multipart objects. */
const LAYOUT_CACHE_BYTES = 16 * 1024 * 1024;

/** What the format remembers of objects that it read. */
export interface Sx1Memory {
  readonly envelopes: EnvelopeCache;
  readonly layouts: LayoutCache;
  /** Which objects without an envelope are known to be plain. Listings of mixed buckets use it too. */
  readonly plainSizes: PlainSizeCache;
}

/** SX1, the gateway's own format (FORMAT.md): sealed segments and a footer in the body, an envelope in the metadata. */
export class Sx1Format implements ObjectFormat {
  readonly name = 'sx1';
  readonly asSent = false;
  readonly uploads: SealedUploads;
  readonly endBytes = mostEndBytes;
  readonly clientMetadata = clientMetadata;
  readonly memory: Sx1Memory;

  constructor(plainSizes: PlainSizeCache) {
    this.memory = { envelopes: new EnvelopeCache(), layouts: new LayoutCache(LAYOUT_CACHE_BYTES), plainSizes };
    this.uploads = new SealedUploads(this.memory.layouts, this);
  }

  isMarked({ user }: ObjectMetadata): boolean {
    return user.some(([name]) => name === ENVELOPE_ENTRY);
  }

  async identify({ ref, stored }: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
    const { envelope, ...texts } = sealedEntries(stored.metadata);
    if (envelope === undefined) throw corrupted('It has no envelope.');
    const metadata = gatherMetadata(stored.metadata);
    const opened = await openSealed({ envelope, ...texts }, ref, metadata, desk, this.memory.envelopes);
    return this.#identified({ ref, stored }, { ...opened, metadata }, desk);
  }

  async identifyOpened(
    { ref, stored }: FoundObject,
    { opened, encryption }: OpenedEnvelope,
    desk: FormatDesk,
  ): Promise<IdentifiedObject> {
    const { envelope: text, location } = sealedEntries(stored.metadata);
    const metadata = gatherMetadata(stored.metadata);
    const envelope = decodeEnvelope(text ?? '');
    await heldClaims(opened, { ref, envelope, location, metadata, canonical: canonicalMetadata(metadata) }, desk);
    return this.#identified({ ref, stored }, { opened, encryption, metadata }, desk);
  }

  #identified(
    { ref, stored: answered }: FoundObject,
    { opened, encryption, metadata }: OpenedEnvelope & { readonly metadata: GatheredMetadata },
    desk: FormatDesk,
  ): IdentifiedObject {
    const { layouts } = this.memory;
    const { content, user } = metadata;
    const stored = { ...answered, metadata: { ...answered.metadata, content, user } };
    const claimedBytes = plaintextBytesOf(stored.storedBytes, opened.head.quantum);
    const sealedLength = opened.fields.plaintextBytes;
    if (claimedBytes === undefined || (sealedLength !== undefined && sealedLength !== claimedBytes)) {
      throw corrupted(
        'The stored object’s size does not fit its sealed length: it was truncated, extended or replaced.',
      );
    }
    // The envelope was opened and fits the stored size, which makes this object's facts proven.
    return proven(new SealedObject({ format: this, desk, layouts, ref, stored, opened, encryption, claimedBytes }));
  }

  async movedUnopened(
    { ref, stored }: FoundObject,
    place: ObjectRef,
    desk: FormatDesk,
  ): Promise<ObjectMetadata | undefined> {
    const { metadata } = stored;
    const { envelope: text, location } = sealedEntries(metadata);
    const envelope = decodeEnvelope(text ?? '');
    if (!readEnvelopeHead(envelope).hasLocationEntry) return undefined;
    await heldLocation(envelope, location, { ref }, desk);
    const others = metadata.user.filter(([name]) => name !== LOCATION_ENTRY);
    const kek = await tenantKeysOf(desk).forNew();
    return { ...metadata, user: [...others, locationEntry(envelope, place, kek)] };
  }

  hasLostMark(found: FoundObject, desk: FormatDesk): Promise<boolean> {
    return hasLostItsEnvelope(found, desk, this.memory.plainSizes);
  }

  guess(range: RangeRequest, ref: ObjectRef, desk: FormatDesk): StoredRange {
    return storedGuess(range, ref, desk, this.memory.layouts);
  }

  remembered(ref: ObjectRef, { keys }: FormatDesk): RememberedObject | undefined {
    const known = this.memory.layouts.get(keys.scope, ref);
    if (known === undefined) return undefined;
    const { multipart, parts } = known.manifest;
    return { etag: known.backendEtag, parts: multipart ? parts : undefined };
  }

  forget(ref: ObjectRef, { keys }: FormatDesk): void {
    this.memory.layouts.delete(keys.scope, ref);
  }

  storedBytes(plaintextBytes: number, { quantum }: BucketPolicy): number {
    return sealedBytes(plaintextBytes, quantum);
  }

  plaintextBytes(storedBytes: number, { quantum }: BucketPolicy): number | undefined {
    return plaintextBytesOf(storedBytes, quantum);
  }

  claimedBytes({ metadata, storedBytes }: StoredObject): number {
    const { quantum } = readEnvelopeHead(decodeEnvelope(sealedEntries(metadata).envelope ?? ''));
    return plaintextBytesOf(storedBytes, quantum) ?? storedBytes;
  }

  async begin({ ref, metadata }: NewObject, plaintextBytes: number, desk: FormatDesk): Promise<ObjectWriter> {
    return new SealedWriter(await newEnvelope(ref, metadata, plaintextBytes, desk), plaintextBytes, desk);
  }

  async beginPieces({ ref, metadata }: NewObject, desk: FormatDesk): Promise<PieceWriter> {
    return new SealedPieces(await newEnvelope(ref, metadata, undefined, desk), desk);
  }
}

/** The size of the largest footer that an object of this stored size can have, whatever its quantum. */
function mostEndBytes(storedBytes: number): number {
  let bytes = 0;
  for (const quantum of QUANTA) {
    const plaintextBytes = plaintextBytesOf(storedBytes, quantum);
    if (plaintextBytes !== undefined) bytes = Math.max(bytes, maxFooterBytes(plaintextBytes, quantum));
  }
  return Math.min(bytes, storedBytes);
}

function clientMetadata(metadata: ObjectMetadata): ObjectMetadata {
  const { content, user } = gatherMetadata(metadata);
  return { ...metadata, content, user };
}
