import type { Difference } from '../../support/conformance/difference.ts';
import { DIFFERENCES_BY_CAUSE } from './differences.ts';
import { ENCRYPTION_TESTS, type ExplainedTests, OTHER_TESTS } from './public-suite.ts';
import { type GroupFigures, readSuiteFigures } from './public-suite-figures.ts';
import { SCENARIOS } from './scenarios.ts';

const HEAD = `# Conformance

What a client can tell apart: the gateway, and the store behind it. ${stepCount()} requests in ${SCENARIOS.length} scenarios
(\`test/e2e/conformance\`) are sent straight to a store and through the gateway over the same store, and status, error
code, headers and bodies must be the same, for MinIO and for the Versity S3 Gateway over a file system. Whatever differs
stands here with its reason; the test fails for what does not stand here, and for what stands here and does not differ.

Made from \`test/e2e/conformance/differences.ts\`; to write it anew:
\`node test/e2e/conformance/write-conformance-document.ts\`.

Not compared: ids of requests, versions and uploads; dates; the value of ETags (the gateway's end in \`-0\`, and are no MD5
of anything); headers of the connection and of the server itself; of an error's document all but the code. Where the
status differs, nothing else is told. \`*\` stands for anything, – for nothing.

The same requests are sent to buckets whose ETags are MD5s (\`etag=md5\`): there the values of ETags are compared too, and
nothing differs but what stands here.
`;

/** docs/conformance.md, whole. */
export function conformanceDocument(): string {
  return [HEAD, ...DIFFERENCES_BY_CAUSE.map(section), publicSuite()].join('\n');
}

function section([cause, differences]: readonly [string, readonly Difference[]]): string {
  const rows = differences.map(({ at, stores, field, direct, through, reason }) =>
    [at.join(', '), stores.join(', '), field, said(direct), said(through), reason].map(cell).join(' | '),
  );
  const head = ['request', 'store', 'what', 'direct', 'through', 'why'].join(' | ');
  return [`## ${cause}`, '', `| ${head} |`, '|---|---|---|---|---|---|', ...rows.map((row) => `| ${row} |`), ''].join(
    '\n',
  );
}

/** What came of S3's public suite (ceph/s3-tests), and why it is so. */
function publicSuite(): string {
  const { commit, encryption, others } = readSuiteFigures();
  const count = (what: string, { tests, passedThrough, passedDirect }: GroupFigures) =>
    `| ${what} | ${tests} | ${passedThrough} | ${passedDirect} |`;
  return [
    '## S3’s public suite',
    '',
    `The tests of [ceph/s3-tests](https://github.com/ceph/s3-tests) at commit ${commit.slice(0, 12)}, through the gateway over`,
    'a MinIO that has neither keys nor TLS, and straight at such a MinIO. What the suite skips by itself, such as tests that',
    'need more storage classes, is not counted. `test/e2e/conformance/run-public-suite.ts` says how to run it again.',
    '',
    '| tests | number | pass through the gateway | pass straight at MinIO |',
    '|---|---|---|---|',
    count('of encryption', encryption),
    count('of all else (test_s3.py and test_headers.py)', others),
    '',
    '### Where its tests of encryption ask for something else than AWS S3',
    '',
    'They fail through the gateway, which answers as AWS S3 does.',
    '',
    ...explained(ENCRYPTION_TESTS, 'what AWS S3 and the gateway answer'),
    '',
    '### Other tests that pass straight at MinIO and not through the gateway',
    '',
    ...explained(OTHER_TESTS, 'what the gateway answers'),
    '',
  ].join('\n');
}

function explained(tests: readonly ExplainedTests[], answer: string): string[] {
  const rows = tests.map((row) => [row.tests.join(', '), row.suite, row.s3, row.reason].map(cell).join(' | '));
  return [`| tests | what they ask for | ${answer} | why |`, '|---|---|---|---|', ...rows.map((row) => `| ${row} |`)];
}

function said(value: string | undefined): string {
  return value ?? '–';
}

/** Text that Markdown would take for a table's border or for emphasis. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');
}

function stepCount(): number {
  return SCENARIOS.reduce((count, { steps }) => count + steps.length, 0);
}
