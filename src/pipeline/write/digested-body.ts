import { createHash } from 'node:crypto';
import { passing } from '../../checksums/digest.ts';
import type { BodyProof, VerifiedBody } from '../../dialects/front-dialect.ts';
import type { OperationContext } from '../context.ts';

/**
 * A body of which the MD5 will be known, where the bucket's ETags are made of it: it costs a second and a half a GiB,
 * and is not computed twice where the client declared it.
 */
export function withMd5(body: VerifiedBody, { formats, policy }: OperationContext): VerifiedBody {
  if (policy.etag === 'opaque' || formats.write.asSent || body.provesMd5 === true) return body;
  const digest = createHash('md5');
  let md5: Buffer | undefined;
  const { plaintextBytes, mostBytes, checksumAlgorithm } = body;
  return {
    plaintextBytes,
    mostBytes,
    checksumAlgorithm,
    provesMd5: true,
    bytes: () => passing(body.bytes(), digest),
    proof: (): BodyProof => {
      const { checksum } = body.proof();
      md5 ??= digest.digest();
      return { checksum, md5 };
    },
  };
}
