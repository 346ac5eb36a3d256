import type { Difference } from '../../support/conformance/difference.ts';
import { DIFFERENCES_BY_CAUSE } from './differences.ts';
import { PUBLIC_SUITE } from './public-suite.ts';
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

/** Where S3's public suite (ceph/s3-tests) asks for something else than S3 itself, and the gateway answers as S3. */
function publicSuite(): string {
  const rows = PUBLIC_SUITE.map((row) => [row.tests.join(', '), row.suite, row.s3, row.reason].map(cell).join(' | '));
  return [
    '## Where the public suite asks for something else than AWS S3',
    '',
    'Tests of [ceph/s3-tests](https://github.com/ceph/s3-tests) that fail through the gateway because AWS S3 answers otherwise.',
    '',
    '| tests | what they ask for | what AWS S3 and the gateway answer | why |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');
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
