import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { RootKeyProvider } from '../../../src/keys/root/provider.ts';
import {
  ROOT_KEYS,
  type RootKeyTable,
  rootKeyPlace,
  rootKeyProvider,
  rootKeySettings,
} from '../../../src/keys/root/table.ts';
import { isKeyStoreUnavailable } from '../../../src/keys/store/record-store.ts';
import { openFileStoreHere, openKeys } from '../../keys/fixture.ts';
import { rootKeyProviderContract } from '../../keys/root/provider-contract.ts';
import { type ToyPlace, ToyService, toyRow } from './toy-root-key.ts';

/** Registered from here alone. */
const TABLE: RootKeyTable = { ...ROOT_KEYS, toy: toyRow };

const providerAt = (place: ToyPlace): RootKeyProvider => rootKeyProvider(place as never, {}, TABLE);

async function startService(): Promise<{ readonly service: ToyService; readonly place: ToyPlace }> {
  const service = new ToyService(randomBytes(32));
  const place = await service.start();
  onTestFinished(() => service.stop());
  return { service, place };
}

rootKeyProviderContract('a toy service', async () => {
  const [{ service, place }, other] = [await startService(), await startService()];
  return {
    provider: () => providerAt(place),
    other: () => providerAt(other.place),
    away: {
      ways: [
        { what: 'it fails', begin: () => service.become('fails') },
        { what: 'it stalls', begin: () => service.become('stalls') },
        { what: 'it is gone', begin: () => service.stop() },
      ],
      withinMilliseconds: 1000 * place.timeoutSeconds + 4000,
      asked: () => service.asked,
    },
  };
});

describe('its settings', () => {
  const root = z.strictObject(rootKeySettings(TABLE)).prefault({});

  it('are a section of keys.root, behind what chooses the other providers and before what they have beside', () => {
    const [choosing, all] = [Object.keys(ROOT_KEYS), Object.keys(rootKeySettings())];
    expect(all.slice(0, choosing.length)).toEqual(choosing);
    expect(all).toContain('openToAll');
    expect(Object.keys(rootKeySettings(TABLE))).toEqual([...choosing, 'toy', ...all.slice(choosing.length)]);
  });

  it('choose it, with its own defaults', () => {
    const read = root.parse({ toy: { url: 'http://127.0.0.1:1' } });
    expect(rootKeyPlace(read, TABLE)).toEqual({ kind: 'toy', url: new URL('http://127.0.0.1:1'), timeoutSeconds: 2 });
    expect(rootKeyPlace(root.parse({ file: '/a' }), TABLE)).toMatchObject({ kind: 'file' });
    expect(root.safeParse({ toy: { url: 'x' } }).success).toBe(false);
    expect(root.safeParse({ toy: { url: 'http://127.0.0.1:1', other: 1 } }).success).toBe(false);
  });
});

it('an outage is met by what is not cached alone, and is over when the service is back', async () => {
  const { service, place } = await startService();
  const provider = providerAt(place);
  const [rootKey] = await provider.open();
  const store = await openFileStoreHere();
  const { keyRings } = await openKeys({ store, rootKey });
  const [warm, cold] = [await keyRings.create('acme'), await keyRings.create('beta')];
  const kek = await keyRings.current(warm.id);
  service.become('fails');
  expect(await keyRings.current(warm.id)).toBe(kek);
  expect(isKeyStoreUnavailable(await keyRings.current(cold.id).catch((error: unknown) => error))).toBe(true);
  expect(isKeyStoreUnavailable(await keyRings.create('gamma').catch((error: unknown) => error))).toBe(true);
  service.become('well');
  expect((await keyRings.current(cold.id)).tenant).toBe('beta');
});
