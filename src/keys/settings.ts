import { z } from 'zod';
import type { Secret } from '../secret.ts';
import { oneOf, type SettingRule, together } from '../settings/forms/rules.ts';
import { type Form, setting } from '../settings/forms/setting.ts';
import {
  integer,
  matching,
  path,
  pathOrOff,
  pemFile,
  pemKeyFile,
  seconds,
  secret,
  text,
} from '../settings/forms/values.ts';
import { ROOT_KEYS, rootKeySettings } from './root/table.ts';
import { redisTarget } from './store/redis-address.ts';

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

/** The settings of where wrapped keys are kept. */
const keyStore = z.strictObject({
  redis: setting(
    redisUrl,
    'Redis that keeps tenants, credentials and wrapped keys. Sentinel: redis+sentinel://host,host/group, ' +
      'Cluster: redis+cluster://host,host; rediss… for TLS. A password with / @ # or % goes into keys.store.password.',
  ).optional(),
  file: setting(path, 'Instead of Redis: one file of the embedded key store. One machine only.').optional(),
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
});

/** The settings of where keys come from, and where they are kept. */
export const keySettings = z.strictObject({
  root: z.strictObject(rootKeySettings()).prefault({}),
  tenant: setting(
    matching(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'a tenant’s name'),
    'For a sidecar that serves one tenant: keys.root is then not the root key but this tenant’s wrap key, as ' +
      '`sealgate tenant wrap-key` writes it, and nothing else of the key store is read.',
  ).optional(),
  store: keyStore.prefault({}),
  generationFile: setting(
    pathOrOff,
    'File of the gateway’s own that keeps the highest generation of the key store that was seen here: a store that was ' +
      'put back to an older state is then refused at the start. All processes of a machine share it. Must outlive restarts.',
    { defaultText: 'keys.root.file, or keys.store.file, with .generation; else off' },
  ).optional(),
  cache: z
    .strictObject({
      maxAgeSeconds: setting(
        seconds({ min: 0, max: 86_400 }),
        'How long credentials, policies and keys are used from memory without asking the key store.',
      ).prefault(60),
      staleSeconds: setting(
        seconds({ min: 0, max: 86_400 }),
        'While the key store is away: how old a cached entry may grow before requests are refused with 503.',
      ).prefault(300),
    })
    .prefault({}),
});

/** Rules between several settings of `keys`. */
export const KEY_RULES: readonly SettingRule[] = [
  oneOf(
    Object.keys(ROOT_KEYS).map((name) => `keys.root.${name}`),
    'Make a key with: openssl rand -base64 32',
  ),
  oneOf(['keys.store.redis', 'keys.store.file'], 'Say where wrapped keys are stored.'),
  (given) => {
    if (!given.isGiven('keys.tenant') || !given.isGiven('keys.store.file')) return [];
    const hint = 'A sidecar reads its tenant’s records from Redis.';
    return [{ setting: 'keys.tenant', problem: 'excludes keys.store.file', expected: 'keys.store.redis', hint }];
  },
  together('keys.store.tls.cert', 'keys.store.tls.key'),
];
