import type { StoredObject } from '../dialects/store-exchange.ts';
import type { GatewayError } from '../errors.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { FoundObject, IdentifiedObject, ObjectFormat, UploadWriter } from './format.ts';
import type { FormatDesk } from './format-desk.ts';
import type { PlainSizeCache } from './plain-sizes.ts';
import { corrupted, notSealed } from './refusals.ts';

/** How a bucket's policy uses the formats. */
export interface BucketFormatsOptions {
  /** The format of new objects. */
  readonly write: ObjectFormat;
  /** The formats whose marked objects are read, in the order in which their marks are looked for. */
  readonly read: readonly ObjectFormat[];
  /** The format of objects that have no mark. undefined where such objects are refused. */
  readonly unmarked: ObjectFormat | undefined;
  /** The formats whose objects may have lost their mark. An unmarked object that looks like one of them is refused. */
  readonly mayLoseMarks: readonly ObjectFormat[];
  readonly knownSizes: PlainSizeCache;
}

/** The formats of one bucket: the one in which objects are written, and those that are read. protection.ts makes it. */
export class BucketFormats {
  /** The format of new objects. */
  readonly write: ObjectFormat;
  /**
   * Whether `identify` may look at an object's first bytes. Where those are arriving anyway, hand them over as
   * `FoundObject.content`; otherwise they cost a request.
   */
  readonly peeks: boolean;
  /** The plaintext sizes of listed objects, as far as they were found out by looking at them. */
  readonly knownSizes: PlainSizeCache;
  readonly #read: readonly ObjectFormat[];
  readonly #unmarked: ObjectFormat | undefined;
  readonly #mayLoseMarks: readonly ObjectFormat[];

  constructor({ write, read, unmarked, mayLoseMarks, knownSizes }: BucketFormatsOptions) {
    this.write = write;
    this.peeks = mayLoseMarks.length > 0;
    this.knownSizes = knownSizes;
    this.#read = read;
    this.#unmarked = unmarked;
    this.#mayLoseMarks = mayLoseMarks;
  }

  /**
   * Identifies the object that a store's answer describes. Only formats that the policy allows are tried, so that
   * whoever wrote the object into the store cannot choose how it is read.
   * @throws GatewayError ObjectNotSealed, ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable; and what a
   *   GET throws, where the object's first bytes are looked at
   */
  identify(found: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
    const { metadata } = found.stored;
    for (const format of this.#read) if (format.isMarked(metadata)) return format.identify(found, desk);
    return this.#identifyUnmarked(found, desk);
  }

  /**
   * The plaintext size of a listed object, as far as its stored size tells. A stored size that no object of the
   * bucket's format can have belongs to an object that is stored as it was sent, or that cannot be opened: it is shown
   * as it is.
   * @returns undefined where the object's metadata must tell which format it has
   */
  listedBytes(storedBytes: number, policy: BucketPolicy): number | undefined {
    const bytes = this.write.plaintextBytes(storedBytes, policy);
    if (bytes === undefined || bytes === storedBytes) return storedBytes;
    return this.#unmarked === undefined ? bytes : undefined;
  }

  /**
   * The plaintext size of an object, by its stored size and its mark, which is not verified.
   * @throws GatewayError ObjectCorrupted for a mark that cannot be read
   */
  claimedBytes(stored: StoredObject): number {
    const format = this.#read.find((each) => each.isMarked(stored.metadata));
    return format === undefined ? stored.storedBytes : format.claimedBytes(stored);
  }

  /**
   * How many of an object's last bytes to ask for in order to have its footer, whatever format it has. 0 for a stored
   * size that no object with a footer can have.
   */
  endBytes(storedBytes: number): number {
    return this.#read.reduce((most, format) => Math.max(most, format.endBytes(storedBytes)), 0);
  }

  /** Whether objects without a mark are read. */
  get readsUnmarked(): boolean {
    return this.#unmarked !== undefined;
  }

  /**
   * Opens an upload that an earlier request began. The bucket may have had another policy then.
   * @param header the header that the format made of the upload, from the upload's state
   * @throws GatewayError ObjectCorrupted, KeyUnavailable, KeyStoreUnavailable
   */
  openUpload(header: Buffer, ref: ObjectRef, desk: FormatDesk): Promise<UploadWriter> {
    for (const { uploads } of [this.write, ...this.#read]) {
      if (uploads?.isHeader(header)) return uploads.open(header, ref, desk);
    }
    throw corrupted('The upload’s header is of no format of this bucket.');
  }

  async #identifyUnmarked(found: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
    if (this.#unmarked === undefined) throw notSealed();
    for (const format of this.#mayLoseMarks) {
      if ((await format.hasLostMark?.(found, desk)) === true) {
        desk.trace.lostEnvelopes++;
        throw markLost();
      }
    }
    desk.keys.refuseUnsealed?.();
    const stored = { ...found.stored, metadata: this.#clientMetadata(found.stored.metadata) };
    return this.#unmarked.identify({ ...found, stored }, desk);
  }

  #clientMetadata(metadata: ObjectMetadata): ObjectMetadata {
    return this.#read.reduce((rest, format) => format.clientMetadata(rest), metadata);
  }
}

function markLost(): GatewayError {
  return corrupted(
    'It begins as a sealed object, and its envelope is gone: sealgate open --recover reads such objects.',
  );
}
