import { clientError, type GatewayError } from '../../errors.ts';
import type { ByteSource } from '../message.ts';
import { parseParameters } from '../parameters.ts';

/** What stands above a part of a form. */
export interface FormPart {
  readonly name: string;
  /** As sent, path included. undefined for a plain field; some clients give every field one. */
  readonly fileName: string | undefined;
}

/** A name, a file name and a type; the value is not in it. */
const MAX_HEAD_BYTES = 4096;

/** RFC 2046 §5.1.1. A carriage return in it would break the search for delimiters (#heldBack). */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING: Buffer = Buffer.alloc(0);
const CR = 0x0d;

/**
 * The boundary of a multipart/form-data request, from its Content-Type.
 * @returns undefined for another media type
 * @throws GatewayError MalformedPOSTRequest
 */
export function formBoundary(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^[ \t]*multipart\/form-data[ \t]*(?:;|$)/i.test(contentType)) return undefined;
  const boundary = parseParameters(contentType)?.parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) throw malformed('its Content-Type has no usable boundary');
  return boundary;
}

/**
 * A multipart/form-data body (RFC 7578), pulled part by part, whatever pieces it comes in: `next`, then all of `bytes`,
 * and again. It takes what browsers, curl and SDKs send and refuses the rest of RFC 2046 (preamble, epilogue, padding
 * behind a boundary, encoded parts): a body that two readers could read differently is a malformed one. It ends, by
 * `next` answering undefined, only when the last boundary came and nothing behind it.
 */
export class FormReader {
  /** What was read of the body so far, the current part's bytes included. */
  readBytes = 0;
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** Not read yet. Begins as if a line had ended before the body. */
  #window: Buffer = CRLF;
  #state: 'in-part' | 'at-delimiter' | 'ended' = 'in-part';

  /** @param boundary from formBoundary */
  constructor(source: ByteSource, boundary: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.readBytes = -CRLF.length;
  }

  /** @throws GatewayError MalformedPOSTRequest, and what the source throws */
  async next(): Promise<FormPart | undefined> {
    if (this.readBytes < 0) await this.#expectDelimiter();
    if (this.#state === 'in-part') throw new Error('the part before was not read to its end');
    if (this.#state === 'ended') return undefined;
    const mark = (await this.#take(2)).toString('latin1');
    if (mark === '--') {
      await this.#expectEnd();
      this.#state = 'ended';
      return undefined;
    }
    if (mark !== '\r\n') throw malformed('a boundary is followed by something else than a line end');
    this.#state = 'in-part';
    return readHead(await this.#takeHead());
  }

  /** Of the part that `next` told of. Iterate to the end. */
  async *bytes(): AsyncGenerator<Buffer, void, void> {
    while (this.#state === 'in-part') {
      const at = this.#window.indexOf(this.#delimiter);
      const found = at !== -1;
      const data = this.#consume(found ? at : this.#window.length - this.#heldBack());
      if (found) {
        this.#consume(this.#delimiter.length);
        this.#state = 'at-delimiter';
      }
      if (data.length > 0) yield data;
      if (!found) await this.#more();
    }
  }

  /** Lets go of the body. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #expectDelimiter(): Promise<void> {
    const { done } = await this.bytes().next();
    if (done !== true) throw malformed('it does not begin with its boundary');
  }

  async #expectEnd(): Promise<void> {
    do {
      if (
        this.#window.length > CRLF.length ||
        CRLF.compare(this.#window, 0, this.#window.length, 0, this.#window.length) !== 0
      ) {
        throw malformed('something follows its last boundary');
      }
    } while (await this.#pull());
    if (this.#window.length === 1) throw malformed('it ends in the middle of a line end');
    this.#consume(this.#window.length);
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#window.length < bytes) await this.#more();
    return this.#consume(bytes);
  }

  async #takeHead(): Promise<Buffer> {
    for (;;) {
      const end = this.#window.indexOf(HEAD_END);
      if (end > MAX_HEAD_BYTES || (end === -1 && this.#window.length > MAX_HEAD_BYTES + HEAD_END.length)) {
        throw malformed(`the head of a part has more than ${MAX_HEAD_BYTES} bytes`);
      }
      if (end !== -1) {
        const head = this.#consume(end);
        this.#consume(HEAD_END.length);
        return head;
      }
      await this.#more();
    }
  }

  /** How many of the last bytes may be the beginning of a delimiter, which has its only carriage return in front. */
  #heldBack(): number {
    const from = Math.max(0, this.#window.length - this.#delimiter.length + 1);
    const at = this.#window.lastIndexOf(CR);
    if (at < from) return 0;
    const tail = this.#window.length - at;
    return this.#window.compare(this.#delimiter, 0, tail, at) === 0 ? tail : 0;
  }

  #consume(bytes: number): Buffer {
    const taken = this.#window.subarray(0, bytes);
    this.#window = this.#window.subarray(bytes);
    this.readBytes += bytes;
    return taken;
  }

  async #more(): Promise<void> {
    if (!(await this.#pull())) throw malformed('it ends before its last boundary');
  }

  /** @returns false at the source's end */
  async #pull(): Promise<boolean> {
    // What is kept is copied before the pull: the source may reuse its buffer.
    const kept = this.#window.length === 0 ? undefined : Buffer.from(this.#window);
    const { done, value } = await this.#source.next();
    if (done === true) {
      this.#window = kept ?? NOTHING;
      return false;
    }
    this.#window = kept === undefined ? value : Buffer.concat([kept, value]);
    return true;
  }
}

/** @param head its lines, without the last line end */
function readHead(head: Buffer): FormPart {
  let part: FormPart | undefined;
  for (const line of head.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !/^[a-z0-9-]+$/.test(name)) throw malformed('the head of a part has a line that is no field');
    const value = line.slice(colon + 1).trim();
    if (name === 'content-disposition') {
      if (part !== undefined) throw malformed('a part has two Content-Dispositions');
      part = readDisposition(value);
    } else if (name === 'content-transfer-encoding' && !/^(?:7bit|8bit|binary)$/i.test(value)) {
      // RFC 7578 §4.7 deprecates it. Ignored, an encoded text would be stored for the bytes that it stands for.
      throw malformed('a part has a Content-Transfer-Encoding');
    }
    // Others mean nothing in a form (RFC 7578 §4.8).
  }
  if (part === undefined) throw malformed('a part has no Content-Disposition');
  return part;
}

function readDisposition(value: string): FormPart {
  const disposition = parseParameters(value);
  const name = disposition?.parameters.get('name');
  if (disposition?.value !== 'form-data' || name === undefined || name === '') {
    throw malformed('a part has no Content-Disposition of the form: form-data; name="…"');
  }
  const fileName = disposition.parameters.get('filename');
  return { name: utf8(name), fileName: fileName === undefined ? undefined : utf8(fileName) };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws GatewayError MalformedPOSTRequest */
export function formText(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    throw malformed('a name or a field is not UTF-8', cause);
  }
}

function utf8(latin1: string): string {
  return /^[\x20-\x7e]*$/.test(latin1) ? latin1 : formText(Buffer.from(latin1, 'latin1'));
}

function malformed(reason: string, cause?: unknown): GatewayError {
  return clientError(
    'MalformedPOSTRequest',
    `The body of your POST request is not well-formed multipart/form-data: ${reason}.`,
    { cause },
  );
}
