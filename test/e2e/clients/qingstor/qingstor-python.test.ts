import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORES } from '../../../support/servers/every-store.ts';
import { runProgram, TENANT } from '../../../support/servers/gateway.ts';
import { MD5_ETAGS, type Stand, standOver } from '../../../support/servers/stand.ts';
import { tool } from '../../../support/tools.ts';

const SUITE = join(import.meta.dirname, 'qingstor_suite.py');
const CASES = [...readFileSync(SUITE, 'utf8').matchAll(/^@case\ndef (\w+)/gm)].map(([, name]) => name as string);

describe.each(STORES)('qingstor-sdk for Python over %s', (_name, start) => {
  let stand: Stand;
  let finished: Awaited<ReturnType<typeof runProgram>>;
  const results = new Map<string, { readonly ok: boolean; readonly error?: string }>();

  beforeAll(async () => {
    stand = await standOver(await start(), { ...MD5_ETAGS, more: { customerKeys: { overHttp: 'loopback' } } });
    finished = await runProgram(
      tool('qingstor-python'),
      [SUITE, '127.0.0.1', String(stand.gateway.port), 'acme-qspy'],
      {
        env: { QINGSTOR_ACCESS_KEY_ID: TENANT.accessKeyId, QINGSTOR_SECRET_ACCESS_KEY: TENANT.secretAccessKey },
      },
    );
    for (const line of finished.stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const { case: name, ...result } = JSON.parse(line);
      results.set(name, result);
    }
  });

  afterAll(() => stand?.stop());

  it('ran', () => expect([finished.code, finished.stderr]).toEqual([0, '']));

  it.each(CASES)('%s', (name) => expect(results.get(name)).toEqual({ ok: true }));
});
