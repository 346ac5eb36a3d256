/**
 * `npm run check` sets it, because it must be done within a minute: then properties are tried with fewer examples, and
 * tables of thousands of entries by a share of them. The seed of the run chooses which, so runs after each other try
 * others. Everything else that runs tests, `npm test` and `vitest` among them, tries all.
 */
export const QUICK = process.env.SEALGATE_TEST_QUICK === '1';

/** Of how many entries of a table `npm run check` tries one. */
const SHARE = 3;
const first = Number(process.env.SEALGATE_TEST_SEED || 0) % SHARE;

/**
 * Says whether this run tries one entry of a table of many dimensions, by its number in each of them. Whatever two of
 * the numbers are, the third decides: so each pair is tried in some run, and each row and column in every run.
 */
export function isTried(...numbers: readonly number[]): boolean {
  return !QUICK || numbers.reduce((sum, number) => sum + number, 0) % SHARE === first;
}

/** The rows of a table that this run tries. `others` are the numbers of its entries in the table's other dimensions. */
export function triedOf<Row>(rows: readonly Row[], ...others: readonly number[]): readonly Row[] {
  return rows.filter((_, at) => isTried(at, ...others));
}
