import { clientError } from '../errors.ts';
import type { UploadStates } from './upload-states.ts';

/**
 * Limits how many multipart uploads one tenant may have open. Their state is kept in the key store, which all tenants
 * share, and which must not be filled by it, because keys depend on the key store.
 */
export class UploadQuota {
  readonly #uploads: Pick<UploadStates, 'openUploads'>;
  readonly #limit: number;
  readonly #keepSeconds: number;
  #refused = 0;

  constructor(options: {
    readonly uploads: Pick<UploadStates, 'openUploads'>;
    readonly limit: number;
    /** After how many seconds without a new part the state of an upload expires. */
    readonly keepSeconds: number;
  }) {
    this.#uploads = options.uploads;
    this.#limit = options.limit;
    this.#keepSeconds = options.keepSeconds;
  }

  /** How many uploads were refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Checks that a tenant may begin another upload. Uploads that begin at the same moment may exceed the limit together,
   * which does no harm, because the limit only keeps the store from being filled.
   * @throws GatewayError QuotaExceeded, KeyStoreUnavailable
   */
  async admit(tenant: string): Promise<void> {
    if ((await this.#uploads.openUploads(tenant)) < this.#limit) return;
    this.#refused++;
    const days = Math.round((this.#keepSeconds / 86_400) * 10) / 10;
    throw clientError(
      'QuotaExceeded',
      `There are ${this.#limit} multipart uploads under way already, and the gateway keeps no more for one tenant. ` +
        `Complete some or abort them; one that nobody adds to goes by itself after ${days} days.`,
    );
  }
}
