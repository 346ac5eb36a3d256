import type { Worker } from 'node:cluster';
import { NotReady, reasonOf } from '../admin/readiness.ts';
import {
  type Answer,
  DEPENDENCY_MILLISECONDS,
  type Question,
  type StopOptions,
  type ToPrimary,
  type ToWorker,
} from './channel.ts';
import type { RunningWorker, WorkersOptions } from './group.ts';

/**
 * The side of a worker process: it says that it has started, serves when told, answers questions, and stops when told.
 */
export async function serveAsWorker(
  self: Worker,
  options: Pick<WorkersOptions, 'startWorker' | 'stopSignal'>,
): Promise<void> {
  const started = Promise.withResolvers<Extract<ToWorker, { kind: 'start' }>>();
  const stopped = Promise.withResolvers<StopOptions>();
  const left = Promise.withResolvers<void>();
  let running: RunningWorker | undefined;
  const say = (message: ToPrimary): void => void self.send(message, () => undefined);

  self.on('message', (message: ToWorker) => {
    if (message.kind === 'start') started.resolve(message);
    else if (message.kind === 'stop') stopped.resolve(message);
    else if (message.kind === 'leave') left.resolve();
    else void answerTo(message.question, running).then((answer) => say({ kind: 'answer', id: message.id, answer }));
  });
  if (options.stopSignal.aborted) return;
  options.stopSignal.addEventListener('abort', () => stopped.resolve({ keepsPort: false }));

  say({ kind: 'up' });
  const { number } = await started.promise;
  running = await options.startWorker({ number });
  say({
    kind: 'listening',
    address: { address: running.address.address, port: running.address.port },
    dependencies: running.dependencies.map(({ name }) => name),
  });
  const { keepsPort } = await stopped.promise;
  await running.stop({ keepsPort });
  say({ kind: 'drained' });
  await left.promise;
  self.disconnect();
}

async function answerTo(question: Question, running: RunningWorker | undefined): Promise<Answer> {
  try {
    if (running === undefined) return { failed: 'starting' };
    if (question.about === 'metrics') return { metrics: await running.metrics() };
    const dependency = running.dependencies.find(({ name }) => name === question.name);
    const detail = await inTime(dependency?.check());
    return { detail: typeof detail === 'string' ? detail : undefined };
  } catch (error) {
    return { failed: reasonOf(error) };
  }
}

/**
 * Waits for a dependency's check.
 * @throws NotReady if it takes too long
 */
async function inTime<T>(checked: Promise<T> | undefined): Promise<T | undefined> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NotReady('no answer in time')), DEPENDENCY_MILLISECONDS);
  try {
    return await Promise.race([checked, late]);
  } finally {
    clearTimeout(timer);
  }
}
