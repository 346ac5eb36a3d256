import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEAST_ACL } from '../keys/store/least-acl.ts';
import { makeCertificate } from '../support/certificate.ts';
import { type Minio, startMinio } from '../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { sealgate } from './command-line.ts';

const PLANTED = 'planted-backend-secret';

let minio: Minio;
let redis: RedisServer;
let folder: string;

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis({ requirepass: 'redis-password' })]);
  folder = await mkdtemp(join(tmpdir(), 'sealgate-check-'));
});
afterAll(async () => {
  await Promise.all([minio.stop(), redis.stop()]);
  await rm(folder, { recursive: true });
});

async function check(yaml: string, env: Record<string, string>): Promise<{ code: number | null; text: string }> {
  const file = join(folder, 'sealgate.yaml');
  await writeFile(file, yaml);
  const { code, stdout, stderr } = await sealgate(['check', '--config', file], { env });
  return { code, text: stdout + stderr };
}

function configuration(more = ''): string {
  return `
backend:
  endpoint: ${minio.endpoint}
  credentials: { accessKeyId: ${minio.accessKeyId}, secretAccessKey: "\${BACKEND_SECRET}" }
keys:
  root: { env: ROOT_KEY }
  store: { redis: "\${REDIS_URL}" }
${more}`;
}

function environment(): Record<string, string> {
  return {
    BACKEND_SECRET: minio.secretAccessKey,
    ROOT_KEY: Buffer.alloc(32, 5).toString('base64'),
    REDIS_URL: redis.url,
  };
}

/** `✔ backend`, `✖ probe` … */
function verdicts(text: string): string[] {
  return text.match(/^[✔✖!–] [\w ]+(?=:)/gmu) ?? [];
}

