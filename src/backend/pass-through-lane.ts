import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import httpProxy from 'http-proxy';
import type { ForwardedRequest } from '../dialects/backend-dialect.ts';
import { explained } from '../dialects/store-claim.ts';
import { clientError, GatewayError } from '../errors.ts';
import { FairPlaces } from '../shares/fair-places.ts';
import { OWN_BUSINESS, type Sharer } from '../shares/sharer.ts';
import { collect } from '../wire/bodies/collect.ts';
import { HeaderList } from '../wire/headers.ts';
import type { IncomingResponse, OutgoingRequest, PassThrough, WireResponse } from '../wire/message.ts';
import type { BackendOptions } from './connection.ts';
import { backendFailure, documentTooLarge, failureReason } from './failure.ts';
import type { Identity } from './identity.ts';
import { passedHeaders } from './pass-through-headers.ts';
import { withoutWarning } from './withheld-warning.ts';

/**
 * What the lane carries: a request whose body, if it has one, is verified and whole, and is never an object's bytes.
 */
export interface Forwarding extends ForwardedRequest {
  /** With whose rights the request goes out; undefined means the gateway's own. */
  readonly identity?: Identity | undefined;
  /** For whom the request is sent; undefined means for the gateway itself. */
  readonly sharer?: Sharer | undefined;
  readonly requestId: string;
  readonly renderError: (error: GatewayError) => WireResponse;
}

const MAX_ERROR_DOCUMENT_BYTES = 256 * 1024;

/** One request on its way through http-proxy, whose events name only `req` and `res`. */
interface Passage {
  readonly forwarded: Forwarding;
  readonly outgoing: OutgoingRequest;
  readonly body: Readable;
  /** The host and port that the request is sent to. */
  readonly authority: string;
  readonly startedAt: number;
  proxyRequest: ClientRequest | undefined;
  readonly answered: (answer: IncomingMessage) => void;
}

/**
 * Sends requests that carry no object bytes: they are signed anew and are otherwise as they came. It uses http-proxy
 * 1.18.1, which is unmaintained and correct only with guards. They are marked below with "Guard", and each has a
 * regression test of its name.
 */
export class PassThroughLane {
  readonly #options: BackendOptions;
  readonly #agent: HttpAgent;
  readonly #proxy: httpProxy;
  /** Shares the agent's sockets out among tenants; the agent's own queue does not know for whom a request is. */
  readonly #places: FairPlaces;
  readonly #passages = new WeakMap<IncomingMessage, Passage>();

