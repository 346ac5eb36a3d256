import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tool } from '../test/support/tools.ts';
import { answers, freePort, type ServerProcess, startServer } from './server-process.ts';
import type { Credentials } from './signed-requests.ts';
import type { TargetName } from './work.ts';

/** One way to the store: where requests go, as whom, and whose CPU time counts. */
export interface Target {
  readonly name: TargetName;
  readonly endpoint: URL;
  readonly bucket: string;
  readonly credentials: Credentials;
  readonly pid: number;
}

const REGION = 'us-east-1';
const PLAIN_BUCKET = 'bench-plain';
export const SEALED_BUCKET = sealedBucketOf('bench');

export function sealedBucketOf(tenant: string): string {
  return `${tenant}-sealed`;
}

/** Servers started so far, stopped in the reverse order. */
export type Started = ServerProcess[];

export async function startMinio(folder: string, started: Started): Promise<Target> {
  const port = await freePort();
  const credentials = { accessKeyId: 'benchroot', secretAccessKey: randomBytes(20).toString('hex'), region: REGION };
  mkdirSync(join(folder, 'minio'), { recursive: true });
  const address = `127.0.0.1:${port}`;
  const server = await startServer({
    command: [
      tool('minio'),
      'server',
      '--quiet',
      '--address',
      address,
      '--console-address',
      '127.0.0.1:0',
      join(folder, 'minio'),
    ],
    env: {
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_BROWSER: 'off',
    },
    logFile: join(folder, 'minio.log'),
    isReady: answers(`http://${address}/minio/health/cluster`, 'success'),
  });
  started.push(server);
  return { name: 'direct', endpoint: new URL(`http://${address}`), bucket: PLAIN_BUCKET, credentials, pid: server.pid };
}

/** nginx with one worker that passes everything on as it comes, signed for nginx's own host. */
export async function startNginx(folder: string, direct: Target, started: Started): Promise<Target> {
  const port = await freePort();
  const home = join(folder, 'nginx');
  mkdirSync(home, { recursive: true });
  const file = join(home, 'nginx.conf');
  writeFileSync(file, nginxConfiguration({ port, home, upstream: direct.endpoint.host }));
  const server = await startServer({
    command: [tool('nginx'), '-c', file, '-p', home, '-e', join(home, 'error.log')],
    logFile: join(folder, 'nginx.log'),
    isReady: answers(`http://127.0.0.1:${port}/minio/health/cluster`, 'success'),
  });
  started.push(server);
  return { ...direct, name: 'nginx', endpoint: new URL(`http://127.0.0.1:${port}`), pid: server.pid };
}

function nginxConfiguration(at: { port: number; home: string; upstream: string }): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${user}daemon off;
worker_processes 1;
pid ${at.home}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${at.home}/${name};`).join('\n')}
  client_max_body_size 0;
  client_body_buffer_size 256k;
  proxy_buffer_size 64k;
  proxy_buffers 8 64k;
  proxy_busy_buffers_size 128k;
  keepalive_requests 1000000;
  upstream store { server ${at.upstream}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${at.port};
    location / {
      proxy_pass http://store;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}

/** As the program's first line, package.json and the Dockerfile start it. */
const DEPLOYED_FLAGS = ['--max-semi-space-size=8'];

export interface GatewayOptions {
  /** dist/launch.js as it is deployed, or src/launch.js. */
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly keyStore: 'redis' | 'file';
  readonly logLevel: string;
}

/** One gateway with one worker, a tenant of its own, whose buckets begin with its name, and its keys in Redis or a file. */
export async function startSealgate(
  folder: string,
  direct: Target,
  options: GatewayOptions,
  started: Started,
  tenant = 'bench',
): Promise<Target> {
  const home = join(folder, 'sealgate');
  mkdirSync(home, { recursive: true });
  const [port, adminPort] = [await freePort(), await freePort()];
  const store =
    options.keyStore === 'redis' ? `redis: ${await startRedis(folder, started)}` : `file: ${home}/keys.json`;
  writeFileSync(join(home, 'root.key'), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const file = join(home, 'sealgate.yaml');
  writeFileSync(file, gatewayConfiguration({ port, adminPort, store, direct, logLevel: options.logLevel }));
  const env = environmentOf(direct);
  const credentials = addTenant(folder, direct, options, tenant);
  const server = await startServer({
    command: [process.execPath, ...DEPLOYED_FLAGS, ...options.nodeFlags, options.entry, 'serve', '--config', file],
    env,
    logFile: join(folder, 'sealgate.log'),
    isReady: answers(`http://127.0.0.1:${adminPort}/readyz`, 'success'),
  });
  started.push(server);
  const endpoint = new URL(`http://127.0.0.1:${port}`);
  return {
    name: 'sealgate',
    endpoint,
    bucket: sealedBucketOf(tenant),
    credentials,
    pid: server.pid,
  };
}

function environmentOf(direct: Target): Record<string, string> {
  return { BENCH_BACKEND_SECRET: direct.credentials.secretAccessKey };
}

/** A tenant of the gateway in this folder, whose buckets begin with its name. */
export function addTenant(folder: string, direct: Target, options: GatewayOptions, name: string): Credentials {
  const file = join(folder, 'sealgate', 'sealgate.yaml');
  const added = runNode(
    [process.execPath, options.entry],
    ['tenant', 'add', name, '--bucket', `${name}-*`, '--json', '--config', file],
    environmentOf(direct),
  );
  return { ...(JSON.parse(added) as { accessKeyId: string; secretAccessKey: string }), region: REGION };
}

function gatewayConfiguration(at: {
  port: number;
  adminPort: number;
  store: string;
  direct: Target;
  logLevel: string;
}) {
  return `listen: 127.0.0.1:${at.port}
admin: 127.0.0.1:${at.adminPort}
workers: 1
backend:
  endpoint: ${at.direct.endpoint.origin}
  region: ${REGION}
  credentials:
    accessKeyId: ${at.direct.credentials.accessKeyId}
    secretAccessKey: \${BENCH_BACKEND_SECRET}
keys:
  root:
    file: root.key
  store:
    ${at.store}
log:
  level: ${at.logLevel}
`;
}

function runNode(node: readonly string[], args: readonly string[], env: Record<string, string>): string {
  const [program = '', ...flags] = node;
  return execFileSync(program, [...flags, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
}

async function startRedis(folder: string, started: Started): Promise<string> {
  const port = await freePort();
  const home = join(folder, 'redis');
  mkdirSync(home, { recursive: true });
  const server = await startServer({
    command: [tool('redis'), '--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--appendonly', 'yes'],
    logFile: join(folder, 'redis.log'),
    isReady: () => isListening(port),
  });
  started.push(server);
  return `redis://127.0.0.1:${port}`;
}

async function isListening(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
}
