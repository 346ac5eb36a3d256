import { z } from 'zod';
import type { SettingRule } from '../settings/forms/rules.ts';
import { type Form, setting } from '../settings/forms/setting.ts';
import { flag, hostPort, listOf, matching, regionName } from '../settings/forms/values.ts';
import type { FrontDialect, FrontSettings } from './front-dialect.ts';
import { FRONTS } from './table.ts';

const domain = matching(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a domain in lower case, without port');

/** A host that stands for a bucket. */
const bucketHost: Form<readonly [host: string, bucket: string]> = {
  expected: 'host=bucket, the host in lower case and without port',
  read: (value) => {
    const match =
      typeof value === 'string' ? /^([a-z0-9][a-z0-9.-]*)=([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/.exec(value) : null;
    return match === null ? undefined : [match[1] as string, match[2] as string];
  },
};

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
  bucketHosts: setting(
    listOf(bucketHost),
    'Hosts that stand for one bucket each (CNAME), as in static.example.com=acme-static.',
  ).prefault([]),
};

function aboutPort(name: string, digests: FrontDialect['digests']): string {
  const port = `A port for clients of ${name} alone: whatever comes there is read as ${name}. \`listen\` speaks it too.`;
  return digests.includes('crc64') ? `${port} With it, every write computes the CRC-64 that ${name} tells.` : port;
}

/** The settings of single dialects, by the dialect's name. */
export const dialectSettings = z.strictObject(
  Object.fromEntries(
    FRONTS.map(({ name, digests }) => [
      name,
      z.strictObject({ listen: setting(hostPort, aboutPort(name, digests)).optional() }).prefault({}),
    ]),
  ),
);

/** The ports of single dialects must differ from all others. */
export const DIALECT_RULES: readonly SettingRule[] = [
  (given) => {
    const names = ['listen', 'admin', ...FRONTS.map(({ name }) => `dialects.${name}.listen`)];
    return names.slice(2).flatMap((setting, at) => {
      const address = given.value(setting);
      if (typeof address !== 'string' || address.endsWith(':0')) return [];
      const same = names.slice(0, at + 2).find((other) => given.value(other) === address);
      return same === undefined ? [] : [{ setting, problem: `is the same address as ${same}` }];
    });
  },
];

/** Returns what the fronts get of the configuration. */
export function frontSettingsOf({
  region,
  anyRegion,
  domains,
  bucketHosts,
}: Omit<FrontSettings, 'bucketHosts'> & {
  readonly bucketHosts: readonly (readonly [host: string, bucket: string])[];
}): FrontSettings {
  return { region, anyRegion, domains, bucketHosts: bucketHosts.length === 0 ? undefined : new Map(bucketHosts) };
}
