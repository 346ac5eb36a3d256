import type { DocumentReader, ParsedRequest, VerifiedBody } from '../../dialects/front-dialect.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import { GrowingReservation } from '../../shares/growing-reservation.ts';
import type { Budget } from '../../shares/memory-budget.ts';
import { collect } from '../../wire/bodies/collect.ts';

type DocumentRequest = Extract<ParsedRequest, { kind: 'document' }>;

/** How many times a document lies in memory: as the pieces that came, as one buffer, as text, and as elements. */
const DOCUMENT_FORMS = 4;
/** What one piece from the socket takes: its bytes, its text, and the beginning of a token that the next piece ends. */
const PIECE_BYTES = 128 * 1024;

/**
 * Reads the operation for which a request's document asks. Memory is reserved while the document arrives, because a
 * client may send megabytes of it and stop before the end.
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
