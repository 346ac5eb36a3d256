import type { IncomingMessage, ServerResponse } from 'node:http';
import { asGatewayError, clientError, type GatewayError } from '../errors.ts';
import { RequestTrace } from '../pipeline/trace.ts';
import { type RequestRecord, requestRecord } from '../telemetry/request-record.ts';
import type { HeaderList } from '../wire/headers.ts';
import { type PassThrough, type WireClient, WireRequest, type WireResponse } from '../wire/message.ts';
import { ClientWatch, type Waiting, type WatchLimits } from './client-watch.ts';
import type { Connection, OnConnection } from './connection.ts';
import { DRAIN_BYTES } from './limits.ts';
import type { RenderRefusal } from './plain-answer.ts';
import { incompleteBody, RequestBody } from './request-body.ts';
import { ClientGone, ResponseWriter } from './response-writer.ts';

/** Serves one request. Its rejection becomes an error that no dialect renders. */
export type Handle = (request: WireRequest, trace: RequestTrace) => Promise<WireResponse | PassThrough>;

/** What an exchange needs of its listener. */
export interface ExchangeServices {
  readonly handle: Handle;
  readonly render: RenderRefusal;
  readonly watchLimits: WatchLimits;
  /** Returns a monotonic time in milliseconds. */
  readonly clock: () => number;
  /** Whether the gateway is shutting down, so that answers close their connections. */
  readonly stopping: () => boolean;
  readonly onOver: (exchange: Exchange, record: RequestRecord) => void;
}

/** One request as the listener got it. */
export interface ExchangeParts {
  readonly id: string;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly client: WireClient;
  /** The request's headers, which the listener has read already. */
  readonly headers: HeaderList;
  readonly expectsContinue: boolean;
}

/** One request and its answer, from the parsed head to the last byte, and the record of both for log and metrics. */
export class Exchange implements OnConnection {
  readonly id: string;
  readonly trace = new RequestTrace();
  readonly #parts: ExchangeParts;
  readonly #services: ExchangeServices;
  readonly #startedAt: number;
  readonly #gone = new AbortController();
  readonly #body: RequestBody;
  readonly #declaredBytes: number | undefined;
  readonly #writer: ResponseWriter;
  readonly #watch: ClientWatch;
  #headAt: number | undefined;
  #phase: 'serving' | 'draining' | 'over' = 'serving';
  #passedBytesFrom: number | undefined;
  #left = false;

