import type { HeaderList } from '../wire/headers.ts';

/**
 * Headers that belong to one connection (RFC 9110 §7.6.1) or that undici sets itself; `expect` is one that undici
 * refuses.
 */
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

/**
 * Returns names and values in turn, as node takes them. `bytes` is the length of a streamed body, which undici would
 * else send in chunks.
 */
export function outgoingHeaders(headers: HeaderList, bytes: number | undefined): string[] {
  const raw: string[] = [];
  headers.forEach((lowerName, value, name) => {
    if (!CONNECTION_HEADERS.has(lowerName)) raw.push(name, value);
  });
  if (bytes !== undefined) raw.push('content-length', String(bytes));
  return raw;
}
