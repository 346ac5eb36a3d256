import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configurationPage } from '../../src/cli/config/config.ts';
import { BACKENDS } from '../../src/dialects/table.ts';
import { type Config, ConfigError, type ConfigProblem, examineConfig, loadConfig } from '../../src/settings/config.ts';
import { SETTING_ROWS, variableOf } from '../../src/settings/rows.ts';

const ROOT_KEY = Buffer.alloc(32, 7).toString('base64');
const SECRET = 'planted-secret-value';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealgate-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const MINIMAL = `
backend:
  directory: objects
keys:
  root: { file: root.key }
  store: { file: keys.json }
`;

function load(yaml: string, env: Record<string, string> = {}, overrides?: Record<string, unknown>): Config {
  return loadConfig({ file: written(yaml), env, cwd: '/nowhere', overrides });
}

function problemsOf(yaml: string, env: Record<string, string> = {}): readonly ConfigProblem[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function written(yaml: string): string {
  const file = join(folder, 'sealgate.yaml');
  writeFileSync(file, yaml);
  return file;
}

describe('a configuration file', () => {
  it('gets safe defaults, and paths from its own folder', () => {
    const config = load(MINIMAL);
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8000 });
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 8001 });
    expect(config.workers).toBe('auto');
    expect(config.region).toBe('us-east-1');
    expect(config.backend.place).toEqual({ kind: 'directory', directory: join(folder, 'objects') });
    expect(config.keys.root).toEqual({ kind: 'file', path: join(folder, 'root.key'), openToAll: false });
    expect(config.keys.store).toEqual({ kind: 'file', path: join(folder, 'keys.json') });
    expect(config.keys.cache).toEqual({ maxAgeSeconds: 60, staleSeconds: 300 });
    expect(config.limits.memoryBytes).toBe(256 * 1024 * 1024);
  });

  it('takes every fixed name', () => {
    const config = load(
      `
listen: 0.0.0.0:9000
admin: "[::1]:9001"
workers: 3
backend:
  endpoint: https://minio.example:9000
  region: eu-west-1
  credentials: { accessKeyId: gateway, secretAccessKey: "\${BACKEND_SECRET}" }
keys:
  root: { env: ROOT_KEY }
  store: { redis: "rediss://user:\${BACKEND_SECRET}@redis.example:6380/2" }
`,
      { BACKEND_SECRET: SECRET, ROOT_KEY },
    );
    expect(config).toMatchObject({ listen: { port: 9000 }, admin: { host: '::1', port: 9001 }, workers: 3 });
    const { place } = config.backend;
    if (place.kind !== 'endpoint' || config.keys.store.kind !== 'redis' || config.keys.root.kind !== 'env') {
      throw new Error('other kinds than configured');
    }
    expect(place.endpoint.href).toBe('https://minio.example:9000/');
    expect(place.accessKeyId).toBe('gateway');
    expect(place.secretAccessKey.reveal()).toBe(SECRET);
    expect(config.keys.store.url.reveal()).toBe(`rediss://user:${SECRET}@redis.example:6380/2`);
    expect(config.keys.root.key.reveal()).toBe(ROOT_KEY);
    expect(config.keys.root.source).toBe('the environment variable ROOT_KEY');
  });

  it('never shows a secret when printed', () => {
    const config = load(
      `
backend:
  endpoint: http://localhost:9000
  credentials: { accessKeyId: gateway, secretAccessKey: ${SECRET} }
keys:
  root: { env: ROOT_KEY }
  store: { redis: "redis://:${SECRET}@localhost" }
`,
      { ROOT_KEY },
    );
    const printed = `${inspect(config, { depth: 10, showHidden: true })}${JSON.stringify(config)}`;
    expect(printed).not.toContain(SECRET);
    expect(printed).not.toContain(ROOT_KEY);
  });

  it('reads a secret from file:, without its last line end, from the folder of the configuration', () => {
    writeFileSync(join(folder, 'secret'), `${SECRET}\n`);
    const config = load(`
backend:
  endpoint: http://localhost:9000
  credentials: { accessKeyId: "file:${folder}/secret", secretAccessKey: "file:secret" }
keys: { root: { file: r }, store: { file: k } }
`);
    const { place } = config.backend;
    expect(place.kind === 'endpoint' && place.secretAccessKey.reveal()).toBe(SECRET);
    expect(place.kind === 'endpoint' && place.accessKeyId).toBe(SECRET);
  });

  it('takes a root key through a filled-in variable, but none written into the file', () => {
    const yaml = MINIMAL.replace('file: root.key', () => `env: "$${'{ROOT_KEY}'}"`);
    const { root } = load(yaml, { ROOT_KEY }).keys;
    expect(root.kind === 'env' && root.key.reveal()).toBe(ROOT_KEY);
    const problems = problemsOf(MINIMAL.replace('file: root.key', `env: "${ROOT_KEY}"`));
    expect(problems.map(({ setting }) => setting)).toEqual(['keys.root.env']);
    expect(JSON.stringify(problems)).not.toContain(ROOT_KEY);
  });

  it('fills variables into any value; $${ stays ${', () => {
    const yaml = `${MINIMAL}log: { level: "\${LEVEL}" }\nlisten: \${HOST}:\${PORT}\nworkers: \${WORKERS}\n`;
    const config = load(yaml, { LEVEL: 'debug', HOST: '10.0.0.1', PORT: '81', WORKERS: '2' });
    expect(config.log.level).toBe('debug');
    expect(config.listen).toEqual({ host: '10.0.0.1', port: 81 });
    expect(config.workers).toBe(2);
    const escaped = load(MINIMAL.replace('objects', () => `"/data/$\${x}"`)).backend.place;
    expect(escaped).toEqual({ kind: 'directory', directory: `/data/$${'{x}'}` });
  });

  it('counts an empty section as absent', () => {
    expect(load(`${MINIMAL}limits:\nlog:\n`).log.level).toBe('info');
  });
});

