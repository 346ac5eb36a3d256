import { createHash } from 'node:crypto';
import { passing } from '../../checksums/digest.ts';
import type { BodyProof, VerifiedBody } from '../../dialects/front-dialect.ts';
import { type EncryptionForm, mayTellMd5 } from '../../operations/encryption.ts';
import type { OperationContext } from '../context.ts';

/**
 * Makes a body compute its MD5 where clients see it as the ETag (`mayTellMd5`). It costs about 1.5 seconds of CPU for
 * each GiB, so it is left out elsewhere, and where verifying the client's Content-MD5 gives it anyway.
 * @param encryption how the object will be encrypted
 */
export function withMd5(
  body: VerifiedBody,
  { formats, policy }: OperationContext,
  encryption: { readonly kind: EncryptionForm } | undefined,
): VerifiedBody {
  if (policy.etag === 'opaque' || formats.write.asSent || body.provesMd5 === true || !mayTellMd5(encryption))
    return body;
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
