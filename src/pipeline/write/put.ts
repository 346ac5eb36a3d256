import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { PutObject } from '../../operations/operation.ts';
import { mayStream } from '../../store/mend/torn-uploads.ts';
import { conditionsToSend, mustBeHeldOnPut, writePlanOf } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { withMd5 } from './digested-body.ts';
import { MAX_PUT_BYTES, type PlannedPut, putKnownLength, tooLarge } from './put-known-length.ts';
import { putUnknownLength } from './put-unknown-length.ts';
import type { WrittenObject } from './write-answer.ts';

/**
 * Up to this size an upload is read and verified whole before the backend hears of it. That makes one write instead of
 * many, and a small upload that is bad costs the backend nothing.
 */
const WHOLE_BYTES = 128 * 1024;

/** What a whole upload takes beside its stored form: bytes that the socket brought ahead, and the object's end. */
const WHOLE_SLACK_BYTES = 128 * 1024;

/** The most that a streaming upload holds: the socket buffers of both sides, and two segments. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/**
 * PutObject. What is stored has a length that follows from the plaintext's, so it streams; whatever writes it holds its
 * end back until the client's body is verified.
 */
export async function putObject(
  { ref, metadata, conditions: asked }: PutObject,
  body: VerifiedBody,
  context: OperationContext,
): Promise<WrittenObject> {
  const plan = writePlanOf(asked, context);
  mustBeHeldOnPut(plan, context);
  const conditions = await conditionsToSend(plan, ref, context);
  return putPlanned({ ref, metadata, conditions, heldOnComplete: plan.heldOnComplete }, body, context);
}

/** Writes an object whose conditions were planned and looked after already. */
export function putPlanned(put: PlannedPut, body: VerifiedBody, context: OperationContext): Promise<WrittenObject> {
  return putBody(put, withMd5(body, context), context);
}

/** Whether the backend takes an object in one request: as it is stored it may be larger than what clients may send. */
export function fitsOnePut(plaintextBytes: number, { formats, store, policy }: OperationContext): boolean {
  return formats.write.storedBytes(plaintextBytes, policy) <= store.limits.largestPutBytes;
}

async function putBody(put: PlannedPut, body: VerifiedBody, context: OperationContext): Promise<WrittenObject> {
  const { plaintextBytes } = body;
  if (plaintextBytes === undefined) return putUnknownLength(put, body, context);
  if (plaintextBytes > MAX_PUT_BYTES) throw tooLarge(plaintextBytes);
  const whole = plaintextBytes <= WHOLE_BYTES;
  // A stream may break off at any time, and the backend would keep its beginning in place of what lies there.
  if (!whole && !mayStream(context.findings)) return putUnknownLength(put, body, context);
  if (!fitsOnePut(plaintextBytes, context)) return putUnknownLength(put, body, context);
  const release = context.budget.reserve(whole ? plaintextBytes + WHOLE_SLACK_BYTES : STREAM_RESERVE_BYTES);
  try {
    return await putKnownLength(put, body, { plaintextBytes, source: body.bytes(), whole }, context);
  } finally {
    release();
  }
}
