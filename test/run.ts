/**
 * The test command: finds or installs the servers and tools, typechecks, lints, runs vitest, and closes with a line of
 * counts. Arguments (or SEALGATE_TEST_ONLY) go to vitest; the typecheck and the lint are left out then.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { addCounts, type Counts, countReport, formatCounts } from './support/install/counts.ts';
import { ensureTools, ToolsMissing } from './support/install/ensure.ts';
import type { ToolName } from './support/tools.ts';

const TOOLS: readonly ToolName[] = [
  'minio',
  'mc',
  'versitygw',
  'redis',
  'valkey',
  'next-node',
  'rclone',
  'restic',
  'python',
  'aws',
  's3cmd',
  'kubernetes-validate',
  'curl',
  'wget',
];
const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules/.bin');

const say = (line: string) => console.log(`tools: ${line}`);

/** The tools' scripts begin with `env node`: they get the Node that runs this, whatever the host's is. */
const PATH = [dirname(process.execPath), BIN, process.env.PATH ?? ''].join(delimiter);

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PATH, ...env } });
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** A whole-tree check counts like one test. */
async function check(title: string, program: string, args: readonly string[]): Promise<Counts> {
  const code = await run(join(BIN, program), args);
  console.log(`${title}: ${code === 0 ? 'passed' : 'FAILED'}`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** What could behave otherwise on another Node or another Redis: sockets and HTTP, and the stores of keys and uploads. */
const OTHER_RELEASES = [
  ...['test/server/', 'test/backend/', 'test/keys/store/redis', 'test/uploads/redis', 'test/etags/'],
  'test/e2e/clients/s3-sdk',
];

/** The tests of those, on the Node after the pinned one and on Valkey, which followed Redis when its licence changed. */
async function onOtherReleases(env: Record<string, string>): Promise<Counts> {
  const node = env.SEALGATE_TEST_NEXT_NODE ?? '';
  const valkey = env.SEALGATE_TEST_VALKEY ?? '';
  say(`the tests of ${OTHER_RELEASES.join(', ')} again, on ${node} and ${valkey}`);
  const path = [dirname(node), PATH].join(delimiter);
  return vitest(OTHER_RELEASES, { ...env, PATH: path, SEALGATE_TEST_REDIS: valkey });
}

async function vitest(only: readonly string[], env: Record<string, string>): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-report-'));
  try {
    const report = join(folder, 'report.json');
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...only];
    const code = await run(join(BIN, 'vitest'), args, env);
    return countReport(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const wanted = (process.env.SEALGATE_TEST_ONLY ?? '').split(/\s+/).filter((word) => word !== '');
  const only = [...process.argv.slice(2), ...wanted];
  const tools: readonly ToolName[] = process.env.SEALGATE_TEST_STORE === 'ceph' ? [...TOOLS, 'ceph'] : TOOLS;
  const env = await ensureTools(tools, { say });
  for (const [variable, path] of Object.entries(env)) say(`${variable}=${path}`);
  const seed = process.env.SEALGATE_TEST_SEED || String(randomInt(2 ** 31));
  process.env.SEALGATE_TEST_SEED = seed;
  say(`property tests begin from SEALGATE_TEST_SEED=${seed}; set it to repeat a run`);
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  if (only.length === 0) {
    counts = addCounts(counts, await check('typecheck', 'tsc', ['-p', 'tsconfig.json']));
    counts = addCounts(counts, await check('lint', 'biome', ['check']));
  }
  counts = addCounts(counts, await vitest(only, env));
  if (only.length === 0) counts = addCounts(counts, await onOtherReleases(env));
  console.log(formatCounts(counts));
  return counts.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof ToolsMissing ? `\n${error.message}\n` : error);
  console.log(formatCounts({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
}
