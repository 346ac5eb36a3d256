import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startLyingProxy, type Told } from '../../support/proxies/lying-proxy.ts';
import { STORES } from '../../support/servers/every-store.ts';
import { runSealgate } from '../../support/servers/gateway.ts';
import { type StoreStand, standOver } from '../../support/servers/stand.ts';

/** What each store needs (docs/stores.md), and what `check` says where it is not given. */
const NEEDED = {
  careful: { variable: 'SEALGATE_BACKEND_CAREFUL', without: 'false', says: 'set backend.careful' },
  conditionalUploads: {
    variable: 'SEALGATE_BACKEND_CONDITIONAL_UPLOADS',
    without: 'true',
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

  it('is content with what docs/stores.md says', async () => {
    const { code, text } = await check();
    expect(text).toMatch(/^✔ probe/m);
    expect(code).toBe(0);
  });

  it('finds out each habit that it is not told of', async () => {
    for (const [setting, { variable, without, says }] of Object.entries(NEEDED)) {
      const needed = setting in stand.store.settings;
      const { code, text } = await check({ [variable]: without });
      expect([setting, code, text.includes(says)]).toEqual([setting, needed ? 1 : 0, needed]);
    }
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
    const { code, text } = await check({ SEALGATE_BACKEND_ENDPOINT: proxy.endpoint });
    const reliesOn = stand.store.settings.conditionalUploads !== false;
    expect([code, text.includes('although If-Match named another ETag')]).toEqual(reliesOn ? [1, true] : [0, false]);
  });

  it('finds out a store of paths that is said to keep keys as they are', async () => {
    const { code, text } = await check({ SEALGATE_BACKEND_KEYS: 'names' });
    const isTrue = stand.store.settings.keys === 'names';
    expect([code, text.includes('Set backend.keys to paths')]).toEqual(isTrue ? [0, false] : [1, true]);
  });
});
