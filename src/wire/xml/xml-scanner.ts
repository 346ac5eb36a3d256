import type { GatewayError } from '../../errors.ts';
import {
  APOSTROPHE,
  BRACKET,
  COLON,
  FORBIDDEN,
  GREATER,
  LESS,
  LETTER,
  MARKUP,
  NAME_CLASSES,
  NO_NAME,
  NOT_ASCII,
  QUOTE,
  REFERENCE,
  RETURN,
  SLASH,
  TEXT_CLASSES,
} from './xml-bytes.ts';
import {
  ATTRIBUTE,
  BLANK,
  CONTROLS,
  instructionFault,
  localName,
  NameTable,
  NOT_WELL_FORMED,
  normalised,
  referred,
  TAG,
} from './xml-grammar.ts';

/** Gets the elements of a document from an XmlScanner, while it is read. */
export interface XmlHandler {
  /**
   * An element begins. `name` has no namespace prefix, and the root has the depth 1. `textBefore` is the parent's text
   * since its last child ended, or since the parent began.
   */
  open(name: string, depth: number, textBefore: string): void;
  /** An element ends. `text` is its own, with CDATA and untrimmed; if it has children, it is what follows the last. */
  close(name: string, text: string, depth: number): void;
}

/** Whether a reference to a character that XML 1.0 does not allow (§2.2), such as `&#x1;`, is read or refused. */
export type ControlReferences = 'taken' | 'refused';

/** What an XmlScanner refuses, and with which error. */
export interface XmlScannerLimits {
  readonly maxDepth: number;
  readonly controlReferences: ControlReferences;
  /** The longest text of one element in characters, and the longest piece of text or markup in bytes. */
  readonly maxTextLength: number;
  /** Makes the error to throw, which is the client's fault or the store's. `reason` completes "The document …". */
  readonly malformed: (reason: string) => GatewayError;
}

/**
 * A strict reader of XML 1.0 in UTF-8, for documents of clients and of stores. Bytes are pushed as they arrive, and a
 * handler is called as elements begin and end, so that a long listing is held neither as a document nor as a tree. The
 * scanner reads elements, attributes (they are checked and dropped), text, references, CDATA, comments and processing
 * instructions. It refuses a DOCTYPE (so documents cannot define entities), names that are not ASCII, what is not
 * well-formed, and depths and sizes past its limits.
 *
 * It passes once over the bytes, because reading a listing (half a megabyte for 1,000 keys) must cost less than
 * fetching it. Bytes are classified in the buffer, which is several times faster than characters in a string. Text that
 * is ASCII, as nearly all is, is cut from one latin1 string for each chunk.
 */
export class XmlScanner {
  readonly #handler: XmlHandler;
  readonly #limits: XmlScannerLimits;
  readonly #known = new NameTable();
  /** The names of the open elements, with their prefixes. */
  readonly #names: string[] = [];
  readonly #texts: string[] = [];
  /** The beginning of a token whose end is in a later chunk. */
  #rest: Buffer = NOTHING;
  /** The buffer in which a rest and the next chunk are joined; it is used for all chunks. */
  #reused: Buffer = NOTHING;
  /** Whether anything but blanks was read. An XML declaration must come before that. */
  #begun = false;
  #rootSeen = false;

