import type { Cluster, Redis } from 'ioredis';
import { UPLOAD_STATE_PREFIX } from '../keys/record-name.ts';
import { DEFAULT_KEY_PREFIX, type RedisStoreConfig } from '../keys/redis-address.ts';
import { available, openRedisClient } from '../keys/redis-client.ts';
import { MAX_UPLOAD_ENTRIES, type UploadStates, uploadFull } from './upload-states.ts';

/**
 * A log is one Redis list: its nodes are as large as what they hold, where a string that is appended to is allocated
 * at up to twice its length. Each script touches one key, so that a Cluster runs it, and is one step for every gateway.
 */
const CREATE_SCRIPT = `
redis.call('DEL', KEYS[1])
for entry = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[entry]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

const APPEND_SCRIPT = `
local entries = redis.call('LLEN', KEYS[1])
if entries == 0 then return 0 end
if entries >= tonumber(ARGV[2]) then return -1 end
redis.call('RPUSH', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;

/**
 * Connects, and resolves once Redis answers.
 * @throws GatewayError KeyStoreUnavailable, Error for a bad URL
 */
export async function openRedisStates(config: RedisStoreConfig): Promise<UploadStates> {
  const { client } = await openRedisClient(config);
  return new RedisStates(client, (config.keyPrefix ?? DEFAULT_KEY_PREFIX) + UPLOAD_STATE_PREFIX);
}

class RedisStates implements UploadStates {
  readonly #client: Redis | Cluster;
  readonly #prefix: string;

  constructor(client: Redis | Cluster, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async create(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void> {
    await available(this.#client.eval(CREATE_SCRIPT, 1, this.#prefix + id, milliseconds(keepSeconds), ...entries));
  }

  async append(id: string, entry: Buffer, keepSeconds: number): Promise<boolean> {
    const appended = await available(
      this.#client.eval(APPEND_SCRIPT, 1, this.#prefix + id, milliseconds(keepSeconds), MAX_UPLOAD_ENTRIES, entry),
    );
    if (appended === -1) throw uploadFull();
    return appended === 1;
  }

  async header(id: string): Promise<Buffer | undefined> {
    return (await available(this.#client.lindexBuffer(this.#prefix + id, 0))) ?? undefined;
  }

  mostEntries(id: string): Promise<number> {
    return available(this.#client.llen(this.#prefix + id));
  }

  async read(id: string): Promise<readonly Buffer[] | undefined> {
    const entries = await available(this.#client.lrangeBuffer(this.#prefix + id, 0, -1));
    return entries.length === 0 ? undefined : entries;
  }

  async delete(id: string): Promise<boolean> {
    return (await available(this.#client.del(this.#prefix + id))) === 1;
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }
}

function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}
