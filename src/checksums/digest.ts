import { createHash } from 'node:crypto';
import { crc32, crc32c } from '@node-rs/crc32';
import { createCRC64, createXXHash3, createXXHash64, createXXHash128, type IHasher } from 'hash-wasm';
import type { ChecksumAlgorithm } from '../operations/object.ts';

/** A digest that is computed chunk by chunk. */
export interface RunningDigest {
  update(chunk: Buffer): void;
  /** Returns the value; call it once. CRCs and xxHashes are big-endian, as in S3 (for xxHash its canonical form). */
  digest(): Buffer;
}

/** The polynomial of CRC-64/NVME, reflected. Its initial value and final XOR are all ones, as hash-wasm assumes. */
const CRC64_NVME = '9a6c9329ac4bc9b5';

/**
 * Starts a digest. CRC64NVME and the xxHashes need a WebAssembly instance for each digest (about 80 µs), and so return
 * a promise.
 */
export function startDigest(algorithm: ChecksumAlgorithm): RunningDigest | Promise<RunningDigest> {
  switch (algorithm) {
    case 'CRC32':
      return new Crc32Digest(crc32);
    case 'CRC32C':
      return new Crc32Digest(crc32c);
    case 'CRC64NVME':
      return startInWasm(createCRC64(CRC64_NVME));
    case 'XXHASH64':
      return startInWasm(createXXHash64());
    case 'XXHASH3':
      return startInWasm(createXXHash3());
    case 'XXHASH128':
      return startInWasm(createXXHash128());
    case 'SHA1':
    case 'SHA256':
    case 'SHA512':
    case 'MD5':
      return createHash(algorithm);
  }
}

/** Passes bytes on unchanged, and updates a digest with them. */
export async function* passing(
  source: AsyncIterable<Buffer>,
  digest: RunningDigest,
): AsyncGenerator<Buffer, void, void> {
  for await (const piece of source) {
    digest.update(piece);
    yield piece;
  }
}

class Crc32Digest implements RunningDigest {
  readonly #step: (chunk: Buffer, state: number) => number;
  #state = 0;

  constructor(step: (chunk: Buffer, state: number) => number) {
    this.#step = step;
  }

  update(chunk: Buffer): void {
    this.#state = this.#step(chunk, this.#state);
  }

  digest(): Buffer {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(this.#state);
    return value;
  }
}

async function startInWasm(created: Promise<IHasher>): Promise<RunningDigest> {
  const hasher = await created;
  hasher.init();
  return {
    update: (chunk) => {
      hasher.update(chunk);
    },
    digest: () => Buffer.from(hasher.digest('binary')),
  };
}
