import { STATUS_CODES } from 'node:http';
import type { ErrorCode, GatewayError } from '../errors.ts';
import { HeaderList } from '../wire/headers.ts';
import type { WireResponse } from '../wire/message.ts';

/**
 * Renders an answer to what never became a request of a dialect: broken HTTP, and what is refused before anybody knows
 * which vendor's client is asking. It is plain text, because no dialect is known that could spell it.
 */
export type RenderRefusal = (error: GatewayError, requestId: string) => WireResponse;

/** The statuses of the few codes that the listener itself makes. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  IncompleteBody: 400,
  InvalidRequest: 400,
  InvalidURI: 400,
  InternalError: 500,
  MethodNotAllowed: 405,
  RequestHeaderSectionTooLarge: 431,
  RequestTimeout: 408,
};

/** Renders the code, the message and the request id, a line each for the error and the id. */
export const renderPlain: RenderRefusal = (error, requestId) => {
  const body = Buffer.from(`${error.code}: ${error.message}\nRequest ${requestId}\n`, 'utf8');
  const headers = HeaderList.of([
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(body.length)],
    ['x-amz-request-id', requestId],
  ]);
  return { status: STATUS[error.code] ?? 500, headers, body };
};

/** Renders a whole answer as text for a socket that node's parser has given up. It always closes the connection. */
export function wireText(answer: WireResponse, now: Date): string {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Error'}`];
  for (const [name, value] of answer.headers) lines.push(`${name}: ${value}`);
  if (!answer.headers.has('date')) lines.push(`Date: ${now.toUTCString()}`);
  lines.push('Connection: close', '', '');
  const body = Buffer.isBuffer(answer.body) ? answer.body.toString('latin1') : '';
  return lines.join('\r\n') + body;
}
