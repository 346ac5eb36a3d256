import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type ServerCertificate } from '../../support/certificate.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standEmbedded, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const SUITE = join(import.meta.dirname, 'boto3_suite.py');
const CASES = [...readFileSync(SUITE, 'utf8').matchAll(/^@case\ndef (\w+)/gm)].map(([, name]) => name as string);

interface Setting {
  readonly stand: Stand;
  readonly endpoint: string;
  readonly certificate?: ServerCertificate;
}

/** Over TLS boto3 signs otherwise: no payload hash, and checksums in a trailer. */
const SETTINGS: readonly (readonly [string, () => Promise<Setting>])[] = [
  [
    'MinIO and Redis',
    async () => {
      const stand = await standOnMinio();
      return { stand, endpoint: stand.gateway.endpoint };
    },
  ],
  [
    'TLS and the embedded stores',
    async () => {
      const certificate = await makeCertificate();
      const stand = await standEmbedded({ more: { tls: { cert: certificate.cert, key: certificate.key } } });
      return { stand, endpoint: `https://127.0.0.1:${stand.gateway.port}`, certificate };
    },
  ],
];

describe.each(SETTINGS)('boto3 over %s', (_name, start) => {
  let setting: Setting;
  let finished: Awaited<ReturnType<typeof runProgram>>;
  const results = new Map<string, { readonly ok: boolean; readonly error?: string }>();

  beforeAll(async () => {
    setting = await start();
    const ca = setting.certificate === undefined ? [] : [setting.certificate.cert];
    finished = await runProgram(tool('python'), [SUITE, setting.endpoint, 'acme-boto3', ...ca], {
      env: awsEnvironment(),
    });
    for (const line of finished.stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const { case: name, ...result } = JSON.parse(line);
      results.set(name, result);
    }
  });

  afterAll(async () => {
    await setting?.stand.stop();
    await setting?.certificate?.remove();
  });

  it('ran', () => {
    expect([finished.code, finished.stderr]).toEqual([0, '']);
    expect(CASES.length).toBeGreaterThan(20);
  });

  it.each(CASES)('%s', (name) => {
    const result = results.get(name);
    expect(result?.error ?? (result?.ok === true ? 'passed' : 'did not run')).toBe('passed');
  });

  it('left no secret in the log', () => {
    expect(setting.stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
  });
});
