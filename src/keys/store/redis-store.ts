import { randomBytes } from 'node:crypto';
import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import { ETAG_INDEX_PREFIX, RECORD_KINDS, UPLOAD_STATE_PREFIX } from '../record-name.ts';
import {
  type ChangeListener,
  keyStoreUnavailable,
  newRevision,
  type PutOptions,
  REVISION_BYTES,
  type RecordStore,
  RevisionConflict,
  type StoredRecord,
} from './record-store.ts';
import { DEFAULT_KEY_PREFIX, type RedisStoreConfig, type RedisTarget } from './redis-address.ts';
import { available, isOutOfMemory, masters, openRedisClient } from './redis-client.ts';
import { RedisWatch } from './redis-watch.ts';
import type { KeyStoreOptions } from './row.ts';

/**
 * Reads the revision of the current value, or '' if there is none or it is empty. A value that is too short to have a
 * revision was written by somebody else; it gets the revision 0, so that it can be replaced or deleted.
 */
const HELD = `
local held = redis.call('GETRANGE', KEYS[1], 0, ${REVISION_BYTES - 1})
if #held > 0 and #held < ${REVISION_BYTES} then held = string.rep('\\0', ${REVISION_BYTES}) end`;

/**
 * Writes a record. A record is one Redis string: the revision (6 bytes) and the wrapped bytes. Compare-and-set is a
 * script, so that it is one step for every writer. A value that already has the new revision is this very write, which
 * the cluster client has sent again after a failover.
 */
const PUT_SCRIPT = `${HELD}
if held ~= string.sub(ARGV[3], 1, ${REVISION_BYTES}) then
  if ARGV[1] == 'absent' and held ~= '' then return 0 end
  if ARGV[1] == 'at' and held ~= ARGV[2] then return 0 end
  redis.call('SET', KEYS[1], ARGV[3])
end
return 1`;

/** The flag exists in Redis 7 and Valkey; Redis 6 does not run such a script. */
const PUT_EVEN_IF_FULL_SCRIPT = `#!lua flags=allow-oom${PUT_SCRIPT}`;

const DELETE_SCRIPT = `${HELD}
if held == '' then return 0 end
if ARGV[1] ~= '' and held ~= ARGV[1] then return -1 end
return redis.call('DEL', KEYS[1])`;

const SCAN_COUNT = 1000;
const WAIT_MILLISECONDS = 1000;

/**
 * Connects to the key store in Redis.
 * @throws GatewayError KeyStoreUnavailable with Redis's reason in the message, Error for a bad URL
 */
export async function openRedisStore(config: RedisStoreConfig, options: KeyStoreOptions = {}): Promise<RecordStore> {
  const { client, target } = await openRedisClient(config);
  const { onReconnect } = options;
  if (onReconnect !== undefined) client.on('reconnecting', () => onReconnect());
  return new RedisStore({ client, target, config, onWarning: options.onWarning ?? (() => undefined) });
}

interface RedisStoreParts {
  readonly client: Redis | Cluster;
  readonly target: RedisTarget;
  readonly config: RedisStoreConfig;
  readonly onWarning: (message: string) => void;
}

class RedisStore implements RecordStore {
  readonly #client: Redis | Cluster;
  readonly #target: RedisTarget;
  readonly #prefix: string;
  readonly #replicas: number;
  readonly #onWarning: (message: string) => void;
  #watch: RedisWatch | undefined;

  constructor({ client, target, config, onWarning }: RedisStoreParts) {
    this.#client = client;
    this.#target = target;
    this.#prefix = config.keyPrefix ?? DEFAULT_KEY_PREFIX;
    this.#replicas = config.replicas ?? 0;
    this.#onWarning = onWarning;
  }

