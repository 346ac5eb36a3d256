import { LEDGER_NAME } from '../record-name.ts';
import type { RootKey } from '../root/root-key.ts';
import type { RecordStore } from '../store/record-store.ts';
import { RecordUnreadable } from '../wrapped-record.ts';
import type { HighestGeneration } from './generation-file.ts';
import { changedNames, type Ledger, openLedger, tagOf, wrapLedger } from './ledger.ts';
import { ledgerOfAll } from './proven-store.ts';

/** What it would mean to accept a key store as it is, and the means to do it. */
export interface Acceptance {
  /** The store's generation; undefined if it has no ledger that the root key opens. */
  readonly generation: number | undefined;
  /** The records that differ from what the store's own ledger says, and how. Accepting makes them count as they are. */
  readonly different: readonly { readonly name: string; readonly how: string }[];
  readonly records: number;
  /**
   * Makes every gateway believe the store as it is.
   * @returns its new generation
   */
  accept(): Promise<number>;
}

/**
 * Examines what it would mean to accept a key store as it is, for an owner who restored a backup. The new generation is
 * the time in milliseconds since 1970, so that it is above every generation that a gateway has seen, without asking the
 * gateways.
 * @throws RecordUnreadable for a record that the root key does not open, GatewayError KeyStoreUnavailable
 */
export async function examineStore(options: {
  readonly store: RecordStore;
  readonly rootKey: RootKey;
  readonly highest: HighestGeneration | undefined;
  readonly now: () => Date;
}): Promise<Acceptance> {
  const { store, rootKey, highest, now } = options;
  const stored = await store.get(LEDGER_NAME);
  const before = stored && (await ledgerIn(stored.bytes, rootKey));
  const found = await ledgerOfAll(store, async (name, wrapped) => {
    (await rootKey.unwrap(name, wrapped)).fill(0);
  });
  const after = withPending(found, before);
  return {
    generation: before?.generation,
    different: before === undefined ? [] : differences(before, after),
    records: after.records.size,
    async accept() {
      const at = now();
      const generation = Math.max(at.getTime(), highest?.value ?? 0, before?.generation ?? 0) + 1;
      const wrapped = await wrapLedger({ ...after, generation }, rootKey, at);
      await store.put(LEDGER_NAME, wrapped, { expectedRevision: stored?.revision ?? 'absent' });
      highest?.raise(generation);
      await highest?.settled();
      return generation;
    },
  };
}

function differences(before: Ledger, after: Ledger): Acceptance['different'] {
  return changedNames(before, after)
    .sort()
    .map((name) => {
      if (!after.records.has(name)) return { name, how: 'is gone' };
      return { name, how: before.records.has(name) ? 'is another one' : 'was removed, and is there again' };
    });
}

/**
 * Opens the store's ledger. Returns undefined if it is damaged or wrapped under another root key; the records must open
 * nevertheless.
 */
async function ledgerIn(wrapped: Buffer, rootKey: RootKey): Promise<Ledger | undefined> {
  try {
    return await openLedger(wrapped, rootKey);
  } catch (error) {
    if (error instanceof RecordUnreadable) return undefined;
    throw error;
  }
}

/** Adds to the ledger the changes that a writer began and did not finish: they count as made. */
function withPending(found: Ledger, before: Ledger | undefined): Ledger {
  const records = new Map(found.records);
  for (const [name, bytes] of before?.pending ?? []) {
    if (bytes === undefined) records.delete(name);
    else records.set(name, tagOf(bytes));
  }
  return { ...found, records, pending: before?.pending ?? new Map() };
}