  constructor(options: BackendOptions) {
    this.#options = options;
    this.#places = new FairPlaces(options.connections);
    const lookup = options.lookup && { lookup: options.lookup };
    const timeout = options.keepAliveSeconds * 1_000;
    const pool = { keepAlive: true, maxSockets: options.connections, timeout, ...lookup };
    const secure = options.endpoint.protocol === 'https:';
    this.#agent = secure ? new HttpsAgent({ ...pool, ...options.tls }) : new HttpAgent(pool);
    this.#proxy = httpProxy.createProxyServer({
      agent: this.#agent,
      // Guard: without this, TLS would send the client's Host as the server name, and the certificate would be checked
      // against it.
      changeOrigin: true,
      selfHandleResponse: true,
    });
    this.#proxy.on('proxyReq', (proxyRequest, request) => this.#send(proxyRequest, request));
    this.#proxy.on('proxyRes', (answer, request) => this.#passages.get(request)?.answered(answer));
  }

  /** Returns a function that sends the request and writes the answer, errors included. Its promise does not reject. */
  forward(forwarded: Forwarding): PassThrough['passThrough'] {
    return async (request, response) => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const place = await this.#places.take(forwarded.sharer ?? OWN_BUSINESS, gone.signal);
      try {
        if (place === undefined) throw clientGone();
        await this.#relay(await this.#ask(forwarded, request, response), forwarded, response);
      } catch (thrown) {
        this.#writeError(thrown, forwarded, response);
      } finally {
        place?.giveBack();
      }
    };
  }

  /** How many requests wait for a connection now. */
  get waiting(): number {
    return this.#places.waiting;
  }

  close(): void {
    this.#agent.destroy();
    this.#proxy.close();
  }

  /**
   * Resolves with the backend's answer once its head was read. It asks a second time if a kept connection turns out to
   * be dead.
   */
  async #ask(forwarded: Forwarding, request: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
    for (let attempt = 0; ; attempt++) {
      if (response.destroyed) throw clientGone();
      const passage = Promise.withResolvers<IncomingMessage>();
      const current = this.#board(forwarded, request, passage.resolve);
      // Guard: without this, the exchange with the backend would stay open when the client aborts.
      const onClose = () => {
        if (response.writableFinished) return;
        current.proxyRequest?.destroy();
        // http-proxy reports nothing if the failure was caused by the client's own end.
        passage.reject(clientGone());
      };
      response.once('close', onClose);
      // Guard: if Expect is present, http-proxy does not emit proxyReq, and the request would go out unsigned.
      delete request.headers.expect;
      // Guard: http-proxy's first call to util._extend makes Node print a deprecation warning that no operator can act
      // on.
      withoutWarning('DEP0060', () => {
        const target = `${this.#options.endpoint.protocol}//${current.authority}`;
        const { method } = forwarded.request;
        this.#proxy.web(request, response, { target, buffer: current.body, method }, passage.reject);
      });
      try {
        return await passage.promise;
      } catch (thrown) {
        response.off('close', onClose);
        if (thrown instanceof GatewayError) throw thrown;
        this.#options.observer?.failed(forwarded.request.method, failureReason(thrown));
        const stale = current.proxyRequest?.reusedSocket === true && failureReason(thrown) === 'reset';
        if (!stale || attempt > 0 || forwarded.request.method === 'POST' || response.destroyed)
          throw backendFailure(thrown);
        this.#options.observer?.retried(forwarded.request.method);
      }
    }
  }

  #board(forwarded: Forwarding, request: IncomingMessage, resolve: (answer: IncomingMessage) => void): Passage {
    const { request: outgoing } = forwarded;
    const startedAt = performance.now();
    const { dialect, endpoint } = this.#options;
    const passage: Passage = {
      forwarded,
      authority: dialect.authorityOf(endpoint, outgoing.bucket),
      outgoing: { ...outgoing, headers: outgoing.headers.clone() },
      // The body stays empty until the head is signed: a first byte of it would send the head that http-proxy made.
      body: new Readable({ read: () => undefined }),
      startedAt,
      proxyRequest: undefined,
      answered: (answer) => {
        const seconds = (performance.now() - startedAt) / 1_000;
        this.#options.observer?.answered(outgoing.method, answer.statusCode ?? 0, seconds);
        resolve(answer);
      },
    };
    this.#passages.set(request, passage);
    return passage;
  }

  /** Replaces the request that http-proxy has made by the one that is meant, and signs it. */
  #send(proxyRequest: ClientRequest, request: IncomingMessage): void {
    const passage = this.#passages.get(request);
    if (passage === undefined) {
      proxyRequest.destroy();
      return;
    }
    const { dialect, credentials, now, headersTimeoutSeconds } = this.#options;
    const { outgoing, forwarded, authority } = passage;
    const { identity } = forwarded;
    passage.proxyRequest = proxyRequest;
    dialect.sign(outgoing, identity === undefined ? credentials : identity.credentials, authority, now());
    // Guard: http-proxy replaces `//` in the path by `/`.
    proxyRequest.path = outgoing.path;
    // Guard: http-proxy uses node's merged headers in lower case, so that duplicates and case would be lost.
    replaceHeaders(proxyRequest, outgoing.headers);
    const bodyBytes = outgoing.body === undefined ? 0 : (outgoing.body as Buffer).length;
    if (bodyBytes > 0 || outgoing.method === 'PUT' || outgoing.method === 'POST') {
      proxyRequest.setHeader('content-length', bodyBytes);
    }
    proxyRequest.setTimeout(headersTimeoutSeconds * 1_000, () => {
      proxyRequest.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    });
    if (bodyBytes > 0) passage.body.push(outgoing.body);
    passage.body.push(null);
  }

  async #relay(answer: IncomingMessage, forwarded: Forwarding, response: ServerResponse): Promise<void> {
    const status = answer.statusCode ?? 502;
    const headers = new HeaderList(answer.rawHeaders);
    // The request had no conditions, so a 304 makes no sense; and a redirection would tell the client of a place that
    // it must not know.
    if (status >= 300 && status < 400) throw unasked(answer, status);
    // An error of the backend names its ids and may speak of credentials that are not the client's, so it is rendered
    // anew.
    if (status >= 400) throw await this.#readError(answer, { status, headers, forwarded });
    response.writeHead(status, passedHeaders(headers, forwarded));
    // After the head, an error destroys both sides, so that a truncated answer never looks whole.
    await pipeline(answer, response);
  }

  async #readError(
    answer: IncomingMessage,
    { status, headers, forwarded }: { status: number; headers: HeaderList; forwarded: Forwarding },
  ): Promise<GatewayError> {
    const response: IncomingResponse = { status, headers, body: answer, discard: () => answer.destroy() };
    const document = await collect(answer, MAX_ERROR_DOCUMENT_BYTES, documentTooLarge);
    const refusal = this.#options.dialect.readError(response, document, {}, forwarded.identity?.asker);
    // The client's conditions were sent along, so the refusal may be due to them.
    return explained(refusal, { ifMatch: '*' });
  }

  #writeError(thrown: unknown, forwarded: Forwarding, response: ServerResponse): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const error = thrown instanceof GatewayError ? thrown : backendFailure(thrown);
    const { status, headers, body } = forwarded.renderError(error);
    response.writeHead(status, headers.toRaw());
    response.end(Buffer.isBuffer(body) ? body : undefined);
  }
}

function unasked(answer: IncomingMessage, status: number): GatewayError {
  answer.destroy();
  const said = `The backend answered ${status}, which this request gave it no reason to.`;
  return new GatewayError('BackendError', said, { source: 'backend' });
}

function clientGone(): GatewayError {
  return clientError('RequestTimeout', 'The client closed the connection before the answer came.');
}

function replaceHeaders(proxyRequest: ClientRequest, headers: HeaderList): void {
  for (const name of proxyRequest.getHeaderNames()) proxyRequest.removeHeader(name);
  const grouped = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of headers) {
    const group = grouped.get(name.toLowerCase());
    if (group === undefined) grouped.set(name.toLowerCase(), { name, values: [value] });
    else group.values.push(value);
  }
  for (const { name, values } of grouped.values()) {
    proxyRequest.setHeader(name, values.length === 1 ? (values[0] as string) : values);
  }
}
