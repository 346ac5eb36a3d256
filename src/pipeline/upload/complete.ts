import { setTimeout as sleep } from 'node:timers/promises';
import { crc64OfPieces } from '../../checksums/crc64.ts';
import type { CompletedPart } from '../../dialects/store-exchange.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { UploadContents } from '../../formats/format.ts';
import type { UploadCompleted } from '../../operations/answer.ts';
import type { CompleteMultipartUpload } from '../../operations/operation.ts';
import { backendEtag } from '../../store/etag.ts';
import { isBusyWithUpload, undefinedIfBusy } from '../../store/mend/busy-complete.ts';
import { completeInTurn } from '../../store/mend/completes-in-turn.ts';
import type { ProvenUpload } from '../../store/proven-upload.ts';
import type { WritePlan } from '../conditions/plan.ts';
import { conditionsToSend, mustBeHeldOnComplete, writePlanOf } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { digestIn, plainEtag } from '../etags/shown-etag.ts';
import { crc64AfterWrite } from '../read/told-crc64.ts';
import { etagAfterWrite } from '../write/write-answer.ts';
import { sendBackendParts } from './backend-parts.ts';
import { checksumOfObject, chosenParts, contentsOf, missingPart } from './chosen-parts.ts';
import {
  type CompletedObject,
  completedBefore,
  completedMeanwhile,
  completedObject,
  requestDigest,
} from './completed-before.ts';
import { backendParts } from './list.ts';
import { type BackendPart, planBackendParts } from './plan.ts';
import { endedEntries, noSuchUpload, type ReadUpload, withUpload } from './state.ts';

/** How long it is remembered that an upload was completed, for a client that missed the answer and asks again. */
const COMPLETED_KEEP_SECONDS = 900;

/**
 * How long a Complete is tried. Two Completes of one upload at the same time overwrite each other's footer, and the one
 * that came too late tries again. The limit is a time and not a number of attempts, because a busy store takes longer
 * over the Complete that came first.
 */
const PATIENCE_MILLISECONDS = 8000;
/** The n-th attempt is followed by a random wait of up to n times this. */
const RETRY_MILLISECONDS = 50;
/** The longest wait between two attempts. */
const LONGEST_RETRY_MILLISECONDS = 800;

/**
 * Carries out CompleteMultipartUpload (FORMAT.md §6): sends the staged parts and the footer to the backend's upload and
 * completes that. The object appears with the backend's own Complete; until then a client may try again.
 * @throws GatewayError NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest, InvalidRequest,
 *   PreconditionFailed, NotImplemented for conditions that the store would ignore, and what the store throws
 */
export async function completeUpload(
  operation: CompleteMultipartUpload,
  context: OperationContext,
): Promise<UploadCompleted> {
  const guard = writePlanOf(operation.conditions, context);
  mustBeHeldOnComplete(guard, context);
  const { ref, uploadId } = operation;
  return completeInTurn(JSON.stringify([ref.bucket, ref.key, uploadId]), context.findings, () =>
    withUpload(operation, context, (upload) => complete(operation, guard, upload, context)),
  );
}

async function complete(
  operation: CompleteMultipartUpload,
  guard: WritePlan,
  upload: ReadUpload | undefined,
  context: OperationContext,
): Promise<UploadCompleted> {
  if (upload === undefined) {
    if (!context.formats.write.asSent) throw noSuchUpload(operation, context);
    return completePlain(operation, guard, context);
  }
  context.foretell?.(upload.writer.encryption);
  if (upload.completed !== undefined) return completedBefore(operation, upload, context);
  const parts = await chosenParts(operation, upload, context);
  const checksum = await checksumOfObject(operation, upload, parts);
  const contents = contentsOf(parts, checksum);
  const { storedPartBytes, endPartNumber } = upload.writer.format;
  const smallestBytes = context.store.limits.smallestPartBytes;
  const plan = planBackendParts(parts, { smallestBytes, storedPartBytes, endPartNumber });
  const completed = await assemble(operation, { upload, contents, plan, guard }, context);
  const { backendEtag, answer } = completed;
  upload.writer.remember(contents, backendEtag);
  const { encryption, id } = upload.writer;
  const ofParts = context.crc64 === undefined ? undefined : await crc64OfPieces(parts);
  const digest = digestIn({ ...contents, crc64: ofParts }, id, encryption);
  const etag = await etagAfterWrite(backendEtag, digest, upload.ref, context);
  await markCompleted(operation, { upload, completed }, context);
  const crc64 = ofParts ?? (await crc64AfterWrite(upload.ref, backendEtag, context));
  return { ...answer, etag, checksum, crc64 };
}

