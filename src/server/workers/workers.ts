import cluster from 'node:cluster';
import { aggregateMetrics } from '../../telemetry/aggregate.ts';
import { WorkerCrew } from './crew.ts';
import type { RunningWorker, WorkerGroup, WorkersOptions } from './group.ts';
import { serveAsWorker } from './worker.ts';

/**
 * Starts the workers. A worker process runs this program with the same arguments (node:cluster), and so arrives here
 * again. There the call serves until it is told to stop and then resolves to undefined, so that the caller ends.
 * @throws whatever `startWorker` throws at the start; later failures are retried
 */
export async function runWorkers(options: WorkersOptions): Promise<WorkerGroup | undefined> {
  if (cluster.worker !== undefined) {
    await serveAsWorker(cluster.worker, options);
    return undefined;
  }
  if (options.count === 1) return inThisProcess(await options.startWorker({ number: 1 }));
  return await WorkerCrew.start(options);
}

function inThisProcess(worker: RunningWorker): WorkerGroup {
  return {
    address: worker.address,
    pids: [],
    metrics: async () => aggregateMetrics([await worker.metrics()], { listening: 1, replaced: 0 }),
    dependencies: [...worker.dependencies, { name: 'workers', check: async () => '1 of 1 listens, in this process' }],
    reload: () => undefined,
    stop: () => worker.stop({ keepsPort: false }),
  };
}
