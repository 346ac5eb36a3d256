import { Redis, type RedisOptions } from 'ioredis';
import type { ChangeListener } from './record-store.ts';

const INVALIDATION_CHANNEL = '__redis__:invalidate';
/** Half of the second within which a change must be seen, so that polling is fast enough where tracking fails. */
const BEAT_MILLISECONDS = 500;

export interface RedisWatchOptions {
  /**
   * Returns one target for each master. A single node or Sentinel group has one; a Cluster has several, and they
   * change.
   */
  readonly targets: () => readonly RedisOptions[];
  readonly keyPrefix: string;
  /** The kinds of records to watch. Uploads are left out: they change with every part, and nobody caches them. */
  readonly kinds: readonly string[];
  readonly onChange: ChangeListener;
  /** Is called at every beat that found all links tracking. */
  readonly onConfirmed: (() => void) | undefined;
  /** Is called once for each new reason why tracking does not work. */
  readonly onWarning: (message: string) => void;
}

/**
 * Hears from Redis itself which records changed. Each master gets one RESP2 connection that tracks the key prefix
 * (CLIENT TRACKING ON BCAST) with REDIRECT to itself and subscribes to `__redis__:invalidate`. Tracking and
 * subscription live and die with one socket, so there is no half-broken state to notice. While any link is not
 * tracking, each beat reports `all`, which is slower (each cached record is read again every half second) but never
 * wrong.
 */
export class RedisWatch {
  readonly #options: RedisWatchOptions;
  readonly #links = new Map<string, InvalidationLink>();
  #timer: NodeJS.Timeout | undefined;
  #beating = false;
  #lastWarning = '';

  constructor(options: RedisWatchOptions) {
    this.#options = options;
  }

  /** Resolves once every link tracks, or once the first attempt has failed and polling has taken over. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#beat(), BEAT_MILLISECONDS);
    this.#timer.unref();
    this.#reconcile();
    await Promise.all([...this.#links.values()].map((link) => link.firstAttempt));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      this.#reconcile();
      const links = [...this.#links.values()];
      const alive = await Promise.all(links.map((link) => link.beat()));
      if (links.length > 0 && alive.every(Boolean)) this.#options.onConfirmed?.();
      else this.#options.onChange('all');
    } finally {
      this.#beating = false;
    }
  }

  /**
   * Makes the links match the masters of a Cluster, which change: after a failover the promoted node must be tracked
   * too.
   */
  #reconcile(): void {
    const targets = new Map(this.#options.targets().map((options) => [`${options.host}:${options.port}`, options]));
    for (const [label, link] of this.#links) {
      if (targets.has(label)) continue;
      link.close();
      this.#links.delete(label);
    }
    for (const [label, options] of targets) {
      if (!this.#links.has(label)) this.#links.set(label, this.#link(options));
    }
  }

  #link(options: RedisOptions): InvalidationLink {
    const { keyPrefix, kinds, onChange } = this.#options;
    return new InvalidationLink({ options, keyPrefix, kinds, onChange, onRefused: (error) => this.#warn(error) });
  }

  #warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.#lastWarning) return;
    this.#lastWarning = reason;
    this.#options.onWarning(
      `Redis does not track changes for this gateway (${reason}): it polls instead, which costs Redis more reads.`,
    );
  }
}

interface InvalidationLinkOptions {
  readonly options: RedisOptions;
  readonly keyPrefix: string;
  readonly kinds: readonly string[];
  readonly onChange: ChangeListener;
  readonly onRefused: (error: unknown) => void;
}

class InvalidationLink {
  readonly firstAttempt: Promise<void>;
  readonly #client: Redis;
  readonly #keyPrefix: string;
  readonly #kinds: readonly string[];
  readonly #onChange: ChangeListener;
  #tracking = false;

  constructor({ options, keyPrefix, kinds, onChange, onRefused }: InvalidationLinkOptions) {
    this.#keyPrefix = keyPrefix;
    this.#kinds = kinds;
    this.#onChange = onChange;
    this.#client = new Redis({ ...options, connectionName: 'sealgate-watch' });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.firstAttempt = promise;
    this.#client.on('error', () => undefined); // 'close' follows, and is handled
    this.#client.on('messageBuffer', (_channel: Buffer, keys: unknown) => this.#invalidate(keys));
    this.#client.on('close', () => {
      this.#lose();
      resolve();
    });
    this.#client.on('ready', () => void this.#track().catch(onRefused).finally(resolve));
    this.#client.connect().catch(() => resolve());
  }

  /** Whether the server answered on a connection that tracks, so that no change was missed until now. */
  async beat(): Promise<boolean> {
    if (!this.#tracking) return false;
    try {
      await this.#client.ping();
      return this.#tracking;
    } catch {
      this.#lose();
      if (this.#client.status === 'ready') this.#client.disconnect(true);
      return false;
    }
  }

  close(): void {
    this.#client.removeAllListeners('close');
    this.#client.disconnect();
  }

  async #track(): Promise<void> {
    const id = await this.#client.client('ID');
    const prefixes = this.#kinds.flatMap((kind) => ['PREFIX', `${this.#keyPrefix}${kind}/`]);
    await this.#client.client('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...prefixes);
    await this.#client.subscribe(INVALIDATION_CHANNEL);
    this.#tracking = true;
    // Changes between the loss of the connection and now were not announced.
    this.#onChange('all');
  }

  #lose(): void {
    if (!this.#tracking) return;
    this.#tracking = false;
    this.#onChange('all');
  }

  /** Handles an invalidation. Redis sends an array of keys, or nil after FLUSHALL; ioredis passes it on unchanged. */
  #invalidate(keys: unknown): void {
    if (!Array.isArray(keys)) {
      this.#onChange('all');
      return;
    }
    const names: string[] = [];
    for (const key of keys) {
      const text = String(key);
      if (text.startsWith(this.#keyPrefix)) names.push(text.slice(this.#keyPrefix.length));
    }
    if (names.length > 0) this.#onChange(names);
  }
}