  async get(name: string): Promise<StoredRecord | undefined> {
    const value = await available(this.#client.getBuffer(this.#prefix + name));
    if (value === null || value.length === 0) return undefined;
    // The value is too short to have a revision. It is returned empty, so that unwrapping refuses it and names it.
    if (value.length < REVISION_BYTES) return { revision: 0, bytes: Buffer.alloc(0) };
    return { revision: value.readUIntBE(0, REVISION_BYTES), bytes: value.subarray(REVISION_BYTES) };
  }

  async revision(name: string): Promise<number | undefined> {
    const head = await available(this.#client.getrangeBuffer(this.#prefix + name, 0, REVISION_BYTES - 1));
    if (head.length === 0) return undefined;
    return head.length < REVISION_BYTES ? 0 : head.readUIntBE(0, REVISION_BYTES);
  }

  async put(name: string, bytes: Buffer, options: PutOptions = {}): Promise<number> {
    const { expectedRevision, evenIfFull } = options;
    const revision = newRevision(randomBytes);
    const mode = expectedRevision === undefined ? 'any' : expectedRevision === 'absent' ? 'absent' : 'at';
    const expected = typeof expectedRevision === 'number' ? revisionBytes(expectedRevision) : '';
    const value = Buffer.concat([revisionBytes(revision), bytes]);
    const run = (script: string) => available(this.#client.eval(script, 1, this.#prefix + name, mode, expected, value));
    const written = await run(PUT_SCRIPT).catch((full: unknown) => {
      if (evenIfFull !== true || !isOutOfMemory(full)) throw full;
      return run(PUT_EVEN_IF_FULL_SCRIPT).catch(() => Promise.reject(full));
    });
    if (written !== 1) throw new RevisionConflict(name);
    await this.#waitForReplicas();
    return revision;
  }

  async delete(name: string, options: { expectedRevision?: number } = {}): Promise<boolean> {
    const expected = options.expectedRevision === undefined ? '' : revisionBytes(options.expectedRevision);
    const deleted = await available(this.#client.eval(DELETE_SCRIPT, 1, this.#prefix + name, expected));
    if (deleted === -1) throw new RevisionConflict(name);
    return deleted === 1;
  }

  async *list(prefix: string): AsyncIterable<string> {
    const pattern = `${escapeGlob(this.#prefix + prefix)}*`;
    const seen = new Set<string>(); // SCAN may repeat a key
    for (const node of masters(this.#client)) {
      let cursor = '0';
      do {
        const [next, keys] = await available(node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT));
        for (const key of keys) {
          const name = key.slice(this.#prefix.length);
          // There may be millions of keys with these prefixes.
          if (name.startsWith(UPLOAD_STATE_PREFIX) || name.startsWith(ETAG_INDEX_PREFIX)) continue;
          if (seen.has(name)) continue;
          seen.add(name);
          yield name;
        }
        cursor = next;
      } while (cursor !== '0');
    }
  }

  async watch(onChange: ChangeListener, onConfirmed?: () => void): Promise<void> {
    this.#watch?.close();
    this.#watch = new RedisWatch({
      targets: () => this.#watchTargets(),
      keyPrefix: this.#prefix,
      kinds: Object.keys(RECORD_KINDS).filter((kind) => kind !== 'sidecar'), // no gateway reads these
      onChange,
      onConfirmed,
      onWarning: this.#onWarning,
    });
    await this.#watch.start();
  }

  async check(): Promise<void> {
    await available(this.#client.ping());
  }

  async evictionPolicy(): Promise<string | undefined> {
    for (const node of masters(this.#client)) {
      const memory = await available(node.info('memory'));
      const policy = /^maxmemory_policy:([\w-]+)/m.exec(memory)?.[1];
      const bounded = /^maxmemory:[1-9]/m.test(memory);
      if (bounded && policy !== undefined && policy !== 'noeviction') return policy;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#watch?.close();
    this.#client.disconnect();
  }

  #watchTargets(): RedisOptions[] {
    if (this.#target.mode !== 'cluster') return [this.#target.options];
    const { options } = this.#target;
    return masters(this.#client).map((node) => ({ ...options, host: node.options.host, port: node.options.port }));
  }

  async #waitForReplicas(): Promise<void> {
    if (this.#replicas === 0 || this.#client instanceof Cluster) return;
    const reached = await available(this.#client.wait(this.#replicas, WAIT_MILLISECONDS));
    if (reached >= this.#replicas) return;
    throw keyStoreUnavailable(
      new Error(`${reached} of ${this.#replicas} replicas confirmed`),
      `The key store’s write reached ${reached} replicas, and ${this.#replicas} are required.`,
    );
  }
}

function revisionBytes(revision: number): Buffer {
  const bytes = Buffer.alloc(REVISION_BYTES);
  bytes.writeUIntBE(revision, 0, REVISION_BYTES);
  return bytes;
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
