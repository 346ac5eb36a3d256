import { clientError } from '../errors.ts';
import type { WireRequest } from '../wire/message.ts';
import type { FrontSettings } from './front-dialect.ts';

/**
 * Returns the bucket that the Host header stands for (CNAME), or that it names under one of the configured domains
 * (virtual-host style); undefined where it names none (path style).
 * @throws GatewayError InvalidRequest for two Host headers
 */
export function hostBucket(request: WireRequest, settings: FrontSettings): string | undefined {
  if (settings.domains.length === 0 && settings.bucketHosts === undefined) return undefined;
  const hosts = request.headers.getAll('host');
  if (hosts.length > 1) throw clientError('InvalidRequest', 'The request has more than one Host header.');
  const host = (hosts[0] ?? '').toLowerCase().replace(/:\d*$/, '');
  return settings.bucketHosts?.get(host) ?? bucketUnderDomain(host, settings.domains);
}

/** The bucket that a host names under one of these domains. @param host in lower case, without port */
export function bucketUnderDomain(host: string, domains: readonly string[]): string | undefined {
  let domain: string | undefined;
  for (const candidate of domains) {
    if (host === candidate) return undefined;
    // The longest domain wins: with `a.example` and `example`, `b.a.example` is bucket b.
    if (host.endsWith(`.${candidate}`) && candidate.length > (domain?.length ?? 0)) domain = candidate;
  }
  return domain === undefined ? undefined : host.slice(0, -domain.length - 1);
}
