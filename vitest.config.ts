import { defineConfig } from 'vitest/config';
import { type Ring, testNeeds } from './test/support/rings.ts';

const needs = testNeeds();
/** No ring is empty: a pattern without a file would make vitest look for its default ones. */
const filesOf = (ring: Ring) => needs.filter((test) => test.ring === ring).map(({ path }) => path);

/** Opens the pool that lends MinIO, Redis and versitygw to files; it starts them when they are asked for. */
const POOL = ['test/support/servers/pool-setup.ts'];

const SETUP = ['test/support/byte-equality.ts'];

/**
 * A project for each ring of tests (CONTRIBUTING.md). `unit` and `integration` run their files side by side; `e2e` runs
 * one file at a time afterwards, because each file moves hundreds of megabytes, and a test that waits for a core is a
 * flaky test.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // A worker runs many files: what a file changes in its process, it sets right again.
          isolate: false,
          include: filesOf('unit'),
          setupFiles: SETUP,
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: filesOf('integration'),
          setupFiles: SETUP,
          globalSetup: POOL,
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: filesOf('e2e'),
          setupFiles: SETUP,
          globalSetup: POOL,
          pool: 'forks',
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
