import { randomFillSync } from 'node:crypto';

/**
 * The size of the pool. A small upload draws five values, and asking the kernel for each would cost more than sealing
 * its body.
 */
const POOL_BYTES = 8192;

/**
 * Returns a source of random bytes that draws from a pool, which is filled from the system's generator. Each byte is
 * given out once, as a copy, and wiped from the pool, so that no byte of a later DEK lies where an earlier salt was.
 */
export function createRandomPool(): (bytes: number) => Buffer {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let at = POOL_BYTES;
  return (bytes) => {
    if (bytes > POOL_BYTES) return randomFillSync(Buffer.allocUnsafeSlow(bytes));
    if (at + bytes > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const drawn = Buffer.from(pool.subarray(at, at + bytes));
    pool.fill(0, at, at + bytes);
    at += bytes;
    return drawn;
  };
}
