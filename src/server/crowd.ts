/**
 * Counts who is connected from which address, and says who makes room when there are too many: somebody at the address
 * that has most. Whoever opens many connections therefore crowds out their own first, and nobody else's.
 */
export class Crowd<Member extends object> {
  readonly #addresses = new Map<Member, string>();
  /** The members of each address, in the order in which they came. */
  readonly #byAddress = new Map<string, Set<Member>>();

  get size(): number {
    return this.#addresses.size;
  }

  /** How many members there are at this address. */
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

  /** Finds the address that has most members that may go, and returns the one of them that came first. */
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
