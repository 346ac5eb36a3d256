import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerLimits } from './limits.ts';

/** Creates node's HTTP server, or its HTTPS server if there is a certificate, with the strictest settings. */
export function createNodeServer(options: {
  readonly limits: ServerLimits;
  /** Certificate and key as PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}): Server {
  const { limits, tls } = options;
  const settings: ServerOptions = {
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerSeconds * 1000,
    // How often node looks for heads that are late, in milliseconds.
    connectionsCheckingInterval: Math.min(Math.max(limits.headerSeconds * 250, 20), 5000),
    // node's own limit on a whole request would end every long upload; ClientWatch ends slow ones instead.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveSeconds * 1000,
    // node would answer a missing Host and then serve what is pipelined behind it; refusedFraming closes the connection
    // instead.
    requireHostHeader: false,
    keepAlive: true,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(settings)
      : createTlsServer({ ...settings, cert: tls.cert, key: tls.key, handshakeTimeout: limits.headerSeconds * 1000 });
  // By default node drops fields past 2,000 without a word, and a signed one could be among them. Other limits bound
  // them here.
  server.maxHeadersCount = 0;
  return server;
}
