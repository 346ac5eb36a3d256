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
 * UploadPartCopy (FORMAT.md §9): the source, or a range of it, is opened and sealed again as a part, streaming. Its
 * stored bytes are of no use to the upload, whose parts have other keys.
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
  const { etag, checksum, encryption } = (await isPlainThroughout(operation, source, context))
    ? await copiedByBackend(operation, source, range, context)
    : await openedAndSealed(operation, source, range, { reading, writing: context });
  const lastModified = context.now();
  return { kind: 'PartCopied', etag, checksum, encryption, lastModified, sourceVersionId: stored.versionId };
}

async function lengthOf(object: IdentifiedObject): Promise<Proven<number>> {
  return object.provenBytes ?? (await object.details()).plaintextBytes;
}

/** Unlike a GET's, a range is not cut at the end: the part would have another length than the client counts on. */
function pastTheSource(plaintextBytes: Proven<number>): GatewayError {
  return pastTheEnd(plaintextBytes, `Range specified is not valid for source object of size: ${plaintextBytes}`);
}

/** Where both source and upload lie as they were sent: then the stored bytes are what is asked for. */
async function isPlainThroughout(
  operation: UploadPartCopy,
  { object }: FoundSource,
  context: OperationContext,
): Promise<boolean> {
  if (!context.store.copies || object.stored.storedBytes === 0) return false;
  if (!object.format.asSent || !context.formats.write.asSent) return false;
  // An upload that began under another policy is still of the format that it began in.
  return (await findUpload(operation, context)) === undefined;
}

async function copiedByBackend(
  operation: UploadPartCopy,
  { ref: from, object }: FoundSource,
  range: ByteRange | undefined,
  { knownUploads, store, policy, signal }: OperationContext,
): Promise<Pick<PartStored, 'etag' | 'checksum' | 'encryption'>> {
  const source = { ref: from, etag: object.stored.etag };
  const upload = await knownUploads.prove(operation, store, signal);
  const part = { partNumber: operation.partNumber, source, range };
  const { etag } = await pinned(store.uploads.copyPart(upload, part, signal));
  return { etag: plainEtag(etag, policy), checksum: undefined };
}

async function openedAndSealed(
  { ref, uploadId, partNumber }: UploadPartCopy,
  source: FoundSource,
  range: ByteRange | undefined,
  { reading, writing }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<Pick<PartStored, 'etag' | 'checksum' | 'encryption'>> {
  const plaintext = await openSource(source, range, reading);
  try {
    const bytes = range === undefined ? await lengthOf(source.object) : range.last - range.first + 1;
    const body = authenticated(plaintext, bytes);
    return await uploadPart({ kind: 'UploadPart', ref, uploadId, partNumber }, body, writing);
  } finally {
    await letGo(plaintext); // a refused part never began to read
  }
}

/**
 * The source's plaintext where UploadPart expects a client's: segments were authenticated, and nothing was declared.
 */
function authenticated(source: ByteSource, plaintextBytes: number): VerifiedBody {
  return { plaintextBytes, bytes: () => source, proof: () => ({ checksum: undefined, md5: undefined }) };
}