/** What is needed to complete the backend's upload. */
interface Assembly {
  readonly upload: ReadUpload;
  /** The object's parts, length and digests, of which the footer is made. */
  readonly contents: UploadContents;
  readonly plan: readonly BackendPart[];
  /** How the client's conditions on the object that is there are judged. */
  readonly guard: WritePlan;
}

/**
 * Completes the backend's upload, in several attempts if need be.
 * @throws GatewayError the refusal of the last attempt
 */
async function assemble(
  operation: CompleteMultipartUpload,
  assembly: Assembly,
  context: OperationContext,
): Promise<CompletedObject> {
  const release = context.budget.reserve(2 * endBytesOf(assembly)); // the footer's plaintext and its sealed form
  const begunAt = performance.now();
  try {
    for (let attempt = 1; ; attempt++) {
      const isLast = performance.now() - begunAt > PATIENCE_MILLISECONDS;
      let refusal = noSuchUpload(assembly.upload, context);
      try {
        const completed = await attemptComplete(assembly, context);
        if (completed !== undefined) return completed;
      } catch (error) {
        const happened = explainRefusal(error, operation, { ...assembly, isLast }, context);
        const completed = await happened.catch(undefinedIfBusy);
        if (completed !== undefined) return completed;
        if (error instanceof GatewayError && !isUploadOver(error)) refusal = error;
      }
      if (isLast) throw refusal;
      await sleep(Math.random() * Math.min(RETRY_MILLISECONDS * attempt, LONGEST_RETRY_MILLISECONDS));
    }
  } finally {
    release();
  }
}

/**
 * Sends what is missing to the backend's upload and completes it, once.
 * @returns undefined where the backend acknowledged the Complete and yet the object is not there
 */
async function attemptComplete(
  { upload, contents, plan, guard }: Assembly,
  context: OperationContext,
): Promise<CompletedObject | undefined> {
  const { findings, store, signal } = context;
  const { ref, proven, writer } = upload;
  const parts = await sendBackendParts(plan, { upload, end: writer.end(contents) }, context);
  const conditions = await conditionsToSend(guard, ref, context);
  const stored = await store.uploads.complete(proven, { parts, conditions }, signal);
  const acknowledged = completedObject(upload, stored);
  if (findings.capabilities.truthfulCompletes) return acknowledged;
  return completedMeanwhile(upload, { parts: contents.parts, acknowledged }, context);
}

/** The errors that a backend gives to a Complete that came too late, or whose parts were overwritten meanwhile. */
const OVERTAKEN: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchUpload',
  'InvalidPart',
  'PreconditionFailed',
  'ConditionalRequestConflict',
]);

/**
 * Finds out why the backend refused a Complete.
 * @returns the object, where another Complete of the same upload made it; undefined where it is worth trying again
 * @throws the refusal where trying again is of no use, or InvalidPart for a part that the client must send again
 */
async function explainRefusal(
  error: unknown,
  operation: CompleteMultipartUpload,
  { upload, contents, plan, isLast }: Assembly & { readonly isLast: boolean },
  context: OperationContext,
): Promise<CompletedObject | undefined> {
  if (!(error instanceof GatewayError)) throw error;
  const busy = isBusyWithUpload(error);
  if (!busy && !OVERTAKEN.has(error.code)) throw error;
  const completed = await completedMeanwhile(upload, contents, context);
  if (completed !== undefined) return completed;
  // On Versity S3 Gateway the upload is gone as soon as another Complete begins, and the object appears when that ends.
  if (busy || isUploadOver(error)) return undefined;
  // An InvalidPart that names a part is the gateway's own: a staged part is gone, and the client must send it again.
  if (error.code !== 'InvalidPart' || error.details.PartNumber !== undefined) throw error;
  // The backend did not say which part is invalid. If another attempt replaced a part, the client must send it again.
  const held = await backendParts(upload, { after: 0, until: Number.MAX_SAFE_INTEGER }, context).catch(
    undefinedIfUploadOver,
  );
  if (held === undefined) return undefined;
  for (const part of plan) {
    if (part.kind !== 'held') continue;
    const etag = held.get(part.partNumber);
    if (etag === '') return undefined; // the store lists the part without ETag: the next attempt will know more
    // Versity S3 Gateway moves the parts away one by one while it carries out another Complete.
    if (etag === undefined && !isLast) return undefined;
    if (etag !== part.etag) {
      const named = operation.parts.find(({ partNumber }) => partNumber === part.partNumber);
      throw missingPart({ ...part, etag: named?.etag ?? '' }, upload.uploadId);
    }
  }
  return undefined; // all parts are there, so only the footer was replaced, and it is sent again
}

