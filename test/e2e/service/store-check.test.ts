import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CAPABILITY_NAMES, CAPABILITY_WORDS } from '../../../src/store/capabilities.ts';
import { KNOWN_STORES } from '../../../src/store/known-stores.ts';
import { startLyingProxy, type Told } from '../../support/proxies/lying-proxy.ts';
import { STORES } from '../../support/servers/every-store.ts';
import { runSealgate } from '../../support/servers/gateway.ts';
import { type StoreStand, standOver } from '../../support/servers/stand.ts';

/** Settings that promise what not every store does, and what `check` says then. */
const PROMISES = {
  tornUploadsVanish: { variable: 'SEALGATE_BACKEND_CAREFUL', value: 'false', says: 'set backend.careful' },
  conditionalCompletes: {
    variable: 'SEALGATE_BACKEND_CONDITIONAL_UPLOADS',
    value: 'true',
    says: 'set backend.conditionalUploads to false',
  },
} as const;

describe.each(STORES)('sealgate check over %s', (_name, startStore) => {
  let stand: StoreStand;

  beforeAll(async () => {
    stand = await standOver(await startStore());
  });

  afterAll(() => stand?.stop());

  const check = async (env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runSealgate(['check', '--config', stand.gateway.configFile], env);
    return { code, text: stdout + stderr };
  };

  it('is content without a setting, and says which store it is, as the running gateway does', async () => {
    const { code, text } = await check();
    expect(text).toMatch(/^✔ probe/m);
    expect(code).toBe(0);
    const found = /^✔ store: (.*)$/m.exec(text)?.[1] ?? 'nothing';
    await expect.poll(() => stand.gateway.output()).toContain(`the backend: ${found}`);
    expect(await fetch(`${stand.gateway.admin}/readyz`).then((answer) => answer.text())).toContain(`(${found})`);
    const row = KNOWN_STORES.find(({ capabilities }) => isDeepStrictEqual(capabilities, stand.store.capabilities));
    expect(found.split(',', 1)).toEqual(row?.title.split(',', 1));
    for (const name of CAPABILITY_NAMES) {
      const { otherwise, always } = CAPABILITY_WORDS[name];
      if (!always) expect([name, found.includes(otherwise)]).toEqual([name, !stand.store.capabilities[name]]);
    }
  });

  it('finds out each promise of a setting that the store does not keep', async () => {
    await Promise.all(
      Object.entries(PROMISES).map(async ([name, { variable, value, says }]) => {
        const broken = !stand.store.capabilities[name as keyof typeof PROMISES];
        const { code, text } = await check({ [variable]: value });
        expect([name, code, text.includes(says)]).toEqual([name, broken ? 1 : 0, broken]);
      }),
    );
  });

  it('finds out a store that ignores If-Match on PUT', async () => {
    const proxy = await startLyingProxy({ port: stand.store.port });
    onTestFinished(() => proxy.close());
    const { headers } = await fetch(proxy.endpoint);
    const taken = ({ status }: Told) => ({
      status: status === 412 ? 200 : status,
      headers: [
        ['etag', '"d41d8cd98f00b204e9800998ecf8427e"'],
        ['date', headers.get('date') ?? ''],
      ] as const,
      body: Buffer.alloc(0),
    });
    proxy.tell(
      (asked, told) => (asked.headers['if-match'] === undefined ? undefined : taken(told)),
      ({ method, target }) => method === 'PUT' && !target.includes('uploadId'),
    );
    const there = { SEALGATE_BACKEND_ENDPOINT: proxy.endpoint };
    const [told, untold] = await Promise.all([
      check({ ...there, SEALGATE_BACKEND_CONDITIONAL_UPLOADS: 'true' }),
      check(there),
    ]);
    expect([told.code, told.text]).toEqual([1, expect.stringContaining('although If-Match named another ETag')]);
    expect([untold.code, untold.text]).toEqual([0, expect.stringContaining('ignores conditions on PutObject')]);
  });

  it('finds out a store of paths that is said to keep keys as they are', async () => {
    const { code, text } = await check({ SEALGATE_BACKEND_KEYS: 'names' });
    const isTrue = stand.store.capabilities.verbatimKeys;
    expect([code, text.includes('Set backend.keys to paths')]).toEqual(isTrue ? [0, false] : [1, true]);
  });
});
