/**
 * HTTP header fields as they stood on the wire: order, case and duplicates are kept. Values are latin1 strings, one
 * character a byte, as node:http gives them and undici takes them, so that non-ASCII metadata passes byte for byte.
 */
export class HeaderList {
  /** Flat `[name, value, name, value, …]`, node's `rawHeaders` shape. */
  readonly #raw: string[];
  /** The names in lower case, in order; a request has some twenty, which a scan finds sooner than a map is made. */
  readonly #names: string[];

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
    const at = this.#names.indexOf(name.toLowerCase());
    return at === -1 ? undefined : this.#raw[2 * at + 1];
  }

  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    const values: string[] = [];
    for (let at = this.#names.indexOf(lower); at !== -1; at = this.#names.indexOf(lower, at + 1)) {
      values.push(this.#raw[2 * at + 1] as string);
    }
    return values;
  }

  has(name: string): boolean {
    return this.#names.includes(name.toLowerCase());
  }

  append(name: string, value: string): this {
    this.#raw.push(name, value);
    this.#names.push(name.toLowerCase());
    return this;
  }

  /** Replaces every occurrence by one. */
  set(name: string, value: string): this {
    return this.delete(name).append(name, value);
  }

  delete(name: string): this {
    const lower = name.toLowerCase();
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
}
