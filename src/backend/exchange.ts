import type { Dispatcher } from 'undici';
import { GatewayError } from '../errors.ts';
import { HeaderList } from '../wire/headers.ts';
import type { IncomingResponse } from '../wire/message.ts';
import { abandoned, backendFailure } from './failure.ts';
import { type BodyFlow, ResponseBody } from './response-body.ts';

/** An exchange that failed before there was an answer; `error` is what was thrown. */
export class ExchangeFailure extends Error {
  readonly error: unknown;
  /** Whether the request, or a part of it, may have reached the backend. */
  readonly written: boolean;

  constructor(thrown: unknown, written: boolean) {
    super('exchange failed');
    this.error = thrown;
    this.written = written;
  }
}

/**
 * Handles the events that undici emits for one request and its answer. `answer` settles with the head; the body is
 * pulled after that.
 */
export class Exchange implements Dispatcher.DispatchHandler, BodyFlow {
  readonly #answer = Promise.withResolvers<IncomingResponse>();
  readonly #method: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onOver: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #body: ResponseBody | undefined;
  #abandoned: unknown;

  /**
   * Begins to listen to the signal.
   * @param about `onOver` is called when the connection is free again, or lost. It may be called twice.
   */
  constructor(method: string, about: { readonly signal: AbortSignal | undefined; readonly onOver: () => void }) {
    const { signal, onOver } = about;
    this.#method = method;
    this.#signal = signal;
    this.#onOver = onOver;
    signal?.addEventListener('abort', this.#giveUp);
    if (signal?.aborted === true) this.#giveUp(); // a signal that has aborted already emits no event
  }

  /**
   * Resolves with the head of the answer.
   * @throws ExchangeFailure
   */
  get answer(): Promise<IncomingResponse> {
    return this.#answer.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abandoned !== undefined) controller.abort(this.#abandoned as Error);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    const headers = new HeaderList(rawStrings(controller.rawHeaders));
    const length = headers.get('content-length');
    if (this.#refuses(status, headers, length)) return;
    const body = new ResponseBody(this, length === undefined ? undefined : Number(length));
    this.#body = body;
    this.#answer.resolve({ status, headers, body, discard: () => body.discard() });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#close();
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const thrown = this.#abandoned ?? error;
    if (this.#body !== undefined) {
      this.#close();
      this.#body.fail(backendFailure(thrown));
      return;
    }
    this.#close();
    this.#answer.reject(new ExchangeFailure(thrown, this.#controller !== undefined));
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    this.#controller?.abort(new Error('the rest of the answer is not wanted'));
  }

  /** Refuses a successful answer without framing, which must never be taken for a whole object. */
  #refuses(status: number, headers: HeaderList, length: string | undefined): boolean {
    if (status >= 300) return false;
    const bodiless = this.#method === 'HEAD' || status === 204;
    if (!bodiless && length === undefined && !headers.has('transfer-encoding')) {
      // Such a body ends when the connection ends, so a truncated one would look whole.
      this.#fail(new GatewayError('BackendError', 'The backend answered without a length.', { source: 'backend' }));
      return true;
    }
    return false;
  }

  #fail(error: GatewayError): void {
    this.#abandoned = error;
    this.#controller?.abort(error);
  }

  readonly #giveUp = (): void => {
    this.#abandoned = abandoned(this.#signal as AbortSignal);
    if (this.#controller !== undefined) this.#controller.abort(this.#abandoned as Error);
    // undici still has the request in its queue. The caller is told at once and does not wait for the request's turn.
    else this.onResponseError(null, this.#abandoned as Error);
  };

  #close(): void {
    this.#onOver();
    this.#signal?.removeEventListener('abort', this.#giveUp);
  }
}

/** undici gives names and values as bytes. Read as latin1, each character is one byte (wire/headers.ts). */
function rawStrings(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
}
