/**
 * Whether a text matches a pattern of AWS's policy language, in which `*` stands for any number of characters, slashes
 * too, and `?` for one. It takes time in proportion to both lengths at most: patterns come from clients, and a regular
 * expression with many stars could take for ever.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  // Where the last star stands, and the text that is tried behind it.
  let star = -1;
  let behindStar = 0;
  while (inText < text.length) {
    const character = pattern[inPattern];
    if (character === '*') {
      star = inPattern++;
      behindStar = inText;
    } else if (character !== undefined && (character === '?' || character === text[inText])) {
      inPattern++;
      inText++;
    } else if (star >= 0) {
      inPattern = star + 1;
      inText = ++behindStar;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern++;
  return inPattern === pattern.length;
}
