import { createHash } from 'node:crypto';
import type { StoredAck } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { IdentifiedObject, SentPart } from '../../formats/format.ts';
import type { UploadCompleted } from '../../operations/answer.ts';
import type { CompleteMultipartUpload } from '../../operations/operation.ts';
import { clientEtag } from '../../store/etag.ts';
import type { OperationContext } from '../context.ts';
import { etagOf, shownEtag } from '../etags/shown-etag.ts';
import { noSuchUpload, type ReadUpload, type UploadUnderWay } from './state.ts';

/** What a Complete asks for: another list is another object, and must not be told that it is there. */
export function requestDigest({ parts }: CompleteMultipartUpload): Buffer {
  const hash = createHash('sha256');
  for (const { partNumber, etag } of parts) hash.update(JSON.stringify([partNumber, etag]));
  return hash.digest();
}

/**
 * The answer to a Complete that was asked before and succeeded, while the object is still the one that it made.
 * @throws GatewayError NoSuchUpload
 */
export async function completedBefore(
  operation: CompleteMultipartUpload,
  upload: ReadUpload,
  context: OperationContext,
): Promise<UploadCompleted> {
  const { completed, ref } = upload;
  if (completed?.listDigest.equals(requestDigest(operation)) !== true) throw noSuchUpload(operation, context);
  const { etag, versionId } = completed;
  const object = await objectOf(upload, versionId, context);
  // Who may write and not read is told what was true when it was completed.
  if (object === 'hidden') {
    const identity = { tenant: context.tenant, ref, backendEtag: etag };
    const known = context.policy.etag === 'md5' ? (await context.etags.find([identity]))[0] : undefined;
    const { answer } = completedObject(upload, { etag, versionId });
    return known === undefined ? answer : { ...answer, etag: etagOf(known, etag) };
  }
  if (object === undefined) throw noSuchUpload(operation, context);
  const { answer } = await answerFor(object, upload);
  return { ...answer, etag: await shownEtag(object, context) };
}

/**
 * The answer when the object that lies at the key is the one that these parts make: another Complete was first, or an
 * earlier one of this client's was not heard. undefined when it is not.
 * @param acknowledged what the backend said, to look whether it is true; who may not see what lies there believes it
 */
export async function completedMeanwhile(
  upload: ReadUpload,
  { parts, acknowledged }: { readonly parts: readonly SentPart[]; readonly acknowledged?: CompletedObject },
  context: OperationContext,
): Promise<CompletedObject | undefined> {
  const object = await objectOf(upload, acknowledged?.answer.versionId, context);
  if (object === 'hidden') return acknowledged;
  if (object === undefined) return undefined;
  const same = await upload.writer.made(object, parts);
  return same ? answerFor(object, upload) : undefined;
}

/** Whether the object that lies at the key is this upload's. False where whoever asks may not see it. */
export async function madeObject(upload: UploadUnderWay, context: OperationContext): Promise<boolean> {
  const object = await objectOf(upload, undefined, context);
  return object !== undefined && object !== 'hidden';
}

/** The object that this upload made: it has the upload's id. `hidden`: whoever asks may not see what lies there. */
async function objectOf(
  { ref, writer }: UploadUnderWay,
  versionId: string | undefined,
  context: OperationContext,
): Promise<IdentifiedObject | 'hidden' | undefined> {
  const place = { ...ref, versionId };
  try {
    const stored = await context.store.head({ ref: place, conditions: {} }, context.signal);
    const object = await context.formats.identify({ ref: place, stored }, context);
    return object.id?.equals(writer.id) === true ? object : undefined;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'AccessDenied') return 'hidden';
    // Whatever else lies there is not it: nothing, something plain, or something broken.
    if (error instanceof GatewayError && ANOTHER.has(error.code)) return undefined;
    throw error;
  }
}

const ANOTHER: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchKey',
  'NoSuchVersion',
  'MethodNotAllowed', // a delete marker by its version
  'ObjectNotSealed',
  'ObjectCorrupted',
  'ObjectMoved',
  'KeyUnavailable',
]);

async function answerFor(object: IdentifiedObject, upload: UploadUnderWay): Promise<CompletedObject> {
  const { etag, versionId } = object.stored;
  const { checksum } = await object.details();
  return completedObject(upload, { etag, versionId }, checksum);
}

/** What a Complete made, and its answer but for the ETag of mode `md5`. */
export interface CompletedObject {
  /** Unquoted. */
  readonly backendEtag: string;
  readonly answer: UploadCompleted;
}

export function completedObject(
  { ref, writer }: Pick<UploadUnderWay, 'ref' | 'writer'>,
  { etag, versionId, vendor }: StoredAck,
  checksum?: UploadCompleted['checksum'],
): CompletedObject {
  const { encryption } = writer;
  const shown = clientEtag(etag);
  return {
    backendEtag: etag,
    answer: { kind: 'UploadCompleted', ref, etag: shown, versionId, checksum, encryption, vendor },
  };
}
