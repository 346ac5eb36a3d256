import { performance } from 'node:perf_hooks';
import type { KeyStoreObserver } from '../keys/store/record-store.ts';
import type { UploadStates } from './upload-states.ts';

type Verb = Parameters<KeyStoreObserver['operation']>[0];

/** Makes upload states that count and time their operations among those of the key store. */
export function observedStates(states: UploadStates, observer: Pick<KeyStoreObserver, 'operation'>): UploadStates {
  const timed = async <T>(verb: Verb, work: Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    let outcome: 'ok' | 'error' = 'error';
    try {
      const result = await work;
      outcome = 'ok';
      return result;
    } finally {
      observer.operation(verb, (performance.now() - startedAt) / 1000, outcome);
    }
  };
  return {
    create: (id, entries, keepSeconds) => timed('put', states.create(id, entries, keepSeconds)),
    replace: (id, entries, keepSeconds) => timed('put', states.replace(id, entries, keepSeconds)),
    append: (id, entry, keepSeconds) => timed('put', states.append(id, entry, keepSeconds)),
    header: (id) => timed('get', states.header(id)),
    mostEntries: (id) => timed('get', states.mostEntries(id)),
    read: (id) => timed('get', states.read(id)),
    delete: (id) => timed('delete', states.delete(id)),
    openUploads: (tenant) => timed('get', states.openUploads(tenant)),
    countIn: (tenant, id, keepSeconds) => timed('put', states.countIn(tenant, id, keepSeconds)),
    countOn: (tenant, id, keepSeconds) => timed('put', states.countOn(tenant, id, keepSeconds)),
    countOut: (tenant, id) => timed('delete', states.countOut(tenant, id)),
    close: () => states.close(),
  };
}
