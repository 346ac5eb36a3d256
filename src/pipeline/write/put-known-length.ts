import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { StorePut } from '../../dialects/store-exchange.ts';
import { sealedBytes } from '../../envelope/sizes.ts';
import { sealObject, sealObjectWhole } from '../../envelope/streams.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import { newObject } from '../../formats/sx1/sealing.ts';
import type { PutObject } from '../../operations/operation.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import type { WritePlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { type WrittenObject, writtenAnswer } from './write-answer.ts';

/** The largest upload that clients may send in one request: what S3 and its like allow, whatever the backend takes. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** A PutObject whose conditions are as the store is asked them (conditions/write-conditions.ts). */
export interface PlannedPut
  extends Pick<PutObject, 'ref' | 'metadata' | 'conditions'>,
    Pick<WritePlan, 'heldOnComplete'> {}

/** Also what an upload of unknown length becomes when it turns out to be small. */
export async function putKnownLength(
  put: PlannedPut,
  body: VerifiedBody,
  plaintext: { readonly plaintextBytes: number; readonly source: ByteSource; readonly whole: boolean },
  context: OperationContext,
): Promise<WrittenObject> {
  const { randomBytes, store, policy, trace, signal } = context;
  const { plaintextBytes } = plaintext;
  if (policy.protection === 'none') return putPlain(put, body, plaintext, context);
  const object = await newObject(put.ref, put.metadata, plaintextBytes, context);
  const sealing = {
    keys: object.keys,
    oid: object.oid,
    partSalt: object.partSalt,
    plaintextBytes,
    quantum: policy.quantum,
    envelope: object.envelope,
    footerSalt: randomBytes(16),
    manifest: () => body.proof(),
    onCipher: (seconds: number) => {
      trace.sealSeconds += seconds;
    },
  };
  const bytes = sealedBytes(plaintextBytes, policy.quantum);
  const sealed: StorePut = {
    ref: put.ref,
    metadata: object.metadata,
    conditions: put.conditions,
    body: plaintext.whole
      ? await sealObjectWhole(plaintext.source, sealing)
      : { bytes, source: sealObject(plaintext.source, sealing) },
  };
  const stored = await store.put(sealed, signal);
  return writtenAnswer(put.ref, { stored, oid: object.oid, proof: body.proof() }, context);
}

/** A bucket whose policy says `protection: none`: the bytes go as they are, verified all the same. */
async function putPlain(
  put: PlannedPut,
  body: VerifiedBody,
  plaintext: { readonly plaintextBytes: number; readonly source: ByteSource; readonly whole: boolean },
  context: OperationContext,
): Promise<WrittenObject> {
  const { ref, metadata, conditions } = put;
  const { plaintextBytes: bytes, source } = plaintext;
  const outgoing = plaintext.whole ? await inOnePiece(source, bytes) : { bytes, source: endHeldBack(source, bytes) };
  const stored = await context.store.put({ ref, metadata, conditions, body: outgoing }, context.signal);
  return writtenAnswer(ref, { stored, oid: undefined, proof: body.proof() }, context);
}

/** What the sealer does by itself: the last bytes go out only once the client's body was verified to its end. */
export async function* endHeldBack(source: ByteSource, bytes: number): AsyncGenerator<Buffer, void, void> {
  const end: Buffer[] = [];
  let seenBytes = 0;
  for await (const piece of source) {
    seenBytes += piece.length;
    if (seenBytes < bytes) yield piece;
    else end.push(Buffer.from(piece)); // the source may reuse its buffer
  }
  yield* end;
}

/** Collected before anything is sent. */
async function inOnePiece(source: ByteSource, bytes: number): Promise<OutgoingBody> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece)); // the source may reuse its buffer
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes);
}

export function tooLarge(bytes: number): GatewayError {
  return clientError(
    'EntityTooLarge',
    `A single upload takes at most ${MAX_PUT_BYTES} bytes; this one has ${bytes}. Use a multipart upload.`,
    { details: { ProposedSize: String(bytes), MaxSizeAllowed: String(MAX_PUT_BYTES) } },
  );
}
