import { z } from 'zod';
import type { Secret } from '../../secret.ts';
import { together } from '../../settings/forms/rules.ts';
import { type Form, setting } from '../../settings/forms/setting.ts';
import { integer, pemFile, pemKeyFile, seconds, secret, text } from '../../settings/forms/values.ts';
import { DEFAULT_KEY_PREFIX, type RedisStoreConfig, redisTarget } from './redis-address.ts';
import { openRedisStore } from './redis-store.ts';
import type { KeyStoreRow } from './row.ts';

/** It is treated as a secret, because the URL may hold the password. */
const redisUrl: Form<Secret> = {
  ...secret,
  expected: 'redis://[user:password@]host[:port][/database], or rediss, redis+sentinel, redis+cluster',
  read: (value) => {
    const url = secret.read(value);
    return url !== undefined && isRedisUrl(url.reveal()) ? url : undefined;
  },
};

function isRedisUrl(url: string): boolean {
  try {
    redisTarget({ kind: 'redis', url });
    return true;
  } catch {
    return false;
  }
}

const settings = {
  redis: setting(
    redisUrl,
    'Redis that keeps tenants, credentials and wrapped keys. Sentinel: redis+sentinel://host,host/group, ' +
      'Cluster: redis+cluster://host,host; rediss… for TLS. A password with / @ # or % goes into keys.store.password.',
  ).optional(),
  keyPrefix: setting(text(), 'Begins the name of every record in Redis.').prefault('sealgate:'),
  username: setting(text(), 'Redis ACL user; wins over the URL’s.').optional(),
  password: setting(secret, 'Password; wins over the URL’s.').optional(),
  sentinelUsername: setting(text(), 'User of the Sentinels themselves.').optional(),
  sentinelPassword: setting(secret, 'Password of the Sentinels themselves.').optional(),
  tls: z
    .strictObject({
      ca: setting(pemFile, 'Certificates that vouch for Redis, instead of the system’s.').optional(),
      cert: setting(pemFile, 'Client certificate shown to Redis.').optional(),
      key: setting(pemKeyFile, 'Key of the client certificate.').optional(),
      serverName: setting(
        text('a host name'),
        'Name that Redis’s certificate must bear, if not its host’s.',
      ).optional(),
    })
    .prefault({}),
  connectSeconds: setting(seconds({ min: 0.1, max: 600 }), 'Longest wait for a connection to Redis.').prefault(5),
  commandSeconds: setting(seconds({ min: 0.1, max: 600 }), 'Longest wait for an answer of Redis.').prefault(2),
  replicas: setting(
    integer({ min: 0, max: 16 }),
    'Replicas that must hold a write before it counts (WAIT). Not in a Cluster.',
  ).prefault(0),
};

/** What the section says of Redis. */
export interface RedisPlace extends RedisStoreConfig {
  /** It is printed nowhere, because it may hold the password. */
  readonly url: Secret;
}

/** `keys.store.redis`. */
export const redisRow: KeyStoreRow<typeof settings, RedisPlace> = {
  settings,
  rules: [together('keys.store.tls.cert', 'keys.store.tls.key')],
  place({ redis, tls, connectSeconds, commandSeconds, ...rest }) {
    if (redis === undefined) return undefined;
    return {
      ...rest,
      kind: 'redis',
      url: redis,
      connectTimeoutSeconds: connectSeconds,
      commandTimeoutSeconds: commandSeconds,
      // Without any of these settings there must be no `tls`, because its presence turns TLS on.
      ...(Object.values(tls).some((value) => value !== undefined) && { tls }),
    };
  },
  describe: () => 'Redis',
  identity: (place) => ['redis', redisTarget(place).options.db ?? 0, place.keyPrefix ?? DEFAULT_KEY_PREFIX],
  open: openRedisStore,
};