describe('environment variables', () => {
  it('win over the file, and overrides over both', () => {
    const env = { SEALGATE_LISTEN: '127.0.0.1:1', SEALGATE_LIMITS_MEMORY_BYTES: '1 GiB', SEALGATE_DOMAINS: 'a.b, c.d' };
    const config = load(`${MINIMAL}listen: 127.0.0.1:2\n`, env, { listen: '127.0.0.1:0' });
    expect(config.listen.port).toBe(0);
    expect(config.limits.memoryBytes).toBe(1024 ** 3);
    expect(config.domains).toEqual(['a.b', 'c.d']);
    expect(load(`${MINIMAL}listen: 127.0.0.1:2\n`, env).listen.port).toBe(1);
  });

  it('alone make a configuration, with paths from the working folder', () => {
    const env = {
      SEALGATE_BACKEND_DIRECTORY: 'objects',
      SEALGATE_KEYS_ROOT_ENV: 'MY_KEY',
      SEALGATE_KEYS_STORE_FILE: 'keys.json',
      MY_KEY: ROOT_KEY,
    };
    const config = loadConfig({ env, cwd: '/data' });
    expect(config.keys.store).toEqual({ kind: 'file', path: '/data/keys.json' });
    expect(config.file).toBeUndefined();
  });

  it('are named by the documented rule, each its own', () => {
    expect(variableOf('backend.credentials.accessKeyId')).toBe('SEALGATE_BACKEND_CREDENTIALS_ACCESS_KEY_ID');
    expect(variableOf('backend.endpoint')).toBe('SEALGATE_BACKEND_ENDPOINT');
    expect(new Set(SETTING_ROWS.map(({ variable }) => variable)).size).toBe(SETTING_ROWS.length);
  });

  it('mistyped are reported; what Kubernetes and others set is not', () => {
    const env = {
      SEALGATE_PORT: 'tcp://10.0.0.1:8000',
      SEALGATE_SERVICE_HOST: '10.0.0.1',
      SEALGATE_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
      SEALGATE_ROOT_KEY: 'x',
      SEALGATE_LISTEN: '',
    };
    expect(problemsOf(MINIMAL, env)).toEqual([]);
    expect(problemsOf(MINIMAL, { SEALGATE_BACKEND_REGOIN: 'x' })).toEqual([
      { setting: 'SEALGATE_BACKEND_REGOIN', problem: 'is no setting', hint: 'Did you mean SEALGATE_BACKEND_REGION?' },
    ]);
  });
});

