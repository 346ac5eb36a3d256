import { randomBytes } from 'node:crypto';
import type { BackendConfig } from '../backend/config.ts';
import { examine } from '../store/finding/examine.ts';
import type { StoreOverrides } from '../store/finding/overrides.ts';
import { type Finding, StoreFinder, type StoreFinderOptions } from '../store/finding/store-finder.ts';
import { describeFinding } from '../store/finding/words.ts';
import { EMBEDDED_STORE, KNOWN_STORES, type KnownStore } from '../store/known-stores.ts';
import { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { Staging } from '../uploads/staging.ts';
import type { Backend } from './open-backend.ts';

export interface StoreFinderParts {
  readonly settings: Pick<BackendConfig, 'place' | 'careful' | 'conditionalUploads' | 'conditionalDeletes' | 'keys'>;
  readonly backend: Pick<Backend, 'back' | 'connection'>;
  /** The bucket in which the store is tried; no tenant reaches it. */
  readonly stagingBucket: string;
  readonly onFinding: StoreFinderOptions['onFinding'];
  /** The default is the clock of this machine. */
  readonly now?: (() => Date) | undefined;
  /** The default is KNOWN_STORES. */
  readonly knownStores?: readonly KnownStore[] | undefined;
  /** How long the store may take to notice that an upload broke off. The default is TORN_MILLISECONDS. */
  readonly tornMilliseconds?: number | undefined;
}

/** Makes what finds out which store the backend is. It does nothing before it is started. */
export function storeFinder(parts: StoreFinderParts): StoreFinder {
  const { settings, backend, stagingBucket, onFinding, knownStores = KNOWN_STORES } = parts;
  const { now = () => new Date(), tornMilliseconds } = parts;
  const { back, connection } = backend;
  const staging = new Staging({ bucket: stagingBucket, store: new Store(back, connection) });
  return new StoreFinder({
    look: async (signal) => {
      await staging.makeReady();
      const bucket = stagingBucket;
      return examine({ back, connection, bucket, knownStores, now, randomBytes, signal, tornMilliseconds });
    },
    knownStores,
    overrides: overridesIn(settings),
    certainly: settings.place.kind === 'directory' ? EMBEDDED_STORE : undefined,
    onFinding,
    random: Math.random,
  });
}

/**
 * Returns what the operator has set about the store. The settings for deletions and keys do not apply to the embedded
 * one.
 */
export function overridesIn(settings: StoreFinderParts['settings']): StoreOverrides {
  const { careful, conditionalUploads, conditionalDeletes, keys } = settings;
  if (settings.place.kind === 'directory') return { careful, conditionalUploads };
  return { careful, conditionalUploads, conditionalDeletes, keys };
}

/** Logs one line whenever what is known about the store has changed. */
export function tellFinding(finding: Finding, log: Pick<Log, 'info' | 'warn'>): void {
  const sentence = `the backend: ${describeFinding(finding)}`;
  const fields = { dependency: 'backend' };
  if (finding.state !== 'not tried') {
    log.info(sentence, fields);
    return;
  }
  const remedy = 'give the gateway’s backend key the rights to its staging bucket, or set what the backend does';
  log.warn(`${sentence}: ${remedy} (docs/stores.md)`, fields, finding.reason);
}
