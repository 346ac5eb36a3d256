import { clientError, type GatewayError } from '../../errors.ts';
import type { ByteSource } from '../message.ts';
import { parseParameters } from '../parameters.ts';

/** The head of a part of a form, which is a field or a file. */
export interface FormPart {
  readonly name: string;
  /**
   * The name as it was sent, which may have folders. It is undefined for most fields; some clients send one for each.
   */
  readonly fileName: string | undefined;
}

/** The greatest size of a part's head, which has a name, a file name and a media type. */
const MAX_HEAD_BYTES = 4096;

/**
 * Matches a boundary (RFC 2046 §5.1.1). It has no carriage return, on which the search for delimiters relies
 * (#heldBack).
 */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING: Buffer = Buffer.alloc(0);
const CR = 0x0d;

/**
 * Reads the boundary of a multipart/form-data request from its Content-Type.
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
 * Reads a multipart/form-data body (RFC 7578) part by part. Call `next`, then read all of `bytes`, and repeat, until
 * `next` returns undefined: then the body has ended with its last boundary. The reader takes what browsers, curl and
 * SDKs send. It refuses what else RFC 2046 has (preamble, epilogue, blanks behind a boundary, encoded parts), because
 * another reader could understand such a body in another way.
 */
export class FormReader {
  /** How many bytes of the body were read so far, those of the current part included. */
  readBytes = 0;
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /**
   * The bytes that were pulled and not read yet. It begins with a line end, so that the first boundary is found too.
   */
  #window: Buffer = CRLF;
  #state: 'in-part' | 'at-delimiter' | 'ended' = 'in-part';

  /** @param boundary the result of `formBoundary` */
  constructor(source: ByteSource, boundary: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.readBytes = -CRLF.length;
  }

  /**
   * Reads the head of the next part.
   * @returns undefined at the end of the body
   * @throws GatewayError MalformedPOSTRequest, and what the source throws
   */
  async next(): Promise<FormPart | undefined> {
    if (this.readBytes < 0) await this.#expectDelimiter();
    if (this.#state === 'in-part') throw new Error('The part before has not been read to its end.');
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

  /** Yields the bytes of the part whose head `next` returned. Iterate it to its end. */
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

  /** Releases the body. */
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

  /** Returns how many of the last bytes may begin a delimiter. Its first byte is its only carriage return. */
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
    // The rest is copied before the pull, because the source may reuse its buffer.
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

/** Reads the head of a part. @param head its lines, without the last line end */
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
      // RFC 7578 §4.7 deprecates the header. If it were ignored, the encoded text would be stored instead of the bytes.
      throw malformed('a part has a Content-Transfer-Encoding');
    }
    // Other headers mean nothing in a form (RFC 7578 §4.8).
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

/** Decodes a text of a form. @throws GatewayError MalformedPOSTRequest for bytes that are not UTF-8 */
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
