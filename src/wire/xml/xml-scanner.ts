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
  DECLARATION,
  INSTRUCTION,
  localName,
  NameTable,
  normalised,
  referred,
  TAG,
} from './xml-grammar.ts';

/**
 * A strict XML 1.0 reader for documents in UTF-8 that are long, flat and hot: a store's listings. Bytes are pushed as
 * they come and elements are told as they end, so that neither the document nor a tree of it is held. It knows elements,
 * attributes (checked, then dropped), text, references, CDATA, comments and processing instructions. It refuses a
 * DOCTYPE, names outside of ASCII, what is not well-formed, and depth and sizes past its limits.
 *
 * One pass over every byte: 1,000 keys are half a megabyte, and must cost less to read than to fetch. What is ASCII,
 * that is nearly everything, is cut from one latin1 string a chunk; bytes are told apart from numbers in a buffer, which
 * is several times faster than from characters in a string.
 */
export interface XmlHandler {
  /** `name` without a namespace prefix; the root's `depth` is 1. */
  open(name: string, depth: number): void;
  /** `text` is the element's own, CDATA included, untrimmed; of an element with children it is what follows the last. */
  close(name: string, text: string, depth: number): void;
}

export interface XmlScannerLimits {
  readonly maxDepth: number;
  /** Of one element's text, and of one piece of text or markup, in characters or bytes. */
  readonly maxTextLength: number;
  /** Makes the error to throw. */
  readonly malformed: (reason: string) => GatewayError;
}

const NOT_WELL_FORMED = 'is not well-formed';

export class XmlScanner {
  readonly #handler: XmlHandler;
  readonly #limits: XmlScannerLimits;
  readonly #known = new NameTable();
  /** Of the elements that are open, as they were written. */
  readonly #names: string[] = [];
  readonly #texts: string[] = [];
  /** The beginning of a token whose end has not come yet. */
  #rest: Buffer = NOTHING;
  /** Where a rest and the chunk behind it are joined. */
  #reused: Buffer = NOTHING;
  /** Something but blanks came: an XML declaration would be too late. */
  #begun = false;
  #rootSeen = false;

  constructor(handler: XmlHandler, limits: XmlScannerLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /**
   * The chunk may be reused afterwards.
   * @throws what `limits.malformed` makes; the scanner is of no use then
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

  /** @throws what `limits.malformed` makes, unless a whole document came */
  end(): void {
    if (this.#names.length > 0 || !BLANK.test(this.#rest.toString('latin1'))) this.#refuse('ends too early');
    if (!this.#rootSeen) this.#refuse('is empty');
  }

  /** Reads text and the markup behind it. Returns where that ends, or INCOMPLETE: then nothing was read. */
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

  /** Of markup that is no bare tag: behind its last character, or INCOMPLETE. */
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
    if (markup.startsWith('<!--')) {
      if (markup.length < 7 || markup.slice(4, -3).includes('--')) this.#refuse(NOT_WELL_FORMED);
    } else if (markup.startsWith('<![CDATA[')) {
      this.#append(normalised(markup.slice(9, -3)));
    } else if (markup.startsWith('<?')) {
      this.#instruction(markup, first);
    } else {
      this.#tagWithMore(markup);
    }
  }

  #instruction(markup: string, first: boolean): void {
    const target = INSTRUCTION.exec(markup)?.[1];
    if (target === undefined) this.#refuse(NOT_WELL_FORMED);
    if (target?.toLowerCase() !== 'xml') return;
    const match = DECLARATION.exec(markup);
    if (!first || match === null) this.#refuse(NOT_WELL_FORMED);
    const encoding = match?.[1] ?? 'utf-8';
    if (encoding.toLowerCase() !== 'utf-8') this.#refuse('is not declared as UTF-8');
  }

  /** A tag with attributes, blanks or a slash at its end. */
  #tagWithMore(markup: string): void {
    const match = TAG.exec(markup);
    if (match === null || CONTROLS.test(markup)) this.#refuse(NOT_WELL_FORMED);
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
    if (depth === 1) {
      if (this.#rootSeen) this.#refuse(NOT_WELL_FORMED);
      this.#rootSeen = true;
      this.#begun = true;
    } else {
      this.#texts[depth - 2] = '';
    }
    this.#texts.push('');
    this.#handler.open(local, depth);
  }

  #close(name: string, local: string): void {
    const depth = this.#names.length;
    if (this.#names.pop() !== name) this.#refuse(NOT_WELL_FORMED);
    this.#handler.close(local, this.#texts.pop() as string, depth);
  }

  /** @param seen the classes of characters that are in it */
  #text(text: string, seen: number): void {
    if ((seen & (FORBIDDEN | NOT_ASCII)) !== 0 && CONTROLS.test(text)) this.#refuse(NOT_WELL_FORMED);
    if ((seen & BRACKET) !== 0 && text.includes(']]>')) this.#refuse(NOT_WELL_FORMED);
    const lines = (seen & RETURN) !== 0 ? normalised(text) : text;
    this.#append((seen & REFERENCE) !== 0 ? this.#expanded(lines) : lines);
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

  /** References put in. One to a control character is not XML 1.0, but it is how stores spell such a key. */
  #expanded(text: string): string {
    let expanded = '';
    let from = 0;
    for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', from)) {
      const end = text.indexOf(';', at);
      const character = end === -1 || end - at > 12 ? undefined : referred(text.slice(at + 1, end));
      if (character === undefined) return this.#refuse(NOT_WELL_FORMED);
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
/** Rests differ in length, sockets' chunks do not: so that one buffer does for all of them. */
const SPARE_BYTES = 4096;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const BRACKETS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;
