import type { CompletedPart } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import type { OperationContext } from '../context.ts';
import { partEtag } from '../etags/part-etag.ts';
import { missingPart } from './chosen-parts.ts';
import type { BackendPart } from './plan.ts';
import type { UploadUnderWay } from './state.ts';

/**
 * How many backend parts of one upload are sent at a time. It is small, because a backend part that is made of several
 * staged parts is held in memory as a whole.
 */
const AT_ONCE = 2;

/** The memory for a staged part that streams from the staging bucket into the upload. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/**
 * Sends the staged parts to the backend's upload, and the object's footer with the last backend part. Staged parts are
 * verified while they pass.
 * @returns the parts that the backend's Complete must name
 * @throws GatewayError InvalidPart for a staged part that is gone, ObjectCorrupted for one that was altered
 */
export async function sendBackendParts(
  plan: readonly BackendPart[],
  { upload, end: last }: { readonly upload: UploadUnderWay; readonly end: Buffer },
  context: OperationContext,
): Promise<CompletedPart[]> {
  const completed: CompletedPart[] = [];
  const waiting = plan.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [at, part] of waiting) {
      if (failed) return;
      try {
        const end = at === plan.length - 1 ? last : undefined;
        completed[at] = part.kind === 'held' ? part : await send(part, end, { upload, context });
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  // After a failure the other requests are awaited too, so that nothing is still running when the client is answered.
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return completed;
}

type PlannedPart = Extract<BackendPart, { kind: 'sent' }>;

interface Sending {
  readonly upload: UploadUnderWay;
  readonly context: OperationContext;
}

async function send(part: PlannedPart, end: Buffer | undefined, sending: Sending): Promise<CompletedPart> {
  const { context, upload } = sending;
  const bytes = part.storedBytes + (end?.length ?? 0);
  const { partNumber, staged } = part;
  const release = context.budget.reserve(staged.length > 1 ? bytes : STREAM_RESERVE_BYTES);
  try {
    const body = await outgoing(staged, end, { ...sending, bytes });
    return await context.store.uploads.putPart(upload.proven, { partNumber, body }, context.signal);
  } finally {
    release();
  }
}

/**
 * Makes the body of a backend part. A single staged part streams: its download is begun before the upload asks for a
 * connection. Several staged parts are read into memory first. If an upload began downloads while it held a connection,
 * uploads and downloads could wait for each other's connections forever.
 */
async function outgoing(
  staged: readonly PartRecord[],
  end: Buffer | undefined,
  sending: Sending & { readonly bytes: number },
): Promise<OutgoingBody> {
  const { bytes } = sending;
  const [only, ...more] = staged;
  if (only === undefined) return end ?? Buffer.alloc(0);
  if (more.length === 0) return { bytes, source: followedBy(await stagedSource(only, sending), end) };
  const whole = Buffer.allocUnsafe(bytes);
  let filled = 0;
  for (const part of staged) {
    for await (const chunk of await stagedSource(part, sending)) filled += chunk.copy(whole, filled);
  }
  end?.copy(whole, filled);
  return whole;
}

/** Gives the bytes of a staged part, verified while they are read. @throws GatewayError InvalidPart */
async function stagedSource(part: PartRecord, { upload, context }: Sending): Promise<ByteSource> {
  const { id, uploadId, writer } = upload;
  const content = await context.staging.get(id, part, context.signal).catch((error: unknown) => {
    throw isGone(error) ? missingPart({ ...part, etag: partEtag(part, context.policy) }, uploadId) : error;
  });
  if (content.object.storedBytes !== writer.format.storedPartBytes(part.plaintextBytes)) {
    content.discard();
    throw missingPart({ ...part, etag: partEtag(part, context.policy) }, uploadId);
  }
  return writer.checked(content.body, part);
}

function isGone(error: unknown): boolean {
  const code = error instanceof GatewayError ? error.code : undefined;
  return code === 'NoSuchKey' || code === 'NoSuchBucket' || code === 'PreconditionFailed';
}

async function* followedBy(source: ByteSource, end: Buffer | undefined): AsyncGenerator<Buffer, void, void> {
  yield* source;
  if (end !== undefined) yield end;
}
