/* Classifies the bytes of an XML document for xml-scanner.ts, which looks at each of them. */

export const QUOTE = 0x22;
export const APOSTROPHE = 0x27;
export const SLASH = 0x2f;
export const LESS = 0x3c;
export const GREATER = 0x3e;

/**
 * The classes of bytes in text, as bits. Each needs a check or a change of the text; a byte of class 0 needs nothing.
 */
export const MARKUP = 1;
export const REFERENCE = 2;
export const RETURN = 4;
export const BRACKET = 8;
export const FORBIDDEN = 16;
export const NOT_ASCII = 32;
/** The class of each byte in text. */
export const TEXT_CLASSES = new Uint8Array(256).fill(FORBIDDEN, 0, 0x20).fill(NOT_ASCII, 0x80);
for (const [character, kind] of [
  ['\t', 0],
  ['\n', 0],
  ['\r', RETURN],
  ['<', MARKUP],
  ['&', REFERENCE],
  [']', BRACKET],
] as const) {
  TEXT_CLASSES[character.charCodeAt(0)] = kind;
}

/** The classes of bytes in a name. One of the class LATER may not be the first of a name. */
export const NO_NAME = 0;
export const LATER = 1;
export const COLON = 2;
export const LETTER = 3;
/** The class of each byte in a name. */
export const NAME_CLASSES = new Uint8Array(256);
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z_]/.test(character)) NAME_CLASSES[code] = LETTER;
  else if (/[\d.-]/.test(character)) NAME_CLASSES[code] = LATER;
  else if (character === ':') NAME_CLASSES[code] = COLON;
}
