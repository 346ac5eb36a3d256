import { describe, expect, it } from 'vitest';
import { LayoutCache } from '../../../src/formats/sx1/layout-cache.ts';

describe('LayoutCache', () => {
  it('keeps tenants, buckets, keys and versions apart, and forgets past its limit', () => {
    const layouts = new LayoutCache(5_000);
    const layout = { backendEtag: 'e', storedBytes: 1, manifest: { parts: [] } } as unknown as Parameters<
      LayoutCache['set']
    >[2];
    layouts.set('t', { bucket: 'b', key: 'k' }, layout);
    for (const [tenant, ref] of [
      ['u', { bucket: 'b', key: 'k' }],
      ['t', { bucket: 'c', key: 'k' }],
      ['t', { bucket: 'b', key: 'K' }],
      ['t', { bucket: 'b', key: 'k', versionId: 'v' }],
      ['t', { bucket: 'b","k', key: '' }],
    ] as const) {
      expect(layouts.get(tenant, ref)).toBeUndefined();
    }
    expect(layouts.get('t', { bucket: 'b', key: 'k' })).toBe(layout);
    for (let at = 0; at < 20; at++) layouts.set('t', { bucket: 'b', key: `${at}` }, layout);
    expect(layouts.get('t', { bucket: 'b', key: 'k' })).toBeUndefined();
  });
});
