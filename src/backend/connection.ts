import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { BackendCredentials, BackendDialect } from '../dialects/backend-dialect.ts';
import { explained } from '../dialects/store-claim.ts';
import { GatewayError } from '../errors.ts';
import { FairPlaces } from '../shares/fair-places.ts';
import { OWN_BUSINESS, type Sharer } from '../shares/sharer.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { IncomingResponse, OutgoingRequest } from '../wire/message.ts';
import { Exchange, ExchangeFailure } from './exchange.ts';
import { abandoned, backendFailure, documentTooLarge, type FailureReason, failureReason } from './failure.ts';
import type { Identity } from './identity.ts';
import { type LaneObserver, RawSocketLane } from './lane/lane.ts';
import { outgoingHeaders } from './outgoing-headers.ts';
import { retryWaitSeconds, type Sleep, sleep } from './retry.ts';
import { UploadBody } from './upload-body.ts';

export interface BackendOptions {
  /** Scheme, host and port; a path is not supported. A dialect may ask hosts below it (BackendDialect.authorityOf). */
  readonly endpoint: URL;
  readonly dialect: BackendDialect;
  readonly credentials: BackendCredentials;
  /**
   * At most this many at once for downloads, and as many each for small uploads, large ones and everything else;
   * further requests wait, and those of a tenant that has its part already wait for the others.
   */
  readonly connections: number;
  readonly connectTimeoutSeconds: number;
  /** From the last byte sent to the answer's head. */
  readonly headersTimeoutSeconds: number;
  /** Between two pieces of an answer, while the reader wants more. */
  readonly bodyTimeoutSeconds: number;
  /** Idle connections are closed after this. Keep it below the backend's own: a stale one fails a request. */
  readonly keepAliveSeconds: number;
  /** At most this many attempts after the first. */
  readonly retries: number;
  readonly tls?:
    | {
        /** PEM. The only certificates that are trusted, when given. */
        readonly ca?: string | Buffer | undefined;
        /** PEM of the client certificate and its key. */
        readonly cert?: string | Buffer | undefined;
        readonly key?: string | Buffer | undefined;
      }
    | undefined;
  readonly observer?: BackendObserver | undefined;
  readonly now: () => Date;
  /** In [0, 1): jitter, not security. */
  readonly random: () => number;
  /** Default 100: see RawSocketLane. */
  readonly tickMilliseconds?: number | undefined;
  /** Tests pass their own. */
  readonly sleep?: Sleep | undefined;
  /** How names of hosts become addresses. Default: as the system does it. Tests pass their own. */
  readonly lookup?: LookupFunction | undefined;
}

/** Told of every exchange. Values are bounded: they become metric labels. */
export interface BackendObserver extends LaneObserver {
  /** The head of an answer came. */
  answered(method: string, status: number, seconds: number): void;
  failed(method: string, reason: FailureReason): void;
  retried(method: string): void;
  /** How many connections are open now. */
  connections?(open: number): void;
}

/** What the traffic so far says of the backend. */
export interface BackendHealth {
  readonly lastAnswer: Date | undefined;
  readonly lastFailure: Date | undefined;
  readonly lastFailureReason: FailureReason | undefined;
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Keeps a small answer off the connections of downloads. */
  readonly aside?: boolean | undefined;
  /** Default: the gateway's own. */
  readonly identity?: Identity | undefined;
  /** For whom; default: the gateway's own business. */
  readonly sharer?: Sharer | undefined;
}

const MAX_ERROR_DOCUMENT_BYTES = 64 * 1024;
const MAX_LANE_UPLOAD_BYTES = 256 * 1024;

/** Connections to one backend: sends requests, signed, and hands the answers over as they come. */
export class BackendConnection {
  readonly #options: BackendOptions;
  /** Has a pool of connections for each authority. */
  readonly #pool: Agent;
  /** Shares the pool's connections out: its own queue does not know for whom a request is. */
  readonly #poolPlaces: FairPlaces;
  /** Carries what has no body to send and an object to bring. */
  readonly #downloads: RawSocketLane;
  /** Their own, so that what is small does not wait for slow clients to send or take what is large. */
  readonly #smallUploads: RawSocketLane;
  readonly #largeUploads: RawSocketLane;
  #open = 0;
  #health: { lastAnswer?: Date; lastFailure?: Date; lastFailureReason?: FailureReason } = {};

