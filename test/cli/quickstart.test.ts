import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../src/cli/quickstart/quickstart-folder.ts';
import { type RunningQuickstart, sealgate, sealgateJson, startQuickstart } from './command-line.ts';

const SECRET_TEXT = 'nobody reads this at rest '.repeat(4000);

let folder: string;
let running: RunningQuickstart;
let configFile: string;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'sealgate-quickstart-')), 'data');
  configFile = join(folder, 'sealgate.yaml');
  running = await startQuickstart(folder);
});
afterAll(async () => {
  await running.stop();
  await rm(join(folder, '..'), { recursive: true });
});

function client({ endpoint, region, accessKeyId, secretAccessKey }: Connection): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

async function read(key: string): Promise<string> {
  const { bucket } = running.connection;
  const answer = await client(running.connection).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await answer.Body?.transformToString()) ?? '';
}

/** Everything that lies in the store's folder. */
async function storedBytes(): Promise<Buffer> {
  const { storeDirectory } = running.connection;
  const names = await readdir(storeDirectory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}

describe('quickstart', () => {
  it('announces itself to its owner alone', async () => {
    const { connection } = running;
    expect(Object.keys(connection)).toEqual([
      'endpoint',
      'region',
      'accessKeyId',
      'secretAccessKey',
      'bucket',
      'storeDirectory',
      'admin',
    ]);
    expect(connection.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(connection.storeDirectory).toBe(join(folder, 'objects'));
    for (const name of ['connection.json', 'root.key', 'sealgate.yaml', 'keys.json']) {
      expect([name, (await stat(join(folder, name))).mode & 0o077]).toEqual([name, 0]);
    }
    expect((await fetch(`${connection.admin}/healthz`)).status).toBe(200);
  });

  it('shows the sample as client and backend see it, lines to copy, and a warning', async () => {
    const { connection } = running;
    const text = running.stdout();
    const [, seen] = /the client sees +((?:[0-9a-f]{2} )+)/.exec(text) ?? [];
    const [, held] = /the backend holds +((?:[0-9a-f]{2} )+)/.exec(text) ?? [];
    const sample = await read('hello.txt');
    expect(Buffer.from(sample).toString('hex')).toContain(seen?.replaceAll(' ', ''));
    expect((await storedBytes()).toString('hex')).toContain(held?.replaceAll(' ', ''));
    expect((await storedBytes()).includes(sample.trim())).toBe(false);
    for (const part of ['NOT FOR PRODUCTION', 'aws --endpoint-url', 'curl --aws-sigv4', 'new S3Client']) {
      expect(text).toContain(part);
    }
    expect(text).toContain(connection.secretAccessKey);
  });

  it('serves an SDK, and keeps ciphertext', async () => {
    const { bucket } = running.connection;
    await client(running.connection).send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body: SECRET_TEXT }));
    expect(await read('a/b')).toBe(SECRET_TEXT);
    expect((await storedBytes()).includes('nobody reads')).toBe(false);
  });

  it('has a configuration for the other commands', async () => {
    const tenants = await sealgateJson<{ tenant: string }[]>(['tenant', 'list', '--config', configFile]);
    expect(tenants.map(({ tenant }) => tenant)).toEqual(['demo']);
  });

  it('keeps a tenant whose keys protect objects, unless forced', async () => {
    const refused = await sealgate(['tenant', 'remove', 'demo', '--yes', '--config', configFile]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('its keys protect objects in demo');
    expect(refused.stderr).toContain('--force');
    expect(await read('a/b')).toBe(SECRET_TEXT);
  });

  it('is proved by check, which leaves nothing behind', async () => {
    const before = await sealgate(['tenant', 'list', '--json', '--config', configFile]);
    const { ok, checks } = await sealgateJson<{ ok: boolean; checks: { name: string; outcome: string }[] }>([
      'check',
      '--config',
      configFile,
    ]);
    expect(checks.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'configuration ok',
      'key store ok',
      'backend ok',
      'clock ok',
      'uploads ok',
      'staging bucket ok',
      'etags ok',
      'store ok',
      'probe ok',
    ]);
    expect(ok).toBe(true);
    expect((await sealgate(['tenant', 'list', '--json', '--config', configFile])).stdout).toBe(before.stdout);
    expect(await readdir(join(folder, 'objects', 'buckets'))).toEqual(['demo']);
  });

  it('is proved by check in a bucket of a tenant as well', async () => {
    const { code, stdout } = await sealgate(['check', '--bucket', 'demo', '--config', configFile]);
    expect(stdout).toContain('✔ probe');
    expect(code).toBe(0);
    const keys = await sealgateJson<unknown[]>(['credential', 'list', '--config', configFile]);
    expect(keys).toHaveLength(1);
  });

  it('explains a stored object without a secret', async () => {
    const inspected = await sealgateJson<Record<string, unknown>>(['inspect', 's3://demo/a/b', '--config', configFile]);
    expect(inspected).toMatchObject({
      format: 'SX1',
      authenticated: true,
      envelope: { source: 'metadata', kekVersion: 1, locationClaim: true },
      sizes: { plaintextBytes: SECRET_TEXT.length, segments: 2 },
      verification: { authentic: true, tenant: 'demo', currentKekVersion: 1 },
    });
  });

  it('is not needed to open a downloaded object', async () => {
    const file = join(folder, 'downloaded');
    const { name, metadata } = await largestStored();
    await writeFile(file, await readFile(name));
    const out = join(folder, 'opened');
    await writeFile(join(folder, 'metadata'), metadata);
    const at = ['--config', configFile];
    const withMetadata = ['open', file, '--metadata', join(folder, 'metadata'), '-o', out, ...at];
    expect(await sealgate(withMetadata)).toMatchObject({ code: 0, stdout: '' });
    expect(await readFile(out, 'utf8')).toBe(SECRET_TEXT);
    expect((await sealgate(['open', file, ...at])).stderr).toContain('--recover');
    expect((await sealgate(['open', file, '--recover', ...at])).stdout).toBe(SECRET_TEXT);
    const damaged = await readFile(file);
    damaged[70_000] = (damaged[70_000] as number) ^ 1;
    await writeFile(file, damaged);
    await rm(out);
    expect(await sealgate(withMetadata)).toMatchObject({ code: 1, stderr: expect.stringContaining('authentication') });
    expect(existsSync(out) || existsSync(`${out}.partial`)).toBe(false);
    await truncate(file, damaged.length - 10);
    expect((await sealgate(['inspect', file])).stderr).toContain('does not end as a sealed object does');
  });

  it('says which port is taken', async () => {
    const { port } = new URL(running.connection.endpoint);
    const other = join(folder, '..', 'other');
    const { code, stderr } = await sealgate(['quickstart', '--port', port, '--data', other]);
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port} on 127.0.0.1 is taken by another program (EADDRINUSE)`);
  });

  it('says what is wrong with a folder that it cannot use', async () => {
    const file = join(folder, 'root.key');
    for (const [data, why] of [
      [file, 'it is a file'],
      [join(file, 'below'), 'a part of its path is a file'],
    ] as const) {
      const { code, stderr } = await sealgate(['quickstart', '--port', '0', '--data', data]);
      expect(code).toBe(1);
      expect(stderr).toContain(`✖ The folder ${data} cannot be used: ${why}`);
      expect(stderr).toContain('--data DIR');
    }
  });

  it('has its folder for itself, and takes over from one that was killed', async () => {
    const second = await sealgate(['quickstart', '--port', '0', '--data', folder]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`A quickstart runs in ${folder} already, at ${running.connection.endpoint}`);
    expect(existsSync(join(folder, 'connection.json'))).toBe(true);
    await running.stop('SIGKILL');
    expect(existsSync(join(folder, 'connection.json'))).toBe(true);
    const { endpoint } = running.connection;
    running = await startQuickstart(folder);
    expect(running.connection.endpoint).not.toBe(endpoint);
    expect(await read('a/b')).toBe(SECRET_TEXT);
  });

  it('stops at SIGTERM as well, its last log lines written', async () => {
    const missed = client(running.connection).send(new GetObjectCommand({ Bucket: 'demo', Key: 'missed' }));
    await expect(missed).rejects.toThrow();
    expect(await running.stop('SIGTERM')).toBe(0);
    expect(running.stdout()).toMatch(/operation=GetObject bucket=demo keyHash=[0-9a-f]+ status=404/);
    expect(running.stdout()).toContain('Stopping');
    running = await startQuickstart(folder);
  });

  it('stops at Ctrl-C, and finds everything again', async () => {
    const before = running.connection;
    expect(await running.stop()).toBe(0);
    expect(existsSync(join(folder, 'connection.json'))).toBe(false);
    running = await startQuickstart(folder);
    const { accessKeyId, secretAccessKey } = running.connection;
    expect({ accessKeyId, secretAccessKey }).toEqual({
      accessKeyId: before.accessKeyId,
      secretAccessKey: before.secretAccessKey,
    });
    expect(await read('a/b')).toBe(SECRET_TEXT);
    const key = { Bucket: running.connection.bucket, Key: 'a/b' };
    await client(running.connection).send(new DeleteObjectCommand(key));
  });

  it('starts again though its tenant was removed by force', async () => {
    await running.stop();
    expect(await sealgate(['tenant', 'remove', 'demo', '--force', '--config', configFile])).toMatchObject({ code: 0 });
    running = await startQuickstart(folder);
    expect(await read('hello.txt')).toContain('Hello from Sealgate');
  });

  it('does not make a new root key over old keys', async () => {
    await running.stop();
    await rm(join(folder, 'root.key'));
    const { code, stderr } = await sealgate(['quickstart', '--port', '0', '--data', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain('root.key is gone');
  });
});

/** The stored form of the large object, and its metadata as `aws s3api head-object` prints it. */
async function largestStored(): Promise<{ name: string; metadata: string }> {
  const { storeDirectory } = running.connection;
  const entries = await readdir(storeDirectory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sized = await Promise.all(files.map(async (name) => ({ name, bytes: (await stat(name)).size })));
  const [largest] = sized.toSorted((left, right) => right.bytes - left.bytes);
  const records = await Promise.all(
    files.filter((name) => name.endsWith('.json')).map((name) => readFile(name, 'utf8')),
  );
  const record = records.find((text) => text.includes('"a/b"')) ?? '';
  const sx1 = /"sx1"[\s,]+"([\w-]+)"/.exec(record)?.[1];
  return { name: largest?.name ?? '', metadata: JSON.stringify({ ContentLength: 1, Metadata: { sx1 } }, undefined, 4) };
}
