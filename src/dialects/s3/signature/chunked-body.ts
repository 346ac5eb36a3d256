import { createHash, type Hash } from 'node:crypto';
import { clientError, type GatewayError } from '../../../errors.ts';
import { EMPTY_SHA256 } from './canonical-request.ts';
import type { ChunkSignatures } from './chunk-signatures.ts';

/** The greatest size of a chunk's header. The longest one, `<16 hex>;chunk-signature=<64 hex>\r\n`, has 99 bytes. */
const MAX_CHUNK_HEADER_BYTES = 128;
/** The greatest size of a trailer. One checksum and one signature have less than 200 bytes. */
const MAX_TRAILER_BYTES = 2048;

const SIGNED_HEADER = /^([0-9A-Fa-f]{1,16});chunk-signature=([0-9a-f]{64})\r\n$/;
const UNSIGNED_HEADER = /^([0-9A-Fa-f]{1,16})\r\n$/;

const CR = 0x0d;
const LF = 0x0a;

/** How a body is framed, by x-amz-content-sha256 and x-amz-decoded-content-length. */
export interface ChunkedBodyOptions {
  /** The size of the data in all chunks together (x-amz-decoded-content-length). */
  readonly decodedBytes: number;
  /** Verifies the signatures of chunks and trailer; undefined where they are not signed. */
  readonly signatures: ChunkSignatures | undefined;
  /** Whether a trailer follows the last chunk. */
  readonly trailer: boolean;
}

/**
 * Reads a body in aws-chunked framing. It works synchronously, and a chunk may be spread over any number of pieces.
 *
 * Data is returned as slices of the pieces, before the signature of its chunk is verified, because a chunk may have
 * gigabytes and memory is bounded. A bad body is still never stored: the reader throws before the body's end, and
 * whoever stores the body withholds its last bytes until then (VerifiedBody).
 */
export class ChunkedBodyReader {
  readonly #options: ChunkedBodyOptions;
  #state: 'header' | 'data' | 'after-data' | 'trailer' = 'header';
  /** What was received so far of a chunk's header, of the line end behind its data, or of the trailer. */
  #text = '';
  #chunkRemaining = 0;
  #received = 0;
  #chunkSignature = '';
  #chunkHash: Hash | undefined;

  constructor(options: ChunkedBodyOptions) {
    this.#options = options;
  }

