import type { Socket } from 'node:net';
import type { IncomingResponse } from '../../wire/message.ts';
import { ExchangeFailure } from '../exchange.ts';
import { abandoned } from '../failure.ts';
import type { UploadBody } from '../upload-body.ts';
import { LaneUpload } from './upload.ts';

/** A request with its head rendered as text. */
export interface LaneRequest {
  readonly head: string;
  readonly body: Buffer | UploadBody | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What an exchange tells the connection that carries it. */
export interface LaneCarrier {
  /** A piece of the upload was handed to the socket, or the operating system has taken it. */
  progressed(): void;
  failed(thrown: unknown): void;
  /** Ends the exchange and the connection, because the caller aborted. */
  destroy(reason: Error): void;
  /** Listens to the caller's signal and calls the exchange's `giveUp`. All exchanges of a connection share it. */
  readonly onAbort: () => void;
}

/**
 * One exchange that a connection carries: the request, and the promise of the answer that the caller waits for.
 *
 * It drops its reference to the answer once the caller has it, and that to the request at its end. Garbage collection
 * may move an exchange to the old generation shortly before its end. V8 then keeps whatever it refers to alive until
 * the next full collection. Without this, one in twelve bytes that a GET allocates became old (`--trace-gc` shows it).
 */
export class LaneExchange {
  #request: LaneRequest | undefined;
  readonly #carrier: LaneCarrier;
  #answer: PromiseWithResolvers<IncomingResponse> | undefined = Promise.withResolvers<IncomingResponse>();
  #written = false;
  #upload: LaneUpload | undefined;

  constructor(request: LaneRequest, carrier: LaneCarrier) {
    this.#request = request;
    this.#carrier = carrier;
    request.signal?.addEventListener('abort', carrier.onAbort);
  }

  /**
   * Resolves with the head of the answer. It must be read before the exchange begins.
   * @throws ExchangeFailure
   */
  get answer(): Promise<IncomingResponse> {
    return (this.#answer as PromiseWithResolvers<IncomingResponse>).promise;
  }

  /** Whether the caller aborted before the exchange began; a signal that has aborted already emits no event. */
  get isGivenUp(): boolean {
    return this.#request?.signal?.aborted === true;
  }

  /** Whom a streamed upload waits for; undefined once all of it was sent, and for any other request. */
  get uploadWaitsFor(): 'source' | 'backend' | undefined {
    return this.#upload?.waitsFor;
  }

  get uploadedBytes(): number {
    return this.#upload?.bytes ?? 0;
  }

  send(socket: Socket): void {
    this.#written = true;
    const { head, body } = this.#request as LaneRequest;
    if (body === undefined) {
      socket.write(head, 'latin1');
    } else if (Buffer.isBuffer(body)) {
      // The head and the body leave in one system call.
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
   * Must be called when the head of the answer arrives. An upload that was not sent whole ends here, because the
   * backend does not read the rest.
   * @returns whether the whole request was sent
   */
  answered(): boolean {
    return this.#upload?.answered() ?? true;
  }

  resolve(answer: IncomingResponse): void {
    this.#answer?.resolve(answer);
    this.#answer = undefined;
  }

  /** Tells the caller that there will be no answer. */
  reject(thrown: unknown): void {
    this.#answer?.reject(new ExchangeFailure(thrown, this.#written));
    this.#answer = undefined;
  }

  /** Stops listening to the caller's signal, because the connection is closed or free for others. */
  end(): void {
    this.#request?.signal?.removeEventListener('abort', this.#carrier.onAbort);
    this.#request = undefined;
  }

  /** Ends a pull from the upload's source that is still pending. */
  closeUpload(): void {
    this.#upload?.close();
    this.#upload = undefined;
  }

  giveUp(): void {
    const signal = this.#request?.signal;
    if (signal) this.#carrier.destroy(abandoned(signal));
  }
}
