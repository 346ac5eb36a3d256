import type { Socket } from 'node:net';
import type { IncomingResponse } from '../../wire/message.ts';
import { ExchangeFailure } from '../exchange.ts';
import { abandoned } from '../failure.ts';
import type { UploadBody } from '../upload-body.ts';
import { LaneUpload } from './upload.ts';

/** A request as it goes out: its head is written out already. */
export interface LaneRequest {
  readonly head: string;
  readonly body: Buffer | UploadBody | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What an exchange tells the connection that carries it. */
export interface LaneCarrier {
  /** A piece of the upload goes out, or the system has it. */
  progressed(): void;
  failed(thrown: unknown): void;
  /** The caller gave the exchange up. */
  givenUp(reason: Error): void;
}

/** One exchange that a connection carries: its request, and the caller who waits for the answer. */
export class LaneExchange {
  readonly #request: LaneRequest;
  readonly #carrier: LaneCarrier;
  readonly #answer = Promise.withResolvers<IncomingResponse>();
  #written = false;
  #upload: LaneUpload | undefined;

  constructor(request: LaneRequest, carrier: LaneCarrier) {
    this.#request = request;
    this.#carrier = carrier;
    request.signal?.addEventListener('abort', this);
  }

  /** @throws ExchangeFailure */
  get answer(): Promise<IncomingResponse> {
    return this.#answer.promise;
  }

  /** Whether the caller gave it up before it began; the signal would not tell again. */
  get isGivenUp(): boolean {
    return this.#request.signal?.aborted === true;
  }

  /** Whom a streaming upload waits for; undefined once all of it is out, and for other requests. */
  get uploadWaitsFor(): 'source' | 'backend' | undefined {
    return this.#upload?.waitsFor;
  }

  get uploadedBytes(): number {
    return this.#upload?.bytes ?? 0;
  }

  send(socket: Socket): void {
    this.#written = true;
    const { head, body } = this.#request;
    if (body === undefined) {
      socket.write(head, 'latin1');
    } else if (Buffer.isBuffer(body)) {
      // Head and body leave in one system call.
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    } else {
      this.#upload = new LaneUpload(socket, body, () => this.#carrier.progressed());
      this.#upload.send(head).catch((thrown) => this.#carrier.failed(thrown));
    }
  }

  /**
   * The head of the answer came. Before an upload is out it ends it: the backend will not read the rest.
   * @returns whether the request was out
   */
  answered(): boolean {
    return this.#upload?.answered() ?? true;
  }

  resolve(answer: IncomingResponse): void {
    this.#answer.resolve(answer);
  }

  /** No answer comes. */
  reject(thrown: unknown): void {
    this.#answer.reject(new ExchangeFailure(thrown, this.#written));
  }

  /** The connection is gone or free: the caller cannot give the exchange up any more. */
  end(): void {
    this.#request.signal?.removeEventListener('abort', this);
  }

  /** An upload's pull that still waits ends. */
  closeUpload(): void {
    this.#upload?.close();
  }

  /** Hears of the signal's abort. */
  handleEvent(): void {
    this.giveUp();
  }

  giveUp(): void {
    this.#carrier.givenUp(abandoned(this.#request.signal as AbortSignal));
  }
}
