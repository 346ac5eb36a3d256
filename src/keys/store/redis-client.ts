import { Cluster, Redis } from 'ioredis';
import { keyStoreUnavailable } from './record-store.ts';
import { type RedisStoreConfig, type RedisTarget, reconnectDelay, redisTarget } from './redis-address.ts';

/** Matches Redis's message for a full memory, which Redis 6 wraps in words about the script. */
const OUT_OF_MEMORY = /\bOOM command not allowed/;

/** A connection to one Redis, a Sentinel group or a Cluster, and what it was made from. */
export interface RedisClient {
  readonly client: Redis | Cluster;
  readonly target: RedisTarget;
}

/**
 * Connects, and resolves once Redis answers.
 * @throws GatewayError KeyStoreUnavailable with Redis's reason in the message, Error for a bad URL
 */
export async function openRedisClient(config: RedisStoreConfig): Promise<RedisClient> {
  const target = redisTarget(config);
  const client = connectClient(target);
  let reason: unknown;
  client.on('error', (error) => {
    reason = error;
  });
  // Nodes connect at their first command, and refuse a second one before that; so each gets a command at once.
  if (client instanceof Cluster) client.on('+node', (node: Redis) => void node.ping().catch(() => undefined));
  try {
    await within(target.options.connectTimeout, async () => {
      await client.connect();
      await Promise.all(masters(client).map((node) => node.ping()));
    });
  } catch (error) {
    client.disconnect();
    const cause = withoutCommand(reason ?? error);
    throw keyStoreUnavailable(cause, `The key store (${target.label}) is not available: ${cause.message}`);
  }
  return { client, target };
}

function connectClient(target: RedisTarget): Redis | Cluster {
  if (target.mode !== 'cluster') return new Redis(target.options);
  return new Cluster([...target.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // Without a queue, ioredis refuses its own ready check while a node connects, and connect() would never end.
    enableReadyCheck: false,
    redisOptions: target.options,
    clusterRetryStrategy: reconnectDelay,
    // This bounds the wait: during a failover, a command fails after about half a second, and the cache decides.
    maxRedirections: 5,
    // Host names in certificates must reach TLS unchanged, and elsewhere one lookup for each connection is enough.
    dnsLookup: (address, callback) => callback(null, address),
  });
}

/** Returns the connections to all masters: a Cluster has several, anything else has one. */
export function masters(client: Redis | Cluster): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/** Limits how long `work` may take. ioredis tries sentinels and cluster nodes for ever, but a start must end. */
async function within(milliseconds: number | undefined, work: () => Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), milliseconds);
  try {
    await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Turns whatever a command throws into KeyStoreUnavailable.
 * @throws GatewayError KeyStoreUnavailable
 */
export async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw keyStoreUnavailable(withoutCommand(error));
  }
}

/**
 * Whether Redis refused a write because its memory is full (maxmemory with noeviction). It looks through the causes.
 */
export function isOutOfMemory(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if (OUT_OF_MEMORY.test(each.message)) return true;
  return false;
}

/**
 * Keeps only the message: ioredis attaches the command with all its arguments to an error, AUTH's password among them.
 */
function withoutCommand(error: unknown): Error {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return new Error(message.replace(/,? with args beginning with:.*$/s, ''));
}
