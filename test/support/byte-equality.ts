import { expect } from 'vitest';

/** Of two buffers. vitest compares them element by element, which takes seconds for some megabytes. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) => (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : undefined),
]);
