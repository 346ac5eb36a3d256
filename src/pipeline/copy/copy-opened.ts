import { passing, startDigest } from '../../checksums/digest.ts';
import type { BodyProof, VerifiedBody } from '../../dialects/front-dialect.ts';
import type { StoredCopy } from '../../dialects/store-exchange.ts';
import { clientError } from '../../errors.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { Checksum, ChecksumAlgorithm, ObjectMetadata } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { pinned } from '../../store/pin.ts';
import type { ByteSource } from '../../wire/message.ts';
import { conditionsToSend, replacingPlanOf } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { crc64In } from '../read/told-crc64.ts';
import { fitsOnePut, putObject, putPlanned } from '../write/put.ts';
import { MAX_PUT_BYTES, type PlannedPut } from '../write/put-known-length.ts';
import { lastModifiedAfterWrite } from '../write/write-answer.ts';
import { withTags } from './copy-in-parts.ts';
import { replacesItself } from './copy-in-place.ts';
import type { SourceObject } from './copy-source.ts';
import { letGo, openSource } from './opened-source.ts';

/** What the client is told of a copy. */
export interface CopiedObject extends StoredCopy {
  /** The ETag that clients see, unquoted. */
  readonly shownEtag: string;
  readonly checksum: Checksum | undefined;
  readonly crc64?: Buffer | undefined;
  readonly encryption: EncryptionFacts | undefined;
}

/**
 * Copies an object by reading it as a GET does and writing it as a PUT does, as a stream. This is for copies that the
 * backend cannot make because the format or the checksum changes, or cannot make safely because the object is copied
 * onto itself. The sealer withholds the end of the copy until the last segment of the source was authenticated, so a
 * source that fails midway leaves nothing behind.
 * @param metadata the destination's metadata in the client's terms
 * @throws GatewayError InvalidRequest for a source that is too large for one PUT, and what GET and PUT throw
 */
export async function copyOpened(
  operation: CopyObject,
  source: SourceObject,
  metadata: ObjectMetadata,
  { reading, writing }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<CopiedObject> {
  const { ref } = operation;
  if (source.details.plaintextBytes > MAX_PUT_BYTES) throw tooLarge();
  const replaced = replacesItself(operation, writing) ? await pinToSource(operation, source, writing) : undefined;
  const settings = await withTags(operation, source, writing);
  const plaintext = await openSource(source, undefined, reading);
  try {
    const body = await readBody(plaintext, source, operation.checksumAlgorithm, writing);
    const put = {
      kind: 'PutObject',
      ref,
      metadata: { ...metadata, ...settings },
      conditions: operation.conditions,
    } as const;
    const ack = await (replaced === undefined
      ? putObject(put, body, writing)
      : pinned(putPlanned({ ...put, ...replaced }, body, writing)));
    const stored = { etag: ack.backendEtag, versionId: ack.versionId, vendor: ack.vendor };
    const lastModified = await lastModifiedAfterWrite(ref, stored, writing);
    const { etag: shownEtag, checksum, crc64, encryption } = ack;
    return { ...stored, shownEtag, checksum, crc64, encryption, lastModified };
  } finally {
    await letGo(plaintext); // a write that was refused has not read it
  }
}

/**
 * Plans a copy that replaces its own source: the client's conditions are judged against the source, and the write gets
 * the condition that the source is still there.
 */
async function pinToSource(
  { ref, conditions }: CopyObject,
  source: SourceObject,
  context: OperationContext,
): Promise<Pick<PlannedPut, 'conditions' | 'heldOnComplete'>> {
  const plan = replacingPlanOf(conditions, context);
  return { conditions: await conditionsToSend(plan, ref, context, source.object), heldOnComplete: plan.heldOnComplete };
}

/**
 * Gives the source's plaintext the form in which PutObject takes a client's body. Reading the source authenticates it.
 * The digests are those that the source's footer holds, or are computed while the plaintext passes.
 */
async function readBody(
  plaintext: ByteSource,
  { details }: SourceObject,
  asked: ChecksumAlgorithm | undefined,
  writing: OperationContext,
): Promise<VerifiedBody> {
  const { plaintextBytes } = details;
  const crc64 = writing.crc64 === undefined ? undefined : await crc64In(details);
  const held = { ...wholeDigests(details), crc64 };
  // As in S3, the copy of an object with a composite checksum has a checksum of all its bytes.
  const wanted = asked ?? details.checksum?.algorithm;
  const { source, proof } =
    wanted === undefined || wanted === held.checksum?.algorithm
      ? { source: plaintext, proof: () => held }
      : await withChecksum(plaintext, wanted, held);
  // A body without a declared length is stored by a multipart upload, which takes larger objects than one PUT.
  const provesMd5 = held.md5 !== undefined;
  const declaredBytes = fitsOnePut(plaintextBytes, writing) ? plaintextBytes : undefined;
  const provesCrc64 = crc64 !== undefined;
  return { plaintextBytes: declaredBytes, provesMd5, provesCrc64, bytes: () => source, proof };
}

/** Makes `plaintext` compute a checksum while it passes. The other digests are taken over. */
async function withChecksum(
  plaintext: ByteSource,
  algorithm: ChecksumAlgorithm,
  held: BodyProof,
): Promise<{ readonly source: ByteSource; readonly proof: () => BodyProof }> {
  const digest = await startDigest(algorithm);
  let checksum: Checksum | undefined;
  return {
    source: passing(plaintext, digest),
    proof: () => {
      checksum ??= { algorithm, value: digest.digest() };
      return { ...held, checksum };
    },
  };
}

/**
 * The digests of the object's bytes. Digests that are made of those of its parts are left out, because the copy is not
 * made of those parts.
 */
function wholeDigests({ checksum, md5, parts }: ObjectDetails): BodyProof {
  return { checksum: checksum?.parts === undefined ? checksum : undefined, md5: parts === undefined ? md5 : undefined };
}

function tooLarge(): Error {
  return clientError(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
  );
}
