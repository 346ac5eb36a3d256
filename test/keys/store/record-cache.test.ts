import { describe, expect, it } from 'vitest';
import {
  type CacheLimits,
  type CacheUse,
  DEFAULT_CACHE_LIMITS,
  RecordCache,
} from '../../../src/keys/store/record-cache.ts';
import { keyStoreUnavailable } from '../../../src/keys/store/record-store.ts';
import { RecordUnreadable } from '../../../src/keys/wrapped-record.ts';
import { CountingObserver, FakeClock } from '../fixture.ts';

/** A cache over a map that counts reads, and can be away or slow. */
function cacheOver(limits: Partial<CacheLimits> = {}) {
  const clock = new FakeClock();
  const observer = new CountingObserver();
  const cache = new RecordCache({
    limits: { ...DEFAULT_CACHE_LIMITS, ...limits },
    monotonicNow: clock.now,
    observer,
  });
  const stored = new Map<string, string>();
  const state = { loads: 0, away: false, error: undefined as Error | undefined, gate: Promise.resolve() };
  const load = async (name: string): Promise<string | undefined> => {
    state.loads++;
    const value = stored.get(name);
    await state.gate;
    if (state.away) throw keyStoreUnavailable(new Error('host 10.0.0.7 is away'), 'The file /etc/x is away');
    if (state.error) throw state.error;
    return value;
  };
  const get = (name = 'a', use: CacheUse = 'read') => cache.get(name, load, use);
  return { cache, clock, observer, stored, state, get, load };
}

const UNAVAILABLE = { code: 'KeyStoreUnavailable', source: 'keys' };

