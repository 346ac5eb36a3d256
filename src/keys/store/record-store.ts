import { GatewayError } from '../../errors.ts';

/** A wrapped record as a store holds it, with the revision that a compare-and-set names. */
export interface StoredRecord {
  readonly bytes: Buffer;
  /** Opaque: every write gives a record a new one, in no order, and none comes again after a deletion. */
  readonly revision: number;
}

/** `absent`: only when no such record exists. A number: only at that revision. Undefined: whatever is there. */
export type ExpectedRevision = number | 'absent' | undefined;

export interface PutOptions {
  readonly expectedRevision?: ExpectedRevision;
  /**
   * Write even if the store's memory is full, where the store can. It is for changes that take something away, since whoever
   * fills the memory must not keep an access key from being revoked, and for finishing a change that was begun.
   */
  readonly evenIfFull?: boolean;
}

/** Names of changed records, or `all` when the store cannot say which (a lost connection, an unwatched store). */
export type ChangeListener = (names: readonly string[] | 'all') => void;

/**
 * Six verbs over opaque wrapped records (get, revision, put, delete, list, watch). A new key store is one file and one row of
 * table.ts; test/keys/store/record-store-contract.ts says what it must do.
 *
 * Every method may throw KeyStoreUnavailable; a write that throws it may or may not have happened.
 */
export interface RecordStore {
  /** The record as it is now: never from a cache of the store's own. */
  get(name: string): Promise<StoredRecord | undefined>;

  /** Only the revision of the record as it is now: what a watch may ask twice a second, however large the record is. */
  revision(name: string): Promise<number | undefined>;

  /**
   * Writes durably as the store defines it, and returns the new revision.
   * @throws RevisionConflict
   */
  put(name: string, bytes: Buffer, options?: PutOptions): Promise<number>;

  /**
   * True when there was a record to delete.
   * @throws RevisionConflict when a record is there at another revision; an absent one is not a conflict
   */
  delete(name: string, options?: { readonly expectedRevision?: number }): Promise<boolean>;

  /** Names that begin with `prefix`, each once, in no order; concurrent changes may or may not show. */
  list(prefix: string): AsyncIterable<string>;

  /**
   * Calls `onChange` within a second of any change, this process's own included, until `close`. A store that cannot watch,
   * or that is away, says `all` at least once a second. `onConfirmed` is called about once a second while the watch is
   * known to work; records that were not named since then are unchanged.
   */
  watch(onChange: ChangeListener, onConfirmed?: () => void): Promise<void>;

  /** Resolves when the store answers. */
  check(): Promise<void>;

  /** By which rule the store would delete records to make room, in its own words; absent or undefined: it would not. */
  evictionPolicy?(): Promise<string | undefined>;

  /** Set while the store as a whole is older than it was seen to be, where a store can tell by itself. */
  readonly trouble?: Error | undefined;

  close(): Promise<void>;
}

/** Another writer was first. Read again and decide again. */
export class RevisionConflict extends Error {
  readonly record: string;

  constructor(record: string) {
    super(`The record ${record} was changed by another writer, or exists already.`);
    this.name = 'RevisionConflict';
    this.record = record;
  }
}

/** The store did not answer: 503 to the client, retried by every SDK. `detail` is for the log, through `cause`. */
export function keyStoreUnavailable(cause: unknown, message?: string): GatewayError {
  if (cause instanceof GatewayError && cause.code === 'KeyStoreUnavailable') return cause;
  return new GatewayError('KeyStoreUnavailable', message ?? 'The key store is not available. Try again later.', {
    source: 'keys',
    cause,
  });
}

export function isKeyStoreUnavailable(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.code === 'KeyStoreUnavailable';
}

/** Measures: bounded label values only. */
export interface KeyStoreObserver {
  operation(verb: 'get' | 'put' | 'delete' | 'list' | 'check', seconds: number, outcome: 'ok' | 'error'): void;
  cache(outcome: 'hit' | 'miss' | 'stale'): void;
  /** At every beat of the watch, be there requests or not: did the store answer? */
  beat?(answered: boolean): void;
  /** The connection was lost and is being made anew. */
  reconnected?(): void;
  /** The store gave something that is older than what is known of it: `record`, or the whole of it. */
  putBack?(what: 'record' | 'store'): void;
}

/** A revision is a random 48-bit number: a retried write recognises itself, and a deleted record's never returns. */
export const REVISION_BYTES = 6;

export function newRevision(randomBytes: (byteCount: number) => Buffer): number {
  return randomBytes(REVISION_BYTES).readUIntBE(0, REVISION_BYTES);
}
