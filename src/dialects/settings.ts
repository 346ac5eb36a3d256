import { setting } from '../settings/forms/setting.ts';
import { flag, listOf, matching, regionName } from '../settings/forms/values.ts';

const domain = matching(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a domain in lower case, without port');

/** The settings by which clients' requests of every dialect are read (FrontSettings). */
export const frontSettings = {
  region: setting(regionName, 'The region that clients sign for, and that buckets are said to lie in.').prefault(
    'us-east-1',
  ),
  anyRegion: setting(
    flag(),
    'Take signatures for other regions too, as MinIO does while it has none of its own: for applications that are ' +
      'set to whatever region they once had.',
  ).prefault(false),
  domains: setting(
    listOf(domain),
    'Domains under which bucket.domain is a virtual-host request. Path style always works.',
  ).prefault([]),
};
