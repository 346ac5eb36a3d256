import { randomBytes } from 'node:crypto';
import {
  type ChangeListener,
  newRevision,
  type PutOptions,
  type RecordStore,
  RevisionConflict,
  type StoredRecord,
} from '../../src/keys/store/record-store.ts';

/** What stores of one test have in common. */
export class MemoryRecords {
  readonly byName = new Map<string, StoredRecord>();
  readonly listeners = new Set<ChangeListener>();
}

/** A key store that is gone with its test: for tests of what stands on one, hundreds of which would wait for a disk. */
export class MemoryStore implements RecordStore {
  readonly #records: MemoryRecords;
  readonly #own = new Set<ChangeListener>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(records = new MemoryRecords()) {
    this.#records = records;
  }

  async get(name: string): Promise<StoredRecord | undefined> {
    const record = this.#records.byName.get(name);
    return record && { ...record, bytes: Buffer.from(record.bytes) };
  }

  async revision(name: string): Promise<number | undefined> {
    return this.#records.byName.get(name)?.revision;
  }

  async put(name: string, bytes: Buffer, { expectedRevision }: PutOptions = {}): Promise<number> {
    const { byName } = this.#records;
    const held = byName.get(name)?.revision;
    if (expectedRevision === 'absent' && held !== undefined) throw new RevisionConflict(name);
    if (typeof expectedRevision === 'number' && held !== expectedRevision) throw new RevisionConflict(name);
    const revision = newRevision(randomBytes);
    byName.set(name, { bytes: Buffer.from(bytes), revision });
    this.#tell(name);
    return revision;
  }

  async delete(name: string, { expectedRevision }: { expectedRevision?: number } = {}): Promise<boolean> {
    const { byName } = this.#records;
    const held = byName.get(name)?.revision;
    if (held === undefined) return false;
    if (expectedRevision !== undefined && held !== expectedRevision) throw new RevisionConflict(name);
    byName.delete(name);
    this.#tell(name);
    return true;
  }

  async *list(prefix: string): AsyncIterable<string> {
    for (const name of [...this.#records.byName.keys()]) if (name.startsWith(prefix)) yield name;
  }

  async watch(onChange: ChangeListener, onConfirmed?: () => void): Promise<void> {
    this.#records.listeners.add(onChange);
    this.#own.add(onChange);
    if (onConfirmed !== undefined) this.#timers.add(setInterval(onConfirmed, 500).unref());
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {
    for (const listener of this.#own) this.#records.listeners.delete(listener);
    for (const timer of this.#timers) clearInterval(timer);
  }

  #tell(name: string): void {
    for (const listener of this.#records.listeners) setImmediate(listener, [name]);
  }
}
