import { asGatewayError, type GatewayError } from '../errors.ts';
import type { Staging } from './staging.ts';
import { isCompletedMark } from './upload-record.ts';
import type { UploadStates } from './upload-states.ts';

const INTERVAL_SECONDS = 3_600;

/**
 * How much longer than an upload's state a staged part is kept. A part is older than its upload's last change, mostly
 * by less than a day. If it is removed too early, the client must send it again.
 */
const MARGIN_SECONDS = 86_400;

export interface StagingSweepOptions {
  readonly staging: Pick<Staging, 'sweep'>;
  readonly uploads: Pick<UploadStates, 'header'>;
  /** After how many seconds without a new part the state of an upload expires. */
  readonly keepSeconds: number;
  readonly now: () => Date;
  /** Gives a number in [0, 1). */
  readonly random: () => number;
  /** Called after a sweep that removed parts, with their number. */
  readonly onSwept: (parts: number) => void;
  readonly onFailure: (error: GatewayError) => void;
}

/**
 * Removes old parts from the staging bucket whose uploads are over: parts whose record was never written, and parts of
 * uploads that expired. Parts of an upload that is under way stay however old they are, because another gateway over
 * the same bucket may keep uploads for longer. Every gateway sweeps once an hour, at a time of its own; sweeping twice
 * does no harm.
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

  /** Sweeps once. Never rejects: a failure is given to `onFailure`. */
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