describe('sealgate check, against MinIO and Redis', () => {
  it('finds a Redis user without the rights for uploads, and says where they are named', async () => {
    const acl = LEAST_ACL.replace(/ \+lindex.*/, '');
    const guarded = await startRedis({ requirepass: 'admin', acl: [acl] });
    try {
      const env = { ...environment(), REDIS_URL: `redis://sealgate:pass%25word@127.0.0.1:${guarded.port}` };
      const { code, text } = await check(configuration(), env);
      expect(verdicts(text)).toContain('✖ uploads');
      expect(verdicts(text)).toContain('✔ etags');
      expect(text).toContain('docs/keys.md');
      expect(code).toBe(1);
    } finally {
      await guarded.stop();
    }
  });

  it('finds one without the right for the index of ETags', async () => {
    const guarded = await startRedis({ requirepass: 'admin', acl: [LEAST_ACL.replace(' +mget', '')] });
    try {
      const env = { ...environment(), REDIS_URL: `redis://sealgate:pass%25word@127.0.0.1:${guarded.port}` };
      const { code, text } = await check(configuration(), env);
      expect(verdicts(text).slice(-5)).toEqual(['✔ uploads', '✔ staging bucket', '✖ etags', '✔ store', '✔ probe']);
      expect(code).toBe(1);
    } finally {
      await guarded.stop();
    }
  });

  it.each([
    ['allkeys-lru', 'lost for ever'],
    ['volatile-ttl', 'multipart uploads'],
  ])('warns of a Redis that forgets by %s', async (policy, lost) => {
    const client = redis.client();
    try {
      await client.config('SET', 'maxmemory-policy', policy);
      expect((await check(configuration(), environment())).text).not.toContain(policy); // it has no bound
      await client.config('SET', 'maxmemory', '1gb');
      const { code, text } = await check(configuration(), environment());
      expect(text).toMatch(new RegExp(`^! key store: .*${policy}.*${lost}`, 'm'));
      expect(text).toContain('noeviction');
      expect(code).toBe(0);
    } finally {
      await client.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
      client.disconnect();
    }
  });

  it('says of a Redis without memory that it is full, not that it lacks rights', async () => {
    const client = redis.client();
    try {
      expect((await check(configuration(), environment())).code).toBe(0); // the canary is there
      await client.config('SET', 'maxmemory', '1');
      const { code, text } = await check(configuration(), environment());
      expect(verdicts(text)).toEqual(expect.arrayContaining(['✔ key store', '✖ uploads', '✖ etags']));
      expect(text.match(/memory is full \(maxmemory\)/g)).toHaveLength(2);
      expect(text).not.toContain('list of commands');
      expect(code).toBe(1);
    } finally {
      await client.config('SET', 'maxmemory', '0');
      client.disconnect();
    }
  });

  it('proves that a probe object is ciphertext at rest', async () => {
    const { code, text } = await check(configuration(), environment());
    expect(verdicts(text)).toEqual([
      '✔ configuration',
      '✔ key store',
      '✔ backend',
      '✔ clock',
      '✔ uploads',
      '✔ staging bucket',
      '✔ etags',
      '✔ store',
      '✔ probe',
    ]);
    expect(text).toContain('66536 bytes lie as 67080 bytes of ciphertext');
    expect(text).toMatch(/^✔ store: MinIO, which ignores conditions on deletions, makes paths of keys/m);
    expect(code).toBe(0);
    const client = redis.client();
    const names = await client.keys('*');
    client.disconnect();
    expect(names.filter((name) => /tenant|credential|ring/.test(name) && !/canary/.test(name))).toEqual([]);
  });

  it('finds out a backend that does not hold to conditions on deletions', async () => {
    const env = { ...environment(), SEALGATE_BACKEND_CONDITIONAL_DELETES: 'true' };
    const { code, text } = await check(configuration(), env);
    expect(verdicts(text)).toEqual([
      '✔ configuration',
      '✔ key store',
      '✔ backend',
      '✔ clock',
      '✔ uploads',
      '✔ staging bucket',
      '✔ etags',
      '✔ store',
      '✖ probe',
    ]);
    expect(text).toContain('backend.conditionalDeletes is set, but the backend deleted the probe');
    expect(code).toBe(1);
  });

  it('reports everything that is wrong at once, and no secret', async () => {
    const env = {
      ...environment(),
      BACKEND_SECRET: PLANTED,
      REDIS_URL: redis.url.replace('redis-password', PLANTED),
    };
    const { code, text } = await check(configuration('workerz: 3\nlog: { level: loud }\n'), env);
    expect(verdicts(text)).toEqual(['✖ configuration', '✖ configuration', '✖ key store', '✖ backend', '– probe']);
    expect(text).not.toContain(PLANTED);
    expect(code).toBe(1);
  });

  it('tells of a certificate and a key that do not belong together, as serve does, without a stack', async () => {
    const [one, two] = [await makeCertificate(), await makeCertificate()];
    const folder = await mkdtemp(join(tmpdir(), 'sealgate-check-tls-'));
    const file = join(folder, 'sealgate.yaml');
    const root = join(folder, 'root.key');
    await writeFile(root, Buffer.alloc(32, 3).toString('base64'), { mode: 0o600 });
    const rest = `listen: 127.0.0.1:0\nadmin: off\nbackend: { directory: objects }\nkeys: { root: { file: root.key }, store: { file: k } }\n`;
    try {
      await writeFile(file, `tls: { cert: ${one.cert}, key: ${two.key} }\n${rest}`);
      const words = 'tls.key: does not belong to the certificate';
      const checked = await sealgate(['check', '--config', file]);
      expect(checked).toMatchObject({ code: 1, stdout: expect.stringContaining(`✖ configuration: ${words}`) });
      const served = await sealgate(['serve', '--config', file]);
      expect(served).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
      expect(served.stderr).not.toMatch(/^ {4}at /m);
      await writeFile(file, `tls: { cert: ${one.cert}, key: ${one.key} }\n${rest}`);
      // Made for two days.
      expect((await sealgate(['check', '--config', file])).stdout).toContain('! certificate: tls.cert expires at 20');
    } finally {
      await Promise.all([one.remove(), two.remove(), rm(folder, { recursive: true })]);
    }
  });

  it('tries Redis without a root key that can be used, and the backend too', async () => {
    const env = {
      ...environment(),
      ROOT_KEY: Buffer.alloc(32).toString('base64'),
      REDIS_URL: redis.url.replace('redis-password', PLANTED),
      BACKEND_SECRET: PLANTED,
    };
    const both = await check(configuration(), env);
    expect(verdicts(both.text)).toEqual(['✔ configuration', '✖ root key', '✖ key store', '✖ backend', '– probe']);
    expect(both.text).not.toContain(PLANTED);
    const one = await check(configuration(), { ...environment(), ROOT_KEY: env.ROOT_KEY });
    expect(verdicts(one.text)).toEqual([
      '✔ configuration',
      '✖ root key',
      '✔ key store',
      '✔ backend',
      '✔ clock',
      '– probe',
    ]);
    expect([both.code, one.code]).toEqual([1, 1]);
  });

  it('names a root key that is not the store’s', async () => {
    const added = ['tenant', 'add', 'acme', '--bucket', 'acme', '--config', join(folder, 'sealgate.yaml')];
    await writeFile(join(folder, 'sealgate.yaml'), configuration());
    expect(await sealgate(added, { env: environment() })).toMatchObject({ code: 0 });
    const env = { ...environment(), ROOT_KEY: Buffer.alloc(32, 6).toString('base64') };
    const { code, text } = await check(configuration(), env);
    expect(verdicts(text)).toEqual(['✔ configuration', '✖ key store', '✔ backend', '✔ clock', '– probe']);
    expect(text).toMatch(/root key/);
    expect(code).toBe(1);
  });

  it('tries the backend though the keys are not configured', async () => {
    const env = { ...environment(), SEALGATE_BACKEND_ENDPOINT: 'http://127.0.0.1:1', REDIS_URL: '' };
    const { text } = await check(configuration(), env);
    expect(text).toContain('✖ configuration: keys.store.redis: the environment variable REDIS_URL is empty');
    expect(verdicts(text)).toEqual(['✖ configuration', '– key store', '✖ backend', '– probe']);
  });
});
