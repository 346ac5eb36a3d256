import type { StoredObject, StoreGet } from '../../dialects/store-exchange.ts';
import type { KeySource } from '../../encryption/key-source.ts';
import type { OpenEnvelope } from '../../envelope/envelope.ts';
import { type Manifest, openFooter } from '../../envelope/footer.ts';
import { Layout, type Slice } from '../../envelope/layout.ts';
import { maxFooterBytes, SEGMENT_BYTES, sealedBytes } from '../../envelope/sizes.ts';
import { openSlices, openWhole } from '../../envelope/streams.ts';
import { type Proof, type Proven, proven } from '../../errors.ts';
import type { AskedEncryption, EncryptionFacts } from '../../operations/encryption.ts';
import type { Checksum, ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { IdentifiedObject, ObjectFormat } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { NoSuchPart, ObjectDetails, PartPlace, RelocatedObject, StoredSpan } from '../object-details.ts';
import { placeAmong } from '../part-place.ts';
import { corrupted } from '../refusals.ts';
import type { LayoutCache } from './layout-cache.ts';
import { resealedMetadata } from './sealing.ts';
import { mayFollowParts } from './stored-guess.ts';

/**
 * How many bytes before the wanted segments an answer may begin and still be used. To read a few segments in vain is
 * cheaper than another request, and a guess for an object of thousands of parts may be off by as much.
 */
const SLACK_BYTES = 8 * SEGMENT_BYTES;

/** What a sealed object is made from once its envelope was opened. */
interface OpenedObject {
  readonly format: ObjectFormat;
  readonly desk: FormatDesk;
  readonly layouts: LayoutCache;
  readonly ref: ObjectRef;
  readonly stored: StoredObject;
  readonly opened: OpenEnvelope;
  readonly encryption: EncryptionFacts;
  readonly claimedBytes: number;
}

/** A stored object whose envelope was opened (FORMAT.md §7). */
export class SealedObject implements Omit<IdentifiedObject, keyof Proof> {
  readonly format: ObjectFormat;
  readonly ref: ObjectRef;
  readonly stored: StoredObject;
  readonly opened: OpenEnvelope;
  readonly encryption: EncryptionFacts;
  readonly claimedBytes: number;
  readonly #desk: FormatDesk;
  readonly #layouts: LayoutCache;
  /** The verified footer. It is kept here too, because the cache may be too small for it. */
  #manifest: Manifest | undefined;
  #details: ObjectDetails | undefined;

  constructor({ format, desk, layouts, ref, stored, opened, encryption, claimedBytes }: OpenedObject) {
    this.format = format;
    this.#desk = desk;
    this.#layouts = layouts;
    this.ref = ref;
    this.stored = stored;
    this.opened = opened;
    this.encryption = encryption;
    this.claimedBytes = claimedBytes;
  }

  get id(): Buffer {
    return this.opened.head.oid;
  }

  get askedAgain(): AskedEncryption | undefined {
    const { encryption } = this;
    if (encryption.kind !== 'kms') return undefined;
    const { canonical, bucketKey } = this.opened.context ?? {};
    const context = canonical === undefined || canonical.length === 0 ? undefined : canonical.toString('base64');
    return { kind: 'kms', keyId: encryption.keyId, context, bucketKey };
  }

  get provenBytes(): Proven<number> | undefined {
    const { plaintextBytes } = this.opened.fields;
    return plaintextBytes === undefined ? undefined : proven(plaintextBytes); // the opened envelope contains it
  }

  details(): ObjectDetails | Promise<ObjectDetails> {
    return this.#details ?? pinned(this.manifest()).then((manifest) => this.#detailsFrom(manifest));
  }

  detailsIn(tail: Buffer): ObjectDetails {
    return this.#detailsFrom(this.#openManifest(tail));
  }

  #detailsFrom(manifest: Manifest): ObjectDetails {
    const { multipart, md5, crc64, parts } = manifest;
    this.#details ??= {
      plaintextBytes: lengthIn(manifest),
      md5,
      checksum: checksumIn(manifest),
      crc64,
      parts: multipart ? parts : undefined,
    };
    return this.#details;
  }

  async part(part: number): Promise<PartPlace | NoSuchPart> {
    const { plaintextBytes } = this.opened.fields;
    if (plaintextBytes === undefined) {
      const { parts = [] } = await this.details();
      return placeAmong(parts, part) ?? { range: undefined, partsCount: parts.length };
    }
    if (part !== 1) return { range: undefined, partsCount: 1 };
    return { range: { first: 0, last: plaintextBytes - 1 }, partsCount: undefined };
  }

  locate(range: ByteRange | undefined): StoredSpan | Promise<StoredSpan> {
    if (this.opened.head.multipart) return this.#locateAmongParts(range);
    if (range !== undefined) this.#rememberSingle(range);
    return this.#span(this.#singleLayout().locate(range));
  }

  /**
   * Remembers that the object was sent by one PUT, so that the next range of it is asked for exactly. It does so only
   * for ranges whose guess was widened: those behind the smallest first part, and those to the object's end.
   */
  #rememberSingle(range: ByteRange): void {
    const toTheEnd = range.last === this.claimedBytes - 1;
    if (!toTheEnd && !mayFollowParts({ kind: 'from', ...range }, this.#desk.store)) return;
    this.#layouts.setSingle(this.#desk.keys.scope, this.ref);
  }

  async #locateAmongParts(range: ByteRange | undefined): Promise<StoredSpan> {
    return this.#span((await pinned(this.#layoutOfParts())).locate(range));
  }

  #span(slices: readonly Slice[]): StoredSpan {
    return new SealedSpan(slices, this.opened, this.#desk);
  }

  openWhole(stored: Buffer): readonly Buffer[] | Promise<readonly Buffer[]> {
    if (this.opened.head.multipart) return this.#layoutOfParts().then((layout) => this.#openWith(layout, stored));
    return this.#openWith(this.#singleLayout(), stored);
  }

  #openWith(layout: Layout, stored: Buffer): readonly Buffer[] {
    const started = performance.now();
    const { keys, head } = this.opened;
    const pieces = openWhole(stored, { keys, oid: head.oid, slices: layout.locate(undefined) });
    this.#desk.trace.openSeconds += (performance.now() - started) / 1000;
    return pieces;
  }

  async relocated(place: ObjectRef, metadata: ObjectMetadata, desk: FormatDesk): Promise<RelocatedObject | undefined> {
    // Listings compute the plaintext size with the destination bucket's quantum, so the copy must have it (FORMAT.md
    // §5).
    if (this.opened.head.quantum !== desk.policy.quantum) return undefined;
    // Under other keys, the copy gets a DEK of its own, because those who could open the source know the source's DEK.
    if (!mayShareDek(this.#desk.keys, desk.keys)) return undefined;
    return resealedMetadata(this.opened, place, metadata, desk);
  }

  #singleLayout(): Layout {
    const { fields, head } = this.opened;
    const { partSalt } = fields;
    return Layout.single({ plaintextBytes: this.claimedBytes, partSalt, quantum: head.quantum });
  }

  /** The layout of a multipart object. It follows from the footer, which is fetched once and cached. */
  async #layoutOfParts(): Promise<Layout> {
    const manifest = await this.manifest();
    const known = this.#layouts.get(this.#desk.keys.scope, this.ref);
    if (known?.manifest === manifest && known.layout !== undefined) return known.layout;
    return Layout.fromManifest(manifest, this.opened.head.quantum);
  }

  /**
   * The verified manifest of this object, from the cache or by one GET of the object's end that is pinned to its ETag.
   * @throws ObjectReplaced, GatewayError ObjectCorrupted, SlowDown, and what a GET throws
   */
  async manifest(): Promise<Manifest> {
    if (this.#manifest !== undefined) return this.#manifest;
    const { budget, store, keys, signal } = this.#desk;
    const layouts = this.#layouts;
    const { ref, stored } = this;
    const { oid, quantum } = this.opened.head;
    const known = layouts.get(keys.scope, ref);
    if (known !== undefined && known.backendEtag === stored.etag && known.storedBytes === stored.storedBytes) {
      if (known.oid.equals(oid)) return known.manifest;
      layouts.delete(keys.scope, ref);
      throw corrupted('The backend gave the same ETag to two different objects.');
    }
    const suffixBytes = Math.min(stored.storedBytes, maxFooterBytes(this.claimedBytes, quantum));
    const release = budget.reserve(suffixBytes);
    try {
      const get: StoreGet = {
        ref: { ...ref, versionId: ref.versionId ?? stored.versionId },
        range: { suffixBytes },
        conditions: { ifMatch: `"${stored.etag}"` },
      };
      const content = await store.getAside(get, signal);
      if (content.object.etag !== stored.etag || content.object.storedBytes !== stored.storedBytes) {
        content.discard();
        throw new ObjectReplaced();
      }
      const tail = await collect(content.body, suffixBytes, () => corrupted('The backend sent more than was asked.'));
      return this.#openManifest(tail);
    } finally {
      release();
    }
  }

  /** Opens the footer, checks it against the envelope and the stored size, and remembers it. */
  #openManifest(tail: Buffer): Manifest {
    const { head, keys } = this.opened;
    const { oid, quantum } = head;
    const { storedBytes, etag } = this.stored;
    const { manifest } = openFooter(tail, { keys, oid, storedBytes, quantum });
    const consistent =
      manifest.multipart === head.multipart &&
      manifest.plaintextBytes === this.claimedBytes &&
      sealedBytes(manifest.plaintextBytes, quantum) === storedBytes;
    if (!consistent) throw corrupted('The stored object’s footer contradicts its envelope.');
    this.#layouts.set(this.#desk.keys.scope, this.ref, {
      backendEtag: etag,
      oid,
      storedBytes,
      manifest,
      layout: manifest.multipart ? Layout.fromManifest(manifest, quantum) : undefined,
    });
    this.#manifest = manifest;
    return manifest;
  }
}

