import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerLimits } from './limits.ts';

/** node's HTTP server, or HTTPS where there is a certificate, as strict as it can be. */
export function createNodeServer(options: {
  readonly limits: ServerLimits;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}): Server {
  const { limits, tls } = options;
  const settings: ServerOptions = {
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerSeconds * 1000,
    // How often node looks for heads that are late.
    connectionsCheckingInterval: Math.min(Math.max(limits.headerSeconds * 250, 20), 5000),
    // node's own limit on a whole request would end every long upload; ClientWatch looks after slow ones.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveSeconds * 1000,
    // node's own answer to a missing Host goes on to serve what is pipelined behind it; refusedFraming closes.
    requireHostHeader: false,
    keepAlive: true,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(settings)
      : createTlsServer({ ...settings, cert: tls.cert, key: tls.key, handshakeTimeout: limits.headerSeconds * 1000 });
  // node drops fields past 2,000 without a word: a signed one could be among them. Their bytes are bounded anyway.
  server.maxHeadersCount = 0;
  return server;
}
