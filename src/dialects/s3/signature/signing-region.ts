import type { FrontSettings } from '../../front-dialect.ts';

/**
 * As the setting `region` allows them, for what a stranger writes becomes part of a key that is derived and kept; or none
 * at all: Apache Libcloud signs with an empty one for a store that is not Amazon's.
 */
const REGION = /^[A-Za-z0-9-]{0,64}$/;

/** Whether a signature may name this region. */
export function isTaken(region: string, settings: Pick<FrontSettings, 'region' | 'anyRegion'>): boolean {
  return region === settings.region || (settings.anyRegion === true && REGION.test(region));
}
