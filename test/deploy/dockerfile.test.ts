import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readStages, runStage } from './dockerfile.ts';
import { ROOT } from './manifests.ts';

const stages = readStages(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
const image = stages.at(-1)!;

function argumentOf(keyword: string): string | undefined {
  return image.instructions.find((instruction) => instruction.keyword === keyword)?.rest;
}

function commandOf(keyword: string): string[] {
  return JSON.parse(/\[.*\]$/.exec(argumentOf(keyword) ?? '')?.[0] ?? '[]') as string[];
}

describe('Dockerfile', () => {
  test('every stage starts from the Node that package.json pins', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    for (const stage of stages) expect(stage.image).toBe(`node:${devDependencies.node}-bookworm-slim`);
  });

  test('the image runs as a numbered user that is not root, stops on SIGTERM, and says its ports', () => {
    expect(argumentOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(argumentOf('STOPSIGNAL')).toBe('SIGTERM');
    expect(argumentOf('EXPOSE')).toBe('8000 8001');
    expect(image.instructions.some(({ keyword }) => keyword === 'RUN')).toBe(false);
  });

  test('the build context holds what is copied, and nothing else', () => {
    const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    const copied = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ keyword, rest }) => keyword === 'COPY' && !rest.includes('--from='))
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(lines.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
    const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(new Set(copied)).toEqual(new Set(allowed));
  });
});

describe('the health check', () => {
  const [, ...args] = commandOf('HEALTHCHECK');

  function check(url: string): Promise<number> {
    return new Promise((resolve) => {
      const child = execFile(process.execPath, args, { env: { HEALTH_URL: url } });
      child.once('exit', (code) => resolve(code ?? -1));
    });
  }

  test('passes on 200, fails on 503 and on nothing', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/healthz' ? 200 : 503;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect(await check(`${origin}/healthz`)).toBe(0);
      expect(await check(`${origin}/other`)).toBe(1);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(await check(`${origin}/healthz`)).toBe(1);
  });
});

test('image, npm scripts and the installed program start Node with the same flags', () => {
  const [firstLine = ''] = readFileSync(join(ROOT, 'src/launch.js'), 'utf8').split('\n');
  const flags = firstLine.split(' ').filter((word) => word.startsWith('--'));
  expect(flags).toEqual(['--max-semi-space-size=8']);
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const script of [scripts.start, scripts.sealgate]) expect(script).toContain(`node ${flags.join(' ')} src/`);
  // The image knows which Node it has; elsewhere an older one, which does not know the flag, must be able to say so.
  expect(commandOf('ENTRYPOINT')).toEqual(['node', ...flags, '--disable-sigusr1', 'dist/launch.js']);
});

describe('the steps of the Dockerfile, run here', () => {
  const roots = mkdtempSync(join(tmpdir(), 'sealgate-image-'));
  // The base image has one Node on PATH: the one that runs this test, and the npm of this machine.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
  let app: string;

  beforeAll(() => {
    // An npm script's own variables must not decide where the inner npm works.
    const clean = Object.fromEntries(
      Object.entries(env).filter(([name, value]) => !/^npm_|^NODE_ENV$|^VITEST/i.test(name) && value !== undefined),
    ) as Record<string, string>;
    for (const stage of stages) app = runStage(stage, { context: ROOT, roots, env: clean });
  }, 600_000);
  afterAll(() => rmSync(roots, { recursive: true, force: true }));

  test('the program starts and says its version', () => {
    const [, ...entry] = commandOf('ENTRYPOINT');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const said = execFileSync(process.execPath, [...entry, '--version'], { cwd: app, encoding: 'utf8' });
    expect(said.trim()).toBe(`sealgate ${version}`);
    expect(commandOf('CMD')[0]).toBe('serve');
  });

  test('the image holds no sources, no tests and no development packages', () => {
    expect(readdirSync(app).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
    for (const name of ['typescript', 'vitest', '@biomejs', '@aws-sdk', 'node']) {
      expect(existsSync(join(app, 'node_modules', name)), name).toBe(false);
    }
    expect(
      readdirSync(join(app, 'dist'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')),
    ).toEqual([]);
  });
});
