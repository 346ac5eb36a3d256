import { malformed, readField } from './answer-head.ts';

/**
 * The longest line that holds a chunk's size and extensions, and the longest trailer field. No store sends longer ones.
 */
const MAX_LINE_BYTES = 1024;
const MAX_TRAILER_LINES = 16;
/**
 * A chunk's size and its extensions. RFC 9112 §7.1.1 has readers take blanks in it too; they are refused, because no
 * store sends them.
 */
const SIZE_LINE =
  /^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/;
/** Fields that say how long the message is. In a trailer they come too late, and are refused (RFC 9110 §6.5.1). */
const FRAMES = /^(?:content-length|transfer-encoding)$/i;

/**
 * Undoes the chunked transfer coding (RFC 9112 §7.1). It is strict: every line must end with CRLF. Trailer fields are
 * checked and then dropped.
 */
export class ChunkedBody {
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  #line = '';
  #restBytes = 0;
  #trailerLines = 0;

  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes the next bytes of the connection.
   * @returns a copy of the data in these bytes, and how many of the bytes belonged to the body
   * @throws Error with code ANSWER_MALFORMED
   */
  push(bytes: Buffer): { readonly data: Buffer; readonly consumedBytes: number } {
    const pieces: Buffer[] = [];
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#restBytes);
        pieces.push(piece);
        at += piece.length;
        this.#restBytes -= piece.length;
        if (this.#restBytes === 0) this.#state = 'data-end';
      } else {
        at = this.#takeLine(bytes, at);
      }
    }
    return { data: Buffer.concat(pieces), consumedBytes: at };
  }

  #takeLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(0x0a, from);
    const until = end === -1 ? bytes.length : end + 1;
    this.#line += bytes.toString('latin1', from, until);
    if (this.#line.length > MAX_LINE_BYTES) malformed('chunk line');
    if (end !== -1) {
      if (!this.#line.endsWith('\r\n')) malformed('chunk line');
      this.#endLine(this.#line.slice(0, -2));
      this.#line = '';
    }
    return until;
  }

  #endLine(line: string): void {
    switch (this.#state) {
      case 'size': {
        const size = SIZE_LINE.exec(line)?.[1] ?? malformed('chunk size');
        this.#restBytes = Number.parseInt(size, 16);
        this.#state = this.#restBytes === 0 ? 'trailer' : 'data';
        break;
      }
      case 'data-end':
        if (line !== '') malformed('chunk end');
        this.#state = 'size';
        break;
      default:
        if (line === '') this.#state = 'done';
        else if (++this.#trailerLines > MAX_TRAILER_LINES) malformed('trailer');
        else if (FRAMES.test(readField(line).name)) malformed('trailer');
    }
  }
}
