import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ENTRY_BYTES, readEntryHead } from '../../src/etags/etag-entry.ts';
import type { EtagIndex } from '../../src/etags/etag-index.ts';
import { type EtagSource, KnownEtags } from '../../src/etags/known-etags.ts';
import { keyStoreUnavailable } from '../../src/keys/store/record-store.ts';
import type { Tenant } from '../../src/tenants/tenant.ts';

const DIGEST = { plain: false, md5: randomBytes(16), parts: 3, oid: randomBytes(16) };
const KEEP_SECONDS = 1000;
const tenant = { name: 'acme', ringId: '00112233445566bb' } as Tenant;
const object = { tenant, ref: { bucket: 'acme-b', key: 'k' }, backendEtag: 'e' };

/** One index and one ring, and processes that come and go. */
function stand() {
  const entries = new Map<string, Buffer>();
  const keks = [1, 2].map((version) => ({
    ringId: tenant.ringId,
    version,
    key: createSecretKey(randomBytes(32)),
    tenant: tenant.name,
    name: undefined,
    state: 'enabled' as const,
    fingerprint: String(version),
  }));
  const state = { seconds: 5000, current: 1, reads: 0, away: false, found: [] as string[] };
  const index: EtagIndex = {
    async read(names) {
      state.reads++;
      return names.map((name) => entries.get(name.toString('hex')));
    },
    async write(written) {
      for (const { name, entry } of written) entries.set(name.toString('hex'), entry);
    },
    close: async () => undefined,
  };
  const kek = async (version: number) => {
    const found = keks.find((each) => each.version === version);
    if (found === undefined || state.away) throw keyStoreUnavailable(new Error('away'));
    return found;
  };
  const keyRings = { current: () => kek(state.current), kek: (_ring: string, version: number) => kek(version) };
  const process = () =>
    new KnownEtags({
      index,
      keyRings,
      memoryBytes: 100_000,
      keepSeconds: KEEP_SECONDS,
      now: () => new Date(state.seconds * 1000),
      randomBytes,
      observer: { etagsFound: (source: EtagSource, count: number) => state.found.push(`${source} ${count}`) },
    });
  const entry = () => [...entries.values()][0];
  return { state, process, entries, entry };
}

describe('what is known of ETags', () => {
  it('is remembered, and behind that found in the index by one read for all', async () => {
    const { state, process, entry } = stand();
    const one = process();
    await one.learn(object, DIGEST);
    expect(await one.find([object, { ...object, backendEtag: 'f' }])).toEqual([DIGEST, undefined]);
    expect(one.recall(object)).toEqual(DIGEST);
    expect(entry()?.length).toBe(ENTRY_BYTES);
    const other = process();
    expect(other.recall(object)).toBeUndefined();
    state.found = [];
    state.reads = 0;
    expect(await other.find([object, { ...object, ref: { ...object.ref, key: 'l' } }, object])).toEqual([
      DIGEST,
      undefined,
      DIGEST,
    ]);
    expect([state.reads, state.found]).toEqual([1, ['index 2']]);
    await other.find([object]);
    expect([state.reads, state.found]).toEqual([1, ['index 2', 'memory 1']]);
  });

  it('is no other tenant’s', async () => {
    const { process } = stand();
    const one = process();
    await one.learn(object, DIGEST);
    expect(await one.find([{ ...object, tenant: { ...tenant, name: 'other' } }])).toEqual([undefined]);
  });

  it('is written again once it is past half its time, and not before', async () => {
    const { state, process, entry } = stand();
    await process().learn(object, DIGEST);
    state.seconds += KEEP_SECONDS / 2;
    await process().find([object]);
    expect(readEntryHead(entry() as Buffer)?.writtenAtSeconds).toBe(5000);
    state.seconds += 1;
    await process().find([object]);
    await expect.poll(() => readEntryHead(entry() as Buffer)?.writtenAtSeconds).toBe(state.seconds);
  });

  it('opens under older versions of the key', async () => {
    const { state, process, entry } = stand();
    await process().learn(object, DIGEST);
    state.current = 2;
    expect(await process().find([object])).toEqual([DIGEST]);
    await process().learn({ ...object, backendEtag: 'f' }, DIGEST);
    expect(readEntryHead(entry() as Buffer)?.kekVersion).toBe(1);
  });

  it('is nothing while its key cannot be had, and what is learnt then is remembered only', async () => {
    const { state, process, entries } = stand();
    const one = process();
    state.away = true;
    await one.learn(object, DIGEST);
    expect([entries.size, one.recall(object)]).toEqual([0, DIGEST]);
    state.away = false;
    await one.learn(object, DIGEST);
    state.away = true;
    expect(await process().find([object])).toEqual([undefined]);
  });

  it('is bounded', async () => {
    const { process } = stand();
    const one = process();
    for (let at = 0; at < 1000; at++) await one.learn({ ...object, backendEtag: `${at}` }, DIGEST);
    expect(one.recall({ ...object, backendEtag: '0' })).toBeUndefined();
    expect(one.recall({ ...object, backendEtag: '999' })).toEqual(DIGEST);
  });
});
