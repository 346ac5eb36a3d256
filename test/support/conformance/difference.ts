import type { StoreName } from '../servers/store.ts';
import type { Deviation, EtagMode } from './told.ts';

/** A way in which the gateway answers otherwise than its store, on purpose. */
export interface Difference {
  readonly stores: readonly StoreName[];
  /** Set where it shows in buckets of such ETags alone. */
  readonly etags?: EtagMode;
  /** `scenario/step`, a `*` for anything. Each must show the difference, on each of the stores. */
  readonly at: readonly string[];
  /** `answer` (its status and code), `header NAME`, `body PATH`; a `*` for anything. */
  readonly field: string;
  /** What the store says; undefined: nothing; `*`: whatever it says. */
  readonly direct: string | undefined;
  readonly through: string | undefined;
  /** Why, for the people whose program meets it. */
  readonly reason: string;
}

/** The deviations that no difference explains. */
export function unexplained(
  found: readonly Deviation[],
  differences: readonly Difference[],
  store: StoreName,
): readonly Deviation[] {
  return found.filter((deviation) => !differences.some((difference) => explains(difference, deviation, store)));
}

/** The places of differences where nothing differs (any more): the list would tell what is not so. */
export function untrue(
  found: readonly Deviation[],
  differences: readonly Difference[],
  store: StoreName,
): readonly string[] {
  return differences
    .filter(({ stores }) => stores.includes(store))
    .flatMap((difference) =>
      difference.at
        .filter((at) => !found.some((deviation) => explains({ ...difference, at: [at] }, deviation, store)))
        .map((at) => `${at}: ${difference.field}`),
    );
}

function explains(difference: Difference, deviation: Deviation, store: StoreName): boolean {
  return (
    difference.stores.includes(store) &&
    difference.at.some((at) => matches(at, deviation.at)) &&
    matches(difference.field, deviation.field) &&
    says(difference.direct, deviation.direct) &&
    says(difference.through, deviation.through)
  );
}

function says(listed: string | undefined, value: string | undefined): boolean {
  if (listed === undefined || value === undefined) return listed === value;
  return matches(listed, value);
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split('*')
    .map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(text);
}
