/**
 * The head of an HTTP/1.1 answer, read strictly (RFC 9112): what two readers could take for different messages is
 * refused, not repaired. It serves one kind of peer, object stores; all of them pass.
 */
export interface AnswerHead {
  readonly status: number;
  /** Flat, as on the wire; latin1, a character a byte. */
  readonly raw: string[];
  readonly framing: Framing;
  /** The connection may carry another exchange after this one. */
  readonly reusable: boolean;
}

export type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** HEAD, 204, 304: no body whatever the fields say. */
  | { readonly kind: 'none' }
  /** Neither length nor chunks: the body's end would be the connection's end. */
  | { readonly kind: 'endless' };

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const LENGTH = /^\d{1,15}$/;

/** @throws Error with code ANSWER_MALFORMED */
export function readAnswerHead(text: string): AnswerHead {
  const lines = text.split('\r\n');
  const status = Number(STATUS_LINE.exec(lines[0] as string)?.[1] ?? malformed('status line'));
  const raw: string[] = [];
  let length: string | undefined;
  let chunked = false;
  let reusable = true;
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] as string;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    // Also refuses a folded line (obs-fold, §5.2): a blank is no name.
    if (colon < 1 || !NAME.test(name) || FORBIDDEN_IN_VALUE.test(value)) malformed('header field');
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
          if (chunked || value.toLowerCase() !== 'chunked') malformed('Transfer-Encoding');
          chunked = true;
        }
        break;
    }
  }
  if (chunked && length !== undefined) malformed('two framings');
  return { status, raw, framing: framingOf(status, chunked, length), reusable };
}

function framingOf(status: number, chunked: boolean, length: string | undefined): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' };
  if (chunked) return { kind: 'chunked' };
  return length === undefined ? { kind: 'endless' } : { kind: 'length', bytes: Number(length) };
}

export function malformed(what: string): never {
  throw Object.assign(new Error(`malformed answer: ${what}`), { code: 'ANSWER_MALFORMED' });
}
