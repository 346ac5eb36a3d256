/**
 * The headers of a request or an answer. Order, upper and lower case, and duplicates are kept. Values hold bytes as
 * latin1 characters, as node:http gives them and undici takes them, so that metadata that is not ASCII passes byte for
 * byte. Names are looked up without regard to case.
 */
export class HeaderList {
  /** Names and values in turn (`[name, value, name, value, …]`), as in node's `rawHeaders`. */
  readonly #raw: string[];
  /**
   * The names in lower case, in order. Most requests have some twenty, for which a scan is faster than making a map.
   */
  readonly #names: string[];
  /** For a long list, the places of each name. It is made at the first look-up, and dropped by a deletion. */
  #places: Map<string, number[]> | undefined;

  /** @param raw names and values in turn */
  constructor(raw: readonly string[] = []) {
    this.#raw = raw.slice();
    this.#names = [];
    for (let at = 0; at < raw.length; at += 2) this.#names.push((raw[at] as string).toLowerCase());
  }

  static of(entries: Iterable<readonly [string, string]>): HeaderList {
    const list = new HeaderList();
    for (const [name, value] of entries) list.append(name, value);
    return list;
  }

  /** Returns the first value of a header, or undefined. */
  get(name: string): string | undefined {
    const at = this.#find(name.toLowerCase());
    return at === -1 ? undefined : this.#raw[2 * at + 1];
  }

  /** Returns all values of a header, in order. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    if (this.#names.length > FEW) return this.#allPlaces(lower).map((at) => this.#raw[2 * at + 1] as string);
    const values: string[] = [];
    for (let at = this.#names.indexOf(lower); at !== -1; at = this.#names.indexOf(lower, at + 1)) {
      values.push(this.#raw[2 * at + 1] as string);
    }
    return values;
  }

  has(name: string): boolean {
    return this.#find(name.toLowerCase()) !== -1;
  }

  append(name: string, value: string): this {
    const lower = name.toLowerCase();
    this.#raw.push(name, value);
    const at = this.#names.push(lower) - 1;
    if (this.#places !== undefined) addPlace(this.#places, lower, at);
    return this;
  }

  /** Replaces all headers of a name by one, at the end of the list. */
  set(name: string, value: string): this {
    return this.delete(name).append(name, value);
  }

  delete(name: string): this {
    const lower = name.toLowerCase();
    this.#places = undefined;
    for (let at = this.#names.lastIndexOf(lower); at !== -1; at = this.#names.lastIndexOf(lower)) {
      this.#names.splice(at, 1);
      this.#raw.splice(2 * at, 2);
    }
    return this;
  }

  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#raw.length; at += 2) yield [this.#raw[at] as string, this.#raw[at + 1] as string];
  }

  [Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    return this.entries();
  }

  /** Visits every header in order, with its name in lower case and as it was sent. It is faster than `entries`. */
  forEach(visit: (lowerName: string, value: string, rawName: string) => void): void {
    for (let at = 0; at < this.#names.length; at++) {
      visit(this.#names[at] as string, this.#raw[2 * at + 1] as string, this.#raw[2 * at] as string);
    }
  }

  get size(): number {
    return this.#names.length;
  }

  /** Returns names and values in turn, as undici and node's `writeHead` take them. */
  toRaw(): string[] {
    return this.#raw.slice();
  }

  clone(): HeaderList {
    return new HeaderList(this.#raw);
  }

  #find(lower: string): number {
    return this.#names.length > FEW ? (this.#allPlaces(lower)[0] ?? -1) : this.#names.indexOf(lower);
  }

  #allPlaces(lower: string): readonly number[] {
    if (this.#places === undefined) {
      this.#places = new Map();
      for (const [at, name] of this.#names.entries()) addPlace(this.#places, name, at);
    }
    return this.#places.get(lower) ?? NOWHERE;
  }
}

/** The length of a list up to which a scan is faster than a map. */
const FEW = 40;
const NOWHERE: readonly number[] = [];

function addPlace(places: Map<string, number[]>, name: string, at: number): void {
  const known = places.get(name);
  if (known === undefined) places.set(name, [at]);
  else known.push(at);
}
