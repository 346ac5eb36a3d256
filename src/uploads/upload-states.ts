import { clientError, type GatewayError } from '../errors.ts';

/**
 * The most entries that an upload's state may have: enough for 10,000 parts, each of them sent four times. More parts
 * are refused, so that a client that sends one part over and over does not fill the store.
 */
export const MAX_UPLOAD_ENTRIES = 40_000;

/**
 * Keeps the states of multipart uploads, shared by all gateways over one key store. Each is a log of sealed entries, of
 * at most some hundred bytes each. The first entry is the upload's header (upload-record.ts). Parts that are sent at
 * the same time, through any number of gateways, each append an entry and do not wait for each other. `id` is the name
 * of a state, in hex (`stateId`).
 *
 * Every method may throw GatewayError KeyStoreUnavailable. A write that throws it may still have happened.
 */
export interface UploadStates {
  /**
   * Begins a log, or replaces it. It expires `keepSeconds` after its last change. It fails where the store has no room
   * for the entries of the parts that will follow.
   */
  create(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void>;

  /** Replaces a log by a shorter one. It works even in a store that has no room. */
  replace(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void>;

  /**
   * Appends an entry, and lets `keepSeconds` begin anew.
   * @returns false where there is no such log; then nothing is done
   * @throws GatewayError InvalidRequest where the log already has MAX_UPLOAD_ENTRIES
   */
  append(id: string, entry: Buffer, keepSeconds: number): Promise<boolean>;

  /** Reads the first entry; undefined where there is no such log. */
  header(id: string): Promise<Buffer | undefined>;

  /** How many entries `read` would give now, or somewhat more. They are not read. 0 where there is no such log. */
  mostEntries(id: string): Promise<number>;

  /** Reads all entries, in the order in which they were written; undefined where there is no such log. */
  read(id: string): Promise<readonly Buffer[] | undefined>;

  /** Deletes a log. @returns whether there was one */
  delete(id: string): Promise<boolean>;

  /** How many uploads of a tenant are counted (`countIn`) and have not expired. */
  openUploads(tenant: string): Promise<number>;

  /** Counts an upload as a tenant's for `keepSeconds`. */
  countIn(tenant: string, id: string, keepSeconds: number): Promise<void>;

  /** Lets an upload count for `keepSeconds` from now on, because a part was added. One that is not counted stays so. */
  countOn(tenant: string, id: string, keepSeconds: number): Promise<void>;

  /** Stops counting an upload, because it was completed or aborted. */
  countOut(tenant: string, id: string): Promise<void>;

  close(): Promise<void>;
}

/** Makes the error for an upload whose log already has MAX_UPLOAD_ENTRIES. */
export function uploadFull(): GatewayError {
  return clientError(
    'InvalidRequest',
    `This upload has taken ${MAX_UPLOAD_ENTRIES} parts, sent again and again. Complete it, or abort it and begin anew.`,
  );
}
