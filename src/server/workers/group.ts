import type { MetricsSnapshot } from '../../telemetry/aggregate.ts';
import type { Log } from '../../telemetry/log.ts';
import type { AdminDependency } from '../admin/readiness.ts';
import type { StopOptions, WorkerAddress } from './channel.ts';

/** One gateway that listens: in this process, or in a worker's. */
export interface RunningWorker {
  readonly address: WorkerAddress;
  metrics(): Promise<MetricsSnapshot>;
  readonly dependencies: readonly AdminDependency[];
  /** Lets requests in flight finish; settles when everything is closed. */
  stop(how: StopOptions): Promise<void>;
}

export interface WorkerStart {
  /** From 1. */
  readonly number: number;
}

export interface WorkersOptions {
  /** 1 runs in this process, without a primary: it takes half the memory, and a crash ends the gateway. */
  readonly count: number;
  /**
   * Must listen on the configured address. With port 0 too: node:cluster gives all workers the same free port, and
   * keeps it as long as one of them lives.
   */
  readonly startWorker: (start: WorkerStart) => Promise<RunningWorker>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** A worker that has not stopped by then is killed: more than its own `shutdownSeconds`. */
  readonly stopSeconds: number;
  /** In a worker process: somebody asks this process alone to stop. */
  readonly stopSignal: AbortSignal;
  /** After the first crash; doubled for every further one. */
  readonly backoffSeconds?: number | undefined;
}

/** All workers, seen from outside. */
export interface WorkerGroup {
  readonly address: WorkerAddress;
  /** Process ids of the workers that listen. */
  readonly pids: readonly number[];
  /** The exposition of all workers, summed. */
  metrics(): Promise<string>;
  readonly dependencies: readonly AdminDependency[];
  /** Passes SIGHUP on to the processes that listen; this one has had it. */
  reload(): void;
  stop(): Promise<void>;
}
