import type { StoredObject } from '../dialects/store-exchange.ts';
import type { GatewayError } from '../errors.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { FoundObject, IdentifiedObject, ObjectFormat, UploadWriter } from './format.ts';
import type { FormatDesk } from './format-desk.ts';
import type { PlainSizeCache } from './plain-sizes.ts';
import { corrupted, notSealed } from './refusals.ts';

/** What a bucket's policy makes of the formats that there are. */
export interface BucketFormatsOptions {
  /** What new objects are written as. */
  readonly write: ObjectFormat;
  /** Formats whose marked objects are read, in order of trial. */
  readonly read: readonly ObjectFormat[];
  /** What an object is read as that bears none of their marks. undefined: it is refused. */
  readonly unmarked: ObjectFormat | undefined;
  /** Formats of which an unmarked object may have lost its mark; such objects are refused. */
  readonly mayLoseMarks: readonly ObjectFormat[];
  readonly knownSizes: PlainSizeCache;
}

/** The formats of one bucket: what writes there, and what may be read there. Made by protection.ts. */
export class BucketFormats {
  /** What new objects are written as. */
  readonly write: ObjectFormat;
  /** Whether identifying an object may want its first bytes: hand them over where they are on their way anyway. */
  readonly peeks: boolean;
  /** Plaintext lengths of listed objects whose head was looked at. */
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
   * Tells what a store's answer describes. The policy says which formats are tried: an object never chooses its reader.
   * @throws GatewayError ObjectNotSealed, ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable; what a GET
   *   throws where first bytes are looked at
   */
  identify(found: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
    const { metadata } = found.stored;
    for (const format of this.#read) if (format.isMarked(metadata)) return format.identify(found, desk);
    return this.#identifyUnmarked(found, desk);
  }

  /**
   * A listed object's plaintext length, as far as its size tells. A size that no object of the bucket's format has belongs
   * to one that lies as it was sent, or that cannot be opened: it is shown as it is.
   * @returns undefined where only the object's head tells whether it is one of this format
   */
  listedBytes(storedBytes: number, policy: BucketPolicy): number | undefined {
    const bytes = this.write.plaintextBytes(storedBytes, policy);
    if (bytes === undefined || bytes === storedBytes) return storedBytes;
    return this.#unmarked === undefined ? bytes : undefined;
  }

  /** The same by the object's head, which nobody opened. @throws GatewayError ObjectCorrupted for an unreadable mark */
  claimedBytes(stored: StoredObject): number {
    const format = this.#read.find((each) => each.isMarked(stored.metadata));
    return format === undefined ? stored.storedBytes : format.claimedBytes(stored);
  }

  /**
   * How many of an object's last bytes hold its details, whatever format it has; 0 for a size that only an object has
   * which bears no mark.
   */
  endBytes(storedBytes: number): number {
    return this.#read.reduce((most, format) => Math.max(most, format.endBytes(storedBytes)), 0);
  }

  /** Whether objects that bear no mark are read. */
  get readsUnmarked(): boolean {
    return this.#unmarked !== undefined;
  }

  /**
   * Opens an upload that was begun before, under whatever policy the bucket had then.
   * @throws GatewayError ObjectCorrupted, KeyUnavailable, KeyStoreUnavailable
   */
  openUpload(header: Buffer, ref: ObjectRef, desk: FormatDesk): Promise<UploadWriter> {
    for (const { uploads } of [this.write, ...this.#read]) {
      if (uploads?.isHeader(header)) return uploads.open(header, ref, desk);
    }
    throw corrupted('No format of this bucket knows the upload’s header.');
  }

  async #identifyUnmarked(found: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
    if (this.#unmarked === undefined) throw notSealed();
    for (const format of this.#mayLoseMarks) {
      if ((await format.hasLostMark?.(found, desk)) === true) {
        desk.trace.lostEnvelopes++;
        throw markLost();
      }
    }
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
