import { createHash } from 'node:crypto';
import { generationField, listField, openPayload, type Payload, PayloadInvalid, textField } from '../payload.ts';
import { LEDGER_NAME } from '../record-name.ts';
import type { RootKey } from '../root/root-key.ts';
import { type ExpectedRevision, RevisionConflict } from '../store/record-store.ts';

/**
 * How many bytes of a hash name one writing of a record. They are enough that nobody can make another record with the
 * same ones.
 */
const TAG_BYTES = 12;
const TAG_LETTERS = 16;
/** How many bytes of a tag make the number `FreshRecord.revision`. */
const REVISION_BYTES = 6;

/**
 * Lists what the key store holds, in one record that only the holder of the root key can write (docs/keys.md,
 * "Generations"). It is read and replaced as a whole.
 */
export interface Ledger {
  /** Grows with every administrative write. */
  readonly generation: number;
  /** For every record, by name, the tag of its wrapped bytes. */
  readonly records: ReadonlyMap<string, string>;
  /**
   * What an unfinished write makes of a record; undefined for a deletion. The record itself is written after the
   * ledger, so the ledger's copy counts until that is done.
   */
  readonly pending: ReadonlyMap<string, Buffer | undefined>;
}

/** Returns the tag that tells one writing of a record from every other; each writing has its own salt. */
export function tagOf(wrapped: Buffer): string {
  return createHash('sha256').update(wrapped).digest().toString('base64url', 0, TAG_BYTES);
}

/** Returns a tag as the number by which writers say which writing they saw. */
export function revisionOf(tag: string): number {
  return Buffer.from(tag, 'base64url').readUIntBE(0, REVISION_BYTES);
}

/**
 * Wraps a ledger into the bytes that a store keeps.
 * @param at when it is written; readers of release 0.1 expect the field
 */
export function wrapLedger(ledger: Ledger, rootKey: RootKey, at: Date): Promise<Buffer> {
  const payload = {
    createdAt: at.toISOString(),
    generation: ledger.generation,
    records: textOf(ledger.records),
    pending: [...ledger.pending].map(([name, bytes]) => ({ name, record: bytes?.toString('base64') })),
  };
  return rootKey.wrap(LEDGER_NAME, Buffer.from(JSON.stringify(payload), 'utf8'));
}

/**
 * Opens a ledger.
 * @throws RecordUnreadable, GatewayError KeyStoreUnavailable
 */
export function openLedger(wrapped: Buffer, rootKey: RootKey): Promise<Ledger> {
  return openPayload({ name: LEDGER_NAME, wrapped }, rootKey, decode);
}

function decode(payload: Payload): Ledger {
  const records = recordsIn(textField(payload, 'records'));
  const pending = listField(payload, 'pending').map((entry) => {
    const bytes = entry.record === undefined ? undefined : Buffer.from(textField(entry, 'record'), 'base64');
    return [textField(entry, 'name'), bytes] as const;
  });
  return { generation: generationField(payload), records, pending: new Map(pending) };
}

/**
 * Renders one line for each record, with tag and name: a JSON object of 30,000 names takes four times as long to parse.
 */
function textOf(records: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  for (const [name, tag] of records) lines.push(`${tag} ${name}\n`);
  return lines.join('');
}

function recordsIn(text: string): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const blank = at + TAG_LETTERS;
    if (end <= blank || text[blank] !== ' ') throw new PayloadInvalid('records');
    records.set(text.slice(blank + 1, end), text.slice(at, blank));
    at = end + 1;
  }
  return records;
}

/** Returns the names of records that are different, gone or new. */
export function changedNames(before: Ledger, after: Ledger): string[] {
  const names: string[] = [];
  for (const [name, tag] of after.records) if (before.records.get(name) !== tag) names.push(name);
  for (const name of before.records.keys()) if (!after.records.has(name)) names.push(name);
  return names;
}

/** A record that is written (`bytes`), or deleted (undefined). */
export interface LedgerChange {
  readonly name: string;
  readonly bytes: Buffer | undefined;
}

/** Returns the ledger after records were written or deleted, all of them at once. */
export function withChanges(ledger: Ledger, changes: readonly LedgerChange[]): Ledger {
  const records = new Map(ledger.records);
  for (const { name, bytes } of changes) {
    if (bytes === undefined) records.delete(name);
    else records.set(name, tagOf(bytes));
  }
  const pending = new Map(changes.map(({ name, bytes }) => [name, bytes]));
  return { generation: ledger.generation + 1, records, pending };
}

/** A change, and the revision at which the record must be for it. */
export interface Change extends LedgerChange {
  readonly expected: ExpectedRevision;
}

/** A record to write, and the revision at which it must be. */
export interface RecordPut extends Change {
  readonly bytes: Buffer;
}

/** @throws RevisionConflict if the record is not at the revision that the writer expects */
export function checkRevision({ name, bytes, expected }: Change, ledger: Ledger): void {
  const tag = ledger.records.get(name);
  const held = tag === undefined ? 'absent' : revisionOf(tag);
  // Deleting a record that does not exist is no conflict.
  const matters = expected !== undefined && (bytes !== undefined || tag !== undefined);
  if (matters && held !== expected) throw new RevisionConflict(name);
}
