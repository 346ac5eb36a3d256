/** Stands for every value that came after the limit was reached, or that does not look like a name. */
const OTHER = 'other';

/**
 * Keeps the values of a label a bounded set, so that no client can grow the registry. The first values that look like
 * names are taken, up to a limit; all others count as `other`.
 */
export class BoundedLabel {
  readonly #limit: number;
  readonly #known = new Map<string, string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns the label of a value; 'none' for undefined. */
  of(value: string | undefined): string {
    if (value === undefined) return 'none';
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#limit || !/^[A-Za-z][A-Za-z0-9_-]{0,47}$/.test(value)) return OTHER;
    this.#known.set(value, value);
    return value;
  }
}

/** The known HTTP methods; any other that the parser lets through counts as `other`. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH']);

export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : OTHER;
}

/** Returns the label of a status; anything that is not a status counts as `other`. */
export function statusLabel(status: number): string {
  return Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : OTHER;
}

/** Returns `2xx` and so on, for histograms: a row for every status would multiply their buckets. */
export function statusClass(status: number): string {
  return Number.isInteger(status) && status >= 100 && status <= 599 ? `${Math.floor(status / 100)}xx` : OTHER;
}
