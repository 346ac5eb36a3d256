import type { Server, Socket } from 'node:net';

/**
 * A request line whose target has bytes past ASCII: some low-level clients send names so. RFC 3986 has no such
 * characters, and node's parser gives up on the connection at the first one. Stores read them as their percent-encoded
 * form, and so does the gateway.
 */
const RAW_REQUEST_LINE = /^(?:GET|HEAD|PUT|POST|DELETE|OPTIONS) \/[!-~\x80-\xff]* HTTP\/1\.[01]\r\n/;
const PAST_ASCII = /[\x80-\xff]/g;

/**
 * Returns the bytes of a request with its target percent-encoded.
 * @param packet all that arrived of the request so far
 * @returns undefined if it does not begin with a complete request line with bytes past ASCII in its target
 */
export function withEncodedTarget(packet: Buffer): Buffer | undefined {
  const [line] = RAW_REQUEST_LINE.exec(packet.toString('latin1')) ?? [];
  if (line === undefined) return undefined;
  const encoded = line.replace(PAST_ASCII, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  if (encoded.length === line.length) return undefined;
  return Buffer.concat([Buffer.from(encoded, 'latin1'), packet.subarray(line.length)]);
}

/** The events of a connection to which node:http listens, except 'close', whose listener frees the parser. */
const LISTENED = ['data', 'end', 'drain', 'timeout', 'error', 'resume', 'pause'];

interface ParsedSocket extends Socket {
  /** node's own property of a connection from which it reads HTTP. */
  parser?: { unconsume(): void; remove(): void } | null;
}

/**
 * Gives a connection whose parser gave up to a new parser, which reads `bytes` first. The connection must have no
 * request in flight.
 * @param event the event by which the server takes connections: `connection`, or `secureConnection` behind TLS
 */
export function parseAnew(server: Server, event: string, socket: ParsedSocket, bytes: Buffer): void {
  for (const name of LISTENED) socket.removeAllListeners(name);
  socket.parser?.unconsume();
  socket.parser?.remove();
  socket.parser = null;
  server.emit(event, socket);
  socket.emit('data', bytes);
}