  /**
   * Reads the next piece of the body.
   * @returns the data in this piece, as slices of it
   * @throws GatewayError InvalidRequest (framing), IncompleteBody (length), SignatureDoesNotMatch
   */
  push(piece: Buffer): Buffer[] {
    const data: Buffer[] = [];
    let at = 0;
    while (at < piece.length) {
      switch (this.#state) {
        case 'header':
          at = this.#readHeader(piece, at);
          break;
        case 'data': {
          const end = Math.min(piece.length, at + this.#chunkRemaining);
          const slice = at === 0 && end === piece.length ? piece : piece.subarray(at, end);
          this.#takeData(slice);
          data.push(slice);
          at = end;
          break;
        }
        case 'after-data':
          at = this.#readChunkEnd(piece, at);
          break;
        case 'trailer':
          this.#text += piece.toString('latin1', at, Math.min(piece.length, at + MAX_TRAILER_BYTES + 1));
          if (this.#text.length > MAX_TRAILER_BYTES) throw malformed('too much follows its last chunk');
          at = piece.length;
          break;
      }
    }
    return data;
  }

  /**
   * Checks that the body is complete. Call it once, after the last piece.
   * @returns the fields of the trailer, by name in lower case
   * @throws GatewayError IncompleteBody, InvalidRequest, SignatureDoesNotMatch
   */
  finish(): ReadonlyMap<string, string> {
    if (this.#state !== 'trailer') throw incomplete('The request body ended before its last chunk.');
    if (!this.#options.trailer) {
      if (this.#text !== '\r\n') throw this.#badEnd();
      return new Map();
    }
    return this.#options.signatures === undefined
      ? this.#readUnsignedTrailer()
      : this.#readSignedTrailer(this.#options.signatures);
  }

  #readHeader(piece: Buffer, at: number): number {
    const window = piece.subarray(at, at + MAX_CHUNK_HEADER_BYTES);
    const lineEnd = window.indexOf(LF);
    const taken = lineEnd === -1 ? window.length : lineEnd + 1;
    this.#text += window.toString('latin1', 0, taken);
    if (this.#text.length > MAX_CHUNK_HEADER_BYTES) throw malformed('a chunk’s header is too long');
    if (lineEnd !== -1) {
      const line = this.#text;
      this.#text = '';
      this.#startChunk(line);
    }
    return at + taken;
  }

  #startChunk(line: string): void {
    const { signatures, decodedBytes } = this.#options;
    const match = (signatures === undefined ? UNSIGNED_HEADER : SIGNED_HEADER).exec(line);
    if (match === null) throw malformed('a chunk’s header is not well-formed');
    const chunkBytes = Number.parseInt(match[1] as string, 16);
    this.#chunkSignature = match[2] ?? '';
    if (chunkBytes > decodedBytes - this.#received) {
      throw incomplete('The request body has more bytes than x-amz-decoded-content-length says.');
    }
    if (chunkBytes > 0) {
      this.#chunkRemaining = chunkBytes;
      if (signatures !== undefined) this.#chunkHash = createHash('sha256');
      this.#state = 'data';
      return;
    }
    signatures?.verifyChunk(this.#chunkSignature, EMPTY_SHA256);
    if (this.#received !== decodedBytes) {
      throw incomplete('The request body has fewer bytes than x-amz-decoded-content-length says.');
    }
    this.#state = 'trailer';
  }

  #takeData(slice: Buffer): void {
    this.#chunkHash?.update(slice);
    this.#received += slice.length;
    this.#chunkRemaining -= slice.length;
    if (this.#chunkRemaining > 0) return;
    if (this.#chunkHash !== undefined) {
      this.#options.signatures?.verifyChunk(this.#chunkSignature, this.#chunkHash.digest('hex'));
      this.#chunkHash = undefined;
    }
    this.#state = 'after-data';
  }

  #readChunkEnd(piece: Buffer, at: number): number {
    const expected = this.#text === '' ? CR : LF;
    if (piece[at] !== expected) throw malformed('a chunk is longer than its header says');
    if (expected === CR) {
      this.#text = '\r';
    } else {
      this.#text = '';
      this.#state = 'header';
    }
    return at + 1;
  }

  /** Reads an unsigned trailer. minio-go ends its lines with LF and adds an empty line; others end them with CRLF. */
  #readUnsignedTrailer(): ReadonlyMap<string, string> {
    const match = /^((?:[A-Za-z0-9-]{1,64}:[^\r\n]*\r?\n)*)(?:\r\n){1,2}$/.exec(this.#text);
    if (match === null) throw this.#badEnd();
    return readLines(match[1] as string).fields;
  }

  #readSignedTrailer(signatures: ChunkSignatures): ReadonlyMap<string, string> {
    const match =
      /^((?:(?!x-amz-trailer-signature:)[A-Za-z0-9-]{1,64}:[^\r\n]*\r?\n)*)(?:\r\n)?x-amz-trailer-signature:([0-9a-f]{64})\r\n\r\n$/.exec(
        this.#text,
      );
    if (match === null) throw this.#badEnd();
    const { fields, lines } = readLines(match[1] as string);
    signatures.verifyTrailer(match[2] as string, lines);
    return fields;
  }

  /** The error for a trailer that cannot be read. A body that does not end in CRLF was cut short. */
  #badEnd(): GatewayError {
    return this.#text.endsWith('\r\n')
      ? malformed('what follows its last chunk is not well-formed')
      : incomplete('The request body ended within its last chunk or trailer.');
  }
}

/** Reads the lines of a trailer. Returns the fields by name in lower case, and the lines as they are signed. */
function readLines(text: string): { readonly fields: Map<string, string>; readonly lines: string } {
  const fields = new Map<string, string>();
  let lines = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (fields.has(name)) throw malformed('a trailer field is there twice');
    fields.set(name, value);
    lines += `${name}:${value}\n`;
  }
  return { fields, lines };
}

function malformed(reason: string): GatewayError {
  return clientError('InvalidRequest', `The aws-chunked request body is malformed: ${reason}.`);
}

function incomplete(message: string): GatewayError {
  return clientError('IncompleteBody', message);
}
