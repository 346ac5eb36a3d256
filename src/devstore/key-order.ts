/**
 * Compares keys in UTF-8 byte order, which is S3's listing order. JavaScript's own order is by UTF-16 unit and puts
 * surrogate pairs (U+10000 and up) before U+E000–U+FFFF; UTF-8 puts them after.
 */
export function compareKeys(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Moves surrogates behind U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** The keys of a bucket, sorted. Finding is a binary search; adding moves memory, which is fast enough for a folder. */
export class KeyIndex {
  #keys: string[];

  constructor(keys: Iterable<string> = []) {
    this.#keys = [...keys].sort(compareKeys);
  }

  get size(): number {
    return this.#keys.length;
  }

  at(place: number): string | undefined {
    return this.#keys[place];
  }

  /** Where the first key stands that `isPast` says true of; it must be false, then true, along the order. */
  firstPlace(isPast: (key: string) => boolean, from = 0): number {
    let low = from;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isPast(this.#keys[middle] as string)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  add(key: string): void {
    const place = this.firstPlace((other) => compareKeys(other, key) >= 0);
    if (this.#keys[place] !== key) this.#keys.splice(place, 0, key);
  }

  remove(key: string): void {
    const place = this.firstPlace((other) => compareKeys(other, key) >= 0);
    if (this.#keys[place] === key) this.#keys.splice(place, 1);
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#keys[Symbol.iterator]();
  }
}
