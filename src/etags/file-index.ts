import { type FileHandle, open } from 'node:fs/promises';
import { keyStoreUnavailable } from '../keys/store/record-store.ts';
import { ENTRY_BYTES, entryBytes, readEntryHead } from './etag-entry.ts';
import type { EtagIndex, NamedEntry } from './etag-index.ts';

const NAME_BYTES = 16;
/** The size of a slot, which holds a name, its entry, and zeros behind them. */
const SLOT_BYTES = 96;
/** The number of slots in a group. A name's bytes say in which group it is, and a group is read by one call. */
const GROUP_SLOTS = 8;
const GROUP_BYTES = GROUP_SLOTS * SLOT_BYTES;
/** The number of groups. They make 131,072 entries in at most 12 MiB, which is enough for one machine. */
const GROUPS = 16_384;

/**
 * Opens the index that is kept in a file, beside a key store in a file.
 * @param path the file is made when it is missing
 */
export function openFileIndex(path: string): EtagIndex {
  return new FileIndex(path);
}

/**
 * Keeps the index in one file of groups of slots. When a group is full, its oldest entry is replaced, so the file stays
 * within its bound. Several processes write without a lock, and nothing is synced to disk: an entry that was damaged or
 * lost by that does not open, and the object's footer is read instead.
 */
class FileIndex implements EtagIndex {
  readonly #path: string;
  #opening: Promise<FileHandle> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  read(names: readonly Buffer[]): Promise<readonly (Buffer | undefined)[]> {
    return this.#with((file) =>
      Promise.all(
        names.map(async (name) => {
          const group = await readGroup(file, name);
          const at = slots(group).findIndex((slot) => slot.subarray(0, NAME_BYTES).equals(name));
          return at < 0 ? undefined : entryIn(slots(group)[at] as Buffer);
        }),
      ),
    );
  }

  write(entries: readonly NamedEntry[]): Promise<void> {
    return this.#with(async (file) => {
      for (const { name, entry } of entries) {
        const slot = Buffer.alloc(SLOT_BYTES);
        name.copy(slot);
        entry.copy(slot, NAME_BYTES);
        const at = slotFor(name, slots(await readGroup(file, name)));
        await file.write(slot, 0, SLOT_BYTES, groupOffset(name) + at * SLOT_BYTES);
      }
    });
  }

  async close(): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.close();
  }

  async #with<T>(work: (file: FileHandle) => Promise<T>): Promise<T> {
    this.#opening ??= openOrMake(this.#path);
    const opening = this.#opening;
    try {
      return await work(await opening);
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      opening.then((file) => file.close()).catch(() => undefined);
      throw keyStoreUnavailable(error, 'The index of ETags cannot be read or written.');
    }
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  // The first process makes the file. `a` is not enough to work with it, because it always writes at the file's end.
  await (await open(path, 'a', 0o600)).close();
  return open(path, 'r+');
}

function groupOffset(name: Buffer): number {
  return (name.readUInt32BE(0) % GROUPS) * GROUP_BYTES;
}

/** Reads the group of a name. Past the end of the file it is zeros. */
async function readGroup(file: FileHandle, name: Buffer): Promise<Buffer> {
  const { buffer } = await file.read(Buffer.alloc(GROUP_BYTES), 0, GROUP_BYTES, groupOffset(name));
  return buffer;
}

function slots(group: Buffer): Buffer[] {
  return Array.from({ length: GROUP_SLOTS }, (_, at) => group.subarray(at * SLOT_BYTES, (at + 1) * SLOT_BYTES));
}

function entryIn(slot: Buffer): Buffer {
  return slot.subarray(NAME_BYTES, NAME_BYTES + (entryBytes(slot[NAME_BYTES]) ?? ENTRY_BYTES));
}

/** Chooses the slot to write: the one that has the name, or else one without an entry, or else the oldest entry's. */
function slotFor(name: Buffer, group: readonly Buffer[]): number {
  const own = group.findIndex((slot) => slot.subarray(0, NAME_BYTES).equals(name));
  if (own >= 0) return own;
  const ages = group.map((slot) => readEntryHead(entryIn(slot))?.writtenAtSeconds ?? -1);
  return ages.indexOf(Math.min(...ages));
}
