/**
 * HTTP header fields as they stood on the wire: order, case and duplicates are kept. Values are latin1 strings, one
 * character a byte, as node:http gives them and undici takes them, so that non-ASCII metadata passes byte for byte.
 */
export class HeaderList {
  /** Flat `[name, value, name, value, …]`, node's `rawHeaders` shape. */
  readonly #raw: string[];
  /** The names in lower case, in order; a request has some twenty, which a scan finds sooner than a map is made. */
  readonly #names: string[];
  /** Where each name stands, of a list so long that scans would cost more: made when it is asked, dropped by deletions. */
  #places: Map<string, number[]> | undefined;

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

  /** The first value of a field, or undefined. */
  get(name: string): string | undefined {
    const at = this.#find(name.toLowerCase());
    return at === -1 ? undefined : this.#raw[2 * at + 1];
  }

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

  /** Replaces every occurrence by one. */
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

  /** The loop of hot paths: every field in order, with its name in lower case and as it stood on the wire. */
  forEach(visit: (lowerName: string, value: string, rawName: string) => void): void {
    for (let at = 0; at < this.#names.length; at++) {
      visit(this.#names[at] as string, this.#raw[2 * at + 1] as string, this.#raw[2 * at] as string);
    }
  }

  get size(): number {
    return this.#names.length;
  }

  /** A copy in node's flat shape: what undici and writeHead take. */
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

/** Up to here a scan is quicker than a map. */
const FEW = 40;
const NOWHERE: readonly number[] = [];

function addPlace(places: Map<string, number[]>, name: string, at: number): void {
  const known = places.get(name);
  if (known === undefined) places.set(name, [at]);
  else known.push(at);
}
