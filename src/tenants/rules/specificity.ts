/** The text before a pattern's first star; a pattern without stars is a name, and has none. */
export function literalPrefix(pattern: string): string | undefined {
  const star = pattern.indexOf('*');
  return star < 0 ? undefined : pattern.slice(0, star);
}

/** The text behind a pattern's last star. */
export function literalSuffix(pattern: string): string {
  return pattern.slice(pattern.lastIndexOf('*') + 1);
}

/** Is higher for a more specific pattern: a name is above all patterns, and among them the longest prefix is. */
export function specificity(pattern: string): number {
  return literalPrefix(pattern)?.length ?? Number.POSITIVE_INFINITY;
}