/**
 * Whether two objects may have one DEK: those under the same keys, and those under two keys of the same customer, who
 * brings both with the request.
 */
function mayShareDek(one: KeySource, other: KeySource): boolean {
  if (one.scope === other.scope) return true;
  return one.tenantKeys !== undefined && one.tenantKeys.scope === other.tenantKeys?.scope;
}

/** The object's length. @param manifest the manifest of a footer that was opened */
function lengthIn({ plaintextBytes }: Manifest): Proven<number> {
  return proven(plaintextBytes); // the footer's tag was verified, and its parts add up to this length
}

/** The object's checksum. A composite one is told with the number of parts. */
function checksumIn({ checksum, parts }: Manifest): Checksum | undefined {
  if (checksum === undefined) return undefined;
  const { algorithm, value, composite } = checksum;
  return { algorithm, value, parts: composite === true ? parts.length : undefined };
}

/** The segments that hold a range of the plaintext: a slice in each part that the range touches. */
class SealedSpan implements StoredSpan {
  readonly slackBytes = SLACK_BYTES;
  readonly #slices: readonly Slice[];
  readonly #opened: OpenEnvelope;
  readonly #desk: FormatDesk;

  constructor(slices: readonly Slice[], opened: OpenEnvelope, desk: FormatDesk) {
    this.#slices = slices;
    this.#opened = opened;
    this.#desk = desk;
  }

  get first(): number {
    return this.#slices[0]?.storedFirst ?? 0;
  }

  get last(): number {
    return this.#slices.at(-1)?.storedLast ?? 0;
  }

  open(source: ByteSource, storedFirst: number): ByteSource {
    const { keys, head } = this.#opened;
    const { trace } = this.#desk;
    return openSlices(source, {
      keys,
      oid: head.oid,
      slices: this.#slices,
      storedFirst,
      onCipher: (seconds) => {
        trace.openSeconds += seconds;
      },
    });
  }
}
