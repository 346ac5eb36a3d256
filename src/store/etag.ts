/**
 * FORMAT.md §8, mode `opaque`: the client's ETag is the backend's, with `-0` appended when it has the form of an MD5,
 * so that no client mistakes the MD5 of ciphertext for that of its plaintext. Reversible, hence conditions can be
 * evaluated atomically by the backend.
 */
const MD5_LENGTH = 32;

export function clientEtag(backendEtag: string): string {
  return hasMd5Form(backendEtag) ? `${backendEtag}-0` : backendEtag;
}

/** By hand: a listing asks a thousand times, and a RegExp takes four times as long. */
function hasMd5Form(text: string): boolean {
  if (text.length !== MD5_LENGTH) return false;
  for (let at = 0; at < MD5_LENGTH; at++) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    if (!((code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66))) return false;
  }
  return true;
}

/** An If-Match or If-None-Match value with the client's ETags, as the backend knows them. `*` stays. */
export function backendEtags(condition: string | undefined): string | undefined {
  return condition?.replace(/\b([0-9a-fA-F]{32})-0(?="|\s*(?:,|$))/g, '$1');
}

/** One of the client's ETags, unquoted, as the backend knows it. */
export function backendEtag(etag: string): string {
  return etag.replace(/^([0-9a-fA-F]{32})-0$/, '$1');
}