  constructor(handler: XmlHandler, limits: XmlScannerLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /**
   * Reads the next chunk. The caller may reuse it afterwards.
   * @throws what `limits.malformed` makes; the scanner must not be used after that
   */
  push(chunk: Buffer): void {
    const bytes = this.#withRest(chunk);
    const latin1 = bytes.toString('latin1');
    let at = 0;
    for (let next = this.#token(bytes, latin1, at); next !== INCOMPLETE; next = this.#token(bytes, latin1, at))
      at = next;
    if (bytes.length - at > this.#limits.maxTextLength) this.#refuse('has too long a text');
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  #withRest(chunk: Buffer): Buffer {
    const rest = this.#rest;
    if (rest.length === 0) return chunk;
    const length = rest.length + chunk.length;
    if (this.#reused.length < length) this.#reused = Buffer.allocUnsafeSlow(length + SPARE_BYTES);
    rest.copy(this.#reused);
    chunk.copy(this.#reused, rest.length);
    return this.#reused.subarray(0, length);
  }

  /** Call it after the last chunk. @throws what `limits.malformed` makes if the document is incomplete */
  end(): void {
    if (this.#names.length > 0 || !BLANK.test(this.#rest.toString('latin1'))) this.#refuse('ends too early');
    if (!this.#rootSeen) this.#refuse('is empty');
  }

  /**
   * Reads text and the markup after it. Returns the index after the markup, or INCOMPLETE if its end is yet to come.
   */
  #token(bytes: Buffer, latin1: string, at: number): number {
    let seen = 0;
    let markup = at;
    for (; markup < bytes.length; markup++) {
      const kind = TEXT_CLASSES[bytes[markup] as number] as number;
      if (kind === 0) continue;
      if (kind === MARKUP) break;
      seen |= kind;
    }
    if (markup === bytes.length) return INCOMPLETE;
    const closes = bytes[markup + 1] === SLASH;
    const nameAt = closes ? markup + 2 : markup + 1;
    let nameEnd = nameAt;
    let localAt = nameAt;
    for (; nameEnd < bytes.length; nameEnd++) {
      const kind = NAME_CLASSES[bytes[nameEnd] as number] as number;
      if (kind === NO_NAME || (kind !== LETTER && nameEnd === localAt)) break;
      if (kind !== COLON) continue;
      if (localAt !== nameAt) break;
      localAt = nameEnd + 1;
    }
    if (nameEnd > localAt && bytes[nameEnd] === GREATER) {
      if (markup > at) this.#text(this.#cut(bytes, latin1, { at, end: markup, seen }), seen);
      const name = this.#known.cut(bytes, latin1, nameAt, nameEnd);
      const local = localAt === nameAt ? name : this.#known.cut(bytes, latin1, localAt, nameEnd);
      if (closes) this.#close(name, local);
      else this.#open(name, local);
      return nameEnd + 1;
    }
    const end = this.#endOfMarkup(latin1, markup);
    if (end === INCOMPLETE) return INCOMPLETE;
    if (markup > at) this.#text(this.#cut(bytes, latin1, { at, end: markup, seen }), seen);
    this.#rareMarkup(this.#cut(bytes, latin1, { at: markup, end, seen: NOT_ASCII }));
    return end;
  }

  #cut(bytes: Buffer, latin1: string, { at, end, seen }: { at: number; end: number; seen: number }): string {
    if ((seen & NOT_ASCII) === 0) return latin1.slice(at, end);
    try {
      return strictUtf8.decode(bytes.subarray(at, end));
    } catch {
      return this.#refuse('is not valid UTF-8');
    }
  }

  /** Finds the end of markup that is more than a bare tag. Returns the index after it, or INCOMPLETE. */
  #endOfMarkup(data: string, at: number): number {
    for (const [begin, close] of BRACKETS) {
      if (!data.startsWith(begin, at)) continue;
      const end = data.indexOf(close, at + begin.length);
      return end === -1 ? INCOMPLETE : end + close.length;
    }
    if (data.startsWith('<!DOCTYPE', at)) this.#refuse('has a document type declaration, which is not allowed');
    let quote = 0;
    for (let end = at + 1; end < data.length; end++) {
      const code = data.charCodeAt(end);
      if (code === LESS) this.#refuse(NOT_WELL_FORMED);
      if (quote !== 0) quote = code === quote ? 0 : quote;
      else if (code === QUOTE || code === APOSTROPHE) quote = code;
      else if (code === GREATER) return end + 1;
    }
    return INCOMPLETE;
  }

  #rareMarkup(markup: string): void {
    const first = !this.#begun;
    this.#begun = true;
    if (CONTROLS.test(markup)) this.#refuse(NOT_WELL_FORMED);
    if (markup.startsWith('<!--')) {
      if (markup.length < 7 || markup.slice(4, -2).includes('--')) this.#refuse(NOT_WELL_FORMED);
    } else if (markup.startsWith('<![CDATA[')) {
      if (this.#names.length === 0) this.#refuse(NOT_WELL_FORMED);
      this.#append(normalised(markup.slice(9, -3)));
    } else if (markup.startsWith('<?')) {
      const fault = instructionFault(markup, first);
      if (fault !== undefined) this.#refuse(fault);
    } else {
      this.#tagWithMore(markup);
    }
  }

  /** Reads a tag that has attributes, blanks, or a slash at its end. */
  #tagWithMore(markup: string): void {
    const match = TAG.exec(markup);
    if (match === null) this.#refuse(NOT_WELL_FORMED);
    const [, slash = '', name = '', attributes = '', empty = ''] = match ?? [];
    if (slash !== '') {
      if (attributes !== '' || empty !== '') this.#refuse(NOT_WELL_FORMED);
      this.#close(name, localName(name));
      return;
    }
    const known = new Set<string>();
    for (const [, attribute = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
      if (known.has(attribute)) this.#refuse(NOT_WELL_FORMED);
      known.add(attribute);
      this.#expanded(value);
    }
    this.#open(name, localName(name));
    if (empty !== '') this.#close(name, localName(name));
  }

  #open(name: string, local: string): void {
    const depth = this.#names.push(name);
    if (depth > this.#limits.maxDepth) this.#refuse('is nested too deeply');
    let textBefore = '';
    if (depth === 1) {
      if (this.#rootSeen) this.#refuse(NOT_WELL_FORMED);
      this.#rootSeen = true;
      this.#begun = true;
    } else {
      textBefore = this.#texts[depth - 2] as string;
      this.#texts[depth - 2] = '';
    }
    this.#texts.push('');
    this.#handler.open(local, depth, textBefore);
  }

  #close(name: string, local: string): void {
    const depth = this.#names.length;
    if (this.#names.pop() !== name) this.#refuse(NOT_WELL_FORMED);
    this.#handler.close(local, this.#texts.pop() as string, depth);
  }

  /** @param seen the classes of the bytes that are in the text (xml-bytes.ts) */
  #text(text: string, seen: number): void {
    if ((seen & (FORBIDDEN | NOT_ASCII)) !== 0 && CONTROLS.test(text)) this.#refuse(NOT_WELL_FORMED);
    if ((seen & BRACKET) !== 0 && text.includes(']]>')) this.#refuse(NOT_WELL_FORMED);
    const lines = (seen & RETURN) !== 0 ? normalised(text) : text;
    if ((seen & REFERENCE) === 0) this.#append(lines);
    else if (this.#names.length === 0) this.#refuse(NOT_WELL_FORMED);
    else this.#append(this.#expanded(lines));
  }

  #append(text: string): void {
    const top = this.#texts.length - 1;
    if (top < 0) {
      const bare = !this.#begun && text.startsWith('\ufeff') ? text.slice(1) : text;
      if (!BLANK.test(bare)) this.#refuse(NOT_WELL_FORMED);
      return;
    }
    const before = this.#texts[top] as string;
    const whole = before === '' ? text : before + text;
    if (whole.length > this.#limits.maxTextLength) this.#refuse('has too long a text');
    this.#texts[top] = whole;
  }

  /** Returns the text with every reference replaced by the character that it stands for. */
  #expanded(text: string): string {
    let expanded = '';
    let from = 0;
    for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', from)) {
      const end = text.indexOf(';', at);
      const character = end === -1 || end - at > 12 ? undefined : referred(text.slice(at + 1, end));
      if (character === undefined) return this.#refuse(NOT_WELL_FORMED);
      if (this.#limits.controlReferences === 'refused' && CONTROLS.test(character)) this.#refuse(NOT_WELL_FORMED);
      expanded += text.slice(from, at) + character;
      from = end + 1;
    }
    return expanded + text.slice(from);
  }

  #refuse(reason: string): never {
    throw this.#limits.malformed(reason);
  }
}

const INCOMPLETE = -1;
const NOTHING = Buffer.alloc(0);
/** What the reused buffer has to spare, so that it need not grow for every longer rest. */
const SPARE_BYTES = 4096;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const BRACKETS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;
