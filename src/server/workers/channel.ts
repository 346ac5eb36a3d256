import type { Worker } from 'node:cluster';
import type { MetricsSnapshot } from '../../telemetry/aggregate.ts';

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly kind: 'start'; readonly number: number }
  | ({ readonly kind: 'stop' } & StopOptions)
  /** Answers `drained`: no further connection is on its way to the worker. The one that keeps the port is told last. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question };

/** How a worker is stopped. */
export interface StopOptions {
  /**
   * Keep the shared port while requests in flight finish, and reset whoever comes. When the last worker lets a port go,
   * node:cluster forgets a connection that it was just handing over, and its client would wait until the process ends.
   */
  readonly keepsPort: boolean;
}

/** What a worker tells the primary. */
export type ToPrimary =
  /** The process is up and waits for `start`. */
  | { readonly kind: 'up' }
  | { readonly kind: 'listening'; readonly address: WorkerAddress; readonly dependencies: readonly string[] }
  /** Its requests have ended. It must not leave before it is told to: a connection on its way to it would be forgotten. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer };

export interface WorkerAddress {
  readonly address: string;
  readonly port: number;
}

export type Question = { readonly about: 'metrics' } | { readonly about: 'dependency'; readonly name: string };

/** `failed` holds words that may be shown. */
export type Answer =
  | { readonly metrics: MetricsSnapshot }
  | { readonly detail: string | undefined }
  | { readonly failed: string };

/** A worker that hangs must not hang the admin port with it. Shorter than readiness itself waits. */
const ANSWER_MILLISECONDS = 2000;

/** A dependency that hangs is not a worker that does: the worker says so before it is given up itself. */
export const DEPENDENCY_MILLISECONDS = 1500;

/** Asks workers, and keeps what is not answered yet. */
export class Questions {
  readonly #open = new Map<number, (answer: Answer | undefined) => void>();
  #next = 0;

  /** Undefined when the worker is gone, or does not answer in time. */
  ask(worker: Worker, question: Question): Promise<Answer | undefined> {
    if (!worker.isConnected()) return Promise.resolve(undefined);
    const id = this.#next++;
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined) => {
        clearTimeout(timer);
        worker.off('disconnect', gone);
        this.#open.delete(id);
        resolve(answer);
      };
      const gone = () => settle(undefined);
      const timer = setTimeout(gone, ANSWER_MILLISECONDS);
      worker.once('disconnect', gone);
      this.#open.set(id, settle);
      tell(worker, { kind: 'ask', id, question });
    });
  }

  answered(id: number, answer: Answer): void {
    this.#open.get(id)?.(answer);
  }
}

/** A worker that dies while it is being told is noticed by its 'exit'. */
export function tell(worker: Worker, message: ToWorker): void {
  worker.send(message, () => undefined);
}
