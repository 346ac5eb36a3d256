/** The part of the grammar of XML 1.0 that xml-scanner.ts accepts and checks off its hot path. */

export const NOT_WELL_FORMED = 'is not well-formed';

/** Names that were cut from a document before. A listing has a dozen of them, each a thousand times. */
export class NameTable {
  readonly #names: (string | undefined)[] = new Array(64).fill(undefined);

  cut(bytes: Buffer, latin1: string, at: number, end: number): string {
    const slot = ((end - at) * 31 + (bytes[at] as number) * 7 + (bytes[end - 1] as number)) & 63;
    const known = this.#names[slot];
    if (known !== undefined && known.length === end - at && latin1.startsWith(known, at)) return known;
    const name = latin1.slice(at, end);
    this.#names[slot] = name;
    return name;
  }
}

export const BLANK = /^[\t\n\r ]*$/;
/** Characters that XML 1.0 §2.2 does not have. */
export const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
/** A processing instruction; the group is its target. */
const INSTRUCTION = /^<\?([A-Za-z_][\w:.-]*)(?:[\t\n\r ].*)?\?>$/s;
/** An XML declaration (XML 1.0 §2.8); the group `encoding` is there if it names one. */
const DECLARATION =
  /^<\?xml[\t\n\r ]+version[\t\n\r ]*=[\t\n\r ]*(["'])1\.[0-9]\1(?:[\t\n\r ]+encoding[\t\n\r ]*=[\t\n\r ]*(["'])(?<encoding>[A-Za-z][\w.-]*)\2)?(?:[\t\n\r ]+standalone[\t\n\r ]*=[\t\n\r ]*(["'])(?:yes|no)\4)?[\t\n\r ]*\?>$/;
/** A tag; the groups are a slash if it closes, the name, the attributes, and a slash if the element is empty. */
export const TAG =
  /^<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:[\t\n\r ]+[A-Za-z_:][\w:.-]*[\t\n\r ]*=[\t\n\r ]*(?:"[^"<]*"|'[^'<]*'))*)[\t\n\r ]*(\/?)>$/;
/** An attribute; the groups are its name, and its value with the quotes. */
export const ATTRIBUTE = /([A-Za-z_:][\w:.-]*)[\t\n\r ]*=[\t\n\r ]*("[^"]*"|'[^']*')/g;

/** The five names that XML predefines, and the two numbers that stores write around every ETag. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['#34', '"'],
  ['#x22', '"'],
]);

/** Returns the character that a reference stands for, given what is between `&` and `;`; undefined if it is none. */
export function referred(name: string): string | undefined {
  const known = NAMED.get(name);
  if (known !== undefined) return known;
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name);
  if (match === null) return undefined;
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  const isCharacter = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

/**
 * Judges a processing instruction, the XML declaration among them.
 * @param first whether nothing but blanks came before it; only there may a declaration stand
 * @returns what is wrong with it, or undefined
 */
export function instructionFault(markup: string, first: boolean): string | undefined {
  const target = INSTRUCTION.exec(markup)?.[1];
  if (target === undefined) return NOT_WELL_FORMED;
  if (target.toLowerCase() !== 'xml') return undefined;
  const declaration = DECLARATION.exec(markup);
  if (!first || declaration === null) return NOT_WELL_FORMED;
  const encoding = declaration.groups?.encoding ?? 'utf-8';
  return encoding.toLowerCase() === 'utf-8' ? undefined : 'is not declared as UTF-8';
}

/** Turns line ends into line feeds, as XML 1.0 §2.11 asks. */
export function normalised(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

export function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}
