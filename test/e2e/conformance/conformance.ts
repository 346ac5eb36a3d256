import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Difference, unexplained, untrue } from '../../support/conformance/difference.ts';
import type { Scenario } from '../../support/conformance/scenario.ts';
import { type Deviation, deviations, type EtagMode, told } from '../../support/conformance/told.ts';
import { ConformanceWay } from '../../support/conformance/way.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { MD5_ETAGS, type StoreStand, standOver } from '../../support/servers/stand.ts';
import type { Store, StoreName } from '../../support/servers/store.ts';
import { DIFFERENCES } from './differences.ts';
import { SCENARIOS } from './scenarios.ts';

/** Sends every scenario straight to the store and through the gateway over it, and holds the differences to the list. */
export function describeConformance(store: StoreName, start: () => Promise<Store>, etags: EtagMode = 'opaque'): void {
  const listed = DIFFERENCES.filter((difference) => difference.etags === undefined || difference.etags === etags);
  const differences = etags === 'md5' ? listed.map(ofAnyEtag) : listed;
  describe(`over ${store}, ETags ${etags}, the gateway answers as the store itself`, () => {
    let stand: StoreStand;
    let ways: { readonly direct: ConformanceWay; readonly through: ConformanceWay };
    const found: Deviation[] = [];

    beforeAll(async () => {
      stand = await standOver(await start(), etags === 'md5' ? MD5_ETAGS : {});
      ways = {
        direct: new ConformanceWay({ ...stand.store, prefix: 'dire-' }),
        through: new ConformanceWay({ ...TENANT, endpoint: stand.gateway.endpoint, prefix: 'acme-' }),
      };
    });

    afterAll(async () => {
      ways?.direct.close();
      ways?.through.close();
      await stand?.stop();
    });

    it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (_name, scenario) => {
      const here = await runBothWays(scenario, ways, etags);
      found.push(...here);
      expect(unexplained(here, differences, store)).toEqual([]);
    });

    it('and differs wherever docs/conformance.md says so', () => {
      expect(untrue(found, differences, store)).toEqual([]);
    });
  });
}

/** Where ETags are told by their value. */
function ofAnyEtag(difference: Difference): Difference {
  const any = (value: string | undefined) => value?.replaceAll('{etag}', '{*}');
  return { ...difference, direct: any(difference.direct), through: any(difference.through) };
}

export async function runBothWays(
  { name, steps }: Scenario,
  { direct, through }: { readonly direct: ConformanceWay; readonly through: ConformanceWay },
  etags: EtagMode = 'opaque',
): Promise<Deviation[]> {
  const bucket = name.replaceAll(' ', '-');
  const found: Deviation[] = [];
  for (const step of [{ name: 'create bucket', method: 'PUT' }, ...steps]) {
    const [straight, sealed] = await Promise.all([direct.run(step, bucket), through.run(step, bucket)]);
    found.push(...deviations(`${name}/${step.name}`, told(straight, direct, etags), told(sealed, through, etags)));
  }
  return found;
}
