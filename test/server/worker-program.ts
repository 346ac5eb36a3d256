import { PassThrough } from 'node:stream';
import { AdminServer } from '../../src/server/admin/admin.ts';
import { DEFAULT_LIMITS } from '../../src/server/limits.ts';
import { createListener } from '../../src/server/listener.ts';
import type { RunningWorker, WorkerStart } from '../../src/server/workers/group.ts';
import { runWorkers } from '../../src/server/workers/workers.ts';
import { METRICS_CONTENT_TYPE } from '../../src/telemetry/aggregate.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { answer } from './listening.ts';

/** A small gateway with workers, run as a process by workers.test.ts: `node worker-program.ts COUNT [fail]`. */
const [count, fail] = process.argv.slice(2);
const log = createLog({ level: 'info', format: 'json', destination: new PassThrough().resume() });
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort());

async function startWorker(start: WorkerStart): Promise<RunningWorker> {
  if (fail === 'fail') throw new Error('cannot start');
  const metrics = new Metrics();
  let ids = 0;
  const listener = createListener({
    limits: DEFAULT_LIMITS,
    metrics,
    log,
    newRequestId: () => String(ids++),
    handle: async (request) => {
      if (request.target.raw === '/crash') process.kill(process.pid, 'SIGKILL');
      if (request.target.raw !== '/slow') return answer(200, `pid ${process.pid}`);
      async function* slow() {
        yield Buffer.from('begin ');
        for await (const _ of request.body); // as slow as its client
        yield Buffer.from('end');
      }
      return answer(200, slow(), [['Content-Length', '9']]);
    },
  });
  const address = await listener.listen({ host: '127.0.0.1', port: 0 });
  return {
    address,
    metrics: () => metrics.snapshot(),
    dependencies: [
      { name: 'backend', check: async () => `worker ${start.number === 0 ? 'none' : 'some'}` },
      {
        name: 'key store',
        check: async () => {
          if (fail === 'hanging') await new Promise(() => undefined);
          if (fail === 'sick') throw Object.assign(new Error('redis://user:hunter2@host'), { code: 'ECONNREFUSED' });
        },
      },
    ],
    stop: async ({ keepsPort }) => void (await listener.close({ graceSeconds: 30, keepsPort })),
  };
}

const group = await runWorkers({
  count: Number(count),
  startWorker,
  log,
  stopSeconds: 40,
  stopSignal: stopping.signal,
  backoffSeconds: 0.05,
});
if (group !== undefined) {
  const admin = new AdminServer({
    metrics: () => group.metrics(),
    contentType: METRICS_CONTENT_TYPE,
    dependencies: group.dependencies,
  });
  const { port } = await admin.listen({ host: '127.0.0.1', port: 0 });
  process.stdout.write(`${JSON.stringify({ port: group.address.port, admin: port, pids: group.pids })}\n`);
  await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  admin.stopping();
  await group.stop();
  await admin.close();
}
process.exit(0);
