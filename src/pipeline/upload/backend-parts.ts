import type { CompletedPart } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import type { OperationContext } from '../context.ts';
import { partEtag } from '../etags/part-etag.ts';
import { missingPart } from './chosen-parts.ts';
import type { BackendPart } from './plan.ts';
import type { UploadUnderWay } from './state.ts';

/** How many backend parts are put together at once; each of several staged ones is held whole in memory. */
const AT_ONCE = 2;

/** A staged part on its way from one bucket to another. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/**
 * Sends what is not in the backend's upload yet, the object's end behind the last, and names all parts for the
 * backend's Complete. What is staged is verified on its way.
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
  // What was begun is let end before a failure is told: nothing goes on behind the answer.
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
 * One staged part streams, and its download has begun before the upload asks for a connection; several are gathered
 * first: an upload that waits for a download while downloads wait for an upload would wait for ever.
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
