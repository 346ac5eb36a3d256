import { randomBytes } from 'node:crypto';
import { constants, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../keys/store/file-lock.ts';
import { keyStoreUnavailable } from '../keys/store/record-store.ts';
import { MAX_UPLOAD_ENTRIES, type UploadStates, uploadFull } from './upload-states.ts';

/** Where the states are kept in files, on one machine beside a key store in a file. */
export interface FileStatesConfig {
  /** A folder for nothing else. It is made when it is missing. */
  readonly directory: string;
  readonly now: () => Date;
}

/** The longest log in bytes. It has room for MAX_UPLOAD_ENTRIES lines of the longest entries in base64. */
const MAX_LOG_BYTES = MAX_UPLOAD_ENTRIES * 200;
/** The shortest line in bytes, rounded down: a part's entry of 77 bytes makes a line of 110. */
const MIN_LINE_BYTES = 100;
/**
 * How many bytes are read for the first entry. A header has 222 bytes; the mark of a completed upload has an ETag and a
 * version id.
 */
const HEAD_BYTES = 4096;
const SWEEP_MILLISECONDS = 3_600_000;
const STATE_FILE = /^[0-9a-f]{64}$/;

/** Opens the states that are kept in files. @throws GatewayError KeyStoreUnavailable when the folder cannot be used */
export async function openFileStates(config: FileStatesConfig): Promise<UploadStates> {
  const states = new FileStates(config);
  await withStoreErrors(() => mkdir(config.directory, { recursive: true, mode: 0o700 }));
  await states.sweep();
  return states;
}

/**
 * Keeps each log in a file of lines: first how many seconds it is kept, then each entry in base64. Every line begins
 * with a line feed of its own. So where a power cut or a full disk left an incomplete line, the next one is still
 * readable. An entry is appended by one write, so that those of several processes do not mix.
 */
class FileStates implements UploadStates {
  readonly #directory: string;
  readonly #now: () => Date;
  #sweptAt = 0;

  constructor({ directory, now }: FileStatesConfig) {
    this.#directory = directory;
    this.#now = now;
  }

  async create(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void> {
    await this.#sweepSometimes();
    const draft = join(this.#directory, `draft-${randomBytes(8).toString('hex')}`);
    const text = `keep ${keepSeconds}\n${entries.map(line).join('')}`;
    await withStoreErrors(async () => {
      await write(draft, text, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      await rename(draft, this.#path(id));
    });
  }

  replace(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void> {
    return this.create(id, entries, keepSeconds);
  }

  /** Appending also renews the time that the log is kept, because that counts from the file's last change. */
  async append(id: string, entry: Buffer): Promise<boolean> {
    return withStoreErrors(async () => {
      const path = this.#path(id);
      const size = await this.#sizeOf(path);
      if (size === undefined) return false;
      if (size > MAX_LOG_BYTES) throw uploadFull();
      try {
        await write(path, line(entry), constants.O_WRONLY | constants.O_APPEND);
        return true;
      } catch (error) {
        if (isCode(error, 'ENOENT')) return false;
        throw error;
      }
    });
  }

  /** Reads only the beginning of the file: every part asks for the header, and the log may have megabytes. */
  async header(id: string): Promise<Buffer | undefined> {
    return withStoreErrors(async () => {
      const path = this.#path(id);
      if ((await this.#sizeOf(path)) === undefined) return undefined;
      return entriesIn(await beginningOf(path, HEAD_BYTES))[0];
    });
  }

  async mostEntries(id: string): Promise<number> {
    return withStoreErrors(async () => Math.ceil(((await this.#sizeOf(this.#path(id))) ?? 0) / MIN_LINE_BYTES));
  }

  async read(id: string): Promise<readonly Buffer[] | undefined> {
    return withStoreErrors(async () => {
      const path = this.#path(id);
      if ((await this.#sizeOf(path)) === undefined) return undefined;
      return entriesIn(await readFile(path, 'latin1'));
    });
  }

  async delete(id: string): Promise<boolean> {
    return withStoreErrors(() => removeFile(this.#path(id)));
  }

  /** Counts the tenant's marks whose log is still there, and removes the others. */
  async openUploads(tenant: string): Promise<number> {
    return withStoreErrors(async () => {
      const folder = this.#folderOf(tenant);
      const names = await readdir(folder).catch(emptyIfMissing);
      let open = 0;
      for (const name of names) {
        if ((await this.#sizeOf(this.#path(name))) !== undefined) open++;
        else await removeFile(join(folder, name));
      }
      return open;
    });
  }

  /** Writes the mark: an empty file with the log's name, which counts as long as there is a log. */
  async countIn(tenant: string, id: string): Promise<void> {
    await withStoreErrors(async () => {
      await mkdir(this.#folderOf(tenant), { recursive: true, mode: 0o700 });
      const mark = await open(join(this.#folderOf(tenant), id), 'w', 0o600);
      await mark.close();
    });
  }

  async countOn(): Promise<void> {}

  async countOut(tenant: string, id: string): Promise<void> {
    await withStoreErrors(() => removeFile(join(this.#folderOf(tenant), id)));
  }

  async close(): Promise<void> {}

  /** Removes the logs that have expired. */
  async sweep(): Promise<void> {
    this.#sweptAt = this.#now().getTime();
    await withStoreErrors(async () => {
      for (const name of await readdir(this.#directory)) {
        if (STATE_FILE.test(name)) await this.#sizeOf(join(this.#directory, name));
      }
    });
  }

  async #sweepSometimes(): Promise<void> {
    if (this.#now().getTime() - this.#sweptAt > SWEEP_MILLISECONDS) await this.sweep();
  }

  /** Names of tenants contain no slash. The prefix makes sure that a folder is never `..` or named like a log. */
  #folderOf(tenant: string): string {
    return join(this.#directory, `by-${tenant}`);
  }

  #path(id: string): string {
    if (!STATE_FILE.test(id)) throw new RangeError('The id of an upload’s state has 64 hex digits.');
    return join(this.#directory, id);
  }

  /** The size of a log in bytes; undefined where there is none. One that has expired is removed and counts as none. */
  async #sizeOf(path: string): Promise<number | undefined> {
    const file = await open(path, 'r').catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      const { size, mtimeMs } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
      const keepSeconds = Number(/^keep ([\d.]+)\n/.exec(buffer.toString('latin1', 0, bytesRead))?.[1]);
      if (mtimeMs + keepSeconds * 1000 > this.#now().getTime()) return size;
    } finally {
      await file.close();
    }
    await removeFile(path);
    return undefined;
  }
}

function emptyIfMissing(error: unknown): string[] {
  if (isCode(error, 'ENOENT')) return [];
  throw error;
}

async function beginningOf(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The entries of all complete lines. Anything else, such as what a power cut left of a line, is skipped. */
function entriesIn(text: string): Buffer[] {
  const entries: Buffer[] = [];
  for (const each of text.split('\n')) {
    const entry = /^= ([A-Za-z0-9+/]+=*) =$/.exec(each)?.[1];
    if (entry !== undefined) entries.push(Buffer.from(entry, 'base64'));
  }
  return entries;
}

function line(entry: Buffer): string {
  return `\n= ${entry.toString('base64')} =\n`;
}

async function write(path: string, text: string, flags: number): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Turns errors of the file system into KeyStoreUnavailable. */
async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && 'errno' in error) {
      throw keyStoreUnavailable(error, 'The state of uploads cannot be read or written.');
    }
    throw error;
  }
}
