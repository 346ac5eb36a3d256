import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { KeyRings } from '../../src/keys/key-rings.ts';
import type { HighestGeneration } from '../../src/keys/ledger/generation-file.ts';
import { Records } from '../../src/keys/records.ts';
import { type RootKey, rootKeyFromText } from '../../src/keys/root/root-key.ts';
import type { CacheLimits } from '../../src/keys/store/record-cache.ts';
import type { KeyStoreObserver, RecordStore } from '../../src/keys/store/record-store.ts';
import type { RedisStoreConfig } from '../../src/keys/store/redis-address.ts';
import { type KeyStorePlace, openRecordStore } from '../../src/keys/store/table.ts';

/** A folder that goes when the test does. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealgate-keys-'));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

export function randomRootKey(): RootKey {
  return rootKeyFromText(randomBytes(32).toString('base64'));
}

/** A key store's place, as the settings have it; in tests the URL of a Redis need not be a secret. */
export type StoreConfig = KeyStorePlace | RedisStoreConfig;

export async function openStore(config: StoreConfig): Promise<RecordStore> {
  const store = await openRecordStore(config as KeyStorePlace);
  onTestFinished(() => store.close());
  return store;
}

export async function openFileStoreHere(): Promise<RecordStore> {
  return openStore({ kind: 'file', path: join(await temporaryDirectory(), 'keys.json') });
}

/** Milliseconds that move only when told. */
export class FakeClock {
  milliseconds = 1_000_000;
  readonly now = (): number => this.milliseconds;

  advance(seconds: number): void {
    this.milliseconds += seconds * 1000;
  }
}

export class CountingObserver implements KeyStoreObserver {
  readonly counts: Record<string, number> = {};

  operation(verb: string, _seconds: number, outcome: string): void {
    this.#count(`${verb} ${outcome}`);
  }

  cache(outcome: string): void {
    this.#count(outcome);
  }

  beat(answered: boolean): void {
    this.#count(answered ? 'beat' : 'beat without answer');
  }

  putBack(what: string): void {
    this.#count(`put back ${what}`);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

export interface Keys {
  readonly store: RecordStore;
  readonly records: Records;
  readonly keyRings: KeyRings;
  readonly clock: FakeClock;
  readonly observer: CountingObserver;
  readonly warnings: readonly string[];
}

export async function openKeys(options: {
  readonly store: RecordStore;
  readonly rootKey: RootKey;
  readonly limits?: Partial<CacheLimits>;
  readonly highest?: HighestGeneration | undefined;
}): Promise<Keys> {
  const clock = new FakeClock();
  const observer = new CountingObserver();
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const records = await Records.open({ ...options, monotonicNow: clock.now, observer, onWarning });
  const keyRings = new KeyRings({ records, monotonicNow: clock.now });
  return { store: options.store, records, keyRings, clock, observer, warnings };
}
