import { describe, expect, it, onTestFinished } from 'vitest';
import type { RootKeyProvider } from '../../../src/keys/root/provider.ts';
import type { RootKey } from '../../../src/keys/root/root-key.ts';
import { RecordUnreadable } from '../../../src/keys/wrapped-record.ts';
import { openFileStoreHere, openKeys } from '../fixture.ts';

/** What a test prepares of a provider's kind. */
export interface PreparedProvider {
  /** The same key every time. */
  readonly provider: () => RootKeyProvider;
  /** Another key of the same kind. */
  readonly other: () => RootKeyProvider;
  /** Where the key is asked of somebody: their ways of not answering, each until the test ends. */
  readonly away?: {
    readonly ways: readonly { readonly what: string; readonly begin: () => Promise<void> | void }[];
    /** The provider's own time-out, with room for a slow machine. */
    readonly withinMilliseconds: number;
    /** How many requests were made. */
    readonly asked: () => number;
  };
}

const NAME = 'ring/0011223344556677';
const RECORD = Buffer.from('{"a":"value"}');

/** What every provider of root keys must do. */
export function rootKeyProviderContract(name: string, prepare: () => Promise<PreparedProvider>): void {
  const open = async (provider: RootKeyProvider): Promise<RootKey> => {
    onTestFinished(() => provider.close());
    return (await provider.open())[0];
  };

  describe(`${name}: the contract of root key providers`, () => {
    it('unwraps what it wrapped, also when opened again, and leaves the plaintext to its owner', async () => {
      const { provider } = await prepare();
      const [key, again] = [await open(provider()), await open(provider())];
      const plaintext = Buffer.from(RECORD);
      const wrapped = await key.wrap(NAME, plaintext);
      expect(plaintext).toEqual(RECORD);
      expect(wrapped.includes(RECORD)).toBe(false);
      expect(await key.unwrap(NAME, wrapped)).toEqual(RECORD);
      expect(await again.unwrap(NAME, wrapped)).toEqual(RECORD);
      expect((await key.wrap(NAME, plaintext)).equals(wrapped)).toBe(false);
      expect(key.id).toMatch(/^[0-9a-f]{24}$/);
      expect(again.id).toBe(key.id);
    });

    it('refuses another key’s record, another name’s, and an altered one, naming the record', async () => {
      const { provider, other } = await prepare();
      const [key, stranger] = [await open(provider()), await open(other())];
      const wrapped = await key.wrap(NAME, RECORD);
      const bent = Buffer.from(wrapped);
      bent[bent.length - 1] = (bent.at(-1) as number) ^ 1;
      for (const refused of [
        stranger.unwrap(NAME, wrapped),
        key.unwrap('ring/ffffffffffffffff', wrapped),
        key.unwrap(NAME, bent),
        key.unwrap(NAME, wrapped.subarray(0, 40)),
      ]) {
        await expect(refused).rejects.toThrow(RecordUnreadable);
        await expect(refused).rejects.toMatchObject({ code: 'KeyUnavailable', source: 'keys' });
      }
      await expect(key.unwrap(NAME, bent)).rejects.toMatchObject({ record: NAME });
      expect(stranger.id).not.toBe(key.id);
    });

    it('derives 32 bytes that depend on the purpose and the key', async () => {
      const { provider, other } = await prepare();
      const [key, stranger] = [await open(provider()), await open(other())];
      const derived = await key.derive('test/one');
      expect(derived).toHaveLength(32);
      expect(await (await open(provider())).derive('test/one')).toEqual(derived);
      expect(await key.derive('test/two')).not.toEqual(derived);
      expect(await stranger.derive('test/one')).not.toEqual(derived);
    });

    it('is checked, and closed more than once', async () => {
      const provider = (await prepare()).provider();
      await provider.open();
      await provider.check();
      await provider.close();
      await provider.close();
    });

    it('has key rings under it, whose keys are asked for once and then served from memory', async () => {
      const { provider, away } = await prepare();
      const { keyRings } = await openKeys({ store: await openFileStoreHere(), rootKey: await open(provider()) });
      const { id } = await keyRings.create('acme');
      const kek = await keyRings.current(id);
      const asked = away?.asked();
      for (let at = 0; at < 1000; at++) expect(await keyRings.current(id)).toBe(kek);
      expect(away?.asked()).toBe(asked);
    });

    it('says within its own time-out that nobody answers', async () => {
      const { provider, away } = await prepare();
      const opened = provider();
      const key = await open(opened);
      const wrapped = await key.wrap(NAME, RECORD);
      for (const { what, begin } of away?.ways ?? []) {
        await begin();
        const startedAt = performance.now();
        const answers = [key.unwrap(NAME, wrapped), key.wrap(NAME, RECORD), key.derive('x'), opened.check()];
        for (const answer of await Promise.allSettled([...answers, provider().open()])) {
          expect([what, answer]).toMatchObject([what, { status: 'rejected', reason: { code: 'KeyStoreUnavailable' } }]);
        }
        expect(performance.now() - startedAt).toBeLessThan(away?.withinMilliseconds as number);
      }
    });
  });
}
