/** Returns the opaque part of an ETag, without its quotes and without the `W/` of a weak one (RFC 9110 §8.8.3). */
export function unquoted(etag: string): string {
  const strong = etag.startsWith('W/') ? etag.slice(2) : etag;
  return strong.length >= 2 && strong.startsWith('"') && strong.endsWith('"') ? strong.slice(1, -1) : strong;
}
