/**
 * Runs S3's public suite (ceph/s3-tests) through the gateway over a MinIO that has neither keys nor TLS, and straight at
 * such a MinIO:
 *
 *     git clone https://github.com/ceph/s3-tests
 *     python3 -m venv venv && venv/bin/pip install -r s3-tests/requirements.txt
 *     node test/e2e/conformance/run-public-suite.ts --suite s3-tests --python venv/bin/python
 *
 * It fails where a test fails through the gateway that public-suite.ts does not explain, and where one passes that it does.
 * Of the tests that are not about encryption, only those count that pass straight at MinIO.
 *
 * A run takes a quarter of an hour; `--encryption` runs the tests of encryption alone, in two minutes. `--outcomes DIR`
 * leaves there what came of each test, and why. `--write` keeps the figures of a whole run in public-suite-figures.json:
 * then `npx biome check --write`, and make docs/conformance.md anew from them (write-conformance-document.ts).
 *
 * MinIO, its client and Redis are those of the tests (test/support/tools.ts). Nothing is downloaded.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { INHERITED } from '../../support/inherited.ts';
import { EXPLAINED_TESTS } from './public-suite.ts';
import { type Outcome, SUITE_FIGURES_FILE, suiteFigures } from './public-suite-figures.ts';
import { type SuiteStand, startSuiteStand, type Way } from './public-suite-stand.ts';

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    encryption: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    outcomes: { type: 'string' },
  },
});

/** A path, or the name of a program: the suite runs in its own folder. */
const python = values.python.includes('/') ? resolve(values.python) : values.python;
const FILES = ['test_s3.py', 'test_headers.py'].map((file) => `s3tests/functional/${file}`);

async function main(suite: string): Promise<number> {
  if (values.write && values.encryption) throw new Error('--write needs a whole run, without --encryption');
  const commit = execFileSync('git', ['-C', suite, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const [through, direct] = await runBothWays(suite);
  const figures = suiteFigures(commit, through, direct);
  const reasons = new Map(through.map(({ name, message }) => [name, message]));
  const failed = new Set([...figures.encryption.failed, ...figures.others.failed]);
  const unexplained = [...failed].filter((name) => !EXPLAINED_TESTS.has(name));
  const untrue = through.filter(({ name }) => EXPLAINED_TESTS.has(name) && !failed.has(name));
  for (const [title, { tests, passedThrough, passedDirect }] of [
    ['encryption', figures.encryption] as const,
    ['others', figures.others] as const,
  ])
    console.log(
      `${title}: of ${tests} tests ${passedThrough} pass through the gateway, ${passedDirect} straight at MinIO`,
    );
  for (const name of unexplained) console.log(`fails unexplained: ${name}: ${reasons.get(name)}`);
  for (const { name } of untrue) console.log(`is said to fail and does not: ${name}`);
  if (values.write) await writeFile(SUITE_FIGURES_FILE, `${JSON.stringify(figures, undefined, 2)}\n`);
  return unexplained.length + untrue.length === 0 ? 0 : 1;
}

/** At the same time, because most of it is waiting: for dates to pass and for lifecycle rules to run. */
async function runBothWays(suite: string): Promise<[through: readonly Outcome[], direct: readonly Outcome[]]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-suite-'));
  const stands: SuiteStand[] = [];
  try {
    const started = async (way: Way) => {
      const own = join(folder, way);
      await mkdir(own);
      const stand = await startSuiteStand(own, way);
      stands.push(stand);
      return { folder: own, configuration: stand.configuration };
    };
    const [through, direct] = [await started('through'), await started('direct')];
    // Whichever ends first, the servers of the other are needed to its end.
    const runs = await Promise.allSettled([runSuite(suite, through), runSuite(suite, direct)]);
    const failed = runs.find((run) => run.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return runs.map((run) => (run as PromiseFulfilledResult<Outcome[]>).value) as [Outcome[], Outcome[]];
  } finally {
    for (const stand of stands) await stand.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param suite a checkout of ceph/s3-tests */
async function runSuite(
  suite: string,
  { folder, configuration }: { readonly folder: string; readonly configuration: string },
): Promise<Outcome[]> {
  const outcomes = join(folder, 'outcomes');
  const plugins = ['-p', 'public_suite_outcomes', '-p', 'no:cacheprovider'];
  const marked = values.encryption ? ['-m', 'encryption or sse_s3'] : [];
  const child = spawn(python, ['-m', 'pytest', '-q', '--tb=no', ...plugins, ...marked, ...FILES], {
    cwd: suite,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...INHERITED,
      HOME: folder, // so that no configuration of this machine changes what boto3 does
      PYTHONPATH: import.meta.dirname,
      PYTHONDONTWRITEBYTECODE: '1',
      OUTCOMES_FILE: outcomes,
      S3TEST_CONF: configuration,
    },
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const FAILED_TESTS = 1; // of pytest's exit codes, beside 0 the only one of a run that came to its end
  if (code !== 0 && code !== FAILED_TESTS) throw new Error(`pytest ended with ${code}`);
  if (values.outcomes !== undefined) await copyFile(outcomes, join(values.outcomes, `${basename(folder)}.jsonl`));
  const lines = (await readFile(outcomes, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Outcome);
}

if (values.suite === undefined) {
  console.error('--suite DIR is missing: a checkout of https://github.com/ceph/s3-tests');
  process.exitCode = 2;
} else {
  process.exitCode = await main(resolve(values.suite));
}