describe('problems', () => {
  it('come all at once', () => {
    const problems = problemsOf(
      `
listen: nonsense
workerz: 3
backend:
  endpoint: http://user:${SECRET}@host
  conections: 4
  retries: -1
  credentials: { accessKeyId: "\${MISSING}", secretAccessKey: "file:not-there" }
keys:
  root: { env: NO_SUCH_KEY }
  store: { redis: "http://:${SECRET}@host", tls: { cert: not-there.pem } }
log: loud
`,
      { SEALGATE_LIMITS_IDLE_SECONDS: 'soon' },
    );
    expect(problems.map(({ setting }) => setting).toSorted()).toEqual(
      [
        'backend.conections',
        'backend.credentials.accessKeyId',
        'backend.credentials.secretAccessKey',
        'backend.endpoint',
        'backend.retries',
        'keys.root.env',
        'keys.store.redis',
        'keys.store.tls.cert',
        'keys.store.tls.key',
        'limits.idleSeconds',
        'listen',
        'log',
        'workerz',
      ].toSorted(),
    );
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });

  it.each([
    ['workerz: 3', 'workerz', 'Did you mean workers?'],
    ['limits: { memorybytes: 1 }', 'limits.memorybytes', 'Did you mean limits.memoryBytes?'],
    ['endpoint: http://x', 'endpoint', 'Did you mean backend.endpoint?'],
    ['log: { colour: red }', 'log.colour', 'Known here: level, format, keys.'],
  ])('name the nearest known setting: %s', (line, setting, hint) => {
    expect(problemsOf(`${MINIMAL}${line}\n`)).toEqual([{ setting, problem: 'is no setting', hint }]);
  });

  it('name setting and variable of a variable that is not set or empty', () => {
    const yaml = MINIMAL.replace('directory: objects', () => `directory: "$${'{OBJECTS}'}"`);
    const expected = { setting: 'backend.directory', hint: 'Set OBJECTS before the start.' };
    expect(problemsOf(yaml)).toEqual([{ ...expected, problem: 'the environment variable OBJECTS is not set' }]);
    expect(problemsOf(yaml, { OBJECTS: '' })).toEqual([
      { ...expected, problem: 'the environment variable OBJECTS is empty' },
    ]);
  });

  it('of a backend’s dialect list the dialects that there are', () => {
    const here = 'directory: objects';
    const there = 'endpoint: http://h:1\n  credentials: { accessKeyId: a, secretAccessKey: b }';
    const setting = 'backend.dialect';
    const unknown = {
      setting,
      problem: '"other" does not fit',
      expected: `one of ${Object.keys(BACKENDS).join(', ')}`,
    };
    const yaml = MINIMAL.replace(here, there);
    expect(problemsOf(`${yaml}`, { SEALGATE_BACKEND_DIALECT: 'other' })).toEqual([unknown]);
    expect(problemsOf(MINIMAL.replace(here, `${there}\n  dialect: other`))).toEqual([unknown]);
    for (const known of [yaml, MINIMAL]) {
      expect(load(known, { SEALGATE_BACKEND_DIALECT: 's3' }).backend.dialect).toBe('s3');
      expect(load(known).backend.dialect).toBe('s3');
    }
  });

  it('of an unknown setting name those that are known there, if there are any', () => {
    const [problem] = problemsOf(`${MINIMAL}encryption: { qqqq: 1 }\n`);
    expect(problem).toMatchObject({ setting: 'encryption.qqqq', problem: 'is no setting' });
    expect(problem?.hint).not.toBe('Known here: .');
  });

  it('never quote what a variable held', () => {
    const [problem] = problemsOf(`${MINIMAL}listen: \${LEAK}\n`, { LEAK: SECRET });
    expect(problem).toEqual({ setting: 'listen', problem: 'its value does not fit', expected: 'host:port' });
  });

  it.each([
    ['', ['backend.endpoint', 'keys.root.file', 'keys.store.redis']],
    [`${MINIMAL}admin: 127.0.0.1:8000\nlisten: 127.0.0.1:8000\n`, ['admin']],
    [`${MINIMAL}dialects: { oss: { listen: 127.0.0.1:8009 } }\nlisten: 127.0.0.1:8009\n`, ['dialects.oss.listen']],
    [
      `${MINIMAL}dialects: { oss: { listen: h:1 }, s3: { listen: h:1 }, qingstor: { listen: h:2 } }\nadmin: h:2\n`,
      ['dialects.qingstor.listen', 'dialects.s3.listen'],
    ],
    [`${MINIMAL}dialects: { osss: { listen: h:1 } }\n`, ['dialects.osss']],
    [`${MINIMAL}tls: { cert: chain.pem }\n`, ['tls.cert', 'tls.key']],
    [MINIMAL.replace('root.key', 'root.key, env: X'), ['keys.root.env', 'keys.root.file']],
    [MINIMAL.replace('keys.json', 'keys.json, redis: "redis://h"'), ['keys.store.redis']],
    [
      MINIMAL.replace('directory: objects', 'directory: o\n  endpoint: http://h'),
      ['backend.endpoint', 'backend.credentials.accessKeyId', 'backend.credentials.secretAccessKey'],
    ],
    [
      MINIMAL.replace('directory: objects', 'endpoint: http://h'),
      ['backend.credentials.accessKeyId', 'backend.credentials.secretAccessKey'],
    ],
    ['- a list', ['FILE']],
    ['a: [', ['FILE']],
    [`${MINIMAL}log: { level: info }\nlog: { level: debug }\n`, ['FILE']],
  ])('say what contradicts or is missing: %j', (yaml, settings) => {
    const found = problemsOf(yaml).map(({ setting }) => (setting.startsWith(folder) ? 'FILE' : setting));
    expect(found.toSorted()).toEqual(settings.toSorted());
  });

  it.each([
    ['SEALGATE_LISTEN', '127.0.0.1:65536'],
    ['SEALGATE_LISTEN', 'no-port'],
    ['SEALGATE_WORKERS', '0'],
    ['SEALGATE_WORKERS', '1.5'],
    ['SEALGATE_LIMITS_MEMORY_BYTES', '64 MB'],
    ['SEALGATE_LIMITS_MEMORY_BYTES', '1'],
    ['SEALGATE_LOG_FORMAT', 'xml'],
    ['SEALGATE_DOMAINS', 'UPPER.example'],
    ['SEALGATE_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['SEALGATE_TRUSTED_PROXIES', '10.0.0.1,proxy.example'],
    ['SEALGATE_TRUSTED_PROXIES', 'fe80::1%eth0'],
    ['SEALGATE_PROXY_HEADERS', 'via'],
    ['SEALGATE_KEYS_CACHE_MAX_AGE_SECONDS', '-1'],
  ])('say what was expected: %s=%s', (variable, value) => {
    const row = SETTING_ROWS.find((each) => each.variable === variable);
    expect(problemsOf(MINIMAL, { [variable]: value })).toEqual([
      expect.objectContaining({ setting: row?.name, expected: row?.expected }),
    ]);
  });

  it('of syntax name the line and quote nothing', () => {
    const [problem] = problemsOf(`backend:\n  a: b\n bad ${SECRET}\n`);
    expect(problem?.problem).toMatch(/^line \d+: /);
    expect(JSON.stringify(problem)).not.toContain(SECRET);
  });

  it('with a missing file name the file', () => {
    expect(() => loadConfig({ file: 'gone.yaml', env: {}, cwd: '/nowhere' })).toThrow(
      '/nowhere/gone.yaml: cannot be read (ENOENT)',
    );
  });

  it('leave the rest usable for check', () => {
    const file = written(`${MINIMAL}workerz: 3\nlog: { level: loud }\n`);
    const { config, problems } = examineConfig({ file, env: {}, cwd: '/' });
    expect(problems).toHaveLength(2);
    expect(config?.log.level).toBe('info');
  });
});

describe('docs/configuration.md', () => {
  it('is what the schema says: npm run -s sealgate -- config --markdown > docs/configuration.md', () => {
    expect(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')).toBe(configurationPage());
  });
});
