/**
 * The length of an MD5 in hex digits. In the mode `opaque` of FORMAT.md §8, the client's ETag is the backend's, with
 * `-0` appended if it has the form of an MD5, so that no client takes the MD5 of ciphertext for that of its plaintext.
 * This can be undone, so the backend can evaluate conditions on ETags atomically.
 */
const MD5_LENGTH = 32;

/** Returns the ETag that clients see for an ETag of the backend. */
export function clientEtag(backendEtag: string): string {
  return hasMd5Form(backendEtag) ? `${backendEtag}-0` : backendEtag;
}

/**
 * Whether the text has the form of an MD5. There is no RegExp, because a listing asks a thousand times and a RegExp
 * takes four times as long.
 */
function hasMd5Form(text: string): boolean {
  if (text.length !== MD5_LENGTH) return false;
  for (let at = 0; at < MD5_LENGTH; at++) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    if (!((code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66))) return false;
  }
  return true;
}

/** Translates the ETags in an If-Match or If-None-Match from the client's to the backend's. `*` stays as it is. */
export function backendEtags(condition: string | undefined): string | undefined {
  return condition?.replace(/\b([0-9a-fA-F]{32})-0(?="|\s*(?:,|$))/g, '$1');
}

/** Translates one ETag, without quotes, from the client's to the backend's. */
export function backendEtag(etag: string): string {
  return etag.replace(/^([0-9a-fA-F]{32})-0$/, '$1');
}