describe('record cache', () => {
  it('reads once, and again after maxAgeSeconds', async () => {
    const { clock, stored, state, get } = cacheOver({ maxAgeSeconds: 60 });
    stored.set('a', '1');
    expect([await get(), await get()]).toEqual(['1', '1']);
    clock.advance(59);
    await get();
    expect(state.loads).toBe(1);
    stored.set('a', '2');
    clock.advance(1);
    expect(await get()).toBe('2');
    expect(state.loads).toBe(2);
  });

  it('coalesces concurrent loads of one name', async () => {
    const { stored, state, get } = cacheOver();
    stored.set('a', '1').set('b', '2');
    expect(await Promise.all([get('a'), get('a'), get('b'), get('a')])).toEqual(['1', '1', '2', '1']);
    expect(state.loads).toBe(2);
  });

  it('reads a changed record again, and does not keep what a load overtaken by the change brought', async () => {
    const { cache, stored, state, get } = cacheOver();
    stored.set('a', 'old');
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    const early = get(); // has read 'old', has not answered
    stored.set('a', 'new');
    cache.changed(['a']);
    const late = get(); // must not join the early load
    resolve();
    expect(await early).toBe('old');
    expect(await late).toBe('new');
    expect(await get()).toBe('new');
    // And with nobody asking in between.
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    cache.changed(['a']);
    const alone = get();
    stored.set('a', 'newest');
    cache.changed(['a']);
    gate.resolve();
    expect(await alone).toBe('new');
    expect(await get()).toBe('newest');
  });

  it('rechecks everything after "all", the loads under way included', async () => {
    const { cache, stored, state, get } = cacheOver();
    stored.set('a', '1').set('b', '1');
    await get('a');
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    const loading = get('b');
    cache.changed('all');
    resolve();
    await loading;
    stored.set('a', '2').set('b', '2');
    expect([await get('a'), await get('b')]).toEqual(['2', '2']);
  });

  it('believes "no such record" for absentSeconds only, and not once it was made', async () => {
    const { cache, clock, stored, state, get } = cacheOver({ absentSeconds: 5 });
    expect(await get()).toBeUndefined();
    expect(await get()).toBeUndefined();
    expect(state.loads).toBe(1);
    stored.set('a', '1');
    clock.advance(4.9);
    expect(await get()).toBeUndefined();
    clock.advance(0.1);
    expect(await get()).toBe('1');
    await get('b');
    stored.set('b', '1');
    cache.changed(['b']);
    expect(await get('b')).toBe('1');
  });

  it('believes that a record is missing as long as one that is there, where it mostly is', async () => {
    const { cache, clock, stored, state, get } = cacheOver({ absentSeconds: 5, maxAgeSeconds: 60, staleSeconds: 300 });
    expect([await get('a', 'find'), await get('a', 'find')]).toEqual([undefined, undefined]);
    clock.advance(59);
    expect([await get('a', 'find'), state.loads]).toEqual([undefined, 1]);
    // Also while the store is away: not having read a record that is not there must stop nobody.
    state.away = true;
    clock.advance(240);
    expect(await get('a', 'find')).toBeUndefined();
    clock.advance(2);
    await expect(get('a', 'find')).rejects.toMatchObject(UNAVAILABLE);
    state.away = false;
    expect(await get('a', 'find')).toBeUndefined();
    stored.set('a', '1');
    cache.changed(['a']);
    expect([await get('a', 'find'), await get('a', 'find')]).toEqual(['1', '1']);
    stored.delete('a');
    cache.changed('all');
    expect(await get('a', 'find')).toBeUndefined();
  });

  it('keeps real records while invented names flood it, in bounded memory', async () => {
    const { stored, state, get } = cacheOver({ absentEntries: 10, entries: 3 });
    stored.set('a', '1');
    await get('a');
    for (let i = 0; i < 1000; i++) await get(`invented${i}`);
    const { loads } = state;
    await get('a');
    expect(state.loads).toBe(loads);
    await get('invented999');
    expect(state.loads).toBe(loads); // among the last ten
    await get('invented0');
    expect(state.loads).toBe(loads + 1); // forgotten
  });

  it('drops the oldest record past its bound', async () => {
    const { stored, state, get } = cacheOver({ entries: 2 });
    for (const name of ['a', 'b', 'c']) stored.set(name, name);
    for (const name of ['a', 'b', 'c', 'c', 'b']) await get(name);
    expect(state.loads).toBe(3);
    await get('a');
    expect(state.loads).toBe(4);
  });

  describe('while the store is away', () => {
    it('serves until staleSeconds after the record was last known to be right, then fails closed', async () => {
      const { cache, clock, stored, state, observer, get } = cacheOver({ maxAgeSeconds: 60, staleSeconds: 300 });
      stored.set('a', '1');
      await get();
      clock.advance(50);
      cache.confirmed(); // the watch's last heartbeat: the 300 seconds begin here
      clock.advance(1);
      state.away = true;
      cache.changed('all');
      clock.advance(298.9);
      expect(await get()).toBe('1');
      expect(observer.counts.stale).toBe(1);
      clock.advance(0.1);
      await expect(get()).rejects.toMatchObject(UNAVAILABLE);
      state.away = false;
      expect(await get()).toBe('1');
    });

    it('lets heartbeats after the loss confirm nothing', async () => {
      const { cache, clock, stored, state, get } = cacheOver({ staleSeconds: 300 });
      stored.set('a', '1');
      await get();
      state.away = true;
      cache.changed('all');
      clock.advance(200);
      cache.confirmed();
      clock.advance(101);
      await expect(get()).rejects.toMatchObject(UNAVAILABLE);
    });

    it('seals only until maxAgeSeconds', async () => {
      const { cache, clock, stored, state, get } = cacheOver({ maxAgeSeconds: 60, staleSeconds: 300 });
      stored.set('a', '1');
      await get();
      state.away = true;
      cache.changed('all');
      clock.advance(59);
      expect(await get('a', 'seal')).toBe('1');
      clock.advance(1);
      await expect(get('a', 'seal')).rejects.toMatchObject(UNAVAILABLE);
      expect(await get('a', 'read')).toBe('1');
    });

    it('serves nothing stale when staleSeconds is 0', async () => {
      const { cache, stored, state, get } = cacheOver({ staleSeconds: 0 });
      stored.set('a', '1');
      await get();
      state.away = true;
      cache.changed('all');
      await expect(get()).rejects.toMatchObject(UNAVAILABLE);
    });

    it('does not serve a record that was named as changed', async () => {
      const { cache, stored, state, get } = cacheOver();
      stored.set('a', 'revoked');
      await get();
      cache.changed(['a']);
      state.away = true;
      await expect(get()).rejects.toMatchObject(UNAVAILABLE);
    });

    it('does not serve a record named as changed while the recheck was failing', async () => {
      const { cache, stored, state, get } = cacheOver();
      stored.set('a', 'revoked');
      await get();
      cache.changed('all');
      const { promise, resolve } = Promise.withResolvers<void>();
      state.gate = promise;
      state.away = true;
      const pending = get();
      cache.changed(['a']);
      resolve();
      await expect(pending).rejects.toMatchObject(UNAVAILABLE);
    });

    it('says nothing about unknown names but that it cannot know', async () => {
      const { state, get } = cacheOver();
      state.away = true;
      await expect(get('unknown')).rejects.toMatchObject(UNAVAILABLE);
    });

    it('makes nobody wait who can be served, and asks the store once a second', async () => {
      const { cache, clock, stored, state, get } = cacheOver();
      stored.set('a', '1');
      await get();
      state.away = true;
      cache.changed('all');
      await get(); // finds out
      expect(state.loads).toBe(2);
      state.gate = new Promise(() => undefined); // from now on the store hangs
      for (let i = 0; i < 10; i++) expect(await get()).toBe('1');
      expect(state.loads).toBe(2);
      clock.advance(1);
      for (let i = 0; i < 10; i++) expect(await get()).toBe('1');
      expect(state.loads).toBe(3);
    });

    it('asks the store again as soon as its watch works again', async () => {
      const { cache, stored, state, get } = cacheOver();
      stored.set('a', '1');
      await get();
      state.away = true;
      cache.changed('all');
      await get();
      state.away = false;
      stored.delete('a'); // it came back without its data
      cache.changed('all');
      cache.confirmed();
      expect(await get('a', 'seal')).toBeUndefined();
    });

    it('tells the client neither host nor path', async () => {
      const { state, get } = cacheOver();
      state.away = true;
      await expect(get()).rejects.toThrow('The key store is not available. Try again later.');
    });
  });

  it('never hides an unreadable record behind its cached older self', async () => {
    const { cache, stored, state, get } = cacheOver();
    stored.set('a', '1');
    await get();
    cache.changed('all');
    state.error = new RecordUnreadable('tenant/a', 'test');
    await expect(get()).rejects.toThrow('tenant/a');
    state.error = undefined;
    state.away = true;
    await expect(get()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('tells the age of what it believes', async () => {
    const { cache, clock, stored, get } = cacheOver();
    expect(cache.oldestAgeSeconds()).toBe(0);
    stored.set('a', '1');
    await get();
    clock.advance(30);
    expect(cache.oldestAgeSeconds()).toBe(30);
    cache.confirmed();
    expect(cache.oldestAgeSeconds()).toBe(0);
  });
});
