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
import { type WrittenObject, writtenAnswer } from './write-answer.ts';

/**
 * A piece becomes one backend part. It is larger than every backend's minimum (5 MiB), and than what formats want of a
 * part so that the list of parts has room (FORMAT.md §5); 640 pieces make the 5 GiB that one PUT may have.
 */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Room for a gathered piece and for its stored form on the way out. Of a small piece the socket buffers weigh more. */
function reserveBytes(pieceBytes: number): number {
  return Math.min(2 * PIECE_BYTES, 2 * pieceBytes + SLACK_BYTES);
}

const SLACK_BYTES = 128 * 1024;

/**
 * PutObject without a declared length, to a backend that keeps what broke off, or of more bytes than the backend takes
 * in one request: gathered in pieces of bounded memory. What ends within the first piece is stored like any other
 * object; more becomes a backend multipart upload, a part a piece. The backend's Complete comes only after the client's
 * body was verified to its end, so a bad upload leaves nothing but an aborted upload.
 */
export async function putUnknownLength(
  put: PlannedPut,
  body: VerifiedBody,
  context: OperationContext,
): Promise<WrittenObject> {
  // One more than may come: a piece that is full is not the last.
  const mostBytes = body.plaintextBytes ?? body.mostBytes ?? PIECE_BYTES;
  const pieceBytes = Math.min(PIECE_BYTES, mostBytes + 1);
  const release = context.budget.reserve(reserveBytes(pieceBytes));
  const pieces = inPieces(body.bytes(), pieceBytes);
  try {
    const first = await pieces.next();
    const head = first.done ? Buffer.alloc(0) : first.value;
    if (head.length < PIECE_BYTES) {
      // A short piece is the last one: the generator ends only after the body was verified.
      if (!(await pieces.next()).done) throw new Error('the body is longer than the most that it may be');
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
    return await writtenAnswer(ref, { stored, writer, proof: body.proof() }, context);
  } catch (error) {
    // The client's signal may be what ended the upload; the abort must go out all the same.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
}

/**
 * Sends each whole piece as a part of the backend's upload. A short one, which is the last, waits for what ends the
 * object: backends refuse a small part that is not the last.
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
    else last.push(await gathered(part));
  }
  const end = writer.end(body.proof());
  if (end !== undefined) last.push(end);
  if (last.length > 0) await send(Buffer.concat(last));
  return parts;
}

async function gathered(body: OutgoingBody): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  return collect(body.source, body.bytes, () => asGatewayError(new Error('a piece became longer than was announced')));
}

/** Cuts a body into pieces; only the last is shorter. The buffer is reused: one piece at a time. */
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
