import type { MetricsSnapshot } from '../../telemetry/aggregate.ts';
import type { Log } from '../../telemetry/log.ts';
import type { AdminDependency } from '../admin/readiness.ts';
import type { StopOptions, WorkerAddress } from './channel.ts';

/** One gateway that listens, in this process or in a worker process. */
export interface RunningWorker {
  readonly address: WorkerAddress;
  metrics(): Promise<MetricsSnapshot>;
  readonly dependencies: readonly AdminDependency[];
  /** Lets requests in flight finish, and resolves when everything is closed. */
  stop(how: StopOptions): Promise<void>;
}

export interface WorkerStart {
  /** The number of the worker, from 1. */
  readonly number: number;
}

export interface WorkersOptions {
  /**
   * How many workers there are. A single one runs in this process, without a primary: that takes half the memory, but a
   * crash ends the gateway.
   */
  readonly count: number;
  /**
   * Starts a gateway, which must listen on the configured address. With port 0, node:cluster gives all workers the same
   * free port, and keeps it as long as one of them lives.
   */
  readonly startWorker: (start: WorkerStart) => Promise<RunningWorker>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /**
   * A worker that has not stopped after this time is killed. It must be longer than the worker's own `shutdownSeconds`.
   */
  readonly stopSeconds: number;
  /** In a worker process, it aborts when somebody asks this process alone to stop. */
  readonly stopSignal: AbortSignal;
  /** The wait after the first crash. It doubles with every further crash. */
  readonly backoffSeconds?: number | undefined;
}

/** All workers, as their owner sees them. */
export interface WorkerGroup {
  readonly address: WorkerAddress;
  /** The process ids of the workers that listen. */
  readonly pids: readonly number[];
  /** Returns the metrics of all workers, summed, as text. */
  metrics(): Promise<string>;
  readonly dependencies: readonly AdminDependency[];
  /** Passes SIGHUP on to the worker processes that listen; this process has received it already. */
  reload(): void;
  stop(): Promise<void>;
}
