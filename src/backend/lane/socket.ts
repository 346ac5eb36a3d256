import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where a lane connects to, and how. */
export interface LaneTarget {
  readonly endpoint: URL;
  /** Passed on to tls.connect. */
  readonly tls?: { readonly ca?: unknown; readonly cert?: unknown; readonly key?: unknown } | undefined;
  /** How host names become addresses; by default the operating system looks them up. */
  readonly lookup?: LookupFunction | undefined;
}

/** Where the bytes of a socket go. With `onread`, node lets a socket read straight into buffers that are used again. */
export interface SocketReads {
  /** Returns the buffer for the next read. Node calls it after every read, even if reading is paused then. */
  buffer(): Buffer;
  /**
   * Is told how many bytes the last read put into the buffer. It returns false to pause reading. It must not throw,
   * since nobody catches.
   */
  callback(bytes: number): boolean;
}

/** Opens a TCP or TLS connection to the endpoint; `ready` is called once the connection may carry a request. */
export function openSocket({ endpoint, tls, lookup }: LaneTarget, onread: SocketReads, ready: () => void): Socket {
  const secure = endpoint.protocol === 'https:';
  const host = endpoint.hostname.replace(/^\[|\]$/g, '');
  const port = endpoint.port === '' ? (secure ? 443 : 80) : Number(endpoint.port);
  const options = { host, port, noDelay: true, keepAlive: true, onread, ...(lookup && { lookup }) };
  if (!secure) return connectTcp(options, ready);
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ ...options, ...(tls as object), servername, ALPNProtocols: ['http/1.1'] }, ready);
}
