/**
 * The head of an HTTP/1.1 answer, read strictly (RFC 9112). A head that two readers could take for different messages
 * is refused and not repaired. The only peers are object stores, and all known ones send heads that pass. Tests compare
 * this reader with node's HTTP parser.
 */
export interface AnswerHead {
  readonly status: number;
  /** Names and values in turn, as they were on the wire, read as latin1 so that each character is one byte. */
  readonly raw: string[];
  readonly framing: Framing;
  /** Whether the connection may carry another exchange after this one. */
  readonly reusable: boolean;
}

/** One header field. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** How the end of an answer's body is found (RFC 9112 §6.3). */
export type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** There is no body. Statuses 204 and 304 have none, whatever the header fields say. */
  | { readonly kind: 'none' }
  /** The fields give neither a length nor chunks, so that only the end of the connection would end the body. */
  | { readonly kind: 'endless' };

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const LENGTH = /^\d{1,15}$/;

/**
 * Reads the head of an answer, without the empty line that ends it.
 * @throws Error with code ANSWER_MALFORMED
 */
export function readAnswerHead(text: string): AnswerHead {
  const lines = text.split('\r\n');
  const status = Number(STATUS_LINE.exec(lines[0] as string)?.[1] ?? malformed('status line'));
  const raw: string[] = [];
  let length: string | undefined;
  let chunked = false;
  let reusable = true;
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] as string;
    const { name, value } = readField(line);
    raw.push(name, value);
    switch (name.length) {
      case 10:
        if (name.toLowerCase() === 'connection' && /(^|,)[ \t]*close[ \t]*(,|$)/i.test(value)) reusable = false;
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') {
          if (length !== undefined || !LENGTH.test(value)) malformed('Content-Length');
          length = value;
        }
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          // Node's parser takes "chunked" with a tab beside it for an unknown coding, and reads the body until the
          // connection ends.
          if (chunked || value.toLowerCase() !== 'chunked' || line.includes('\t')) malformed('Transfer-Encoding');
          chunked = true;
        }
        break;
    }
  }
  if (chunked && length !== undefined) malformed('Content-Length beside Transfer-Encoding');
  return { status, raw, framing: framingOf(status, chunked, length), reusable };
}

/**
 * Reads one line of a head or of a trailer. A folded line (obs-fold, RFC 9112 §5.2) is refused, because a name holds no
 * blank.
 * @throws Error with code ANSWER_MALFORMED
 */
export function readField(line: string): Field {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  // Only blanks and tabs are cut off. String.trim would also cut the byte A0, which ends an "à" in UTF-8, and bytes
  // that are forbidden.
  let from = colon + 1;
  let end = line.length;
  while (from < end && isBlank(line.charCodeAt(from))) from++;
  while (end > from && isBlank(line.charCodeAt(end - 1))) end--;
  const value = line.slice(from, end);
  if (colon < 1 || !NAME.test(name) || FORBIDDEN_IN_VALUE.test(value)) malformed('header field');
  return { name, value };
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function framingOf(status: number, chunked: boolean, length: string | undefined): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' };
  if (chunked) return { kind: 'chunked' };
  return length === undefined ? { kind: 'endless' } : { kind: 'length', bytes: Number(length) };
}

/**
 * Refuses an answer that is not valid HTTP/1.1; `what` names the part that is wrong.
 * @throws Error with code ANSWER_MALFORMED
 */
export function malformed(what: string): never {
  throw Object.assign(new Error(`malformed answer: ${what}`), { code: 'ANSWER_MALFORMED' });
}
