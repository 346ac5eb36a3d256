/** A header value of the form `word; name=value; name="quoted value"` (RFC 9110 §5.6.6, RFC 2183). */
export interface Parameterized {
  /** What stands before the parameters, in lower case. */
  readonly value: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[A-Za-z0-9!#$%&'*+\\-.^_`|~]+";
const CONTROLS = String.raw`\0-\x08\x0a-\x1f\x7f`;
/** Bytes past ASCII are text in UTF-8. */
const QUOTED = String.raw`"((?:[^"\\${CONTROLS}]|\\[^${CONTROLS}])*)"`;
const PARAMETER = new RegExp(String.raw`[ \t]*;[ \t]*(${TOKEN})=(?:${QUOTED}|(${TOKEN}))`, 'y');
const VALUE = new RegExp(String.raw`^[ \t]*(${TOKEN}(?:/${TOKEN})?)`);

/** @returns undefined for what is not well-formed, or has a parameter twice: readers would differ about its meaning */
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

/** Only `\"` and `\\` are escapes: Windows browsers of old send `C:\folder\file` as it is. */
function unescaped(quoted: string): string {
  return quoted.replace(/\\(["\\])/g, '$1');
}
