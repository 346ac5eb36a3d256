import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { CompletedPart } from '../../dialects/store-exchange.ts';
import { asGatewayError } from '../../errors.ts';
import type { PieceWriter } from '../../formats/object-writer.ts';
import type { ProvenUpload } from '../../store/proven-upload.ts';
import { collect } from '../../wire/bodies/collect.ts';
import { only } from '../../wire/bodies/only.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import { mustBeHeldOnComplete } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { MAX_PUT_BYTES, type PlannedPut, putKnownLength, tooLarge } from './put-known-length.ts';
import { type WrittenObject, writeAnswer } from './write-answer.ts';

/**
 * The size of the pieces that a body is cut into. Each piece becomes a part of a multipart upload to the backend. So it
 * is larger than the smallest part that a store takes (5 MiB), and large enough that the footer has room for the list
 * of parts (FORMAT.md §5). 640 pieces make the 5 GiB that a client may send in one PUT.
 */
const PIECE_BYTES = 8 * 1024 * 1024;

/** The memory for a piece: the plaintext, its stored form while it is sent, and the buffers of the sockets. */
function reserveBytes(pieceBytes: number): number {
  return Math.min(2 * PIECE_BYTES, 2 * pieceBytes + SLACK_BYTES);
}

/** The buffers of the sockets. They matter only where the pieces are small. */
const SLACK_BYTES = 128 * 1024;

/**
 * Stores an object that cannot be sent to the backend by one streaming PUT. There are three reasons for that: the
 * client did not declare its length; the backend would keep the beginning of an upload that breaks off
 * (store/mend/torn-uploads.ts); or the object is larger than what the backend takes in one request.
 *
 * The body is read in pieces of bounded size. If it ends within the first piece, it is stored by one PUT. Otherwise it
 * becomes a multipart upload to the backend, one part for each piece. The upload is completed only after the client's
 * whole body was verified, and is aborted if the body turns out to be bad.
 * @throws GatewayError EntityTooLarge, NotImplemented for conditions that the store would ignore, SlowDown, what
 *   verifying the body throws, and what the store throws
 */
export async function putUnknownLength(
  put: PlannedPut,
  body: VerifiedBody,
  context: OperationContext,
): Promise<WrittenObject> {
  // The piece has room for one byte more than may come. A body that fills it is longer than it may be.
  const mostBytes = body.plaintextBytes ?? body.mostBytes ?? PIECE_BYTES;
  const pieceBytes = Math.min(PIECE_BYTES, mostBytes + 1);
  const release = context.budget.reserve(reserveBytes(pieceBytes));
  const pieces = inPieces(body.bytes(), pieceBytes);
  try {
    const first = await pieces.next();
    const head = first.done ? Buffer.alloc(0) : first.value;
    if (head.length < PIECE_BYTES) {
      // A piece that is not full is the last. The generator ends only after the body was verified, so that is awaited.
      if (!(await pieces.next()).done) throw new Error('The body is longer than the length that it must not exceed.');
      return await putKnownLength(put, body, { plaintextBytes: head.length, source: only(head), whole: true }, context);
    }
    return await putPieces(put, body, chain(head, pieces), context);
  } finally {
    await pieces.return(undefined);
    release();
  }
}

async function putPieces(
  put: PlannedPut,
  body: VerifiedBody,
  pieces: ByteSource,
  context: OperationContext,
): Promise<WrittenObject> {
  const { formats, store, signal } = context;
  const { ref, conditions } = put;
  mustBeHeldOnComplete(put, context);
  const writer = await formats.write.beginPieces(put, context);
  const upload = await store.uploads.create(ref, writer.metadata, signal);
  try {
    const parts = await sendPieces(pieces, { writer, body, upload }, context);
    const stored = await store.uploads.complete(upload, { parts, conditions }, signal);
    return await writeAnswer(ref, { stored, writer, proof: body.proof() }, context);
  } catch (error) {
    // The abort has a signal of its own, because the client's may be what ended the upload.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
}

/**
 * Sends each full piece as a part of the backend's upload. A piece that is not full is the last; it is sent together
 * with the object's footer as one part, because backends refuse a small part that another one follows.
 */
async function sendPieces(
  pieces: ByteSource,
  {
    writer,
    body,
    upload,
  }: { readonly writer: PieceWriter; readonly body: VerifiedBody; readonly upload: ProvenUpload },
  { store, signal }: OperationContext,
): Promise<readonly CompletedPart[]> {
  const parts: CompletedPart[] = [];
  const send = async (part: OutgoingBody): Promise<void> => {
    const partNumber = parts.length + 1;
    parts.push(await store.uploads.putPart(upload, { partNumber, body: part }, signal));
  };
  const last: Buffer[] = [];
  let plaintextBytes = 0;
  for await (const piece of pieces) {
    plaintextBytes += piece.length;
    if (plaintextBytes > MAX_PUT_BYTES) throw tooLarge(plaintextBytes);
    const part = writer.piece(piece);
    if (piece.length === PIECE_BYTES) await send(part);
    else last.push(await gather(part));
  }
  const end = writer.end(body.proof());
  if (end !== undefined) last.push(end);
  if (last.length > 0) await send(Buffer.concat(last));
  return parts;
}

async function gather(body: OutgoingBody): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  return collect(body.source, body.bytes, () => asGatewayError(new Error('A sealed piece is longer than computed.')));
}

/** Cuts a body into pieces of the same size, but for the last. All are views of one buffer: use one before the next. */
async function* inPieces(source: ByteSource, pieceBytes: number): AsyncGenerator<Buffer, void, void> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(piece, filled, at);
      at += taken;
      filled += taken;
      if (filled === pieceBytes) {
        yield piece;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

async function* chain(first: Buffer, rest: ByteSource): AsyncGenerator<Buffer, void, void> {
  yield first;
  yield* rest;
}
