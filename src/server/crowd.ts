/**
 * Who is connected, by address, and who makes room when there are too many: somebody at the address that has most. So
 * whoever opens many connections crowds out their own first, and nobody else's.
 */
export class Crowd<Member extends object> {
  readonly #addresses = new Map<Member, string>();
  /** In the order in which they came. */
  readonly #byAddress = new Map<string, Set<Member>>();

  get size(): number {
    return this.#addresses.size;
  }

  /** How many are there from one address. */
  sizeOf(address: string): number {
    return this.#byAddress.get(address)?.size ?? 0;
  }

  add(member: Member, address: string): void {
    this.#addresses.set(member, address);
    const there = this.#byAddress.get(address);
    if (there === undefined) this.#byAddress.set(address, new Set([member]));
    else there.add(member);
  }

  remove(member: Member): void {
    const address = this.#addresses.get(member);
    if (address === undefined) return;
    this.#addresses.delete(member);
    const there = this.#byAddress.get(address) as Set<Member>;
    there.delete(member);
    if (there.size === 0) this.#byAddress.delete(address);
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#addresses.keys();
  }

  /** Of the address that has most of those that may go, the one that came first. */
  firstToGo(mayGo: (member: Member) => boolean): Member | undefined {
    let most = 0;
    let first: Member | undefined;
    for (const members of this.#byAddress.values()) {
      if (members.size <= most) continue;
      const going = [...members].filter(mayGo);
      if (going.length <= most) continue;
      most = going.length;
      first = going[0];
    }
    return first;
  }
}
