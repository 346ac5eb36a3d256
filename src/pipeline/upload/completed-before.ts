import { createHash } from 'node:crypto';
import type { StoredAck } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { IdentifiedObject, SentPart } from '../../formats/format.ts';
import type { UploadCompleted } from '../../operations/answer.ts';
import type { CompleteMultipartUpload } from '../../operations/operation.ts';
import { clientEtag } from '../../store/etag.ts';
import type { OperationContext } from '../context.ts';
import { etagOf, shownEtag } from '../etags/shown-etag.ts';
import { toldCrc64 } from '../read/told-crc64.ts';
import { noSuchUpload, type ReadUpload, type UploadUnderWay } from './state.ts';

/**
 * A digest of the list of parts that a Complete names. It tells a repeated Complete, which gets the same answer again,
 * from one that asks for another object.
 */
export function requestDigest({ parts }: CompleteMultipartUpload): Buffer {
  const hash = createHash('sha256');
  for (const { partNumber, etag } of parts) hash.update(JSON.stringify([partNumber, etag]));
  return hash.digest();
}

/**
 * Answers a Complete that is repeated after it succeeded, as long as the object that it made is still there.
 * @throws GatewayError NoSuchUpload where the Complete names other parts, or another object is there
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
  // A requester who may write but not read gets the answer that was true when the upload was completed.
  if (object === 'hidden') {
    const identity = { tenant: context.tenant, ref, backendEtag: etag };
    const asked = context.policy.etag === 'md5' || context.crc64 === 'told';
    const known = asked ? (await context.etags.find([identity]))[0] : undefined;
    const { answer } = completedObject(upload, { etag, versionId });
    if (known === undefined) return answer;
    const shown = context.policy.etag === 'md5' ? etagOf(known, etag) : answer.etag;
    return { ...answer, etag: shown, crc64: known.crc64 };
  }
  if (object === undefined) throw noSuchUpload(operation, context);
  const { answer } = await answerFor(object, upload);
  return { ...answer, etag: await shownEtag(object, context), crc64: await toldCrc64(object, context) };
}

/**
 * Looks whether the object at the key is the one that these parts make. It is where another Complete came first, or
 * where an earlier answer to this client was lost.
 * @param acknowledged what the backend answered to a Complete. It is believed where the requester may not read the
 *   object.
 * @returns undefined where it is not that object
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

/** Whether the object at the key was made by this upload. False where the requester may not read the object. */
export async function hasMadeObject(upload: UploadUnderWay, context: OperationContext): Promise<boolean> {
  const object = await objectOf(upload, undefined, context);
  return object !== undefined && object !== 'hidden';
}

/**
 * Finds the object that this upload made, which has the upload's object id; undefined where it is not there. `hidden`
 * means that the requester may not read the object, or that it takes its customer's key to do so.
 */
async function objectOf(
  { ref, writer }: UploadUnderWay,
  versionId: string | undefined,
  context: OperationContext,
): Promise<IdentifiedObject | 'hidden' | undefined> {
  const place = { ...ref, versionId };
  try {
    const stored = await context.store.head({ ref: place, conditions: {} }, context.signal);
    if (writer.identifyOwn !== undefined) {
      const own = await writer.identifyOwn({ ref: place, stored });
      return own === 'unopened' ? 'hidden' : own;
    }
    const object = await context.formats.identify({ ref: place, stored }, context);
    return object.id?.equals(writer.id) === true ? object : undefined;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'AccessDenied') return 'hidden';
    if (error instanceof GatewayError && NOT_THE_UPLOADS.has(error.code)) return undefined;
    throw error;
  }
}

/** The errors that mean that this upload's object is not there: nothing is, or a plain object, or a broken one. */
const NOT_THE_UPLOADS: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchKey',
  'NoSuchVersion',
  'MethodNotAllowed', // a delete marker, asked for by its version
  'ObjectNotSealed',
  'ObjectCorrupted',
  'ObjectMoved',
  'KeyUnavailable',
  'CustomerKeyNeeded',
  'CustomerKeyUnneeded',
  'KmsKeyNotFound',
  'KmsKeyDisabled',
  'KmsKeyInvalidState',
]);

async function answerFor(object: IdentifiedObject, upload: UploadUnderWay): Promise<CompletedObject> {
  const { etag, versionId } = object.stored;
  const { checksum } = await object.details();
  return completedObject(upload, { etag, versionId }, checksum);
}

/** The object that a Complete made. */
export interface CompletedObject {
  /** Unquoted. */
  readonly backendEtag: string;
  /**
   * The answer to the client. Its ETag is opaque; where the policy says `md5`, the caller puts the MD5 in its place.
   */
  readonly answer: UploadCompleted;
}

/** Makes the answer from what the backend acknowledged. */
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