/** An upload that is over was completed just now. The next attempt will find its object. */
function undefinedIfUploadOver(error: unknown): undefined {
  if (isUploadOver(error)) return undefined;
  throw error;
}

function isUploadOver(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'NoSuchUpload';
}

/**
 * The size of the footer in bytes.
 * @throws GatewayError EntityTooSmall where the list of so many small parts does not fit in a footer (FORMAT.md §5)
 */
function endBytesOf({ upload, contents }: Assembly): number {
  const bytes = upload.writer.endBytes(contents);
  if (bytes !== undefined) return bytes;
  throw clientError(
    'EntityTooSmall',
    'The parts are too many and too small: their list does not fit what this bucket’s policy allows (quantum). ' +
      'Use larger parts.',
  );
}

/**
 * Replaces the state of a completed upload by a mark that it is completed, and removes its staged parts. The object is
 * there by now, so failures are ignored: the client must not believe that it is not.
 */
async function markCompleted(
  operation: CompleteMultipartUpload,
  { upload, completed }: { readonly upload: ReadUpload; readonly completed: CompletedObject },
  { randomBytes, staging, uploads, tenant }: OperationContext,
): Promise<void> {
  const { id } = upload;
  const { backendEtag: etag, answer } = completed;
  const listDigest = requestDigest(operation);
  const entries = endedEntries(upload, { listDigest, etag, versionId: answer.versionId }, randomBytes);
  // The mark is the first entry. A request that reads only the first entry, to add a part, sees that the upload is
  // over.
  await Promise.allSettled([uploads.replace(id, entries, COMPLETED_KEEP_SECONDS), uploads.countOut(tenant.name, id)]);
  const staged = upload.parts.filter((part) => part.staged);
  if (staged.length > 0) await staging.remove(id, staged, new AbortController().signal);
}

/** Completes an upload to an unsealed bucket. The store's parts are the client's, so the store judges them. */
async function completePlain(
  operation: CompleteMultipartUpload,
  guard: WritePlan,
  context: OperationContext,
): Promise<UploadCompleted> {
  const { ref, checksum } = operation;
  const { knownUploads, store, policy, signal } = context;
  if (checksum !== undefined) {
    throw clientError(
      'NotImplemented',
      'In this bucket, the checksum of an object that was sent in parts cannot be checked.',
    );
  }
  const conditions = await conditionsToSend(guard, ref, context);
  const upload = await knownUploads.prove(operation, store, signal);
  const parts = await namedAsHeld(operation, upload, context);
  const stored = await store.uploads.complete(upload, { parts, conditions }, signal);
  knownUploads.forget(operation);
  const { versionId, vendor, told: encryption } = stored;
  const etag = plainEtag(stored.etag, policy);
  const crc64 = await crc64AfterWrite(ref, stored.etag, context);
  return { kind: 'UploadCompleted', ref, etag, versionId, checksum: undefined, crc64, encryption, vendor };
}

/** The parts as the store names them. It is asked for the ETags of those that the client names by number alone. */
async function namedAsHeld(
  { parts, uploadId }: CompleteMultipartUpload,
  proven: ProvenUpload,
  context: OperationContext,
): Promise<readonly CompletedPart[]> {
  const unnamed = parts.some(({ etag }) => etag === undefined);
  const range = { after: 0, until: parts.at(-1)?.partNumber ?? 0 };
  const held = unnamed ? await backendParts({ proven }, range, context) : undefined;
  return parts.map(({ partNumber, etag }) => {
    const known = etag === undefined ? held?.get(partNumber) : backendEtag(etag);
    if (known === undefined || known === '') throw missingPart({ partNumber, etag }, uploadId);
    return { partNumber, etag: known };
  });
}
