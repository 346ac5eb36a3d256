import { LRUCache } from 'lru-cache';
import type { ProvenUpload } from '../store/proven-upload.ts';
import type { Store } from '../store/store.ts';

/** How many granted rights are remembered. */
const MAX_ENTRIES = 4096;
/** How long a granted right is remembered: no longer than a cached record of a tenant, since it may be taken away. */
const REMEMBERED_MILLISECONDS = 60_000;

/** An upload, and a requester who wants to add a part to it. */
export interface StagingAsker {
  /** The name of the upload's state (`stateId`). */
  readonly id: string;
  readonly upload: ProvenUpload;
  /** The store, asked with the requester's rights. */
  readonly store: Pick<Store, 'identity'> & { readonly uploads: Pick<Store['uploads'], 'tryPart'> };
}

/**
 * Checks who may add a staged part to an upload. The backend decides who may add parts, but it does not see staged
 * ones: those are stored in the gateway's own bucket, with the gateway's rights. So the backend is asked first whether
 * the requester may add to the upload. A yes is remembered for each upload and requester.
 */
export class StagingRights {
  readonly #granted = new LRUCache<string, true>({ max: MAX_ENTRIES, ttl: REMEMBERED_MILLISECONDS });

  /** Checks a requester's right. @throws GatewayError AccessDenied, NoSuchUpload, BackendKeyRefused … */
  async verify({ id, upload, store }: StagingAsker, signal: AbortSignal): Promise<void> {
    const { identity } = store;
    // The part is staged with the gateway's own rights, which are also those of this requester.
    if (identity === undefined || identity.asker === 'gateway') return;
    const name = `${id}/${identity.credentials?.accessKeyId ?? ''}`;
    if (this.#granted.has(name)) return;
    await store.uploads.tryPart(upload, signal);
    this.#granted.set(name, true);
  }
}
