import type { ConnectionOptions } from 'node:tls';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { Secret } from '../../secret.ts';

/** Where Redis is, and with which credentials it is entered. Everything but `url` is optional. */
export interface RedisStoreConfig {
  readonly kind: 'redis';
  /**
   * `redis://[user:password@]host[:6379][/db]`; with several hosts and a group name
   * `redis+sentinel://host[:26379],host,…/group[/db]`; or `redis+cluster://host[:6379],host,…`. `rediss`,
   * `rediss+sentinel` and `rediss+cluster` speak TLS.
   */
  readonly url: Secret | string;
  /** Begins every record's name in Redis. The default is `sealgate:`. */
  readonly keyPrefix?: string;
  /** An ACL user, which takes the place of the URL's. */
  readonly username?: string;
  /** The password, which takes the place of the URL's. */
  readonly password?: Secret;
  /** PEM texts, not paths. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: Secret;
    readonly serverName?: string;
  };
  /** The Sentinels' own user and, below, their password, if they have any. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: Secret;
  readonly connectTimeoutSeconds?: number;
  readonly commandTimeoutSeconds?: number;
  /** How many replicas must hold a write before it counts (Redis WAIT); not in a Cluster. The default is 0. */
  readonly replicas?: number;
}

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What ioredis connects to; `label` names it in messages and holds no credentials. */
export type RedisTarget =
  | { readonly mode: 'single'; readonly options: RedisOptions; readonly label: string }
  | { readonly mode: 'sentinel'; readonly options: RedisOptions; readonly label: string }
  | {
      readonly mode: 'cluster';
      readonly nodes: readonly HostAndPort[];
      readonly options: NonNullable<ClusterOptions['redisOptions']>;
      readonly label: string;
    };

export const DEFAULT_KEY_PREFIX = 'sealgate:';
const DEFAULT_CONNECT_TIMEOUT_SECONDS = 5;
const DEFAULT_COMMAND_TIMEOUT_SECONDS = 2;
const RECONNECT_STEP_MILLISECONDS = 50;
/** The longest wait before reconnecting, so that the gateway works again within a second of Redis. */
const RECONNECT_MAX_MILLISECONDS = 500;

const REDIS_URL = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#]+)((?:\/[^?#]*)?)$/;
const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;

/**
 * Reads the settings of Redis.
 * @throws Error that says what is wrong with the URL, without its password
 */
export function redisTarget(config: RedisStoreConfig): RedisTarget {
  const match = REDIS_URL.exec(typeof config.url === 'string' ? config.url : config.url.reveal());
  if (match === null) {
    throw new Error(
      'The key store’s Redis URL must look like redis://host:6379/0, redis+sentinel://host,host/group or ' +
        'redis+cluster://host,host.',
    );
  }
  const [, tlsLetter = '', mode = 'single', userInfo = '', hostList = '', path = ''] = match;
  const hosts = hostList.split(',').map((text) => hostAndPort(text, mode === 'sentinel' ? 26379 : 6379));
  const segments = path.split('/').slice(1);
  const label = `${mode === 'single' ? 'Redis' : `Redis ${mode}`} ${hostList}`;
  const tls = tlsLetter === 's' || config.tls !== undefined ? tlsOptions(config) : undefined;
  const common = { ...connectionOptions(config), ...credentials(userInfo, config), ...(tls && { tls }) };
  if (mode === 'cluster') {
    refuseExtra(segments, 0, 'A Redis Cluster has only database 0, so its URL ends after the hosts.');
    return { mode, nodes: hosts, options: common, label };
  }
  if (mode === 'sentinel') {
    const [group = '', database] = segments;
    if (group === '')
      throw new Error('The Redis Sentinel URL must name the master group: redis+sentinel://host/group.');
    refuseExtra(segments, 2, 'The Redis Sentinel URL ends after /group/database.');
    return { mode, options: sentinelOptions(config, { common, hosts, group, database, tls }), label };
  }
  refuseExtra(segments, 1, 'The Redis URL ends after the database number.');
  if (hosts.length > 1) throw new Error('Several Redis hosts need redis+sentinel:// or redis+cluster://.');
  return { mode: 'single', options: { ...common, ...hosts[0], db: databaseNumber(segments[0]) }, label };
}

interface SentinelParts {
  readonly common: RedisOptions;
  readonly hosts: readonly HostAndPort[];
  readonly group: string;
  readonly database: string | undefined;
  readonly tls: ConnectionOptions | undefined;
}

function sentinelOptions(config: RedisStoreConfig, parts: SentinelParts): RedisOptions {
  return {
    ...parts.common,
    sentinels: [...parts.hosts],
    name: parts.group,
    db: databaseNumber(parts.database),
    sentinelRetryStrategy: reconnectDelay,
    ...(config.sentinelUsername !== undefined && { sentinelUsername: config.sentinelUsername }),
    ...(config.sentinelPassword !== undefined && { sentinelPassword: config.sentinelPassword.reveal() }),
    ...(parts.tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: parts.tls }),
  };
}

/**
 * Nothing is queued and nothing is sent twice: a command that cannot be sent now fails now, and the cache above decides
 * what that means. With a queue, every request would wait while Redis is unreachable.
 */
function connectionOptions(config: RedisStoreConfig): RedisOptions {
  const commandTimeoutMilliseconds = (config.commandTimeoutSeconds ?? DEFAULT_COMMAND_TIMEOUT_SECONDS) * 1000;
  return {
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    disableClientInfo: true,
    connectionName: 'sealgate',
    connectTimeout: (config.connectTimeoutSeconds ?? DEFAULT_CONNECT_TIMEOUT_SECONDS) * 1000,
    commandTimeout: commandTimeoutMilliseconds,
    // A server that hangs is found by its silence: its socket is closed, and commands fail at once from then on.
    socketTimeout: commandTimeoutMilliseconds,
    retryStrategy: reconnectDelay,
    // After a failover the old master answers READONLY. The client reconnects, and Sentinel or the cluster names the
    // new master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** Returns how many milliseconds to wait before this attempt to reconnect; attempts count from 1. */
export function reconnectDelay(attempt: number): number {
  return Math.min(attempt * RECONNECT_STEP_MILLISECONDS, RECONNECT_MAX_MILLISECONDS);
}

function credentials(userInfo: string, config: RedisStoreConfig): { username?: string; password?: string } {
  const colon = userInfo.indexOf(':');
  const username = config.username ?? decode(colon === -1 ? userInfo : userInfo.slice(0, colon));
  const password = config.password?.reveal() ?? decode(colon === -1 ? '' : userInfo.slice(colon + 1));
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('The user or password in the key store’s Redis URL is not properly percent-encoded.');
  }
}

function tlsOptions({ tls }: RedisStoreConfig): ConnectionOptions {
  return {
    minVersion: 'TLSv1.2',
    ...(tls?.ca !== undefined && { ca: tls.ca }),
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key.bytes() }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  };
}

function hostAndPort(text: string, defaultPort: number): HostAndPort {
  const match = HOST_AND_PORT.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port === 0 || port > 65535) throw new Error(`The Redis URL has a bad host or port: ${text}`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function databaseNumber(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new Error(`The Redis URL must end with a database number, not ${text}.`);
  return Number(text);
}

function refuseExtra(segments: readonly string[], most: number, message: string): void {
  if (segments.filter((segment) => segment !== '').length > most) throw new Error(message);
}
