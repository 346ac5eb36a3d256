/** The grammar of XML 1.0 as far as xml-scanner.ts takes it: what is checked off its hot path. */

/** A listing has a dozen names, ten thousand times: each is cut once. */
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
export const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
/** Its target. */
export const INSTRUCTION = /^<\?([A-Za-z_][\w:.-]*)(?:[\t\n\r ].*)?\?>$/s;
/** Its encoding, if it names one. */
export const DECLARATION =
  /^<\?xml[\t\n\r ]+version[\t\n\r ]*=[\t\n\r ]*["']1\.[0-9]["'](?:[\t\n\r ]+encoding[\t\n\r ]*=[\t\n\r ]*["']([A-Za-z][\w.-]*)["'])?(?:[\t\n\r ]+standalone[\t\n\r ]*=[\t\n\r ]*["'](?:yes|no)["'])?[\t\n\r ]*\?>$/;
/** A slash if it closes, the name, the attributes, a slash if it is empty. */
export const TAG =
  /^<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:[\t\n\r ]+[A-Za-z_:][\w:.-]*[\t\n\r ]*=[\t\n\r ]*(?:"[^"<]*"|'[^'<]*'))*)[\t\n\r ]*(\/?)>$/;
/** Name, and value with its quotes. */
export const ATTRIBUTE = /([A-Za-z_:][\w:.-]*)[\t\n\r ]*=[\t\n\r ]*("[^"]*"|'[^']*')/g;

/** The five names of XML, and the numbers that stores write around every ETag. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['#34', '"'],
  ['#x22', '"'],
]);

/** What a reference stands for, by what is between `&` and `;`; undefined for what is no reference. */
export function referred(name: string): string | undefined {
  const known = NAMED.get(name);
  if (known !== undefined) return known;
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name);
  if (match === null) return undefined;
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  const isCharacter = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

/** Line ends as XML 1.0 §2.11 has them. */
export function normalised(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

export function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}
