import { z } from 'zod';
import { type SettingRule, together } from '../settings/forms/rules.ts';
import { setting } from '../settings/forms/setting.ts';
import {
  bytes,
  choice,
  countOrAuto,
  hostPort,
  hostPortOrOff,
  integer,
  listOf,
  network,
  pemFile,
  pemKeyFile,
  seconds,
} from '../settings/forms/values.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** The settings of where the gateway listens, and for whom. */
export const serverSettings = {
  listen: setting(hostPort, 'Where clients connect. `:8000` means every address.').prefault('127.0.0.1:8000'),
  admin: setting(hostPortOrOff, 'Where /metrics, /healthz and /readyz are served. Keep it from clients.').prefault(
    '127.0.0.1:8001',
  ),
  workers: setting(countOrAuto({ min: 1, max: 1024 }), 'Worker processes.', {
    defaultText: 'auto: one per core',
  }).prefault('auto'),
  trustedProxies: setting(
    listOf(network),
    'Proxies and load balancers in front of the gateway, whose word on a client’s address and scheme is taken (for ' +
      'logs, fair shares and the URLs in answers). Whatever others say of themselves is not.',
  ).prefault([]),
  proxyHeaders: setting(
    choice('x-forwarded', 'forwarded'),
    'How these proxies say it: by X-Forwarded-For and X-Forwarded-Proto, or by Forwarded (RFC 7239). What they do ' +
      'not write themselves is a client’s own word, so the other is not read.',
  ).prefault('x-forwarded'),
  tls: z
    .strictObject({
      cert: setting(pemFile, 'Certificate chain for clients: makes `listen` speak TLS.').optional(),
      key: setting(pemKeyFile, 'Key of that certificate.').optional(),
    })
    .prefault({}),
};

/** The settings of how much one worker takes, and how long it waits. */
export const limitSettings = z.strictObject({
  headerBytes: setting(bytes({ min: 8 * KIB, max: MIB }), 'Head of a request at most.').prefault('32 KiB'),
  documentBytes: setting(
    bytes({ min: 64 * KIB, max: 64 * MIB }),
    'Has no effect, and is taken so that older configurations start: each operation has a limit of its own for ' +
      'its document (DeleteObjects 24 MiB, CompleteMultipartUpload 4 MiB, what is forwarded 1 MiB).',
  ).prefault('2 MiB'),
  memoryBytes: setting(
    bytes({ min: 16 * MIB, max: 64 * GIB }),
    'Bytes in flight at most, each worker; past it, and past a tenant’s part of it (four fifths), requests get ' +
      '503 SlowDown.',
  ).prefault('256 MiB'),
  maxConnections: setting(
    integer({ min: 1, max: 1_000_000 }),
    'Client connections at most, each worker. The last sixteenth is for addresses that have few; past it those ' +
      'that idle make room.',
  ).prefault(4096),
  headerSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'Longest wait for the whole head of a request (slowloris).',
  ).prefault(20),
  idleSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'Longest pause of a client within a body, in either direction.',
  ).prefault(60),
  keepAliveSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'How long an idle client connection is kept. Longer than a load balancer’s own 60 s.',
  ).prefault(75),
  minUploadBytesPerSecond: setting(
    integer({ min: 0, max: GIB }),
    'A client that sends slower than this on average, while the gateway waits for it, is cut off. 0: never.',
  ).prefault(1024),
  shutdownSeconds: setting(
    seconds({ min: 0, max: 3600 }),
    'How long requests in flight may take to finish after SIGTERM or Ctrl-C.',
  ).prefault(30),
});

/** Rules between several of these settings. */
export const SERVER_RULES: readonly SettingRule[] = [
  together('tls.cert', 'tls.key'),
  (given) => {
    const listen = given.value('listen');
    if (typeof listen !== 'string' || listen.endsWith(':0') || listen !== given.value('admin')) return [];
    return [{ setting: 'admin', problem: 'is the same address as listen' }];
  },
];
