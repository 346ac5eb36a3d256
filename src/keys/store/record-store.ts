import { GatewayError } from '../../errors.ts';

/** A wrapped record as a store holds it, with the revision that a compare-and-set names. */
export interface StoredRecord {
  readonly bytes: Buffer;
  /** An opaque number. Every write gives a record a new one, in no order, and none comes again after a deletion. */
  readonly revision: number;
}

/** `absent`: only if there is no such record. A number: only at that revision. undefined: whatever is there. */
export type ExpectedRevision = number | 'absent' | undefined;

export interface PutOptions {
  readonly expectedRevision?: ExpectedRevision;
  /**
   * Whether to write even if the store's memory is full, if the store can. It is for changes that take something away,
   * because whoever fills the memory must not keep an access key from being revoked, and for finishing a change that
   * was begun.
   */
  readonly evenIfFull?: boolean;
}

/**
 * Is called with the names of changed records, or with `all` if the store cannot say which, as after a lost connection.
 */
export type ChangeListener = (names: readonly string[] | 'all') => void;

/**
 * Six verbs over opaque wrapped records (get, revision, put, delete, list, watch). A new key store is one of these, and
 * a row of table.ts with its settings; test/keys/store/record-store-contract.ts says what it must do.
 *
 * Every method may throw KeyStoreUnavailable; a write that throws it may have happened or not.
 */
export interface RecordStore {
  /** Returns the record as it is now, and never from a cache of the store's own. */
  get(name: string): Promise<StoredRecord | undefined>;

  /**
   * Returns only the revision of the record as it is now, so that a watch may ask twice a second however large the
   * record is.
   */
  revision(name: string): Promise<number | undefined>;

  /**
   * Writes durably, as the store defines that, and returns the new revision.
   * @throws RevisionConflict
   */
  put(name: string, bytes: Buffer, options?: PutOptions): Promise<number>;

  /**
   * Deletes a record. Returns whether there was one.
   * @throws RevisionConflict if the record is there at another revision; an absent record is no conflict
   */
  delete(name: string, options?: { readonly expectedRevision?: number }): Promise<boolean>;

  /** Yields the names that begin with `prefix`, each once, in no order. Concurrent changes may show or not. */
  list(prefix: string): AsyncIterable<string>;

  /**
   * Calls `onChange` within a second of any change, including those of this process, until `close`. A store that cannot
   * watch, or that is unreachable, calls it with `all` at least once a second. `onConfirmed` is called about once a
   * second while the watch is known to work: records that were not named since the call before are then unchanged.
   */
  watch(onChange: ChangeListener, onConfirmed?: () => void): Promise<void>;

  /** Resolves if the store answers. */
  check(): Promise<void>;

  /**
   * Returns the policy by which the store would delete records to make room, in the store's own words; undefined if it
   * would not.
   */
  evictionPolicy?(): Promise<string | undefined>;

  /** Is set while the store as a whole is older than it was seen to be, if the store can tell that by itself. */
  readonly trouble?: Error | undefined;

  close(): Promise<void>;
}

/** Another writer was first. The caller reads the record again and decides again. */
export class RevisionConflict extends Error {
  readonly record: string;

  constructor(record: string) {
    super(`The record ${record} was changed by another writer, or exists already.`);
    this.name = 'RevisionConflict';
    this.record = record;
  }
}

/** The error for a store that did not answer. Clients get a 503, which every SDK retries; `cause` is for the log. */
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

/** Is told what happens, for metrics. All values are from bounded sets. */
export interface KeyStoreObserver {
  operation(verb: 'get' | 'put' | 'delete' | 'list' | 'check', seconds: number, outcome: 'ok' | 'error'): void;
  cache(outcome: 'hit' | 'miss' | 'stale'): void;
  /** Is called at every beat of the watch, whether there are requests or not: did the store answer? */
  beat?(answered: boolean): void;
  /** The connection was lost and is being made again. */
  reconnected?(): void;
  /** The store gave a record, or as a whole a state, that is older than what was seen of it. */
  putBack?(what: 'record' | 'store'): void;
}

/**
 * The size of a revision, a random 48-bit number. A write that is sent again recognises itself, and a deleted record's
 * number never returns.
 */
export const REVISION_BYTES = 6;

export function newRevision(randomBytes: (byteCount: number) => Buffer): number {
  return randomBytes(REVISION_BYTES).readUIntBE(0, REVISION_BYTES);
}

/** How long readiness waits for the store, which is well within the time for which a probe waits. */
const READINESS_MILLISECONDS = 1500;

/** @throws GatewayError KeyStoreUnavailable if the check fails, or takes longer than a probe can wait */
export async function inTime(check: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(keyStoreUnavailable(new Error('no answer in time'))),
    READINESS_MILLISECONDS,
  );
  try {
    await Promise.race([check, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
