import { BlockList, isIP, isIPv6 } from 'node:net';

/** A set of IP addresses: single ones, and networks in CIDR notation. */
export class Networks {
  readonly #list = new BlockList();

  /** @param networks addresses (10.0.0.7, fd00::7) and networks (10.0.0.0/8, fd00::/8) that were checked before */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address, prefix] = network.split('/') as [string, string?];
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether the address is in the set. A text that is no address never is. */
  contains(address: string): boolean {
    const kind = isIP(address);
    return kind !== 0 && this.#list.check(address, kind === 6 ? 'ipv6' : 'ipv4');
  }
}
