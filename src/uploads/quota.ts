import { clientError } from '../errors.ts';
import type { UploadStates } from './upload-states.ts';

/**
 * How many multipart uploads one tenant may have open: what is remembered of them lies in the key store, which all
 * tenants share, and which keys need more than uploads do.
 */
export class UploadQuota {
  readonly #uploads: Pick<UploadStates, 'openUploads'>;
  readonly #limit: number;
  readonly #keepSeconds: number;
  #refused = 0;

  constructor(options: {
    readonly uploads: Pick<UploadStates, 'openUploads'>;
    readonly limit: number;
    /** How long an upload that nobody adds to is kept. */
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
   * Uploads that begin at the same moment may pass together: it is a bound on what a store holds, not a price.
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
