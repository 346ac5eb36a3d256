import type { Worker } from 'node:cluster';
import type { MetricsSnapshot } from '../../telemetry/aggregate.ts';

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly kind: 'start'; readonly number: number }
  | ({ readonly kind: 'stop' } & StopOptions)
  /**
   * It answers `drained`: no further connection is on its way to the worker. The worker that keeps the port is told
   * last.
   */
  | { readonly kind: 'leave' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question };

/** How a worker is stopped. */
export interface StopOptions {
  /**
   * Whether the worker keeps the shared port while its requests finish, and resets new connections. When the last
   * worker closes a port, node:cluster forgets a connection that it was just handing over, whose client would wait
   * until the process ends.
   */
  readonly keepsPort: boolean;
}

/** What a worker tells the primary. */
export type ToPrimary =
  /** The process has started and waits for `start`. */
  | { readonly kind: 'up' }
  | { readonly kind: 'listening'; readonly address: WorkerAddress; readonly dependencies: readonly string[] }
  /** Its requests have ended. It must wait for `leave`, since a connection on its way to it would else be forgotten. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer };

/** The address on which a worker listens for clients. */
export interface WorkerAddress {
  readonly address: string;
  readonly port: number;
}

/** What the primary asks a worker: its metrics, or whether it reaches a dependency. */
export type Question = { readonly about: 'metrics' } | { readonly about: 'dependency'; readonly name: string };

/** `failed` holds words that may be shown. */
export type Answer =
  | { readonly metrics: MetricsSnapshot }
  | { readonly detail: string | undefined }
  | { readonly failed: string };

/**
 * How long a worker's answer is awaited. A worker that hangs must not make the admin port hang. It is shorter than
 * readiness waits.
 */
const ANSWER_MILLISECONDS = 2000;

/** How long a worker waits for a dependency. It is shorter, so that a worker can still say which dependency hangs. */
export const DEPENDENCY_MILLISECONDS = 1500;

/** Asks workers questions, and keeps those that are not answered yet. */
export class Questions {
  readonly #open = new Map<number, (answer: Answer | undefined) => void>();
  #next = 0;

  /** Resolves to undefined if the worker has gone or does not answer in time. */
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

/**
 * Sends a message to a worker. If the worker dies meanwhile, its 'exit' is noticed elsewhere, so the failure is
 * ignored.
 */
export function tell(worker: Worker, message: ToWorker): void {
  worker.send(message, () => undefined);
}
