import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Crowd } from '../crowd.ts';
import { type AdminDependency, Readiness, type ReadinessReport } from './readiness.ts';

export type { AdminDependency } from './readiness.ts';

export interface AdminOptions {
  /** Returns the text of all metrics, summed over the workers if there are several. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  readonly dependencies: readonly AdminDependency[];
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const TEXT = 'text/plain; charset=utf-8';
/** What a probe or a scraper sends is many times smaller. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  requestTimeout: 10_000,
  headersTimeout: 5000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 75_000,
};
/** The most connections. Past it, one of them is closed for each new one, so that a probe always finds a place. */
const MAX_CONNECTIONS = 64;

/**
 * The operator's port. `/metrics` shows the metrics, `/healthz` says that the process lives, `/readyz` says whether it
 * should get requests. It shows no secret, but it shows how much goes on; keep it from clients.
 */
export class AdminServer {
  readonly #server: Server;
  readonly #options: AdminOptions;
  readonly #readiness: Readiness;
  readonly #crowd = new Crowd<Socket>();
  /** The connections whose request is being answered. */
  readonly #busy = new Set<Socket>();

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#readiness = new Readiness({ dependencies: options.dependencies });
    this.#server = createServer(LIMITS, (request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket: Socket) => this.#welcome(socket));
  }

  /** @throws Error with code EADDRINUSE, EACCES or another that says why it cannot listen */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...address }, () => {
        this.#server.off('error', reject);
        resolve(this.address);
      });
    });
  }

  /** The address that it listens on. It is known once `listen` has resolved. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Makes `/readyz` answer 503 from now on, while the other pages are served as before. */
  stopping(): void {
    this.#readiness.stop();
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /**
   * Admits a connection. If there are too many, an idle one is closed, or one that has not asked yet, and otherwise a
   * busy one.
   */
  #welcome(socket: Socket): void {
    const crowd = this.#crowd;
    if (crowd.size >= MAX_CONNECTIONS) {
      const leaving = crowd.firstToGo((one) => !this.#busy.has(one)) ?? crowd.firstToGo(() => true);
      if (leaving !== undefined) crowd.remove(leaving);
      leaving?.destroy();
    }
    crowd.add(socket, socket.remoteAddress ?? '');
    socket.once('close', () => {
      crowd.remove(socket);
      this.#busy.delete(socket);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const { socket } = request;
    this.#busy.add(socket);
    response.once('finish', () => this.#busy.delete(socket));
    const page = await this.#page(request).catch((): Page => {
      return { status: 500, contentType: TEXT, text: 'The page could not be made.\n' };
    });
    const body = Buffer.from(page.text, 'utf8');
    const headers: Record<string, string | number> = {
      'Content-Type': page.contentType,
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    };
    if (page.status === 405) headers.Allow = 'GET, HEAD';
    response.writeHead(page.status, headers).end(request.method === 'HEAD' ? undefined : body);
  }

  async #page(request: IncomingMessage): Promise<Page> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { status: 405, contentType: TEXT, text: 'Only GET and HEAD.\n' };
    }
    switch ((request.url ?? '').split('?', 1)[0]) {
      case '/metrics':
        return { status: 200, contentType: this.#options.contentType, text: await this.#options.metrics() };
      case '/healthz':
        return { status: 200, contentType: TEXT, text: 'ok\n' };
      case '/readyz':
        return readyPage(await this.#readiness.report(), request.headers.accept);
      default:
        return { status: 404, contentType: TEXT, text: 'There are /metrics, /healthz and /readyz.\n' };
    }
  }
}

/** Renders one line a dependency, or JSON if the client accepts that by name. */
function readyPage(report: ReadinessReport, accept: string | undefined): Page {
  const status = report.ready ? 200 : 503;
  if (accept?.includes('application/json')) {
    return { status, contentType: 'application/json', text: `${JSON.stringify(report)}\n` };
  }
  const lines = report.dependencies.map(({ name, ready, detail, milliseconds }) => {
    const words = detail === undefined ? '' : ` (${detail})`;
    return `${name}: ${ready ? 'ok' : 'failed'}${words}, ${milliseconds} ms\n`;
  });
  return { status, contentType: TEXT, text: lines.join('') };
}
