import { COS_OPERATIONS } from '../../../src/dialects/cos/operation-table.ts';
import { OSS_OPERATIONS } from '../../../src/dialects/oss/operation-table.ts';
import { QINGSTOR_OPERATIONS } from '../../../src/dialects/qingstor/operation-table.ts';
import type { Treatment } from '../../../src/dialects/s3/operation-row.ts';
import { S3_OPERATIONS } from '../../../src/dialects/s3/operation-table.ts';

/** The dialects beside S3 that have a table of operations, which routes their requests. */
const OTHERS: readonly {
  readonly name: string;
  readonly table: string;
  readonly operations: readonly { readonly name: string; readonly treatment: string; readonly reason: string }[];
}[] = [
  { name: 'OSS', table: 'src/dialects/oss/operation-table.ts', operations: OSS_OPERATIONS },
  { name: 'COS', table: 'src/dialects/cos/operation-table.ts', operations: COS_OPERATIONS },
  { name: 'QingStor', table: 'src/dialects/qingstor/operation-table.ts', operations: QINGSTOR_OPERATIONS },
];

function sectionOf({ name, table, operations }: (typeof OTHERS)[number]): string {
  const rows = operations.map((operation) => `| ${operation.name} | ${operation.treatment} | ${operation.reason} |`);
  return `
## ${name}

This table is printed from \`${table}\`. What stands in none of its rows is refused, too.

| operation | treatment | why |
|---|---|---|
${rows.join('\n')}
`;
}

/** docs/operations.md, from the table that routes requests: the document cannot say what the code does not do. */
export function operationsDocument(): string {
  const rows = S3_OPERATIONS.map(({ name, treatment, reason }) => `| ${name} | ${treatment} | ${reason ?? ''} |`);
  return `# Operations

This page lists every operation of the S3 API by name, and then those of other dialects, and says what the gateway does
with each. It is printed from \`src/dialects/s3/operation-table.ts\` and its like by
\`node test/dialects/s3/write-operations-document.ts\`.

- **sealed**: the operation carries object bytes or sizes, and the gateway seals and opens them.
- **edited**: the gateway reads the backend's answer and gives it in the client's terms.
- **forwarded**: the operation carries no object bytes. The gateway makes the request anew, and a backend of the same
  dialect answers it.
- **refused**: the gateway answers \`NotImplemented\`, for the reason given. Nothing that could carry object bytes is ever
  forwarded.

## S3

| operation | treatment | why |
|---|---|---|
${rows.join('\n')}
${OTHERS.map(sectionOf).join('')}`;
}

const TREATMENTS: readonly Treatment[] = ['sealed', 'edited', 'forwarded', 'refused'];

/** The README's table: the same, a row for all operations that are treated alike for the same reason. */
export function operationsTable(): string {
  const rows = TREATMENTS.flatMap((treatment) => {
    const namesByReason = new Map<string, string[]>();
    for (const { name, reason } of S3_OPERATIONS.filter((operation) => operation.treatment === treatment)) {
      namesByReason.set(reason, [...(namesByReason.get(reason) ?? []), name]);
    }
    return [...namesByReason].map(([reason, names]) => `| ${treatment} | ${names.join(', ')} | ${reason} |`);
  });
  return `| | operations | why |\n|---|---|---|\n${rows.join('\n')}`;
}

/** The README with its table as the code has it. @throws Error where the marks around it are gone */
export function withOperationsTable(readme: string): string {
  const begin = '<!-- operations: node test/dialects/s3/write-operations-document.ts -->\n\n';
  const end = '\n\n<!-- /operations -->';
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from === -1 || to < from) throw new Error('README.md has no marks around the table of operations');
  return readme.slice(0, from + begin.length) + operationsTable() + readme.slice(to);
}
