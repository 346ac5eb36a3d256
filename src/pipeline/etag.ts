/**
 * FORMAT.md §8, mode `opaque`: the client's ETag is the backend's, with `-0` appended when it has the form of an MD5,
 * so that no client mistakes the MD5 of ciphertext for that of its plaintext. Reversible, hence conditions can be
 * evaluated atomically by the backend.
 */
const MD5_FORM = /^[0-9a-fA-F]{32}$/;

export function clientEtag(backendEtag: string): string {
  return MD5_FORM.test(backendEtag) ? `${backendEtag}-0` : backendEtag;
}

/** An If-Match or If-None-Match value with the client's ETags, as the backend knows them. `*` stays. */
export function backendEtags(condition: string | undefined): string | undefined {
  return condition?.replace(/\b([0-9a-fA-F]{32})-0(?="|\s*(?:,|$))/g, '$1');
}

/** One of the client's ETags, unquoted, as the backend knows it. */
export function backendEtag(etag: string): string {
  return etag.replace(/^([0-9a-fA-F]{32})-0$/, '$1');
}
