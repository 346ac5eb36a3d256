/**
 * The test command: typechecks, lints, finds or installs the servers and tools that the tests to run need, runs vitest,
 * and closes with a line of counts. Arguments (or SEALGATE_TEST_ONLY) go to vitest; the typecheck and the lint are left
 * out then. `--check` runs them and the tests that need no server, with fewer examples each (test/support/quick.ts).
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { addCounts, type Counts, countReport, formatCounts } from './support/install/counts.ts';
import { ensureTools, ToolsMissing } from './support/install/ensure.ts';
import { testNeeds } from './support/rings.ts';
import type { ToolName } from './support/tools.ts';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules/.bin');

const say = (line: string) => console.log(`tools: ${line}`);

/** The tools' scripts begin with `env node`: they get the Node that runs this, whatever the host's is. */
const PATH = [dirname(process.execPath), BIN, process.env.PATH ?? ''].join(delimiter);

/** Where Node keeps what it compiled: tests start the gateway and its commands some thousand times. */
const COMPILED = join(ROOT, 'node_modules/.cache/compiled');

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const own = { PATH, NODE_COMPILE_CACHE: COMPILED };
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...own, ...env } });
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** It looks again only at what a change may have touched since the run before. */
const TYPECHECK = [
  ...['-p', 'tsconfig.json', '--incremental'],
  ...['--tsBuildInfoFile', 'node_modules/.cache/typecheck.tsbuildinfo'],
];

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

/** The files that vitest would run for these arguments. */
async function filesToRun(only: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-files-'));
  try {
    const list = join(folder, 'files.json');
    await run(join(BIN, 'vitest'), ['list', '--filesOnly', `--json=${list}`, ...only]);
    if (!existsSync(list)) return [];
    const files = JSON.parse(readFileSync(list, 'utf8')) as readonly { readonly file: string }[];
    return files.map(({ file }) => relative(ROOT, file).replaceAll('\\', '/'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What those files ask for, so that a run of few files installs little. */
async function toolsFor(only: readonly string[]): Promise<ToolName[]> {
  const files = new Set(await filesToRun(only));
  const tools = new Set(testNeeds().flatMap((test) => (files.has(test.path) ? [...test.tools] : [])));
  if (only.length === 0) for (const tool of ['next-node', 'valkey'] as const) tools.add(tool);
  if (process.env.SEALGATE_TEST_STORE === 'ceph') tools.add('ceph');
  return [...tools];
}

async function main(): Promise<number> {
  const wanted = (process.env.SEALGATE_TEST_ONLY ?? '').split(/\s+/).filter((word) => word !== '');
  const asked = [...process.argv.slice(2), ...wanted];
  const checks = asked.includes('--check');
  const only = checks ? ['--project', 'unit', ...asked.filter((word) => word !== '--check')] : asked;
  const isWhole = only.length === 0;
  const seed = process.env.SEALGATE_TEST_SEED || String(randomInt(2 ** 31));
  process.env.SEALGATE_TEST_SEED = seed;
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const tools = toolsFor(only);
  if (isWhole || checks) {
    const both = [check('typecheck', 'tsc', TYPECHECK), check('lint', 'biome', ['check'])];
    counts = (await Promise.all(both)).reduce(addCounts, counts);
  }
  const env = await ensureTools(await tools, { say });
  for (const [variable, path] of Object.entries(env)) say(`${variable}=${path}`);
  say(`property tests begin from SEALGATE_TEST_SEED=${seed}; set it to repeat a run`);
  counts = addCounts(counts, await vitest(only, checks ? { ...env, SEALGATE_TEST_QUICK: '1' } : env));
  if (isWhole) counts = addCounts(counts, await onOtherReleases(env));
  console.log(formatCounts(counts));
  if (counts.skipped > 0 && !namesTests(only)) {
    console.error('A test was skipped. A test that cannot run must fail, and one that nobody needs must go.');
    return 1;
  }
  return counts.failed === 0 ? 0 : 1;
}

/** Then vitest counts the tests of other names as skipped. */
function namesTests(only: readonly string[]): boolean {
  return only.some((word) => /^(?:-t$|--testNamePattern)/.test(word));
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof ToolsMissing ? `\n${error.message}\n` : error);
  console.log(formatCounts({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
}
