import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { StorePut } from '../../dialects/store-exchange.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import type { PutObject } from '../../operations/operation.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { WritePlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { type WrittenObject, writeAnswer } from './write-answer.ts';

/** The largest object, in bytes of plaintext, that clients may send in one request: 5 GiB, the limit of S3. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** A PutObject with the conditions that the store is asked (conditions/write-conditions.ts). */
export interface PlannedPut
  extends Pick<PutObject, 'ref' | 'metadata' | 'conditions'>,
    Pick<WritePlan, 'heldOnComplete'> {}

/**
 * Stores an object of known length by one request. An upload of unknown length that turns out to be small is stored in
 * this way too.
 * @param plaintext `source` gives the body's bytes. `whole` says that nothing is sent before all of them were verified.
 * @throws GatewayError PreconditionFailed, what verifying the body throws, and what the store throws
 */
export async function putKnownLength(
  put: PlannedPut,
  body: VerifiedBody,
  plaintext: { readonly plaintextBytes: number; readonly source: ByteSource; readonly whole: boolean },
  context: OperationContext,
): Promise<WrittenObject> {
  const { formats, store, signal, foretell } = context;
  const { plaintextBytes, source, whole } = plaintext;
  const writer = await formats.write.begin(put, plaintextBytes, context);
  if (!formats.write.asSent) foretell?.(writer.encryption);
  const proof = () => body.proof();
  const stored: StorePut = {
    ref: put.ref,
    metadata: writer.metadata,
    conditions: put.conditions,
    body: whole ? await writer.whole(source, proof) : writer.stream(source, proof),
  };
  const ack = await store.put(stored, signal);
  return writeAnswer(put.ref, { stored: ack, writer, proof: body.proof() }, context);
}

/** Makes the error EntityTooLarge. @param bytes the length that was declared, or that arrived so far */
export function tooLarge(bytes: number): GatewayError {
  return clientError(
    'EntityTooLarge',
    `A single upload takes at most ${MAX_PUT_BYTES} bytes; this one has ${bytes}. Use a multipart upload.`,
    { details: { ProposedSize: String(bytes), MaxSizeAllowed: String(MAX_PUT_BYTES) } },
  );
}
