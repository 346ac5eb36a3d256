import { randomBytes } from 'node:crypto';
import { type FSWatcher, watch as watchPath } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { writeDurably } from './durable-file.ts';
import { FileLock, type FileLockLimits, isCode } from './file-lock.ts';
import {
  type ChangeListener,
  keyStoreUnavailable,
  newRevision,
  type PutOptions,
  type RecordStore,
  RevisionConflict,
  type StoredRecord,
} from './record-store.ts';

/** The settings of the embedded key store: one JSON file on a local disk, for one machine. */
export interface FileStoreConfig {
  readonly kind: 'file';
  readonly path: string;
  readonly lock?: FileLockLimits;
}

const FORMAT = 'sealgate-key-store';
const VERSION = 1;
/**
 * How often the file is looked at. fs.watch is faster but not reliable (network file systems, containers); this keeps
 * within a second.
 */
const POLL_MILLISECONDS = 500;

type Records = ReadonlyMap<string, StoredRecord>;

/**
 * The records of the file, and a stamp of the file that they were read from: a replacement has another inode or time.
 */
interface Snapshot {
  readonly stamp: string;
  readonly records: Records;
}

const EMPTY: Snapshot = { stamp: 'absent', records: new Map() };

/**
 * Opens the key store in a file. A missing file is an empty store.
 * @throws GatewayError KeyStoreUnavailable if this store did not write the file
 */
export async function openFileStore(config: FileStoreConfig): Promise<RecordStore> {
  const store = new FileStore(config);
  try {
    await mkdir(dirname(config.path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw keyStoreUnavailable(error, `The key store’s folder ${dirname(config.path)} cannot be made.`);
  }
  await store.check();
  return store;
}

class FileStore implements RecordStore {
  readonly #path: string;
  readonly #lock: FileLock;
  #snapshot: Snapshot = EMPTY;
  #writing: Promise<unknown> = Promise.resolve();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ path, lock }: FileStoreConfig) {
    this.#path = path;
    this.#lock = new FileLock(`${path}.lock`, lock);
  }

  async get(name: string): Promise<StoredRecord | undefined> {
    return (await this.#read()).get(name);
  }

  async revision(name: string): Promise<number | undefined> {
    return (await this.get(name))?.revision;
  }

  put(name: string, bytes: Buffer, options: PutOptions = {}): Promise<number> {
    const { expectedRevision } = options;
    return this.#change((records) => {
      const held = records.get(name)?.revision;
      if (expectedRevision === 'absent' && held !== undefined) throw new RevisionConflict(name);
      if (typeof expectedRevision === 'number' && held !== expectedRevision) throw new RevisionConflict(name);
      const revision = newRevision(randomBytes);
      records.set(name, { bytes: Buffer.from(bytes), revision });
      return revision;
    });
  }

  delete(name: string, options: { expectedRevision?: number } = {}): Promise<boolean> {
    return this.#change((records) => {
      const held = records.get(name)?.revision;
      if (held === undefined) return false;
      if (options.expectedRevision !== undefined && held !== options.expectedRevision) throw new RevisionConflict(name);
      return records.delete(name);
    });
  }

  async *list(prefix: string): AsyncIterable<string> {
    for (const name of (await this.#read()).keys()) if (name.startsWith(prefix)) yield name;
  }

  async watch(onChange: ChangeListener, onConfirmed?: () => void): Promise<void> {
    let last: Records | undefined = await this.#read();
    const look = async (): Promise<void> => {
      try {
        const records = await this.#read();
        const before = last;
        last = records;
        if (before === undefined) onChange('all');
        else if (before !== records) onChange(changedNames(before, records));
        onConfirmed?.();
      } catch {
        last = undefined;
        onChange('all');
      }
    };
    this.#timer = setInterval(() => void look(), POLL_MILLISECONDS);
    this.#timer.unref();
    try {
      // The folder is watched and not the file, because every write puts another file under the same name.
      const watcher = watchPath(dirname(this.#path), { persistent: false });
      watcher.on('change', (_event, changed) => {
        if (changed === basename(this.#path)) void look();
      });
      watcher.on('error', () => watcher.close());
      this.#watcher = watcher;
    } catch {
      // The system has no watches left. Polling alone is fast enough.
    }
  }

  async check(): Promise<void> {
    await this.#read();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#watcher?.close();
    await this.#writing.catch(() => undefined);
  }

  /** Reads, changes and replaces the file under the lock. Changes of this process run one after another. */
  #change<T>(work: (records: Map<string, StoredRecord>) => T): Promise<T> {
    const done = this.#writing
      .catch(() => undefined)
      .then(() => this.#lock.hold((stillHeld) => this.#replace(work, stillHeld)));
    this.#writing = done;
    return done;
  }

  async #replace<T>(work: (records: Map<string, StoredRecord>) => T, stillHeld: () => Promise<void>): Promise<T> {
    const before = await this.#read();
    const records = new Map(before);
    const result = work(records);
    if (result === false) return result;
    try {
      const text = serialize(records);
      await writeDurably({
        path: this.#path,
        text,
        draftSuffix: `${randomBytes(6).toString('hex')}.draft`,
        beforeReplace: stillHeld,
      });
    } catch (error) {
      throw keyStoreUnavailable(error, `The key store file ${this.#path} cannot be written.`);
    }
    await this.#read();
    return result;
  }

  async #read(): Promise<Records> {
    const snapshot = await this.#current();
    this.#snapshot = snapshot;
    return snapshot.records;
  }

  async #current(): Promise<Snapshot> {
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(this.#path, 'r');
    } catch (error) {
      if (!isCode(error, 'ENOENT'))
        throw keyStoreUnavailable(error, `The key store file ${this.#path} cannot be read.`);
      // A store that had records and is gone must not look like a new, empty one.
      if (this.#snapshot.records.size === 0) return EMPTY;
      throw keyStoreUnavailable(error, `The key store file ${this.#path} has disappeared.`);
    }
    try {
      const { ino, mtimeNs, size } = await file.stat({ bigint: true });
      const stamp = `${ino}-${mtimeNs}-${size}`;
      if (stamp === this.#snapshot.stamp) return this.#snapshot;
      return { stamp, records: parse(await file.readFile('utf8'), this.#path) };
    } finally {
      await file.close();
    }
  }
}

function changedNames(before: Records, after: Records): string[] {
  const names: string[] = [];
  for (const [name, { revision }] of after) if (before.get(name)?.revision !== revision) names.push(name);
  for (const name of before.keys()) if (!after.has(name)) names.push(name);
  return names;
}

function serialize(records: Records): string {
  const entries = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
  const body = entries.map(([name, { bytes, revision }]) => [name, { revision, record: bytes.toString('base64') }]);
  return `${JSON.stringify({ format: FORMAT, version: VERSION, records: Object.fromEntries(body) }, undefined, 1)}\n`;
}

function parse(text: string, path: string): Records {
  const broken = (reason: string) => keyStoreUnavailable(new Error(reason), `The key store file ${path} ${reason}.`);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw broken('is not JSON');
  }
  if (!isObject(file) || file.format !== FORMAT || !isObject(file.records)) throw broken('is not a Sealgate key store');
  if (file.version !== VERSION) throw broken(`has the unknown version ${String(file.version)}`);
  const records = new Map<string, StoredRecord>();
  for (const [name, entry] of Object.entries(file.records)) {
    if (!isObject(entry) || typeof entry.record !== 'string' || typeof entry.revision !== 'number') {
      throw broken(`has a damaged entry ${name}`);
    }
    records.set(name, { bytes: Buffer.from(entry.record, 'base64'), revision: entry.revision });
  }
  return records;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
