import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { PutObject } from '../../operations/operation.ts';
import { mayStream } from '../../store/mend/torn-uploads.ts';
import { conditionsToSend, mustBeHeldOnPut, writePlanOf } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { withDigests } from './digested-body.ts';
import { MAX_PUT_BYTES, type PlannedPut, putKnownLength, tooLarge } from './put-known-length.ts';
import { putUnknownLength } from './put-unknown-length.ts';
import type { WrittenObject } from './write-answer.ts';

/**
 * Uploads of up to this many bytes are read and verified whole before they are sent to the backend. They then go out in
 * one write, and a bad one never reaches the backend.
 */
const WHOLE_BYTES = 128 * 1024;

/** The memory that such an upload takes beside its stored form: bytes that the socket read ahead, and the footer. */
const WHOLE_SLACK_BYTES = 128 * 1024;

/** The most memory that a streaming upload holds: the socket buffers of both sides, and two segments. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/**
 * Carries out PutObject. An object streams to the backend while it arrives, because its stored length can be computed
 * from the plaintext's. Its format withholds the last bytes until the client's body was verified.
 * @throws GatewayError EntityTooLarge, PreconditionFailed, NotImplemented for conditions that the store would ignore,
 *   SlowDown, what verifying the body throws, and what the store throws
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

/** Writes an object whose conditions were planned already. @throws GatewayError what `putObject` throws */
export function putPlanned(put: PlannedPut, body: VerifiedBody, context: OperationContext): Promise<WrittenObject> {
  return putBody(put, withDigests(body, context, { kind: context.keys.form }), context);
}

/** Whether the backend takes an object in one request. Its stored form may be larger than the largest that it takes. */
export function fitsOnePut(plaintextBytes: number, { formats, store, policy }: OperationContext): boolean {
  return formats.write.storedBytes(plaintextBytes, policy) <= store.limits.largestPutBytes;
}

async function putBody(put: PlannedPut, body: VerifiedBody, context: OperationContext): Promise<WrittenObject> {
  const { plaintextBytes } = body;
  if (plaintextBytes === undefined) return putUnknownLength(put, body, context);
  if (plaintextBytes > MAX_PUT_BYTES) throw tooLarge(plaintextBytes);
  const whole = plaintextBytes <= WHOLE_BYTES;
  // A stream may break off, and this backend would keep what came as the object, in place of the one that was there.
  if (!whole && !mayStream(context.findings)) return putUnknownLength(put, body, context);
  if (!fitsOnePut(plaintextBytes, context)) return putUnknownLength(put, body, context);
  const release = context.budget.reserve(whole ? plaintextBytes + WHOLE_SLACK_BYTES : STREAM_RESERVE_BYTES);
  try {
    return await putKnownLength(put, body, { plaintextBytes, source: body.bytes(), whole }, context);
  } finally {
    release();
  }
}
