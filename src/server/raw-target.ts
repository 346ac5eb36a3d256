import type { Server, Socket } from 'node:net';

/**
 * A request line whose target has bytes past ASCII, as some low-level clients send names. RFC 3986 has no such
 * characters, and node's parser gives the connection up at the first one; stores read them as their percent-encoded
 * form, and so does the gateway.
 */
const RAW_REQUEST_LINE = /^(?:GET|HEAD|PUT|POST|DELETE|OPTIONS) \/[!-~\x80-\xff]* HTTP\/1\.[01]\r\n/;
const PAST_ASCII = /[\x80-\xff]/g;

/**
 * The bytes of a request with its target percent-encoded.
 * @param packet all that came of the request so far
 * @returns undefined for what does not begin with a whole request line that has bytes past ASCII in its target
 */
export function withEncodedTarget(packet: Buffer): Buffer | undefined {
  const [line] = RAW_REQUEST_LINE.exec(packet.toString('latin1')) ?? [];
  if (line === undefined) return undefined;
  const encoded = line.replace(PAST_ASCII, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  if (encoded.length === line.length) return undefined;
  return Buffer.concat([Buffer.from(encoded, 'latin1'), packet.subarray(line.length)]);
}

/** What node:http listens to on a connection, but for its end, which frees the parser. */
const LISTENED = ['data', 'end', 'drain', 'timeout', 'error', 'resume', 'pause'];

interface ParsedSocket extends Socket {
  /** node's own, of a connection that it reads HTTP from. */
  parser?: { unconsume(): void; remove(): void } | null;
}

/**
 * Gives a connection whose parser gave up to a new one, which reads `bytes` first. Only for a connection that has no
 * request in flight.
 * @param event by which the server takes connections: `connection`, or `secureConnection` behind TLS
 */
export function parseAnew(server: Server, event: string, socket: ParsedSocket, bytes: Buffer): void {
  for (const name of LISTENED) socket.removeAllListeners(name);
  socket.parser?.unconsume();
  socket.parser?.remove();
  socket.parser = null;
  server.emit(event, socket);
  socket.emit('data', bytes);
}
