import { randomFillSync } from 'node:crypto';

/** A small upload draws five values; asking the kernel's generator for each costs more than sealing its body. */
const POOL_BYTES = 8192;

/**
 * Random bytes drawn from a pool that is filled from the system's generator. Each byte is handed out once, as a copy,
 * and wiped from the pool: nothing of a later DEK lies where an earlier salt was.
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
