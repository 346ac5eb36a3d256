import { createHash } from 'node:crypto';
import { startCrc64 } from '../../checksums/crc64.ts';
import { passing, type RunningDigest } from '../../checksums/digest.ts';
import type { BodyProof, VerifiedBody } from '../../dialects/front-dialect.ts';
import { type EncryptionForm, mayTellMd5 } from '../../operations/encryption.ts';
import type { OperationContext } from '../context.ts';

/**
 * Makes a body compute its MD5 where clients see it as the ETag (`mayTellMd5`), and its CRC-64 where a dialect of the
 * bucket tells it. They cost about 1.5 and 0.5 seconds of CPU for each GiB. So they are left out elsewhere, and
 * where what the body proves anyway has them.
 * @param encryption how the object will be encrypted
 */
export function withDigests(
  body: VerifiedBody,
  context: OperationContext,
  encryption: { readonly kind: EncryptionForm } | undefined,
): VerifiedBody {
  const withMd5 = needsMd5(body, context, encryption) ? withDigest(body, 'md5', createHash('md5')) : body;
  if (context.crc64 === undefined || body.provesCrc64 === true) return withMd5;
  // The store keeps no CRC-64 of what it is sent as it is, so only a client that hears of it has any use for it.
  if (context.crc64 === 'kept' && context.formats.write.asSent) return withMd5;
  return withDigest(withMd5, 'crc64', startCrc64());
}

function needsMd5(
  { provesMd5 }: VerifiedBody,
  { formats, policy }: OperationContext,
  encryption: { readonly kind: EncryptionForm } | undefined,
): boolean {
  return policy.etag === 'md5' && !formats.write.asSent && provesMd5 !== true && mayTellMd5(encryption);
}

/** Makes a body compute one more digest of its proof. */
function withDigest(body: VerifiedBody, name: 'md5' | 'crc64', digest: RunningDigest): VerifiedBody {
  const { plaintextBytes, mostBytes, checksumAlgorithm, provesMd5, provesCrc64 } = body;
  let value: Buffer | undefined;
  return {
    plaintextBytes,
    mostBytes,
    checksumAlgorithm,
    provesMd5: name === 'md5' ? true : provesMd5,
    provesCrc64: name === 'crc64' ? true : provesCrc64,
    bytes: () => passing(body.bytes(), digest),
    proof: (): BodyProof => {
      const proof = body.proof();
      value ??= digest.digest();
      return { ...proof, [name]: value };
    },
  };
}
