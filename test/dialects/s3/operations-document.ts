import { S3_OPERATIONS } from '../../../src/dialects/s3/operation-table.ts';

/** docs/operations.md, from the table that routes requests: the document cannot say what the code does not do. */
export function operationsDocument(): string {
  const rows = S3_OPERATIONS.map(({ name, treatment, reason }) => `| ${name} | ${treatment} | ${reason ?? ''} |`);
  return `# S3 operations

Every operation of the S3 API by name, and what the gateway does with it. Made from
\`src/dialects/s3/operation-table.ts\`; to write it anew: \`node test/dialects/s3/write-operations-document.ts\`.

- **sealed**: carries object bytes or sizes; the gateway seals and opens them.
- **edited**: the gateway reads the backend's answer and gives it in the client's terms.
- **forwarded**: carries no object bytes; the backend of the same dialect answers it, only the signature is redone.
- **refused**: \`NotImplemented\`, for the reason given. Nothing that could carry object bytes is ever forwarded.

| operation | treatment | why |
|---|---|---|
${rows.join('\n')}
`;
}
