import { LRUCache } from 'lru-cache';
import { clientError, GatewayError } from '../errors.ts';
import type { ObjectRef } from '../operations/object.ts';
import { ProvenUpload } from './proven-upload.ts';
import type { Store } from './store.ts';

/**
 * The memory for remembered uploads, which holds some 20,000 in each worker. An upload that was forgotten costs another
 * listing.
 */
const REMEMBERED_BYTES = 8 * 1024 * 1024;
/** How many bytes a remembered upload takes beside the text of its name, which is kept twice. */
const ENTRY_BYTES = 200;

/** How many pages of one key's uploads are read at most. A page of most stores has 1,000. */
const MAX_PAGES = 20;

interface NamedUpload {
  readonly ref: ObjectRef;
  readonly uploadId: string;
}

/**
 * Proves uploads for which the gateway keeps no state: those in buckets without protection, and those that began before
 * the gateway was there. Each is looked up once in the backend's listing of its key, and remembered until it has ended.
 */
export class KnownUploads {
  readonly #known = new LRUCache<string, ProvenUpload>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: (_, name) => ENTRY_BYTES + 2 * name.length,
  });
  /** Must be called when the backend has created the upload. */
  remember(upload: ProvenUpload): void {
    this.#known.set(nameOf(upload), upload);
  }

  /** Must be called when the upload was completed or aborted. */
  forget(upload: NamedUpload): void {
    this.#known.delete(nameOf(upload));
  }

  /**
   * Proves that the backend has an upload with this id.
   * @param store asks with the rights of the requester
   * @throws GatewayError NoSuchUpload if the id is not in the backend's listing of this bucket and key
   */
  async prove(named: NamedUpload, store: Store, signal: AbortSignal): Promise<ProvenUpload> {
    const known = this.#known.get(nameOf(named));
    if (known !== undefined) return known;
    const isListed = await this.#isListed(named, store, signal).catch((error: unknown) => {
      if (!(error instanceof GatewayError) || error.code !== 'AccessDenied') throw error;
      // A caller who may add parts need not have the right to list uploads, so the gateway lists with its own rights.
      // The client learns no more than whether the id that it sent is an upload.
      return this.#isListed(named, store.asGateway(), signal);
    });
    if (!isListed) {
      throw clientError('NoSuchUpload', 'The specified multipart upload does not exist.', {
        details: { UploadId: named.uploadId.slice(0, 1024) },
      });
    }
    const upload = ProvenUpload.listed(named.ref, named.uploadId);
    this.remember(upload);
    return upload;
  }

  async #isListed({ ref, uploadId }: NamedUpload, store: Store, signal: AbortSignal): Promise<boolean> {
    const { bucket, key } = ref;
    const { entriesAPage: maxUploads } = store.limits;
    // MinIO lists uploads only if the prefix is a whole key.
    const asked = { kind: 'ListMultipartUploads', bucket, prefix: key, delimiter: '', maxUploads } as const;
    let [keyMarker, uploadIdMarker] = ['', ''];
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page = await store.uploads.list({ ...asked, keyMarker, uploadIdMarker, urlEncoded: true }, signal);
      if (page.uploads.some((upload) => upload.key === key && upload.uploadId === uploadId)) return true;
      const { truncated, nextKeyMarker, nextUploadIdMarker } = page;
      // Keys come in order, so the key itself comes before all longer keys that begin with it.
      if (!truncated || nextKeyMarker !== key || nextUploadIdMarker === uploadIdMarker) return false;
      [keyMarker, uploadIdMarker] = [nextKeyMarker, nextUploadIdMarker ?? ''];
    }
    return false;
  }
}

function nameOf({ ref, uploadId }: NamedUpload): string {
  return JSON.stringify([ref.bucket, ref.key, uploadId]);
}
