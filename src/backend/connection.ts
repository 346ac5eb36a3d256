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
import { outgoingBody, UploadBody } from './upload-body.ts';

/** What BackendConnection needs. Times are in seconds. */
export interface BackendOptions {
  /** Scheme, host and port, no path. A dialect may ask hosts below this one (BackendDialect.authorityOf). */
  readonly endpoint: URL;
  readonly dialect: BackendDialect;
  readonly credentials: BackendCredentials;
  /**
   * The most connections for downloads, and as many again for small uploads, for large uploads and for all other
   * requests. Further requests wait; those of a tenant that holds its share already wait until others were served.
   */
  readonly connections: number;
  readonly connectTimeoutSeconds: number;
  /** The longest time from the last byte of the request to the head of the answer. */
  readonly headersTimeoutSeconds: number;
  /** The longest pause between two pieces of an answer's body while the reader wants more. */
  readonly bodyTimeoutSeconds: number;
  /** Idle connections are closed after this time. Keep it below the backend's own: a stale one fails a request. */
  readonly keepAliveSeconds: number;
  /** The most attempts after the first one. */
  readonly retries: number;
  readonly tls?:
    | {
        /** PEM. If given, only these certificates are trusted. */
        readonly ca?: string | Buffer | undefined;
        /** PEM of the client certificate, and below of its key. */
        readonly cert?: string | Buffer | undefined;
        readonly key?: string | Buffer | undefined;
      }
    | undefined;
  readonly observer?: BackendObserver | undefined;
  readonly now: () => Date;
  /** Returns a number in [0, 1). It spreads retries out in time and need not be unpredictable. */
  readonly random: () => number;
  /** See RawSocketLane. The default is 100. */
  readonly tickMilliseconds?: number | undefined;
  /** How to wait before a retry; tests pass their own. */
  readonly sleep?: Sleep | undefined;
  /** How host names become addresses. By default the operating system looks them up; tests pass their own. */
  readonly lookup?: LookupFunction | undefined;
}

/** Is told of every exchange. The values are from bounded sets, because they become metric labels. */
export interface BackendObserver extends LaneObserver {
  /** The head of an answer arrived. `seconds` is the time since the request was begun. */
  answered(method: string, status: number, seconds: number): void;
  failed(method: string, reason: FailureReason): void;
  retried(method: string): void;
  /** `open` is how many connections are open now. */
  connections?(open: number): void;
}

/** What the traffic so far says about the backend. */
export interface BackendHealth {
  readonly lastAnswer: Date | undefined;
  readonly lastFailure: Date | undefined;
  readonly lastFailureReason: FailureReason | undefined;
}

/** How one request is sent. */
export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Sends a request with a small answer over other connections than downloads use; BackendConnection.send says why. */
  readonly aside?: boolean | undefined;
  /** With whose rights the request goes out; by default with the gateway's own. */
  readonly identity?: Identity | undefined;
  /** For whom the request is sent; by default for the gateway itself. */
  readonly sharer?: Sharer | undefined;
}

const MAX_ERROR_DOCUMENT_BYTES = 64 * 1024;
const MAX_LANE_UPLOAD_BYTES = 256 * 1024;

/** The connections to one backend. Requests are signed and sent, and answers are handed over as they arrive. */
export class BackendConnection {
  readonly #options: BackendOptions;
  /** Holds a pool of connections for each authority. */
  readonly #pool: Agent;
  /** Shares the pool's connections out among tenants; undici's own queue does not know for whom a request is. */
  readonly #poolPlaces: FairPlaces;
  /** Carries GET requests, whose answers may be objects. */
  readonly #downloads: RawSocketLane;
  /** Uploads have their own connections, so that small ones do not wait for slow clients. */
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

  /** The region that signatures for this backend name. */
  get region(): string {
    return this.#options.credentials.region;
  }

  /** Whether requests travel encrypted. */
  get secure(): boolean {
    return this.#options.endpoint.protocol === 'https:';
  }

  get health(): BackendHealth {
    const { lastAnswer, lastFailure, lastFailureReason } = this.#health;
    return { lastAnswer, lastFailure, lastFailureReason };
  }

  /**
   * Signs the request and sends it. The promise resolves with the head of the answer, whatever its status is. The
   * caller must read the body to its end or discard it. A source of the request's body is released in every case; what
   * it throws is thrown here unchanged, and the backend sees a truncated body. Callers that hold a connection of the
   * downloads set `aside`, because all of them could wait for each other otherwise.
   * @throws GatewayError BackendUnavailable, BackendError (not HTTP, or not to be trusted), RequestTimeout (aborted)
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
   * Asks the backend to list buckets, with the gateway's credentials unless others are given. AccessDenied counts as
   * success: the key is valid, and only may not list buckets.
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

  /** Resolves once the requests in flight have ended and all connections are closed. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), ...this.#lanes.map((lane) => lane.close())]);
  }

  /** Ends all requests in flight at once. */
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
        body: body as Buffer | undefined, // streamed bodies go over a lane
        reset: false, // by default undici closes the connection after every HEAD
      },
      exchange,
    );
    return exchange.answer;
  }

  #laneFor(method: string, body: Buffer | UploadBody | undefined, aside: boolean): RawSocketLane | undefined {
    if (body instanceof UploadBody) return this.#largeUploads;
    if (method === 'GET' && body === undefined) return aside ? undefined : this.#downloads;
    // A small body fits into the socket's buffer, so that an early answer can be read. A larger one must be able to
    // stop.
    const small = method === 'PUT' && body !== undefined && body.length <= MAX_LANE_UPLOAD_BYTES;
    return small ? this.#smallUploads : undefined;
  }

  /** Whether trying again can neither lose anything nor do anything twice. */
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

  /** Repeats only what costs the backend little: sending an upload again mends neither a full disk nor a bug. */
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
    if (!(thrown instanceof ExchangeFailure)) return thrown; // signing failed, for example
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
