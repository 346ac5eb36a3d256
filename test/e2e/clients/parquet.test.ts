import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const SUITE = join(import.meta.dirname, 'parquet_suite.py');
const CASES = [...readFileSync(SUITE, 'utf8').matchAll(/^@case\ndef (\w+)/gm)].map(([, name]) => name as string);

/** Arrow's own S3 file system, which is the AWS SDK for C++: many ranges of one object, several at once. */
describe('Parquet by pyarrow over MinIO and Redis', () => {
  let stand: Stand;
  let finished: Awaited<ReturnType<typeof runProgram>>;
  const results = new Map<string, { readonly ok: boolean; readonly error?: string }>();

  beforeAll(async () => {
    stand = await standOnMinio();
    finished = await runProgram(tool('python'), [SUITE, stand.gateway.endpoint, 'acme-parquet'], {
      env: awsEnvironment(),
    });
    for (const line of finished.stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const { case: name, ...result } = JSON.parse(line);
      results.set(name, result);
    }
  });

  afterAll(async () => {
    await stand?.stop();
  });

  it('ran', () => {
    expect([finished.code, finished.stderr]).toEqual([0, '']);
    expect(CASES.length).toBeGreaterThan(4);
  });

  it.each(CASES)('%s', (name) => {
    const result = results.get(name);
    expect(result?.error ?? (result?.ok === true ? 'passed' : 'did not run')).toBe('passed');
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
  });
});
