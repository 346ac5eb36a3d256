import type { HeaderList } from '../wire/headers.ts';

/** The connection's own affair (RFC 9110 §7.6.1), or what undici sets itself; it refuses `expect`. */
const CONNECTION_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** In node's flat shape. `bytes` is the length of a streamed body: undici would send it chunked otherwise. */
export function outgoingHeaders(headers: HeaderList, bytes: number | undefined): string[] {
  const raw: string[] = [];
  headers.forEach((lowerName, value, name) => {
    if (!CONNECTION_HEADERS.has(lowerName)) raw.push(name, value);
  });
  if (bytes !== undefined) raw.push('content-length', String(bytes));
  return raw;
}
