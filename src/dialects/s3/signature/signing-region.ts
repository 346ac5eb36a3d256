import type { FrontSettings } from '../../front-dialect.ts';

/**
 * The regions that are accepted under the setting `anyRegion`. It allows what the setting `region` allows, because a
 * stranger's text becomes part of the name of a kept key. It also allows an empty region, with which Apache Libcloud
 * signs for stores that are not Amazon's.
 */
const REGION = /^[A-Za-z0-9-]{0,64}$/;

/** Whether a signature may name this region. */
export function isAcceptedRegion(region: string, settings: Pick<FrontSettings, 'region' | 'anyRegion'>): boolean {
  return region === settings.region || (settings.anyRegion === true && REGION.test(region));
}
