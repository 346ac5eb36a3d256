import type { DocumentReader, ParsedRequest, VerifiedBody } from '../../dialects/front-dialect.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import { GrowingReservation } from '../../shares/growing-reservation.ts';
import type { Budget } from '../../shares/memory-budget.ts';
import { collect } from '../../wire/bodies/collect.ts';

type DocumentRequest = Extract<ParsedRequest, { kind: 'document' }>;

/**
 * How many times a document is held in memory at most: as the pieces that came, as one buffer, as text, and as the
 * elements that are read from it.
 */
const DOCUMENT_FORMS = 4;
/** Room for a piece from the socket, as bytes and as text, and for a token that continues in the next piece. */
const PIECE_BYTES = 128 * 1024;

/**
 * Reads the operation that the XML document in a request's body asks for. Memory is reserved before it arrives, because
 * a client may send megabytes of it and then stop.
 * @throws GatewayError SlowDown, MaxMessageLengthExceeded, and what the body and the document's reader throw
 */
export async function readDocument(parsed: DocumentRequest, body: VerifiedBody, budget: Budget): Promise<Operation> {
  const { maxBytes, readAsItComes } = parsed;
  if (readAsItComes !== undefined) return readPieces(readAsItComes(), parsed, body, budget);
  const release = budget.reserve(DOCUMENT_FORMS * Math.min(body.plaintextBytes ?? maxBytes, maxBytes));
  try {
    return parsed.read(await collect(body.bytes(), maxBytes, () => tooLong(parsed)));
  } finally {
    release();
  }
}

async function readPieces(
  reader: DocumentReader,
  parsed: DocumentRequest,
  body: VerifiedBody,
  budget: Budget,
): Promise<Operation> {
  const reservation = new GrowingReservation(budget);
  let bytes = 0;
  let reservedFor = 0;
  try {
    reservation.grow(Math.min(PIECE_BYTES, DOCUMENT_FORMS * (body.plaintextBytes ?? PIECE_BYTES)));
    for await (const piece of body.bytes()) {
      bytes += piece.length;
      if (bytes > parsed.maxBytes) throw tooLong(parsed);
      reader.push(piece);
      reservation.grow(reader.heldBytes - reservedFor);
      reservedFor = reader.heldBytes;
    }
    return reader.end();
  } finally {
    reservation.release();
  }
}

function tooLong({ name, maxBytes }: DocumentRequest): GatewayError {
  return clientError('MaxMessageLengthExceeded', `The body of ${name} may have at most ${maxBytes} bytes.`);
}
