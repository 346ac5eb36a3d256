import type { Cluster, Redis } from 'ioredis';
import { UPLOAD_STATE_PREFIX } from '../keys/record-name.ts';
import { DEFAULT_KEY_PREFIX, type RedisStoreConfig } from '../keys/store/redis-address.ts';
import { available, openRedisClient } from '../keys/store/redis-client.ts';
import { MAX_UPLOAD_ENTRIES, type UploadStates, uploadFull } from './upload-states.ts';

/**
 * A log is a Redis list. It takes less memory than a string, for which Redis allocates up to twice its length when it
 * is appended to. Each script touches one key only, so that a Cluster can run it, and runs atomically.
 *
 * This script replaces a log.
 */
const REPLACE_SCRIPT = `
redis.call('DEL', KEYS[1])
for entry = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[entry]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

/**
 * Begins a log, with a write first. A Redis whose memory is full refuses a script only by its first write. If that were
 * the deletion, the log would begin, and then every part of the upload would fail.
 */
const CREATE_SCRIPT = `
redis.call('RPUSH', KEYS[1], ARGV[2])${REPLACE_SCRIPT}`;

/** Appends an entry. Returns 0 where there is no log, -1 where it is full, and 1 otherwise. */
const APPEND_SCRIPT = `
local entries = redis.call('LLEN', KEYS[1])
if entries == 0 then return 0 end
if entries >= tonumber(ARGV[2]) then return -1 end
redis.call('RPUSH', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;

/** Adds an upload to a tenant's set of open uploads, and removes those that have expired. The addition comes first. */
const COUNT_IN_SCRIPT = `
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])`;

/** Renews the time of an upload in the set. The set itself expires together with the upload that was renewed last. */
const COUNT_ON_SCRIPT = `
if redis.call('ZSCORE', KEYS[1], ARGV[2]) then
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end`;

/**
 * Begins the names of the sets, after the prefix of the logs. It is no log's name, because those have 64 hex digits.
 */
const OPEN_BY = 'by/';
/** How many bytes of a log's name are its name in the set. 128 bits of a hash are enough, and save memory. */
const MEMBER_BYTES = 16;

/**
 * Connects to Redis, and resolves once it answers.
 * @throws GatewayError KeyStoreUnavailable, or Error for a URL that cannot be read
 */
export async function openRedisStates(
  config: RedisStoreConfig,
  now: () => Date = () => new Date(),
): Promise<UploadStates> {
  const { client } = await openRedisClient(config);
  return new RedisStates(client, (config.keyPrefix ?? DEFAULT_KEY_PREFIX) + UPLOAD_STATE_PREFIX, now);
}

class RedisStates implements UploadStates {
  readonly #client: Redis | Cluster;
  readonly #prefix: string;
  readonly #now: () => Date;

  constructor(client: Redis | Cluster, prefix: string, now: () => Date) {
    this.#client = client;
    this.#prefix = prefix;
    this.#now = now;
  }

  async create(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void> {
    await available(this.#client.eval(CREATE_SCRIPT, 1, this.#prefix + id, milliseconds(keepSeconds), ...entries));
  }

  async replace(id: string, entries: readonly Buffer[], keepSeconds: number): Promise<void> {
    await available(this.#client.eval(REPLACE_SCRIPT, 1, this.#prefix + id, milliseconds(keepSeconds), ...entries));
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

  openUploads(tenant: string): Promise<number> {
    return available(this.#client.zcount(this.#setOf(tenant), `(${this.#now().getTime()}`, '+inf'));
  }

  async countIn(tenant: string, id: string, keepSeconds: number): Promise<void> {
    const [keep, now] = [milliseconds(keepSeconds), this.#now().getTime()];
    const set = this.#setOf(tenant);
    await available(this.#client.eval(COUNT_IN_SCRIPT, 1, set, now, now + keep, memberOf(id), keep));
  }

  async countOn(tenant: string, id: string, keepSeconds: number): Promise<void> {
    const keep = milliseconds(keepSeconds);
    const until = this.#now().getTime() + keep;
    await available(this.#client.eval(COUNT_ON_SCRIPT, 1, this.#setOf(tenant), until, memberOf(id), keep));
  }

  async countOut(tenant: string, id: string): Promise<void> {
    await available(this.#client.zrem(this.#setOf(tenant), memberOf(id)));
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }

  #setOf(tenant: string): string {
    return this.#prefix + OPEN_BY + tenant;
  }
}

function memberOf(id: string): Buffer {
  return Buffer.from(id.slice(0, 2 * MEMBER_BYTES), 'hex');
}

function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}
