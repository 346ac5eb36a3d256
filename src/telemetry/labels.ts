/** Stands for every value that came after the limit, or that does not look like a name. */
const OTHER = 'other';

/**
 * Keeps a label's values a bounded set, whatever arrives: the first values that look like names are taken, up to a
 * limit; all others count as `other`. So no client can grow the registry.
 */
export class BoundedLabel {
  readonly #limit: number;
  readonly #known = new Map<string, string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** 'none' for undefined. */
  of(value: string | undefined): string {
    if (value === undefined) return 'none';
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#limit || !/^[A-Za-z][A-Za-z0-9_-]{0,47}$/.test(value)) return OTHER;
    this.#known.set(value, value);
    return value;
  }
}

/** HTTP methods are few; whatever else a parser lets through is `other`. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH']);

export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : OTHER;
}

/** Statuses that are no three-digit number do not get a row of their own. */
export function statusLabel(status: number): string {
  return Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : OTHER;
}

/** `2xx`, for histograms: a row for every status would multiply their buckets. */
export function statusClass(status: number): string {
  return Number.isInteger(status) && status >= 100 && status <= 599 ? `${Math.floor(status / 100)}xx` : OTHER;
}
