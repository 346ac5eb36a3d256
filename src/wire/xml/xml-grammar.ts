/* The rules of XML 1.0 that xml-scanner.ts needs less often than for every byte. */

/** The reason for every breach of the grammar. */
export const NOT_WELL_FORMED = 'is not well-formed';

/** Keeps the names that were read from a document, because a listing has a dozen of them, each a thousand times. */
export class NameTable {
  readonly #names: (string | undefined)[] = new Array(64).fill(undefined);

  /** Returns the name from `at` up to but not including `end`. `latin1` is the text of `bytes`. */
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
/** Finds characters that XML 1.0 does not allow (§2.2). */
export const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
/** Matches a processing instruction. The group is its target. */
const INSTRUCTION = /^<\?([A-Za-z_][\w:.-]*)(?:[\t\n\r ].*)?\?>$/s;
/** Matches an XML declaration (XML 1.0 §2.8). The group `encoding` is undefined where it names none. */
const DECLARATION =
  /^<\?xml[\t\n\r ]+version[\t\n\r ]*=[\t\n\r ]*(["'])1\.[0-9]\1(?:[\t\n\r ]+encoding[\t\n\r ]*=[\t\n\r ]*(["'])(?<encoding>[A-Za-z][\w.-]*)\2)?(?:[\t\n\r ]+standalone[\t\n\r ]*=[\t\n\r ]*(["'])(?:yes|no)\4)?[\t\n\r ]*\?>$/;
/**
 * Matches a tag. The groups are a slash if it closes, the name, the attributes, and a slash if the element is empty.
 */
export const TAG =
  /^<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:[\t\n\r ]+[A-Za-z_:][\w:.-]*[\t\n\r ]*=[\t\n\r ]*(?:"[^"<]*"|'[^'<]*'))*)[\t\n\r ]*(\/?)>$/;
/** Finds an attribute. The groups are its name, and its value with the quotes. */
export const ATTRIBUTE = /([A-Za-z_:][\w:.-]*)[\t\n\r ]*=[\t\n\r ]*("[^"]*"|'[^']*')/g;

/** The five entities that XML predefines, and the two numbers that stores write for the quotes of every ETag. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['#34', '"'],
  ['#x22', '"'],
]);

/** Returns the character that a reference stands for, or undefined. @param name what stands between `&` and `;` */
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

/** Turns line ends into line feeds, as XML 1.0 §2.11 requires. */
export function normalised(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** Returns a name without its namespace prefix. */
export function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}
