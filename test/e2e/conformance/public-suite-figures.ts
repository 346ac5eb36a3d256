import { readFileSync } from 'node:fs';

/** What came of one test of the public suite, as public_suite_outcomes.py writes it. */
export interface Outcome {
  readonly name: string;
  /** Whether it is one of the tests of encryption. */
  readonly encryption: boolean;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it did not pass. */
  readonly message: string;
}

/** What a run of the public suite found. */
export interface SuiteFigures {
  /** The commit of ceph/s3-tests. */
  readonly commit: string;
  readonly encryption: GroupFigures;
  readonly others: GroupFigures;
}

export interface GroupFigures {
  /** Those that ran both ways. The suite itself skips tests of what it is not told of, such as more storage classes. */
  readonly tests: number;
  readonly passedThrough: number;
  readonly passedDirect: number;
  /** Names of tests that fail through the gateway: of encryption all, of the others those that pass straight at MinIO. */
  readonly failed: readonly string[];
}

const FILE = new URL('public-suite-figures.json', import.meta.url);

export function readSuiteFigures(): SuiteFigures {
  return JSON.parse(readFileSync(FILE, 'utf8')) as SuiteFigures;
}

export const SUITE_FIGURES_FILE = FILE;

/** Counts what came of the same tests on both ways. */
export function suiteFigures(commit: string, through: readonly Outcome[], direct: readonly Outcome[]): SuiteFigures {
  const passedDirect = new Set(direct.filter(passed).map(({ name }) => name));
  const group = (encryption: boolean): GroupFigures => {
    const ran = through.filter((test) => test.encryption === encryption && test.outcome !== 'skipped');
    const failed = ran.filter((test) => !passed(test) && (encryption || passedDirect.has(test.name)));
    return {
      tests: ran.length,
      passedThrough: ran.filter(passed).length,
      passedDirect: ran.filter(({ name }) => passedDirect.has(name)).length,
      failed: failed.map(({ name }) => name).sort(),
    };
  };
  return { commit, encryption: group(true), others: group(false) };
}

function passed({ outcome }: Outcome): boolean {
  return outcome === 'passed';
}
