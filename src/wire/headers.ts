/**
 * HTTP header fields as they stood on the wire: order, case and duplicates are kept. Values are latin1 strings, one
 * character a byte, as node:http gives them and undici takes them, so that non-ASCII metadata passes byte for byte.
 */
export class HeaderList {
  /** Flat `[name, value, name, value, …]`, node's `rawHeaders` shape. */
  readonly #raw: string[];
  #index: Map<string, number[]> | undefined;

  constructor(raw: readonly string[] = []) {
    this.#raw = [...raw];
  }

  static of(entries: Iterable<readonly [string, string]>): HeaderList {
    const list = new HeaderList();
    for (const [name, value] of entries) list.append(name, value);
    return list;
  }

  /** The first value of a field, or undefined. */
  get(name: string): string | undefined {
    const at = this.#find(name)?.[0];
    return at === undefined ? undefined : this.#raw[at + 1];
  }

  getAll(name: string): string[] {
    return (this.#find(name) ?? []).map((at) => this.#raw[at + 1] as string);
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  append(name: string, value: string): this {
    this.#raw.push(name, value);
    this.#index = undefined;
    return this;
  }

  /** Replaces every occurrence by one. */
  set(name: string, value: string): this {
    return this.delete(name).append(name, value);
  }

  delete(name: string): this {
    const found = this.#find(name);
    if (found === undefined) return this;
    for (const at of found.toReversed()) this.#raw.splice(at, 2);
    this.#index = undefined;
    return this;
  }

  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#raw.length; at += 2) yield [this.#raw[at] as string, this.#raw[at + 1] as string];
  }

  [Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    return this.entries();
  }

  get size(): number {
    return this.#raw.length / 2;
  }

  /** A copy in node's flat shape: what undici and writeHead take. */
  toRaw(): string[] {
    return [...this.#raw];
  }

  clone(): HeaderList {
    return new HeaderList(this.#raw);
  }

  #find(name: string): number[] | undefined {
    if (this.#index === undefined) {
      this.#index = new Map();
      for (let at = 0; at < this.#raw.length; at += 2) {
        const key = (this.#raw[at] as string).toLowerCase();
        const places = this.#index.get(key);
        if (places === undefined) this.#index.set(key, [at]);
        else places.push(at);
      }
    }
    return this.#index.get(name.toLowerCase());
  }
}
