import { statfsSync } from 'node:fs';

const FOLDER = '/dev/shm';
/** Many times what the tests of a ring hold at once. Containers often have 64 MiB there. */
const ROOM_BYTES = 1024 ** 3;

/**
 * A folder in memory, where the system has one with room in it. The stores flush every change that they acknowledge: a
 * disk takes milliseconds for that, thousands of times in a run.
 */
export function memoryFolder(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(FOLDER);
    return bavail * bsize >= ROOM_BYTES ? FOLDER : undefined;
  } catch {
    return undefined; // the system has none
  }
}
