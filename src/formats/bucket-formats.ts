import type { GatewayError } from '../errors.ts';
import type { ObjectMetadata, ObjectRef } from '../operations/object.ts';
import type { FoundObject, IdentifiedObject, ObjectFormat, UploadWriter } from './format.ts';
import type { FormatDesk } from './format-desk.ts';
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
}

/** The formats of one bucket: what writes there, and what may be read there. Made by protection.ts. */
export class BucketFormats {
  /** What new objects are written as. */
  readonly write: ObjectFormat;
  /** Whether identifying an object may want its first bytes: hand them over where they are on their way anyway. */
  readonly peeks: boolean;
  readonly #read: readonly ObjectFormat[];
  readonly #unmarked: ObjectFormat | undefined;
  readonly #mayLoseMarks: readonly ObjectFormat[];

  constructor({ write, read, unmarked, mayLoseMarks }: BucketFormatsOptions) {
    this.write = write;
    this.peeks = mayLoseMarks.length > 0;
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
