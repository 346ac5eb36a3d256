import { asGatewayError, type GatewayError } from '../errors.ts';
import type { Staging } from './staging.ts';
import { isCompletedMark } from './upload-record.ts';
import type { UploadStates } from './upload-states.ts';

const INTERVAL_SECONDS = 3_600;

/** Between a part and its upload's last change lies less than this, mostly; an older part must be sent again. */
const MARGIN_SECONDS = 86_400;

export interface StagingSweepOptions {
  readonly staging: Pick<Staging, 'sweep'>;
  readonly uploads: Pick<UploadStates, 'header'>;
  /** How long an upload that nobody adds to is kept. */
  readonly keepSeconds: number;
  readonly now: () => Date;
  /** In [0, 1). */
  readonly random: () => number;
  readonly onSwept: (parts: number) => void;
  readonly onFailure: (error: GatewayError) => void;
}

/**
 * Takes out of the staging bucket what its uploads left there: parts whose record was never written, and those of
 * uploads that expired. What is under way stays whatever its age: another gateway over the same bucket may keep uploads
 * for longer. Every gateway does it now and then, at times of its own; twice does no harm.
 */
export class StagingSweep {
  readonly #options: StagingSweepOptions;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StagingSweepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#wait(this.#options.random());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { staging, uploads, keepSeconds, now, onSwept, onFailure } = this.#options;
    const before = new Date(now().getTime() - (keepSeconds + MARGIN_SECONDS) * 1000);
    try {
      const isUnderWay = async (uploadState: string) => {
        const header = await uploads.header(uploadState);
        return header !== undefined && !isCompletedMark(header);
      };
      const parts = await staging.sweep({ before, isUnderWay }, this.#stopped.signal);
      if (parts > 0) onSwept(parts);
    } catch (error) {
      if (!this.#stopped.signal.aborted) onFailure(asGatewayError(error));
    }
  }

  #wait(intervals: number): void {
    this.#timer = setTimeout(
      async () => {
        await this.run();
        if (!this.#stopped.signal.aborted) this.#wait(1);
      },
      intervals * INTERVAL_SECONDS * 1000,
    );
    this.#timer.unref();
  }
}
