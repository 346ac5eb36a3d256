import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeRing, RING, type RingRecord } from '../../src/keys/key-ring.ts';
import { KeyRings } from '../../src/keys/key-rings.ts';
import type { Records } from '../../src/keys/records.ts';
import { keyStoreUnavailable } from '../../src/keys/store/record-store.ts';
import { RecordUnreadable } from '../../src/keys/wrapped-record.ts';
import { FakeClock, openKeys, randomRootKey } from './fixture.ts';
import { MemoryStore } from './memory-store.ts';

/** Rings whose cache gives out what a test plants there. */
async function stand() {
  const { keyRings: honest, records } = await openKeys({ store: new MemoryStore(), rootKey: randomRootKey() });
  const clock = new FakeClock();
  const held = { ring: undefined as RingRecord | undefined, read: undefined as Error | undefined, reads: 0 };
  const kept: Pick<Records, 'get' | 'read' | 'refresh'> = {
    get: (kind, id, use) =>
      held.ring && kind.name === 'ring' ? Promise.resolve(held.ring as never) : records.get(kind, id, use),
    read: async (kind, id) => {
      held.reads++;
      if (held.read !== undefined) throw held.read;
      return records.read(kind, id);
    },
    refresh: (kind, id) => {
      held.ring = undefined;
      return records.refresh(kind, id);
    },
  };
  const keyRings = new KeyRings({ records: kept as Records, monotonicNow: clock.now });
  return { honest, keyRings, records, held, clock };
}

async function stored(records: Records, id: string): Promise<RingRecord> {
  return (await records.read(RING, id))!.value;
}

/** The ring as it is, but for the key of its current version. */
async function withAnotherKey(records: Records, id: string): Promise<RingRecord> {
  const { versions, keks, ...ring } = await stored(records, id);
  const key = createSecretKey(randomBytes(32));
  return makeRing({
    ...ring,
    versions: versions.map((each) => ({
      ...each,
      key: each.version === ring.current ? key : keks.get(each.version)!.key,
    })),
  });
}

const REFUSED = { code: 'KeyStoreUnavailable', source: 'keys' };

describe('a key that is about to seal', () => {
  it.each(['the default key', 'a named key'])('is refused where the key store has another: %s', async (which) => {
    const { honest, keyRings, records, held } = await stand();
    const isNamed = which === 'a named key';
    const { id } = isNamed ? await honest.createNamed('acme', 'cards') : await honest.create('acme');
    const forNew = () => (isNamed ? keyRings.named('acme', 'cards') : keyRings.current(id));
    held.ring = await withAnotherKey(records, id);
    await expect(forNew()).rejects.toMatchObject({ ...REFUSED, message: expect.stringContaining(id) });
    // The wrong key has left the cache, so the next request seals, and under the key that the store has.
    const { currentKek } = await stored(records, id);
    expect((await forNew())?.key.equals(currentKek.key)).toBe(true);
  });

  it('is refused to all requests that come at once, and each of them is', async () => {
    const { honest, keyRings, records, held } = await stand();
    const { id } = await honest.create('acme');
    held.ring = await withAnotherKey(records, id);
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => keyRings.current(id)));
    expect(asked.map(({ status }) => status)).toEqual(Array(20).fill('rejected'));
    expect(held.reads).toBe(1);
  });

  const only = ({ versions, currentKek }: RingRecord) => ({ ...versions[0]!, key: currentKek.key });

  it.each<[string, (ring: RingRecord) => RingRecord]>([
    [
      'a version that the store does not have',
      (ring) => makeRing({ ...ring, current: 9, versions: [{ ...only(ring), version: 9 }] }),
    ],
    [
      'on a ring that is another tenant’s in the store',
      (ring) => makeRing({ ...ring, tenant: 'beta', versions: [only(ring)] }),
    ],
  ])('is refused if it is %s', async (_, altered) => {
    const { honest, keyRings, records, held } = await stand();
    const { id } = await honest.create('acme');
    held.ring = altered(await stored(records, id));
    await expect(keyRings.current(id)).rejects.toMatchObject(REFUSED);
  });

  it('is read from the store once more after it was loaded, and not at every use', async () => {
    const { honest, keyRings, held } = await stand();
    const { id } = await honest.create('acme');
    const kek = await keyRings.current(id);
    expect(held.reads).toBe(1);
    for (let at = 0; at < 100; at++) expect(await keyRings.current(id)).toBe(kek);
    expect(held.reads).toBe(1);
  });

  it('is refused where the record cannot be read any more', async () => {
    const { honest, keyRings, held } = await stand();
    const { id } = await honest.create('acme');
    held.read = new RecordUnreadable(`ring/${id}`, 'its authentication fails');
    await expect(keyRings.current(id)).rejects.toBe(held.read);
  });

  it('seals as long as the cache gives it out where the store does not answer, and the store is asked once a second', async () => {
    const { honest, keyRings, records, held, clock } = await stand();
    const { id } = await honest.create('acme');
    held.ring = await withAnotherKey(records, id);
    held.read = keyStoreUnavailable(new Error('away'));
    for (let at = 0; at < 10; at++) expect(await keyRings.current(id)).toBe(held.ring.currentKek);
    expect(held.reads).toBe(1);
    held.read = undefined;
    clock.advance(1);
    await expect(keyRings.current(id)).rejects.toMatchObject(REFUSED);
  });
});
