import type { VerifiedBody } from '../../dialects/front-dialect.ts';
import type { CompletedPart } from '../../dialects/store-exchange.ts';
import { type PartEntry, sealFooter } from '../../envelope/footer.ts';
import { sealedBytes, sealedPartBytes } from '../../envelope/sizes.ts';
import { sealPart } from '../../envelope/streams.ts';
import { type NewObject, newObject } from '../../formats/sx1/sealing.ts';
import type { ProvenUpload } from '../../store/proven-upload.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { ByteSource, OutgoingBody } from '../../wire/message.ts';
import { mustBeHeldOnComplete } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { MAX_PUT_BYTES, type PlannedPut, putKnownLength, tooLarge } from './put-known-length.ts';
import { type WrittenObject, writtenAnswer } from './write-answer.ts';

/**
 * A piece becomes one backend part. Above every backend's minimum (5 MiB) and the largest quantum P, so that the
 * footer always fits (FORMAT.md §5); 640 pieces make the 5 GiB that one PUT may have.
 */
const PIECE_BYTES = 8 * 1024 * 1024;

/** A piece gathered, and its sealed form on the way out; for small ones socket buffers and footer weigh, too. */
function reserveBytes(pieceBytes: number): number {
  return Math.min(2 * PIECE_BYTES, 2 * pieceBytes + SLACK_BYTES);
}

const SLACK_BYTES = 128 * 1024;

/**
 * PutObject without a declared length, to a backend that keeps what broke off, or of more bytes than the backend takes in
 * one request: gathered in pieces of bounded memory. What ends within the first piece is stored like any other object;
 * more becomes a backend multipart upload in SX1's multipart structure. The backend's Complete comes only after the
 * client's body was verified to its end, so a bad upload leaves nothing but an aborted upload.
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
  const { store, policy, signal } = context;
  const { ref, metadata, conditions } = put;
  mustBeHeldOnComplete(put);
  const object = policy.protection === 'none' ? undefined : await newObject(ref, metadata, undefined, context);
  const upload = await store.uploads.create(ref, object?.metadata ?? metadata, signal);
  try {
    const parts = new PartUpload(upload, context);
    const sent = object === undefined ? new PlainPieces(parts) : new SealedPieces(parts, object, context);
    for await (const piece of pieces) await sent.add(piece);
    await sent.finish(body);
    const stored = await store.uploads.complete(upload, { parts: parts.completed, conditions }, signal);
    return await writtenAnswer(ref, { stored, oid: object?.oid, proof: body.proof() }, context);
  } catch (error) {
    // The client's signal may be what ended the upload; the abort must go out all the same.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
}

/** The backend parts of one upload, in order. */
class PartUpload {
  readonly completed: CompletedPart[] = [];
  readonly #upload: ProvenUpload;
  readonly #context: OperationContext;

  constructor(upload: ProvenUpload, context: OperationContext) {
    this.#upload = upload;
    this.#context = context;
  }

  async add(body: OutgoingBody): Promise<void> {
    const { store, signal } = this.#context;
    const partNumber = this.completed.length + 1;
    this.completed.push(await store.uploads.putPart(this.#upload, { partNumber, body }, signal));
  }
}

/** A bucket whose policy says `protection: none`: the pieces go as they are. */
class PlainPieces {
  readonly #parts: PartUpload;
  #bytes = 0;

  constructor(parts: PartUpload) {
    this.#parts = parts;
  }

  async add(piece: Buffer): Promise<void> {
    this.#bytes += piece.length;
    if (this.#bytes > MAX_PUT_BYTES) throw tooLarge(this.#bytes);
    await this.#parts.add({ bytes: piece.length, source: only(piece) });
  }

  async finish(): Promise<void> {}
}

/** The parts of one upload so far, and what the footer must say of them. */
class SealedPieces {
  readonly #parts: PartUpload;
  readonly #object: NewObject;
  readonly #context: OperationContext;
  readonly #entries: PartEntry[] = [];
  #short: Buffer = Buffer.alloc(0);
  #plaintextBytes = 0;
  #storedBytes = 0;

  constructor(parts: PartUpload, object: NewObject, context: OperationContext) {
    this.#parts = parts;
    this.#object = object;
    this.#context = context;
  }

  /** A whole piece becomes a backend part at once; a short one, the last, waits for the footer. */
  async add(piece: Buffer): Promise<void> {
    this.#plaintextBytes += piece.length;
    if (this.#plaintextBytes > MAX_PUT_BYTES) throw tooLarge(this.#plaintextBytes);
    const partNumber = this.#entries.length + 1;
    const partSalt = this.#context.randomBytes(16);
    const { keys, oid } = this.#object;
    const source = sealPart(only(piece), { keys, oid, partNumber, partSalt, plaintextBytes: piece.length });
    const bytes = sealedPartBytes(piece.length);
    this.#storedBytes += bytes;
    this.#entries.push({ partNumber, plaintextBytes: piece.length, partSalt });
    if (piece.length === PIECE_BYTES) await this.#parts.add({ bytes, source });
    else this.#short = await collect(source, bytes, () => tooLarge(this.#plaintextBytes));
  }

  /** The footer, behind the short piece if there is one: backends refuse a small part that is not the last. */
  async finish(body: VerifiedBody): Promise<void> {
    const { randomBytes, policy } = this.#context;
    const { keys, oid, envelope } = this.#object;
    const footer = sealFooter({
      keys,
      oid,
      envelope,
      manifest: { multipart: true, plaintextBytes: this.#plaintextBytes, ...body.proof(), parts: this.#entries },
      footerBytes: sealedBytes(this.#plaintextBytes, policy.quantum) - this.#storedBytes,
      footerSalt: randomBytes(16),
    });
    await this.#parts.add(Buffer.concat([this.#short, footer]));
  }
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

async function* only(buffer: Buffer): AsyncGenerator<Buffer, void, void> {
  yield buffer;
}

async function* chain(first: Buffer, rest: ByteSource): AsyncGenerator<Buffer, void, void> {
  yield first;
  yield* rest;
}
