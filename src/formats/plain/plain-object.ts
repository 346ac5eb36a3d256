import { UnexplainedClaim } from '../../dialects/store-claim.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import { type Proof, type Proven, proven } from '../../errors.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import { exactBody } from '../../wire/bodies/exact-body.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { IdentifiedObject, ObjectFormat } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { NoSuchPart, ObjectDetails, PartPlace, RelocatedObject, StoredSpan } from '../object-details.ts';
import { settledContent } from '../settled-content.ts';

/** An object that is stored as it was sent. Nothing verifies what the store says of it, and the policy accepts that. */
export class PlainObject implements Omit<IdentifiedObject, keyof Proof> {
  readonly format: ObjectFormat;
  readonly ref: ObjectRef;
  readonly stored: StoredObject;
  readonly id = undefined;
  readonly encryption: EncryptionFacts | undefined = undefined;
  readonly #desk: FormatDesk;

  constructor({
    format,
    desk,
    ref,
    stored,
  }: {
    readonly format: ObjectFormat;
    readonly desk: FormatDesk;
    readonly ref: ObjectRef;
    readonly stored: StoredObject;
  }) {
    this.format = format;
    this.#desk = desk;
    this.ref = ref;
    this.stored = stored;
  }

  get claimedBytes(): number {
    return this.stored.storedBytes;
  }

  get provenBytes(): Proven<number> {
    return proven(this.stored.storedBytes); // the policy accepts the store's word
  }

  details(): ObjectDetails {
    return { plaintextBytes: this.provenBytes, md5: undefined, checksum: undefined, parts: undefined };
  }

  detailsIn(): ObjectDetails {
    return this.details();
  }

  /** Asks the store, whose parts are those that the client sent. */
  async part(part: number): Promise<PartPlace | NoSuchPart> {
    const { storedBytes } = this.stored;
    const whole = { range: { first: 0, last: storedBytes - 1 }, partsCount: undefined };
    // A store cannot tell the range of an empty object's only part, because there is none.
    if (storedBytes === 0) return part === 1 ? whole : { range: undefined, partsCount: 1 };
    const found = await this.#storedPart(part);
    if (found === undefined) {
      // The store says that there is no such part. The first part, which every object has, tells how many there are. If
      // that contradicts, the object was replaced in between.
      const { partsCount = 1 } = part === 1 ? {} : ((await this.#storedPart(1)) ?? {});
      if (part <= partsCount) throw new ObjectReplaced();
      return { range: undefined, partsCount };
    }
    const { storedRange, partsCount } = found;
    if (storedRange !== undefined) return { range: storedRange, partsCount };
    return part === 1 ? { ...whole, partsCount } : { range: undefined, partsCount: 1 };
  }

  /** Asks for the head of one part; undefined where the store says that there is no such part. */
  async #storedPart(part: number): Promise<StoredObject | undefined> {
    const { etag, versionId, storedBytes } = this.stored;
    const ref = { ...this.ref, versionId: this.ref.versionId ?? versionId };
    const { store, signal } = this.#desk;
    try {
      const found = await store.head({ ref, part, conditions: { ifMatch: `"${etag}"` } }, signal);
      if (found.etag !== etag || found.storedBytes !== storedBytes) throw new ObjectReplaced();
      return found;
    } catch (error) {
      if (error instanceof UnexplainedClaim && error.claim === 'InvalidRange') return undefined;
      return pinned(Promise.reject(error));
    }
  }

  locate(range: ByteRange | undefined): StoredSpan {
    return new PlainSpan(range ?? { first: 0, last: this.stored.storedBytes - 1 });
  }

  async relocated(
    _place: ObjectRef,
    metadata: ObjectMetadata,
    _desk?: FormatDesk,
  ): Promise<RelocatedObject | undefined> {
    // Some copies are made by a multipart upload, which cannot have an empty part. To write an empty object is as
    // cheap.
    if (this.stored.storedBytes === 0) return undefined;
    const settled = { ...metadata, content: settledContent(metadata.content) };
    return { metadata: settled, encryption: undefined };
  }
}

class PlainSpan implements StoredSpan {
  readonly first: number;
  readonly last: number;
  readonly slackBytes = 0;

  constructor({ first, last }: ByteRange) {
    this.first = first;
    this.last = last;
  }

  /** Passes the bytes on. @throws GatewayError BackendUnavailable where they are more or fewer than the range has */
  open(source: ByteSource, storedFirst: number): ByteSource {
    if (storedFirst !== this.first) throw new RangeError('The source must begin with the range.');
    return exactBody(source, this.last - this.first + 1);
  }
}
