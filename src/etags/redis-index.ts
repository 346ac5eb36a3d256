import { Cluster, type Redis } from 'ioredis';
import { ETAG_INDEX_PREFIX } from '../keys/record-name.ts';
import { DEFAULT_KEY_PREFIX, type RedisStoreConfig } from '../keys/store/redis-address.ts';
import { available, openRedisClient } from '../keys/store/redis-client.ts';
import type { EtagIndex, NamedEntry } from './etag-index.ts';

/**
 * Connects to Redis, and resolves once it answers.
 * @param keepSeconds how long after its last write an entry expires, so that those of deleted objects do not pile up
 * @throws GatewayError KeyStoreUnavailable, or Error for a URL that cannot be read
 */
export async function openRedisIndex(config: RedisStoreConfig, keepSeconds: number): Promise<EtagIndex> {
  const { client } = await openRedisClient(config);
  return new RedisIndex(client, (config.keyPrefix ?? DEFAULT_KEY_PREFIX) + ETAG_INDEX_PREFIX, keepSeconds);
}

/** Keeps each entry as one string with an expiry. */
class RedisIndex implements EtagIndex {
  readonly #client: Redis | Cluster;
  readonly #prefix: string;
  readonly #keepMilliseconds: number;

  constructor(client: Redis | Cluster, prefix: string, keepSeconds: number) {
    this.#client = client;
    this.#prefix = prefix;
    this.#keepMilliseconds = Math.ceil(keepSeconds * 1000);
  }

  async read(names: readonly Buffer[]): Promise<readonly (Buffer | undefined)[]> {
    if (names.length === 0) return [];
    const keys = names.map((name) => this.#key(name));
    // In a Cluster the entries are on several nodes, and MGET can only ask one of them.
    const entries =
      this.#client instanceof Cluster
        ? await available(Promise.all(keys.map((key) => this.#client.getBuffer(key))))
        : await available(this.#client.mgetBuffer(keys));
    return entries.map((entry) => entry ?? undefined);
  }

  async write(entries: readonly NamedEntry[]): Promise<void> {
    const [first, ...more] = entries;
    if (first === undefined) return;
    if (more.length === 0 || this.#client instanceof Cluster) {
      await available(Promise.all(entries.map(({ name, entry }) => this.#set(name, entry))));
      return;
    }
    const pipeline = this.#client.pipeline();
    for (const { name, entry } of entries) pipeline.set(this.#key(name), entry, 'PX', this.#keepMilliseconds);
    const answers = (await available(pipeline.exec())) ?? [];
    const failure = answers.find(([error]) => error !== null)?.[0];
    if (failure) await available(Promise.reject(failure));
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }

  #set(name: Buffer, entry: Buffer): Promise<'OK'> {
    return this.#client.set(this.#key(name), entry, 'PX', this.#keepMilliseconds);
  }

  #key(name: Buffer): string {
    return this.#prefix + name.toString('base64url');
  }
}
