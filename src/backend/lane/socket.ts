import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface LaneTarget {
  readonly endpoint: URL;
  /** As tls.connect takes them. */
  readonly tls?: { readonly ca?: unknown; readonly cert?: unknown; readonly key?: unknown } | undefined;
  /** How names of hosts become addresses. Default: as the system does it. */
  readonly lookup?: LookupFunction | undefined;
}

/** Where the bytes of a socket go. With `onread`, node lets the socket read straight into buffers that are used again. */
export interface SocketReads {
  /** Node asks for the next buffer after every read, even when the reading stops meanwhile. */
  buffer(): Buffer;
  /** Hears how many bytes are in the last buffer. Returns false to stop reading. Must not throw: nobody would catch it. */
  callback(bytes: number): boolean;
}

/** Opens a TCP or TLS connection to the endpoint; `ready` hears when it may carry a request. */
export function openSocket({ endpoint, tls, lookup }: LaneTarget, onread: SocketReads, ready: () => void): Socket {
  const secure = endpoint.protocol === 'https:';
  const host = endpoint.hostname.replace(/^\[|\]$/g, '');
  const port = endpoint.port === '' ? (secure ? 443 : 80) : Number(endpoint.port);
  const options = { host, port, noDelay: true, keepAlive: true, onread, ...(lookup && { lookup }) };
  if (!secure) return connectTcp(options, ready);
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ ...options, ...(tls as object), servername, ALPNProtocols: ['http/1.1'] }, ready);
}
