/** The value of a header with parameters: `word; name=value; name="quoted value"` (RFC 9110 §5.6.6, RFC 2183). */
export interface Parameterized {
  /** The word before the parameters, in lower case. */
  readonly value: string;
  /** The values of the parameters, by name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[A-Za-z0-9!#$%&'*+\\-.^_`|~]+";
const CONTROLS = String.raw`\0-\x08\x0a-\x1f\x7f`;
/** Matches a quoted value. It may have bytes that are not ASCII, which are UTF-8. */
const QUOTED = String.raw`"((?:[^"\\${CONTROLS}]|\\[^${CONTROLS}])*)"`;
const PARAMETER = new RegExp(String.raw`[ \t]*;[ \t]*(${TOKEN})=(?:${QUOTED}|(${TOKEN}))`, 'y');
const VALUE = new RegExp(String.raw`^[ \t]*(${TOKEN}(?:/${TOKEN})?)`);

/**
 * Reads a header with parameters.
 * @returns undefined for a value that is malformed, or that has a parameter twice: readers disagree on which one counts
 */
export function parseParameters(text: string): Parameterized | undefined {
  const value = VALUE.exec(text);
  if (value === null) return undefined;
  const parameters = new Map<string, string>();
  let at = value[0].length;
  for (;;) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) break;
    const [, name = '', quoted, token] = match;
    const key = name.toLowerCase();
    if (parameters.has(key)) return undefined;
    parameters.set(key, token ?? unescaped(quoted ?? ''));
    at = PARAMETER.lastIndex;
  }
  return /^[ \t]*;?[ \t]*$/.test(text.slice(at))
    ? { value: (value[1] as string).toLowerCase(), parameters }
    : undefined;
}

/** Undoes the escapes `\"` and `\\`, and no others: old browsers on Windows send `C:\folder\file` as it is. */
function unescaped(quoted: string): string {
  return quoted.replace(/\\(["\\])/g, '$1');
}
