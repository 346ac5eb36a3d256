import { clientError, type GatewayError } from '../errors.ts';

/**
 * 10,000 parts, each sent four times. Past it an upload is refused more parts, so that a client that re-sends one part
 * for ever does not fill the store.
 */
export const MAX_UPLOAD_ENTRIES = 40_000;

/**
 * The state of uploads under way: an append-only log of opaque entries for each. The first entry is the upload's
 * header; an entry is at most some hundred bytes. Parts that are sent at once, by any number of gateways, each append
 * one entry and never wait for each other. `id` is stateId(): hex.
 *
 * Every method may throw KeyStoreUnavailable; a write that throws it may or may not have happened.
 */
export interface UploadStates {
  /**
   * Begins a log, or replaces it. It goes by itself `keepSeconds` after the last change. Fails where the store has no
   * room for further entries.
   */
  create(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void>;

  /** Puts a short log in the place of a longer one, in a store without room too. */
  replace(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void>;

  /**
   * Adds an entry and begins `keepSeconds` anew. False, and nothing done, when there is no such log.
   * @throws GatewayError InvalidRequest when the log has MAX_UPLOAD_ENTRIES
   */
  append(id: string, entry: Buffer, keepSeconds: number): Promise<boolean>;

  /** The first entry. */
  header(id: string): Promise<Buffer | undefined>;

  /** As many entries as `read` would bring now, or somewhat more, without reading them; 0 when there is no such log. */
  mostEntries(id: string): Promise<number>;

  /** All entries in the order in which they came. */
  read(id: string): Promise<readonly Buffer[] | undefined>;

  /** True when there was one. */
  delete(id: string): Promise<boolean>;

  /** How many uploads a tenant has open, of those that were counted in. One that expires is counted no more. */
  openUploads(tenant: string): Promise<number>;

  /** Counts an upload among a tenant's, for `keepSeconds`. */
  countIn(tenant: string, id: string, keepSeconds: number): Promise<void>;

  /** Something was added to it: it counts for `keepSeconds` from now. Nothing is done when it is not counted. */
  countOn(tenant: string, id: string, keepSeconds: number): Promise<void>;

  /** It was completed or aborted. */
  countOut(tenant: string, id: string): Promise<void>;

  close(): Promise<void>;
}

export function uploadFull(): GatewayError {
  return clientError(
    'InvalidRequest',
    `This upload has taken ${MAX_UPLOAD_ENTRIES} parts, sent again and again. Complete it, or abort it and begin anew.`,
  );
}
