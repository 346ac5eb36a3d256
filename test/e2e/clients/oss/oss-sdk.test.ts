import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORES } from '../../../support/servers/every-store.ts';
import { runProgram, TENANT } from '../../../support/servers/gateway.ts';
import { type Stand, standOver } from '../../../support/servers/stand.ts';
import { tool } from '../../../support/tools.ts';

const HERE = import.meta.dirname;

/** A way to drive the gateway: an SDK of the vendor's, a version of its signature, and where it has the bucket. */
interface Way {
  readonly name: string;
  /** The names of its cases, as its source has them. */
  readonly cases: readonly string[];
  readonly command: (stand: Stand, bucket: string) => readonly [program: string, ...args: string[]];
  /** What the program writes to its error output although all is well. */
  readonly says?: RegExp;
}

function casesIn(file: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(join(HERE, file), 'utf8').matchAll(pattern)].map(([, name]) => name as string);
}

const PYTHON = /^@case\ndef (\w+)/gm;
const at = (host: string, { gateway }: Stand) => `http://${host}:${gateway.port}`;

const WAYS: readonly Way[] = [
  ...['v1', 'v2', 'v4'].map((version) => ({
    name: `oss2 ${version}`,
    cases: casesIn('oss2_suite.py', PYTHON),
    command: (stand: Stand, bucket: string) =>
      [tool('oss-python'), join(HERE, 'oss2_suite.py'), at('127.0.0.1', stand), bucket, version] as const,
  })),
  ...['v1', 'v4'].map((version) => ({
    name: `alibabacloud-oss-v2 ${version}`,
    cases: casesIn('oss_v2_suite.py', PYTHON),
    command: (stand: Stand, bucket: string) =>
      [tool('oss-python'), join(HERE, 'oss_v2_suite.py'), at('127.0.0.1', stand), bucket, version] as const,
  })),
  ...['v1 path', 'v1 host', 'v4 path', 'v4 host'].map((way) => ({
    name: `ali-oss ${way}`,
    cases: casesIn('ali_oss_suite.cjs', /^test\('([^']+)'/gm),
    command: ({ gateway }: Stand, bucket: string) =>
      [
        tool('oss-node'),
        join(HERE, 'ali_oss_suite.cjs'),
        dirname(tool('oss-node')),
        String(gateway.port),
        bucket,
        ...way.split(' '),
      ] as const,
    says: /^(?:It's recommended to set 'refreshSTSToken'.*\n)*$/,
  })),
  ...['v1', 'v4'].map((version) => ({
    name: `alibabacloud-oss-go-sdk-v2 ${version}`,
    cases: casesIn('go/main.go', /^\t\{"([^"]+)", func\(\)/gm),
    command: (stand: Stand, bucket: string) => [tool('oss-go'), at('127.0.0.1', stand), bucket, version] as const,
  })),
  ...['v1 path', 'v4 path'].map((way) => ({
    name: `aliyun-sdk-oss (Java) ${way}`,
    cases: casesIn('java/OssSuite.java', /cases\.put\("([^"]+)"/g),
    command: (stand: Stand, bucket: string) =>
      [tool('oss-java'), at('localhost', stand), bucket, ...way.split(' ')] as const,
    // It logs every error that it throws.
    says: /^/,
  })),
];

describe.each(STORES)('over %s, the scenarios of', (_name, startStore) => {
  let stand: Stand;

  beforeAll(async () => {
    // Of OSS, parts may be as small as 100 KiB.
    stand = await standOver(await startStore(), { buckets: ['acme-*:quantum=2'] });
  });

  afterAll(() => stand?.stop());

  it.each(WAYS)('$name', async ({ name, cases, command, says = /^$/ }) => {
    expect(cases.length).toBeGreaterThan(10);
    const bucket = `acme-${name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 40)}`;
    const [program, ...args] = command(stand, bucket);
    const finished = await runProgram(program, args, {
      env: { OSS_ACCESS_KEY_ID: TENANT.accessKeyId, OSS_ACCESS_KEY_SECRET: TENANT.secretAccessKey },
    });
    const results = finished.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly case: string; readonly ok: boolean; readonly error?: string });
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    expect(results.map((result) => result.case)).toEqual(cases);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(says);
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
    expect(stand.gateway.output()).not.toMatch(/Signature=|x-oss-signature=/);
  });
});
