import { vi } from 'vitest';

const STEP_MILLISECONDS = 2000;

/** Work for which time flies: a Complete that waits until another one is over tries a few times, and not for seconds. */
export async function hurried<T>(work: () => Promise<T>): Promise<T> {
  const now = performance.now.bind(performance);
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    ahead += STEP_MILLISECONDS;
    return now() + ahead;
  });
  try {
    return await work();
  } finally {
    clock.mockRestore();
  }
}
