import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { INHERITED } from '../support/inherited.ts';
import { LAUNCH } from '../support/servers/launch.ts';
import { sealgate, sealgateJson } from './command-line.ts';

let folder: string;
let config: string;
let port: number;
let adminPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-serve-'));
  config = join(folder, 'sealgate.yaml');
  [port, adminPort] = [await freePort(), await freePort()];
  await writeFile(join(folder, 'root.key'), Buffer.alloc(32, 3).toString('base64'), { mode: 0o600 });
  await writeFile(
    config,
    `listen: 127.0.0.1:${port}
admin: 127.0.0.1:${adminPort}
workers: 2
backend: { directory: objects }
keys: { root: { file: root.key }, store: { file: keys.json } }
`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

function serve(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [LAUNCH, ...args], { env: { ...INHERITED, ...env }, stdio: 'ignore' });
}

async function readiness(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
  return response === undefined ? '' : `${response.status}\n${await response.text()}`;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited too long: ${what}`);
    await delay(20);
  }
}

describe('sealgate serve', () => {
  it('runs workers behind one port, lets administrators in beside it, and stops in order', async () => {
    const gateway = serve(['serve', '--config', config]);
    try {
      await until('ready', async () => (await readiness()).startsWith('200'));
      expect(await readiness()).toContain('2 of 2 listen');
      const given = await sealgateJson<{ accessKeyId: string; secretAccessKey: string }>([
        'tenant',
        'add',
        'acme',
        '--bucket',
        'acme',
        '--config',
        config,
      ]);
      const endpoint = `http://127.0.0.1:${port}`;
      const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: given });
      const listed = async () => (await client.send(new ListBucketsCommand({})).catch(() => undefined))?.Buckets;
      await until('the new access key is known', async () => (await listed()) !== undefined);
      await client.send(new CreateBucketCommand({ Bucket: 'acme' }));
      await client.send(new PutObjectCommand({ Bucket: 'acme', Key: 'k', Body: 'through two workers' }));
      const got = await client.send(new GetObjectCommand({ Bucket: 'acme', Key: 'k' }));
      expect(await got.Body?.transformToString()).toBe('through two workers');
      const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      expect(metrics).toMatch(/^sealgate_workers 2$/m);
      const second = await sealgate(['serve', '--config', config]);
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`Port ${port} on 127.0.0.1 is taken by another program`);
      client.destroy();
    } finally {
      gateway.kill('SIGTERM');
    }
    expect(await once(gateway, 'close')).toEqual([0, null]);
    expect(await readiness()).toBe('');
  });

  it('under npm, stops when its parent is gone: npm passes SIGTERM to its shell alone', async () => {
    const data = join(folder, 'quickstart');
    // `; true` keeps the shell from handing its own process over.
    const command = `"${process.execPath}" "${LAUNCH}" quickstart --port 0 --data "${data}"; true`;
    const env = { ...INHERITED, npm_lifecycle_event: 'start' };
    const shell = spawn('sh', ['-c', command], { env, stdio: 'ignore' });
    await until('quickstart is ready', () => existsSync(join(data, 'connection.json')));
    shell.kill('SIGTERM');
    await until('quickstart has tidied up', () => !existsSync(join(data, 'connection.json')));
  });
});
