import type { HeaderList } from '../wire/headers.ts';

/** Of an answer: the connection's own affair, or what tells a client about the server behind the gateway. */
const DROPPED = new Set([
  'accept-ranges',
  'connection',
  'date', // node sets the gateway's own
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'server',
  'strict-transport-security',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-powered-by',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
]);

/**
 * The backend's answer head for the client, order, case and duplicates kept. Its request id becomes the gateway's
 * (every vendor's header ends in `request-id`), and what else identifies the server or the exchange goes.
 */
export function passedHeaders(headers: HeaderList, requestId: string): string[] {
  const raw: string[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (DROPPED.has(lower) || lower.startsWith('x-minio-') || lower.endsWith('-id-2')) continue;
    raw.push(name, lower.endsWith('request-id') ? requestId : value);
  }
  return raw;
}
