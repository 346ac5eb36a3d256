import { defineConfig } from 'vitest/config';
import { memoryFolder } from './test/support/memory-folder.ts';
import { type Ring, testNeeds } from './test/support/rings.ts';

const needs = testNeeds();
/** No ring is empty: a pattern without a file would make vitest look for its default ones. */
const filesOf = (ring: Ring) => needs.filter((test) => test.ring === ring).map(({ path }) => path);

/** Opens the pool that lends MinIO, Redis and versitygw to files; it starts them when they are asked for. */
const POOL = ['test/support/servers/pool-setup.ts'];

/** For the temporary files of tests that would wait for a disk most of their time. */
const temporary = memoryFolder();

/**
 * V8 looks through the whole heap each time that some megabytes of buffers were allocated. Half of the time of tests that
 * move bytes went there.
 */
const ROOM_FOR_GARBAGE = ['--initial-old-space-size=256'];

const SETUP = ['test/support/byte-equality.ts'];

/** `expect.poll` waits for an event; how long that takes is the machine's matter. What is promised in time says so. */
const EXPECT = { poll: { timeout: 20_000, interval: 20 } };

/**
 * A project for each ring of tests (CONTRIBUTING.md). `unit` and `integration` run their files side by side, `unit` with
 * one more than two cores would be busy with, because some files mostly wait for time-outs. `e2e` runs one file at a time
 * afterwards, because each file moves hundreds of megabytes, and a test that waits for a core is a flaky test.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // A worker runs many files: what a file changes in its process, it sets right again.
          isolate: false,
          env: temporary === undefined ? {} : { TMPDIR: temporary },
          execArgv: ROOM_FOR_GARBAGE,
          include: filesOf('unit'),
          setupFiles: SETUP,
          expect: EXPECT,
          pool: 'forks',
          maxWorkers: 3,
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
          expect: EXPECT,
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
          expect: EXPECT,
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
