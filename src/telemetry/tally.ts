import { Counter, type Registry } from 'prom-client';

/** One series of a counter. Whoever counts adds to `pending`. */
export interface Cell {
  pending: number;
}

/**
 * A counter whose hot path is one addition. prom-client's own `inc` hashes the labels every time (0.3 µs), so that the
 * ten counts of a request would cost more than its log line. The cells are added to prom-client's counter when it is
 * scraped.
 */
export class Tally {
  readonly #cells = new Map<string, Cell & { readonly labels: Record<string, string> }>();
  readonly #labelNames: readonly string[];

  constructor(
    registry: Registry,
    options: {
      readonly name: string;
      readonly help: string;
      readonly labelNames?: readonly string[];
      /** Reads a count that is kept elsewhere and never falls. It is called at every scrape. */
      readonly reading?: () => number;
    },
  ) {
    this.#labelNames = options.labelNames ?? [];
    const cells = this.#cells;
    const { reading } = options;
    let readBefore = 0;
    new Counter({
      name: options.name,
      help: options.help,
      labelNames: [...this.#labelNames],
      registers: [registry],
      collect() {
        if (reading !== undefined) {
          const now = reading();
          this.inc(now - readBefore);
          readBefore = now;
        }
        for (const cell of cells.values()) {
          this.inc(cell.labels, cell.pending);
          cell.pending = 0;
        }
      },
    });
  }

  /**
   * Returns the series with these label values, given in the order of the label names. Values must come from a bounded
   * set.
   */
  cell(...values: string[]): Cell {
    const key = values.join('\n');
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] as string]));
    const cell = { pending: 0, labels };
    this.#cells.set(key, cell);
    return cell;
  }

  add(count: number, ...values: string[]): void {
    this.cell(...values).pending += count;
  }
}
