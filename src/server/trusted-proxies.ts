import { isIP } from 'node:net';
import type { HeaderList } from '../wire/headers.ts';
import type { WireClient } from '../wire/message.ts';
import { Networks } from '../wire/networks.ts';

/**
 * The fields in which proxies say who the client is: X-Forwarded-For and X-Forwarded-Proto, or Forwarded (RFC 7239).
 */
export type ProxyFields = 'x-forwarded' | 'forwarded';

/** What one proxy said about who connected to it; undefined is what it left out or hid. */
interface Hop {
  readonly address: string | undefined;
  readonly scheme: string | undefined;
}

/**
 * The proxies that are trusted to say who the client is. A proxy appends what it saw to what it received, so the list
 * is read from its end, and only as far as trusted proxies wrote it. What stands before that was written by the client
 * itself.
 */
export class TrustedProxies {
  readonly #networks: Networks;
  readonly #fields: ProxyFields;
  readonly #none: boolean;

  /** @param networks addresses (10.0.0.7, fd00::7) and networks (10.0.0.0/8, fd00::/8) that were checked before */
  constructor(networks: readonly string[], fields: ProxyFields = 'x-forwarded') {
    this.#fields = fields;
    this.#none = networks.length === 0;
    this.#networks = new Networks(networks);
  }

  /** Whether a peer at this address is trusted to say who the client is. */
  trusts(address: string): boolean {
    return !this.#none && this.#networks.contains(address);
  }

  /**
   * Finds who sent a request that came from a trusted proxy.
   * @param peer the proxy, and whether it came over TLS, which counts if the proxy says nothing
   */
  clientBehind(peer: WireClient, headers: HeaderList): WireClient {
    const hops = this.#fields === 'forwarded' ? forwardedHops(headers) : xForwardedHops(headers);
    let client = peer;
    for (let at = hops.length - 1; at >= 0 && this.trusts(client.address); at--) {
      const { address, scheme } = hops[at] as Hop;
      const secure = scheme === undefined ? client.secure : scheme === 'https';
      // The address is hidden or malformed, so the client is not known, and this proxy's address stands for it.
      if (address === undefined) return { address: client.address, hidden: true, secure };
      client = { address, secure };
    }
    return client;
  }
}

/** Returns the address without brackets, port, zone, and IPv6's prefix for IPv4; undefined if it is no address. */
export function plainAddress(text: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]*):\d+$/.exec(text)?.[1] ?? text;
  const address = bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? undefined : address.toLowerCase();
}

/**
 * Reads X-Forwarded-For and X-Forwarded-Proto. Every proxy appends to the first. Some append to the second, while most
 * replace it. So the schemes are counted from the end, as the addresses are, and a single scheme is the client's.
 */
function xForwardedHops(headers: HeaderList): Hop[] {
  const addresses = listed(headers, 'x-forwarded-for');
  const schemes = listed(headers, 'x-forwarded-proto').map((scheme) => scheme.toLowerCase());
  if (addresses.length === 0) return schemes.length === 0 ? [] : [{ address: undefined, scheme: schemes.at(-1) }];
  return addresses.map((address, at) => {
    return { address: plainAddress(address), scheme: schemes.at(at - addresses.length) ?? schemes[0] };
  });
}

/** One pair of a Forwarded field (RFC 7239 §4): a name, its value with or without quotes, and the sign after it. */
const FORWARDED_PAIR = /\s*([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*(;|,|$)/y;

/**
 * Reads Forwarded: one element a proxy, whose pairs are separated by semicolons. In a malformed field nobody can tell
 * who wrote what, because the client may have begun the field. So it says nothing but that there is a client.
 */
function forwardedHops(headers: HeaderList): Hop[] {
  const text = headers.getAll('forwarded').join(',');
  const hops: Hop[] = [];
  let pairs = new Map<string, string>();
  for (FORWARDED_PAIR.lastIndex = 0; FORWARDED_PAIR.lastIndex < text.length; ) {
    const [, name, quoted, token, end] = FORWARDED_PAIR.exec(text) ?? [];
    if (name === undefined) return [{ address: undefined, scheme: undefined }];
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
