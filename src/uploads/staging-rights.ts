import { LRUCache } from 'lru-cache';
import type { ProvenUpload } from '../store/proven-upload.ts';
import type { Store } from '../store/store.ts';

/** So many uploads are remembered, each for so long: a right that was taken away holds no longer than a cached record. */
const MAX_ENTRIES = 4096;
const REMEMBERED_MILLISECONDS = 60_000;

/** An upload, and who would add to it. */
export interface StagingAsker {
  /** stateId(). */
  readonly id: string;
  readonly upload: ProvenUpload;
  /** With the rights of whoever asks. */
  readonly store: Pick<Store, 'identity'> & { readonly uploads: Pick<Store['uploads'], 'tryPart'> };
}

/**
 * Who may add a part to an upload. The backend decides; but small parts go into the gateway's own bucket with the
 * gateway's own rights, so for those it is asked first, once an upload and asker.
 */
export class StagingRights {
  readonly #granted = new LRUCache<string, true>({ max: MAX_ENTRIES, ttl: REMEMBERED_MILLISECONDS });

  /** @throws GatewayError AccessDenied, NoSuchUpload, BackendKeyRefused … */
  async verify({ id, upload, store }: StagingAsker, signal: AbortSignal): Promise<void> {
    const { identity } = store;
    // The gateway's own rights are those that it stages with.
    if (identity === undefined || identity.asker === 'gateway') return;
    const name = `${id}/${identity.credentials?.accessKeyId ?? ''}`;
    if (this.#granted.has(name)) return;
    await store.uploads.tryPart(upload, signal);
    this.#granted.set(name, true);
  }
}