  constructor(options: BackendOptions) {
    this.#options = options;
    this.#poolPlaces = new FairPlaces(options.connections);
    const keepAliveMilliseconds = options.keepAliveSeconds * 1_000;
    const lookup = options.lookup && { lookup: options.lookup };
    this.#pool = new Agent({
      connections: options.connections,
      connect: { timeout: options.connectTimeoutSeconds * 1_000, ...options.tls, ...lookup },
      headersTimeout: options.headersTimeoutSeconds * 1_000,
      bodyTimeout: options.bodyTimeoutSeconds * 1_000,
      keepAliveTimeout: keepAliveMilliseconds,
      keepAliveMaxTimeout: keepAliveMilliseconds,
      pipelining: 1,
      allowH2: false,
    });
    const opened = (change: 1 | -1) => {
      this.#open += change;
      this.#options.observer?.connections?.(this.#open);
    };
    this.#pool.on('connect', () => opened(1)).on('disconnect', () => opened(-1));
    this.#downloads = new RawSocketLane(options, opened);
    this.#smallUploads = new RawSocketLane(options, opened);
    this.#largeUploads = new RawSocketLane(options, opened);
  }

  /** How many requests wait for a connection now. */
  get waiting(): number {
    return this.#lanes.reduce((count, lane) => count + lane.waiting, this.#poolPlaces.waiting);
  }

  /** That signatures for this backend name. */
  get region(): string {
    return this.#options.credentials.region;
  }

  get health(): BackendHealth {
    const { lastAnswer, lastFailure, lastFailureReason } = this.#health;
    return { lastAnswer, lastFailure, lastFailureReason };
  }

  /**
   * Signs the request and sends it; the answer resolves with its head, whatever its status. Take its body to the end
   * or discard it. A body source is released in every case; what it throws itself is thrown here unchanged, and the
   * backend sees a truncated body. `aside` keeps a small answer off the connections of downloads: whoever holds one of
   * those may wait for it, where all who do would else wait for each other.
   * @throws GatewayError BackendUnavailable, BackendError (not HTTP, or no answer to trust), RequestTimeout (given up)
   */
  async send(request: OutgoingRequest, options: SendOptions = {}): Promise<IncomingResponse> {
    const { method } = request;
    const { signal } = options;
    const { observer, random } = this.#options;
    const body = await outgoingBody(request);
    for (let attempt = 0; ; attempt++) {
      const startedAt = performance.now();
      try {
        if (signal?.aborted === true) throw new ExchangeFailure(abandoned(signal), false);
        const response = await this.#exchange(request, body, options);
        this.#health.lastAnswer = this.#options.now();
        observer?.answered(method, response.status, (performance.now() - startedAt) / 1_000);
        if (!this.#isWorthRepeating(request, response, attempt)) return response;
        response.discard();
      } catch (thrown) {
        if (!this.#mayRepeat(request, body, thrown, attempt)) throw this.#failure(method, body, thrown);
        observer?.failed(method, failureReason((thrown as ExchangeFailure).error));
      }
      observer?.retried(method);
      await this.#wait(retryWaitSeconds(attempt, random), signal);
    }
  }

  /**
   * Asks the backend for something small, with the gateway's credentials unless others are given. AccessDenied is an
   * answer too: a key that may not list buckets is a good key.
   * @throws GatewayError that says what is wrong
   */
  async check(identity?: Identity): Promise<void> {
    const { dialect } = this.#options;
    const response = await this.send(dialect.calls.listBuckets.render({}), { identity });
    if (response.status < 300) {
      response.discard();
      return;
    }
    const document = await collect(response.body, MAX_ERROR_DOCUMENT_BYTES, documentTooLarge);
    const error = explained(dialect.readError(response, document, {}, identity?.asker), undefined);
    if (error.code !== 'AccessDenied') throw error;
  }

  /** Resolves once the requests in flight are over and all connections closed. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), ...this.#lanes.map((lane) => lane.close())]);
  }

  /** Ends at once what is still in flight. */
  async destroy(): Promise<void> {
    await Promise.all([this.#pool.destroy(), ...this.#lanes.map((lane) => lane.destroy())]);
  }

  get #lanes(): readonly RawSocketLane[] {
    return [this.#downloads, this.#smallUploads, this.#largeUploads];
  }

  async #exchange(
    request: OutgoingRequest,
    body: Buffer | UploadBody | undefined,
    { signal, aside = false, identity, sharer = OWN_BUSINESS }: SendOptions,
  ): Promise<IncomingResponse> {
    const { dialect, credentials, endpoint, now } = this.#options;
    const authority = dialect.authorityOf(endpoint, request.bucket);
    dialect.sign(request, identity === undefined ? credentials : identity.credentials, authority, now());
    const lane = this.#laneFor(request.method, body, aside);
    if (lane !== undefined) {
      const stream = body instanceof UploadBody ? body : undefined;
      return lane.exchange(request, signal, { stream, sharer, authority });
    }
    const place = this.#poolPlaces.tryTake(sharer) ?? (await this.#poolPlaces.take(sharer, signal));
    if (place === undefined) throw new ExchangeFailure(abandoned(signal as AbortSignal), false);
    const exchange = new Exchange(request.method, { signal, onOver: place.giveBack });
    this.#pool.dispatch(
      {
        origin: `${endpoint.protocol}//${authority}`,
        path: request.path,
        method: request.method as Dispatcher.HttpMethod,
        headers: outgoingHeaders(request.headers, undefined),
        body: body as Buffer | undefined, // streams go over a lane
        reset: false, // by default it closes the connection after every HEAD
      },
      exchange,
    );
    return exchange.answer;
  }

  #laneFor(method: string, body: Buffer | UploadBody | undefined, aside: boolean): RawSocketLane | undefined {
    if (body instanceof UploadBody) return this.#largeUploads;
    if (method === 'GET' && body === undefined) return aside ? undefined : this.#downloads;
    // Whole in the socket's buffer, so that an early answer can be read; what is larger must be able to stop.
    const small = method === 'PUT' && body !== undefined && body.length <= MAX_LANE_UPLOAD_BYTES;
    return small ? this.#smallUploads : undefined;
  }

  /** Whether nothing is lost or done twice by trying again. */
  #mayRepeat(
    request: OutgoingRequest,
    body: Buffer | UploadBody | undefined,
    thrown: unknown,
    attempt: number,
  ): boolean {
    if (!(thrown instanceof ExchangeFailure) || thrown.error instanceof GatewayError) return false;
    if (attempt >= this.#options.retries) return false;
    if (body instanceof UploadBody && body.consumed) return false;
    const reason = failureReason(thrown.error);
    if (reason !== 'connect' && reason !== 'reset') return false;
    return request.idempotent || !thrown.written;
  }

  /** Only what costs the backend nothing to hear again: a full disk or a bug is not mended by another upload. */
  #isWorthRepeating(request: OutgoingRequest, response: IncomingResponse, attempt: number): boolean {
    return (
      response.status === 503 && request.idempotent && request.body === undefined && attempt < this.#options.retries
    );
  }

  #failure(method: string, body: Buffer | UploadBody | undefined, thrown: unknown): unknown {
    if (body instanceof UploadBody) {
      body.close();
      if (body.failure !== undefined) return body.failure.thrown;
    }
    if (!(thrown instanceof ExchangeFailure)) return thrown; // signing failed, say: a fault of our own
    const { error } = thrown;
    const failure = backendFailure(error);
    if (failure.source === 'backend') {
      const reason = failureReason(error);
      this.#health.lastFailure = this.#options.now();
      this.#health.lastFailureReason = reason;
      this.#options.observer?.failed(method, reason);
    }
    return failure;
  }

  async #wait(seconds: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await (this.#options.sleep ?? sleep)(seconds, signal);
    } catch (thrown) {
      throw signal?.aborted === true ? abandoned(signal) : thrown;
    }
  }
}

/** An empty stream is run to its end before anything is sent: its verification may fail, and nothing else would ask. */
async function outgoingBody({ body }: OutgoingRequest): Promise<Buffer | UploadBody | undefined> {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  const upload = new UploadBody(body);
  if (body.bytes > 0) return upload;
  await upload.next();
  return undefined;
}
