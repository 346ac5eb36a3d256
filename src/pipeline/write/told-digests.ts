import { passing, startDigest } from '../../checksums/digest.ts';
import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { Checksum, ChecksumAlgorithm } from '../../operations/object.ts';
import type { ByteSource } from '../../wire/message.ts';

/** A body whose digests are computed while it is read. */
export interface DigestedBody {
  readonly body: VerifiedBody;
  /** Gives the digests. It must be called once, after the body has ended. */
  readonly digests: () => readonly Checksum[];
}

/**
 * Makes a body compute the digests that a dialect returns for every write, such as the CRC-64 of OSS and COS
 * (`FrontDialect.digests`).
 */
export async function withDigests(body: VerifiedBody, algorithms: readonly ChecksumAlgorithm[]): Promise<DigestedBody> {
  const running = await Promise.all(
    algorithms.map(async (algorithm) => ({ algorithm, digest: await startDigest(algorithm) })),
  );
  const { plaintextBytes, mostBytes, checksumAlgorithm, provesMd5 } = body;
  return {
    body: {
      plaintextBytes,
      mostBytes,
      checksumAlgorithm,
      provesMd5,
      bytes: () => running.reduce<ByteSource>((source, { digest }) => passing(source, digest), body.bytes()),
      proof: () => body.proof(),
    },
    digests: () => running.map(({ algorithm, digest }) => ({ algorithm, value: digest.digest() })),
  };
}
