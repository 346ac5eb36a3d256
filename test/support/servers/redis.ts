import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { freePort } from '../free-port.ts';
import { tool } from '../tools.ts';
import { borrow } from './borrow.ts';
import type { PooledServer } from './pool.ts';
import { startServer } from './server-process.ts';

export interface RedisServerOptions {
  /** The default user's password. */
  readonly requirepass?: string;
  /** ACL rules, `user name on >password ~keys:* +get …`; needs `admin` when the default user is off. */
  readonly acl?: readonly string[];
  /** PEM files: then the port speaks TLS only, and wants a client's certificate. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Keep the data over a restart (append-only file, fsync always). Default false. */
  readonly persistent?: boolean;
  /** One node that holds all slots. */
  readonly cluster?: boolean;
  /** More lines for redis-server's command line. */
  readonly args?: readonly string[];
}

/** A Redis that this file has for itself until it stops it, and that other files have before and after it. */
export interface SharedRedis {
  readonly port: number;
  readonly url: string;
  /** A client for the test's own looks at the data; the caller disconnects it. */
  client(options?: RedisOptions): Redis;
  stop(): Promise<void>;
}

/** A Redis of this test's own. */
export interface RedisServer extends SharedRedis {
  readonly pid: number;
  /** Where it keeps its append-only file. */
  readonly directory: string;
  /** SIGKILL, and waits until it is gone: as in a crash. */
  kill(): Promise<void>;
  /** SIGSTOP: alive, connected and silent. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port, after kill(). */
  restart(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

/**
 * A real redis-server on a free port in a folder of its own: for tests that kill, fill, freeze, reconfigure or measure
 * it, or that need it to be set up in a way of its own.
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-redis-'));
  const port = await freePort();
  const args = serverArguments(options, { port, directory });
  let child = await launch(args);
  if (options.cluster === true) await takeAllSlots(port);
  const server: RedisServer = {
    port,
    directory,
    url: `redis://${options.requirepass === undefined ? '' : `:${options.requirepass}@`}127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    client: (clientOptions = {}) =>
      new Redis({
        port,
        host: '127.0.0.1',
        protocol: 2,
        ...(options.requirepass !== undefined && { password: options.requirepass }),
        ...clientOptions,
      }),
    kill: () => end(child),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      child = await launch(args);
    },
    async stop() {
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
  return server;
}

export interface RedisSentinel {
  readonly port: number;
  stop(): Promise<void>;
}

/** A real sentinel that watches one master under the name `group`. */
export async function startSentinel(master: RedisServer, group: string): Promise<RedisSentinel> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-sentinel-'));
  const port = await freePort();
  const file = join(directory, 'sentinel.conf');
  await writeFile(
    file,
    `port ${port}\nbind 127.0.0.1\ndir ${directory}\nsentinel monitor ${group} 127.0.0.1 ${master.port} 1\n`,
  );
  const child = await launch([file, '--sentinel']);
  return {
    port,
    async stop() {
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function serverArguments(options: RedisServerOptions, at: { port: number; directory: string }): string[] {
  const { tls, persistent = false, cluster = false, requirepass, acl = [], args = [] } = options;
  const port = String(at.port);
  return [
    ...(tls === undefined
      ? ['--port', port]
      : [
          '--port',
          '0',
          '--tls-port',
          port,
          '--tls-ca-cert-file',
          tls.ca,
          '--tls-cert-file',
          tls.cert,
          '--tls-key-file',
          tls.key,
        ]),
    ...['--bind', '127.0.0.1', '--dir', at.directory, '--save', '', '--daemonize', 'no'],
    ...(persistent ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']),
    ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] : []),
    ...(requirepass === undefined ? [] : ['--requirepass', requirepass]),
    ...acl.flatMap((rule) => ['--user', ...rule.replace(/^user /, '').split(' ')]),
    ...args,
  ];
}

async function launch(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(tool('redis'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const onOutput = (chunk: Buffer): void => {
      output += chunk.toString();
      if (/Ready to accept connections|\+monitor master/.test(output)) resolve();
    };
    child.stdout?.on('data', onOutput);
    child.stderr?.on('data', onOutput);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server ended before it was ready:\n${output}`)));
  });
  await ready;
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function takeAllSlots(port: number): Promise<void> {
  const client = new Redis({ port, protocol: 2 });
  try {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const deadline = Date.now() + 10_000;
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      if (Date.now() > deadline) throw new Error('The one-node cluster did not come up.');
      await delay(25);
    }
  } finally {
    client.disconnect();
  }
}

/** The run's Redis, empty. */
export async function sharedRedis(): Promise<SharedRedis> {
  const { offer, giveBack } = await borrow<{ readonly port: number }>('redis');
  const { port } = offer;
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client: (options = {}) => new Redis({ port, host: '127.0.0.1', protocol: 2, ...options }),
    stop: giveBack,
  };
}

export async function pooledRedis(): Promise<PooledServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-redis-'));
  const port = await freePort();
  const withClient = async (ask: (client: Redis) => Promise<unknown>) => {
    const client = new Redis({ port, host: '127.0.0.1', protocol: 2, lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await ask(client);
    } finally {
      client.disconnect();
    }
  };
  const server = await startServer({
    name: 'Redis',
    program: tool('redis'),
    args: serverArguments({}, { port, directory }),
    env: {},
    isReady: () =>
      withClient((client) => client.ping()).then(
        () => true,
        () => false,
      ),
  });
  return {
    offer: { port },
    wipe: () => withClient((client) => client.flushall()),
    async stop() {
      await server.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