  constructor(parts: ExchangeParts, services: ExchangeServices) {
    this.id = parts.id;
    this.#parts = parts;
    this.#services = services;
    this.#startedAt = services.clock();
    this.#watch = new ClientWatch(services.watchLimits);
    const { message, response } = parts;
    const length = message.headers['content-length'];
    this.#declaredBytes = length === undefined ? undefined : Number(length);
    this.#body = new RequestBody({
      message,
      empty: message.headers['transfer-encoding'] === undefined && (this.#declaredBytes ?? 0) === 0,
      beforeFirstPull: parts.expectsContinue ? () => response.writeContinue() : undefined,
    });
    this.#writer = new ResponseWriter({
      response,
      onHead: () => {
        this.#headAt = services.clock();
      },
    });
  }

  get connection(): Connection {
    return this.#parts.connection;
  }

  /** Serves the request, or answers with the refusal. It never rejects. */
  async run(refusal: GatewayError | undefined): Promise<void> {
    try {
      if (refusal !== undefined) {
        await this.#refuse(refusal);
        return;
      }
      const result = await this.#services.handle(this.#wireRequest(), this.trace);
      if ('passThrough' in result) await this.#passThrough(result);
      else await this.#write(result);
    } catch (thrown) {
      await this.#fail(thrown);
    } finally {
      this.#settle();
    }
  }

  clientGone(): void {
    if (this.#phase === 'over') return;
    this.#left = true;
    this.#gone.abort();
    this.#body.fail(incompleteBody());
    this.#writer.clientGone();
    if (this.#phase === 'draining') this.#over();
  }

  bodyBroken(cause: Error): void {
    if (this.#parts.message.complete) return;
    this.#parts.connection.lingerOnClose();
    const ended = 'code' in cause && cause.code === 'HPE_INVALID_EOF_STATE';
    const malformed = 'The chunked coding of the body is malformed.';
    this.#body.fail(ended ? incompleteBody(cause) : clientError('InvalidRequest', malformed, { cause }));
  }

  tick(): void {
    const waiting = this.#waiting();
    const verdict = this.#watch.judge(waiting);
    if (verdict === 'fine') return;
    if (this.#phase === 'serving' && waiting?.for === 'upload') {
      this.#parts.connection.closing = true;
      this.#body.fail(clientError('RequestTimeout', 'The body of the request came too slowly.'));
      return;
    }
    this.#note(clientError('RequestTimeout', 'The client stopped taking or sending bytes.'));
    this.#parts.connection.socket.destroy();
  }

  #wireRequest(): WireRequest {
    const { message, id, client, headers } = this.#parts;
    return new WireRequest({
      id,
      method: message.method as string,
      rawTarget: message.url as string,
      headers,
      body: this.#body,
      client,
      signal: this.#gone.signal,
    });
  }

  #write(answer: WireResponse): Promise<void> {
    const { message, response, connection } = this.#parts;
    const close = this.#mustClose();
    if ((close || !response.shouldKeepAlive) && !message.complete) connection.lingerOnClose();
    else if (close) connection.closing = true;
    return this.#writer.write(answer, { isHead: message.method === 'HEAD', close });
  }

  async #passThrough(result: PassThrough): Promise<void> {
    const { message, response, connection } = this.#parts;
    this.#passedBytesFrom = connection.socket.bytesWritten;
    if (connection.closing || this.#services.stopping()) response.shouldKeepAlive = false;
    await result.passThrough(message, response);
    this.#headAt ??= this.#services.clock();
  }

  /** Writes an answer that no dialect renders. */
  async #refuse(error: GatewayError): Promise<void> {
    this.#note(error);
    this.#parts.connection.closing = true;
    await this.#write(this.#services.render(error, this.id));
  }

  async #fail(thrown: unknown): Promise<void> {
    // The writer may see a reset before the connection's 'close' is emitted.
    if (thrown instanceof ClientGone) this.#left = true;
    if (this.#left) return;
    const error = asGatewayError(thrown);
    if (this.#parts.response.headersSent) {
      // The status line was sent, so only a broken connection can tell the client that the answer is incomplete.
      this.#note(error);
      this.#breakOff();
      return;
    }
    try {
      await this.#refuse(error);
    } catch {
      this.#breakOff();
    }
  }

  /** Records the error in the trace, if it is the first one. */
  #note(error: GatewayError): void {
    if (this.trace.errorCode !== undefined) return;
    this.trace.error = error;
    this.trace.errorCode = error.code;
    this.trace.errorSource = error.source;
  }

  /**
   * Destroys the connection in the middle of an answer. A body without a declared length ends, for a client that knows
   * no chunks, where the connection ends; so its connection is reset instead, and the body does not look complete.
   */
  #breakOff(): void {
    const { socket } = this.#parts.connection;
    this.#gone.abort();
    if (this.#parts.message.httpVersion === '1.1' || this.#parts.connection.peer.secure) socket.destroy();
    else socket.resetAndDestroy();
  }

  /** Whether the connection must end with this answer, so that nobody takes the rest of a body for a request. */
  #mustClose(): boolean {
    const { message, connection, expectsContinue } = this.#parts;
    if (connection.closing || this.#services.stopping()) return true;
    if (message.complete) return false;
    // A client that was never told to continue may send the body or not (RFC 9110 §10.1.1).
    if (expectsContinue && !this.#body.begun) return true;
    if (this.#declaredBytes === undefined) return message.headers['transfer-encoding'] !== undefined;
    return this.#declaredBytes - this.#body.bytes > DRAIN_BYTES;
  }

  #waiting(): Waiting {
    const { response, connection } = this.#parts;
    if (this.#phase === 'draining') return { for: 'upload', moved: connection.socket.bytesRead };
    if (this.#body.waiting) return { for: 'upload', moved: this.#body.bytes };
    // A pipelined answer has no socket before its turn; the answer in front of it is watched meanwhile.
    if (this.#writer.waiting && response.socket !== null) {
      return { for: 'download', moved: connection.bytesTaken };
    }
    if (this.#passedBytesFrom !== undefined && connection.socket.writableLength > 0) {
      return { for: 'download', moved: connection.bytesTaken };
    }
    return undefined;
  }

  /**
   * Ends the exchange after its answer was sent or has failed. It lives on while the rest of its body is read and
   * dropped.
   */
  #settle(): void {
    const { message, connection } = this.#parts;
    this.#body.release();
    if (message.complete || message.destroyed || connection.socket.destroyed || connection.lingering) {
      if (!message.readableEnded) message.resume();
      this.#over();
      return;
    }
    this.#phase = 'draining';
    message.once('end', () => this.#over());
    message.resume();
  }

  #over(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#services.onOver(this, this.#record());
  }

  #record(): RequestRecord {
    const { message, response } = this.#parts;
    const { clock } = this.#services;
    const headAt = this.#headAt;
    return requestRecord({
      requestId: this.id,
      method: message.method ?? '',
      client: this.#parts.client.address,
      trace: this.trace,
      status: headAt === undefined ? undefined : response.statusCode,
      bytesIn: this.#body.bytes,
      bytesOut: this.#bytesOut(),
      seconds: (clock() - this.#startedAt) / 1000,
      firstByteSeconds: headAt === undefined ? undefined : (headAt - this.#startedAt) / 1000,
      outcome: this.#outcome(),
    });
  }

  #outcome(): RequestRecord['outcome'] {
    if (this.#parts.response.writableFinished) return 'complete';
    return this.#left || this.trace.errorSource === 'client' ? 'client-gone' : 'cut';
  }

  #bytesOut(): number {
    if (this.#passedBytesFrom === undefined) return this.#writer.bytes;
    return this.#parts.connection.socket.bytesWritten - this.#passedBytesFrom;
  }
}
