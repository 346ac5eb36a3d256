import cluster, { type Worker } from 'node:cluster';
import { aggregateMetrics, type MetricsSnapshot } from '../../telemetry/aggregate.ts';
import { type AdminDependency, NotReady } from '../admin/readiness.ts';
import { Questions, type StopOptions, type ToPrimary, tell, type WorkerAddress } from './channel.ts';
import type { WorkerGroup, WorkersOptions } from './group.ts';

const FIRST_BACKOFF_SECONDS = 0.1;
const MAX_BACKOFF_SECONDS = 30;
/** A worker that lived this long did not die of its start, so the next one is started without a longer wait. */
const SETTLED_SECONDS = 30;

/** A worker ended before it listened. Its own output says why. */
export class WorkerStartFailed extends Error {
  override readonly name = 'WorkerStartFailed';
}

interface Seat {
  readonly number: number;
  worker: Worker | undefined;
  listening: boolean;
  startedAt: number;
  /** How many times in a row the worker of this seat crashed. */
  crashes: number;
}

type Listening = Extract<ToPrimary, { kind: 'listening' }>;

/** The side of the primary process: it keeps a worker in every seat until it is told to stop. */
export class WorkerCrew implements WorkerGroup {
  readonly #options: WorkersOptions;
  readonly #seats: Seat[];
  readonly #questions = new Questions();
  readonly #timers = new Set<NodeJS.Timeout>();
  #address: WorkerAddress = { address: '', port: 0 };
  #dependencyNames: readonly string[] = [];
  #replaced = 0;
  #stopping = false;
  /** The worker that keeps the port until the others have ended. */
  #keeper: Worker | undefined;

  private constructor(options: WorkersOptions) {
    this.#options = options;
    this.#seats = Array.from({ length: options.count }, (_, at) => {
      return { number: at + 1, worker: undefined, listening: false, startedAt: 0, crashes: 0 };
    });
  }

  /**
   * Resolves when all workers listen. The first one starts alone, so that an error in the configuration is told only
   * once.
   * @throws WorkerStartFailed
   */
  static async start(options: WorkersOptions): Promise<WorkerCrew> {
    const crew = new WorkerCrew(options);
    const [first, ...others] = crew.#seats as [Seat, ...Seat[]];
    try {
      const listening = await crew.#fill(first);
      crew.#address = listening.address;
      crew.#dependencyNames = listening.dependencies;
      await Promise.all(others.map((seat) => crew.#fill(seat)));
    } catch (error) {
      await crew.stop();
      throw error;
    }
    return crew;
  }

  get address(): WorkerAddress {
    return this.#address;
  }

  get pids(): number[] {
    return this.#listening().map((worker) => worker.process.pid as number);
  }

  async metrics(): Promise<string> {
    const workers = this.#listening();
    const answers = await Promise.all(workers.map((worker) => this.#questions.ask(worker, { about: 'metrics' })));
    const snapshots: MetricsSnapshot[] = [];
    for (const answer of answers) if (answer !== undefined && 'metrics' in answer) snapshots.push(answer.metrics);
    return await aggregateMetrics(snapshots, { listening: workers.length, replaced: this.#replaced });
  }

  get dependencies(): readonly AdminDependency[] {
    const asked = this.#dependencyNames.map((name) => ({ name, check: () => this.#checkThroughWorker(name) }));
    return [...asked, { name: 'workers', check: () => this.#checkWorkers() }];
  }

  reload(): void {
    for (const worker of this.#listening()) worker.process.kill('SIGHUP');
  }

  /**
   * Tells all workers at once to stop, waits, and kills those that do not end in time. One keeps the port until the
   * others have ended.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const [keeper] = this.#listening();
    this.#keeper = keeper;
    const others = this.#seats.flatMap(({ worker }) => (worker === undefined || worker === keeper ? [] : [worker]));
    const kept = keeper && this.#end(keeper, { keepsPort: true });
    await Promise.all(others.map((worker) => this.#end(worker, { keepsPort: false })));
    if (keeper !== undefined) tell(keeper, { kind: 'leave' });
    await kept;
  }

  async #end(worker: Worker, how: StopOptions): Promise<void> {
    if (worker.isDead()) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    tell(worker, { kind: 'stop', ...how });
    const deadline = setTimeout(() => worker.process.kill('SIGKILL'), this.#options.stopSeconds * 1000);
    await exited;
    clearTimeout(deadline);
  }

  /** Starts a worker for a seat. The promise settles once the worker listens, or has ended before that. */
  #fill(seat: Seat): Promise<Listening> {
    const worker = cluster.fork();
    seat.worker = worker;
    seat.startedAt = performance.now();
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ToPrimary) => {
        if (message.kind === 'up') {
          tell(worker, { kind: 'start', number: seat.number });
        } else if (message.kind === 'listening') {
          seat.listening = true;
          resolve(message);
        } else if (message.kind === 'drained') {
          if (worker !== this.#keeper) tell(worker, { kind: 'leave' });
        } else {
          this.#questions.answered(message.id, message.answer);
        }
      });
      worker.on('error', () => undefined); // its 'exit' follows
      worker.once('exit', (exitCode, signal) => {
        const listened = seat.listening;
        seat.listening = false;
        seat.worker = undefined;
        reject(new WorkerStartFailed(`Worker ${seat.number} ended before it listened.`));
        if (listened) this.#refill(seat, { exitCode: exitCode ?? undefined, signal: signal ?? undefined });
      });
    });
  }

  /** Starts another worker, after a wait, for a seat whose worker has died. */
  #refill(seat: Seat, how: { readonly exitCode?: number | undefined; readonly signal?: string | undefined }): void {
    if (this.#stopping) return;
    const { log, backoffSeconds = FIRST_BACKOFF_SECONDS } = this.#options;
    const livedSeconds = (performance.now() - seat.startedAt) / 1000;
    seat.crashes = livedSeconds >= SETTLED_SECONDS ? 1 : seat.crashes + 1;
    const waitSeconds = Math.min(backoffSeconds * 2 ** (seat.crashes - 1), MAX_BACKOFF_SECONDS);
    log.error('a worker died and is replaced', { worker: seat.number, attempt: seat.crashes, ...how });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#replace(seat);
    }, waitSeconds * 1000);
    this.#timers.add(timer);
  }

  #replace(seat: Seat): void {
    this.#replaced++;
    this.#fill(seat).then(
      () => this.#options.log.info('a worker took its place', { worker: seat.number }),
      () => this.#refill(seat, {}),
    );
  }

  #listening(): Worker[] {
    return this.#seats.flatMap(({ worker, listening }) => (worker !== undefined && listening ? [worker] : []));
  }

  async #checkWorkers(): Promise<string> {
    const words = `${this.#listening().length} of ${this.#seats.length} listen`;
    if (this.#listening().length < this.#seats.length) throw new NotReady(words);
    return words;
  }

  /**
   * Checks a dependency through one worker. The primary has no connections of its own, and all workers reach the same.
   */
  async #checkThroughWorker(name: string): Promise<string | undefined> {
    const worker = this.#listening()[0];
    const answer = worker && (await this.#questions.ask(worker, { about: 'dependency', name }));
    if (answer === undefined) throw new NotReady('no worker answers');
    if ('failed' in answer) throw new NotReady(answer.failed);
    return 'detail' in answer ? answer.detail : undefined;
  }
}
