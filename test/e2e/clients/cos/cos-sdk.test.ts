import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosAuthorization } from '../../../dialects/cos/sign.ts';
import { STORES } from '../../../support/servers/every-store.ts';
import { runProgram, TENANT } from '../../../support/servers/gateway.ts';
import { clientSettings, type Stand, standOver } from '../../../support/servers/stand.ts';
import { tool } from '../../../support/tools.ts';

const HERE = import.meta.dirname;
const PAGE = readFileSync(join(HERE, '../../../../docs/cos.md'), 'utf8');

/** A way to drive the gateway: an SDK of the vendor's, and where it has the bucket. */
interface Way {
  readonly name: string;
  /** The names of its cases, as its source has them. */
  readonly cases: readonly string[];
  readonly command: (gateway: string, bucket: string) => readonly [program: string, ...args: string[]];
  /** What the program writes to its error output although all is well. */
  readonly says?: RegExp;
}

function casesIn(file: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(join(HERE, file), 'utf8').matchAll(pattern)].map(([, name]) => name as string);
}

const WAYS: readonly Way[] = [
  ...['ip', 'path', 'host'].map((way) => ({
    name: `cos-python-sdk-v5 ${way}`,
    cases: casesIn('cos_suite.py', /^@case\ndef (\w+)/gm),
    command: (gateway: string, bucket: string) =>
      [tool('cos-python'), '-W', 'ignore', join(HERE, 'cos_suite.py'), gateway, bucket, way] as const,
    // It logs every error that it throws.
    says: /^/,
  })),
  ...['ip', 'path', 'host'].map((way) => ({
    name: `cos-nodejs-sdk-v5 ${way}`,
    cases: casesIn('cos_node_suite.cjs', /^test\('([^']+)'/gm),
    command: (gateway: string, bucket: string) =>
      [tool('cos-node'), join(HERE, 'cos_node_suite.cjs'), gateway, bucket, way] as const,
    says: /^(?:error: Local time is too skewed\.\n)?$/,
  })),
  {
    name: 'cos-go-sdk-v5',
    cases: casesIn('go/main.go', /^\t\{"([^"]+)", func\(\)/gm),
    command: (gateway: string, bucket: string) => [tool('cos-go'), gateway, bucket] as const,
  },
];

/** The snippet of the page in this language. */
function snippet(language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(PAGE)?.[1];
  if (found === undefined) throw new Error(`docs/cos.md has no snippet in ${language}`);
  return found;
}

describe.each(STORES)('over %s, the scenarios of', (_name, startStore) => {
  let stand: Stand;
  let gateway: string;
  const env = { SECRET_ID: TENANT.accessKeyId, SECRET_KEY: TENANT.secretAccessKey };

  beforeAll(async () => {
    const more = { domains: ['localhost'], customerKeys: { overHttp: 'always' } };
    stand = await standOver(await startStore(), { more });
    await stand.gateway.command(['key', 'add', TENANT.name, '--name', 'orders']);
    gateway = `127.0.0.1:${stand.gateway.port}`;
  });

  afterAll(() => stand?.stop());

  it.each(WAYS)('$name', async ({ name, cases, command, says = /^$/ }) => {
    expect(cases.length).toBeGreaterThan(10);
    const [program, ...args] = command(gateway, `acme-${name.replace(/[^a-z0-9]+/g, '-')}-1250000000`);
    const finished = await runProgram(program, args, { env });
    const results = finished.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly case: string; readonly ok: boolean; readonly error?: string });
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    expect(results.map((result) => result.case)).toEqual(cases);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(says);
  });

  it('the snippets of the page', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cos-page-'));
    const run = async (program: string, ...args: string[]) => {
      const { stdout, code } = await runProgram(program, args, { env: { ...env, GATEWAY: gateway } });
      expect([stdout.trim(), code]).toEqual(['hello', 0]);
    };
    try {
      const host = 'acme-1250000000.cos.ap-guangzhou.myqcloud.com';
      const made = await asked({ method: 'PUT', path: '/', host });
      expect(made).toBe(200);
      await writeFile(join(folder, 'page.py'), snippet('python'));
      await run(tool('cos-python'), '-W', 'ignore', join(folder, 'page.py'));
      // A module of the other kind, since `require` finds the SDK where NODE_PATH says, and `import` does not.
      const script = snippet('js').replace(/^import COS from ('[^']+');$/m, 'const COS = require($1);');
      await writeFile(join(folder, 'page.cjs'), `(async () => {\n${script}})();\n`);
      await run(tool('cos-node'), join(folder, 'page.cjs'));
      expect(readFileSync(join(HERE, 'go-page/main.go'), 'utf8')).toBe(snippet('go'));
      await run(tool('cos-go-page'));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  /** Asks as a client of COS would whose Host is a name of COS's own, over a connection to the gateway. */
  async function asked(about: {
    readonly method: string;
    readonly path: string;
    readonly host: string;
    readonly key?: { readonly accessKeyId: string; readonly secret: string };
    readonly sentPath?: string;
  }): Promise<number> {
    const { method, path, host } = about;
    const key = about.key ?? { accessKeyId: TENANT.accessKeyId, secret: TENANT.secretAccessKey };
    const authorization = cosAuthorization({ method, path, headers: [['host', host]], ...key });
    const { request } = await import('node:http');
    return new Promise((resolve, reject) => {
      const headers = { Host: host, Authorization: authorization, 'Content-Length': '0' };
      const [name, port] = gateway.split(':');
      request({ host: name, port, method, path: about.sentPath ?? path, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  }

  it('shares objects with S3 clients', async () => {
    const s3 = new S3Client(clientSettings(stand.gateway));
    const Bucket = 'acme-1250000000';
    const read = await s3.send(new GetObjectCommand({ Bucket, Key: 'from/python.txt' }));
    expect([await read.Body?.transformToString(), read.ServerSideEncryption]).toEqual(['hello', 'AES256']);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'from/s3.txt', Body: 'by S3' }));
    const host = `${Bucket}.cos.ap-guangzhou.myqcloud.com`;
    expect(await asked({ method: 'GET', path: '/from/s3.txt', host })).toBe(200);
  });

  it('lets in no signature of another key, request or bucket', async () => {
    const host = 'acme-1250000000.cos.ap-guangzhou.myqcloud.com';
    const own = { method: 'GET', path: '/from/s3.txt', host };
    expect(await asked(own)).toBe(200);
    expect(await asked({ ...own, key: { accessKeyId: TENANT.accessKeyId, secret: 'another' } })).toBe(403);
    expect(await asked({ ...own, key: { accessKeyId: 'AKIDNOBODY', secret: 'another' } })).toBe(403);
    expect(await asked({ ...own, sentPath: '/from/python.txt' })).toBe(403);
    expect(await asked({ ...own, sentPath: '/x/../from/s3.txt' })).toBe(403);
    expect(await asked({ ...own, sentPath: '/from%2Fs3.txt' })).toBe(200);
    expect(await asked({ ...own, host: 'of-another-1250000000.cos.ap-guangzhou.myqcloud.com' })).toBe(403);
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
    expect(stand.gateway.output()).not.toMatch(/q-signature=/);
  });
});
