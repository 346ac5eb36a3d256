import { BlockList, isIP, isIPv6 } from 'node:net';
import type { HeaderList } from '../wire/headers.ts';
import type { WireClient } from '../wire/message.ts';

/** The fields by which proxies tell whom they speak for: the X-Forwarded-… ones, or Forwarded (RFC 7239). */
export type ProxyFields = 'x-forwarded' | 'forwarded';

/** What one proxy said of who connected to it; whatever it left out or hid is undefined. */
interface Hop {
  readonly address: string | undefined;
  readonly scheme: string | undefined;
}

/**
 * The proxies whose word on the client is taken. A proxy adds what it saw at the end of what it was sent, so the list is
 * read from its end, and only as far as trusted proxies wrote it: what stands before that is the client's own word.
 */
export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #fields: ProxyFields;
  readonly #none: boolean;

  /** @param networks addresses (10.0.0.7, fd00::7) and networks (10.0.0.0/8, fd00::/8), checked before */
  constructor(networks: readonly string[], fields: ProxyFields = 'x-forwarded') {
    this.#fields = fields;
    this.#none = networks.length === 0;
    for (const network of networks) {
      const [address, prefix] = network.split('/') as [string, string?];
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether whoever has this address may speak for others. */
  trusts(address: string): boolean {
    const kind = isIP(address);
    return !this.#none && kind !== 0 && this.#networks.check(address, kind === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * Who sent a request that came from a trusted proxy.
   * @param peer the proxy, and whether it came over TLS: what counts where it says nothing
   */
  clientBehind(peer: WireClient, headers: HeaderList): WireClient {
    const hops = this.#fields === 'forwarded' ? forwardedHops(headers) : xForwardedHops(headers);
    let client = peer;
    for (let at = hops.length - 1; at >= 0 && this.trusts(client.address); at--) {
      const { address, scheme } = hops[at] as Hop;
      const secure = scheme === undefined ? client.secure : scheme === 'https';
      // Hidden or mangled: who stands behind is not known, so this proxy answers for them.
      if (address === undefined) return { address: client.address, secure };
      client = { address, secure };
    }
    return client;
  }
}

/** An address as everybody spells it: without the brackets, the port, the zone, and IPv6's prefix for IPv4. */
export function plainAddress(text: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]*):\d+$/.exec(text)?.[1] ?? text;
  const address = bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? undefined : address.toLowerCase();
}

/**
 * X-Forwarded-For is added to by every proxy; X-Forwarded-Proto by some, while most put their own in its place. So the
 * schemes are counted from the end as the addresses are, and a single one is that of the client.
 */
function xForwardedHops(headers: HeaderList): Hop[] {
  const addresses = listed(headers, 'x-forwarded-for');
  const schemes = listed(headers, 'x-forwarded-proto').map((scheme) => scheme.toLowerCase());
  if (addresses.length === 0) return schemes.length === 0 ? [] : [{ address: undefined, scheme: schemes.at(-1) }];
  return addresses.map((address, at) => {
    return { address: plainAddress(address), scheme: schemes.at(at - addresses.length) ?? schemes[0] };
  });
}

/** RFC 7239 §4: a name, its value in quotes or not, and what comes after it. */
const FORWARDED_PAIR = /\s*([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*(;|,|$)/y;

/** An element a proxy, its pairs split by semicolons. Nobody can tell who wrote what of a malformed one: no hops. */
function forwardedHops(headers: HeaderList): Hop[] {
  const text = headers.getAll('forwarded').join(',');
  const hops: Hop[] = [];
  let pairs = new Map<string, string>();
  for (FORWARDED_PAIR.lastIndex = 0; FORWARDED_PAIR.lastIndex < text.length; ) {
    const [, name, quoted, token, end] = FORWARDED_PAIR.exec(text) ?? [];
    if (name === undefined) return [];
    pairs.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? (token as string));
    if (end === ';') continue;
    hops.push({ address: plainAddress(pairs.get('for') ?? ''), scheme: pairs.get('proto')?.toLowerCase() });
    pairs = new Map();
  }
  return hops;
}

function listed(headers: HeaderList, name: string): string[] {
  return headers
    .getAll(name)
    .flatMap((value) => value.split(','))
    .map((item) => item.trim());
}
