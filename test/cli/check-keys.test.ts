import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkKeys } from '../../src/cli/check/check-keys.ts';
import { CheckReport } from '../../src/cli/check/check-report.ts';
import type { Terminal } from '../../src/cli/shell/terminal.ts';
import type { KeysConfig } from '../../src/keys/config.ts';
import { ROOT_KEYS, type RootKeyTable } from '../../src/keys/root/table.ts';
import { keyStoreUnavailable } from '../../src/keys/store/record-store.ts';
import { Secret } from '../../src/secret.ts';
import { temporaryDirectory } from '../keys/fixture.ts';

/** The provider of `keys.root.env`, which opens its key, and says afterwards what the test has it say. */
function tableThatSays(check: () => Promise<void>): RootKeyTable {
  const { env } = ROOT_KEYS;
  return { ...ROOT_KEYS, env: { ...env, open: (...given) => ({ ...env.open(...given), check }) } } as RootKeyTable;
}

async function lines(check: () => Promise<void>): Promise<{ readonly ok: boolean; readonly text: string }> {
  const folder = await temporaryDirectory();
  const printed: string[] = [];
  const terminal = { print: (line: string) => void printed.push(line) } as Partial<Terminal> as Terminal;
  const report = new CheckReport({ terminal, json: false });
  const keys: KeysConfig = {
    root: { kind: 'env', key: new Secret(Buffer.alloc(32, 5).toString('base64')), source: 'the test' },
    tenant: undefined,
    store: { kind: 'file', path: join(folder, 'keys.json') },
    cache: { maxAgeSeconds: 60, staleSeconds: 300 },
    generationFile: undefined,
  };
  const stores = await checkKeys(keys, report, { rootKeys: tableThatSays(check) });
  await stores?.close();
  return { ok: report.ok, text: printed.join('\n').replaceAll(folder, '') };
}

it('tells when the provider of the root key opened it and cannot use it any more', async () => {
  const away = keyStoreUnavailable(new Error('the token has expired'), 'The key service does not answer.');
  expect(await lines(() => Promise.reject(away))).toEqual({
    ok: false,
    text:
      '✔ key store: /keys.json answers, and the root key opens its 0 records\n' +
      '✖ root key: its provider says that the root key cannot be used now: ' +
      'The key service does not answer. (the token has expired)\n' +
      '    Until that is mended, the gateway serves only the tenants and keys that it has in its cache.',
  });
});

it('says nothing of a provider that is well', async () => {
  expect(await lines(async () => undefined)).toEqual({
    ok: true,
    text: '✔ key store: /keys.json answers, and the root key opens its 0 records',
  });
});
