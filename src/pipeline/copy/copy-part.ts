import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { GatewayError, Proven } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { PartCopied, PartStored } from '../../operations/answer.ts';
import type { UploadPartCopy } from '../../operations/operation.ts';
import { pinned, readingAgain } from '../../store/pin.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import { authorizeSource } from '../admission/authorize.ts';
import { planSource } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { plainEtag } from '../etags/shown-etag.ts';
import { pastTheEnd } from '../read/wanted-range.ts';
import { uploadPart } from '../upload/part.ts';
import { findUpload } from '../upload/state.ts';
import { type FoundSource, findSource } from './copy-source.ts';
import { letGo, openSource } from './opened-source.ts';

/**
 * Carries out UploadPartCopy (FORMAT.md §9). The source, or a range of it, is opened and sealed again as a part, as a
 * stream. Its stored bytes cannot be copied into the upload, because the upload's parts are sealed under other keys.
 * @throws ObjectReplaced; GatewayError InvalidRange, what GET throws for the source, and what UploadPart throws
 */
export async function uploadPartCopy(operation: UploadPartCopy, context: OperationContext): Promise<PartCopied> {
  const reading = authorizeSource(operation.source, context);
  const plan = planSource(operation.source.conditions);
  return readingAgain(async () => {
    const source = await findSource(operation.source.ref, plan, reading);
    return copyFound(operation, source, { reading, writing: context });
  });
}

async function copyFound(
  operation: UploadPartCopy,
  source: FoundSource,
  { reading, writing: context }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<PartCopied> {
  const { stored } = source.object;
  const { range } = operation;
  const plaintextBytes = await lengthOf(source.object);
  if (range !== undefined && range.last >= plaintextBytes) throw pastTheSource(plaintextBytes);
  const { etag, checksum, crc64, encryption } = (await canStoreCopy(operation, source, context))
    ? await copyWithinBackend(operation, source, range, context)
    : await copyThroughGateway(operation, source, range, { reading, writing: context });
  const lastModified = context.now();
  const sourceVersionId = stored.versionId;
  return { kind: 'PartCopied', etag, checksum, crc64, encryption, lastModified, sourceVersionId };
}

async function lengthOf(object: IdentifiedObject): Promise<Proven<number>> {
  return object.provenBytes ?? (await object.details()).plaintextBytes;
}

/**
 * Makes the error for a range that ends past the end of the source. A GET would cut such a range short, but a part must
 * have the length that the client expects.
 */
function pastTheSource(plaintextBytes: Proven<number>): GatewayError {
  return pastTheEnd(plaintextBytes, `Range specified is not valid for source object of size: ${plaintextBytes}`);
}

/** Whether source and upload are both stored as they were sent. Then the store can copy the stored bytes. */
async function canStoreCopy(
  operation: UploadPartCopy,
  { object }: FoundSource,
  context: OperationContext,
): Promise<boolean> {
  if (!context.store.copies || object.stored.storedBytes === 0) return false;
  if (!object.format.asSent || !context.formats.write.asSent) return false;
  // An upload that was begun under a policy of sealing has a state here, and stays sealed when the policy changes.
  return (await findUpload(operation, context)) === undefined;
}

async function copyWithinBackend(
  operation: UploadPartCopy,
  { ref: from, object }: FoundSource,
  range: ByteRange | undefined,
  { knownUploads, store, policy, signal }: OperationContext,
): Promise<Pick<PartStored, 'etag' | 'checksum' | 'crc64' | 'encryption'>> {
  const source = { ref: from, etag: object.stored.etag, encryption: await object.storeKey?.() };
  const upload = await knownUploads.prove(operation, store, signal);
  const part = { partNumber: operation.partNumber, source, range };
  const { etag, told } = await pinned(store.uploads.copyPart(upload, part, signal));
  return { etag: plainEtag(etag, policy), checksum: undefined, encryption: told };
}

async function copyThroughGateway(
  { ref, uploadId, partNumber }: UploadPartCopy,
  source: FoundSource,
  range: ByteRange | undefined,
  { reading, writing }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<Pick<PartStored, 'etag' | 'checksum' | 'crc64' | 'encryption'>> {
  const plaintext = await openSource(source, range, reading);
  try {
    const bytes = range === undefined ? await lengthOf(source.object) : range.last - range.first + 1;
    const body = bodyOfPart(plaintext, bytes);
    return await uploadPart({ kind: 'UploadPart', ref, uploadId, partNumber }, body, writing);
  } finally {
    await letGo(plaintext); // a part that was refused has not read it
  }
}

/**
 * Gives the source's plaintext the form in which UploadPart takes a client's body. Reading the source authenticates it,
 * and there is no declared digest to check.
 */
function bodyOfPart(source: ByteSource, plaintextBytes: number): VerifiedBody {
  return { plaintextBytes, bytes: () => source, proof: () => ({ checksum: undefined, md5: undefined }) };
}
