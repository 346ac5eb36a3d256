import type { Socket } from 'node:net';
import { GatewayError } from '../../errors.ts';
import type { Place } from '../../shares/fair-places.ts';
import type { IncomingResponse } from '../../wire/message.ts';
import { ExchangeFailure } from '../exchange.ts';
import { backendFailure } from '../failure.ts';
import { DRAIN_BYTES } from '../response-body.ts';
import { type AnswerHead, malformed } from './answer-head.ts';
import { answerWith, type BodyConnection, DONE, LaneBody } from './body.ts';
import { BodyProgress } from './body-progress.ts';
import { Inbox } from './inbox.ts';
import { type LaneCarrier, LaneExchange, type LaneRequest } from './lane-exchange.ts';
import { Pace, type Progress } from './pace.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { type LaneTarget, openSocket } from './socket.ts';

/** What a connection tells its owner, and the owner's clock. */
export interface LaneOwner {
  readonly ticks: number;
  /** The connection is free for the next exchange. */
  idle(connection: LaneConnection): void;
  /** The connection is closed or about to be, for whatever reason. It is called once. */
  gone(connection: LaneConnection): void;
}

type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'done' | 'closed';

/** One raw socket that carries one exchange at a time. This class decides what becomes of the socket after each one. */
export class LaneConnection implements BodyConnection, LaneCarrier {
  readonly #owner: LaneOwner;
  readonly #inbox: Inbox;
  readonly #socket: Socket;
  #phase: Phase = 'connecting';
  #exchange: LaneExchange | undefined;
  #body: LaneBody | undefined;
  #reusable = true;
  /** How much has arrived of the body of the current answer, or of the last one. */
  #came: BodyProgress | undefined;
  /** Whether the reader has let go of the body, so that the rest of it is read and dropped. */
  #dropping = false;
  #failure: { readonly thrown: unknown } | undefined;
  #left = false;
  readonly authority: string; // the host and port that it is connected to
  /** The owner's clock at the time of the last event. */
  lastEventAt = 0;
  /** The place among the lane's connections that the current exchange holds. */
  place: Place | undefined;
  /** How fast the client of the current exchange is. */
  pace = new Pace();

  constructor(target: LaneTarget, owner: LaneOwner, buffers: ReadBuffers) {
    this.#owner = owner;
    this.authority = target.endpoint.host;
    this.#inbox = new Inbox(buffers, target.endpoint.protocol === 'https:');
    const reads = {
      buffer: () => (this.#phase === 'body' ? this.#inbox.bufferForBody() : this.#inbox.bufferForHead()),
      callback: (bytes: number) => this.#onBytes(bytes),
    };
    this.#socket = openSocket(target, reads, () => this.#ready());
    this.#socket.on('error', (error) => this.failed(error));
    this.#socket.on('end', () => this.failed(ended()));
    this.#socket.on('close', () => {
      this.failed(ended());
      this.#leave();
    });
  }

  /**
   * What the connection waits for, which decides its timeout; undefined while it waits for its client, who has none.
   */
  get waitsFor(): 'connect' | 'head' | 'body' | 'request' | undefined {
    switch (this.#phase) {
      case 'connecting':
        return 'connect';
      case 'head':
        if (this.#exchange?.uploadWaitsFor === 'source') return undefined;
        return this.#exchange?.uploadWaitsFor === 'backend' ? 'body' : 'head';
      case 'body':
        return this.#inbox.hasQueued ? undefined : 'body';
      case 'idle':
        return 'request';
      default:
        return undefined;
    }
  }

  /** Whether the exchange waits for its client; the timeouts of the backend do not apply to that. */
  get progress(): Progress {
    const uploadedBytes = this.#exchange?.uploadedBytes ?? 0;
    const waitsForSender = this.#phase === 'head' && this.#exchange?.uploadWaitsFor === 'source';
    if (waitsForSender) return { waitsFor: 'sender', uploadedBytes };
    return { waitsFor: this.#waitsForReader ? 'reader' : undefined, uploadedBytes };
  }

  /** Whether it waits for its reader and may be given up: the rest can be asked for again, or all of it has arrived. */
  get #waitsForReader(): boolean {
    if (this.#dropping || this.#body?.mayBeInterrupted !== true) return false;
    return this.#phase === 'done' || (this.#inbox.hasQueued && this.#came?.chunked === false);
  }

  /** Gives up an answer whose reader is slow. Its body asks for the rest again when the reader wants it. */
  interrupt(): void {
    const body = this.#body;
    if (body === undefined || !this.#waitsForReader) return;
    body.interrupt(this.#inbox.abandon(), this.#came?.hadBytes ?? 0, this.#phase === 'done');
    this.#body = undefined;
    this.#phase = 'closed';
    this.#exchange?.end();
    this.#socket.destroy();
    this.#leave();
  }

  /** Makes `body`, to which an interrupted reader holds on, the reader of the current answer. */
  readBy(body: LaneBody): void {
    this.#body = body;
  }

  /**
   * Sends a request over an idle connection, or over one that is still connecting.
   * @throws ExchangeFailure
   */
  exchange(request: LaneRequest): Promise<IncomingResponse> {
    if (this.#phase !== 'idle' && this.#phase !== 'connecting') {
      return Promise.reject(new ExchangeFailure(ended(), false));
    }
    const exchange = new LaneExchange(request, this);
    const { answer } = exchange;
    this.#exchange = exchange;
    if (exchange.isGivenUp) exchange.giveUp();
    else if (this.#phase === 'idle') this.#send(exchange);
    return answer;
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.failed(error);
    this.#socket.destroy();
  }

  /** Returns the next chunk of the body; the chunk before it may be overwritten from now on. */
  pull(): Promise<IteratorResult<Buffer>> {
    const queued = this.#inbox.pull();
    if (queued !== undefined) {
      if (!this.#inbox.hasQueued) this.#resume();
      return Promise.resolve({ done: false, value: queued });
    }
    if (this.#failure !== undefined) {
      this.#inbox.giveBuffers();
      return Promise.reject(this.#failure.thrown);
    }
    if (this.#phase !== 'body') {
      this.#release();
      return Promise.resolve(DONE);
    }
    return this.#inbox.wait();
  }

  /** Lets go of the body. A small rest is read and dropped; for a large one the connection is closed. */
  discard(): void {
    this.#inbox.drop();
    if (this.#phase === 'done') {
      this.#release();
    } else if (this.#phase === 'body') {
      this.#dropping = true;
      if (this.#came?.chunked === false && this.#came.restBytes <= DRAIN_BYTES) this.#resume();
      else this.#socket.destroy();
    } else {
      this.#inbox.giveBuffers();
    }
  }

  #ready(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'idle';
    if (this.#exchange === undefined) this.#owner.idle(this);
    else this.#send(this.#exchange);
  }

  #resume(): void {
    this.lastEventAt = this.#owner.ticks;
    if (this.#phase === 'body') this.#socket.resume();
  }

  #send(exchange: LaneExchange): void {
    this.#phase = 'head';
    this.lastEventAt = this.#owner.ticks;
    this.#socket.ref();
    exchange.send(this.#socket);
  }

  progressed(): void {
    this.lastEventAt = this.#owner.ticks;
  }

  readonly onAbort = (): void => this.#exchange?.giveUp();

  #onBytes(bytes: number): boolean {
    this.lastEventAt = this.#owner.ticks;
    try {
      if (this.#phase === 'body') return this.#readBody(this.#inbox.filled(bytes));
      if (this.#phase !== 'head') malformed('bytes outside of an answer');
      const came = this.#inbox.readHead(bytes);
      return came === undefined || this.#begin(came.head, came.body);
    } catch (thrown) {
      this.destroy(thrown as Error);
    }
    return false;
  }

  /** The head is complete: the caller gets the answer, and what arrived of its body waits in the inbox. */
  #begin({ status, raw, framing, reusable }: AnswerHead, body: Buffer): boolean {
    this.#reusable = reusable && framing.kind !== 'endless';
    const uploaded = this.#exchange?.answered() ?? true;
    this.#reusable &&= uploaded;
    if (!uploaded && status < 300) return this.#refuse('The backend confirmed an upload before it had all of it.');
    if (framing.kind === 'endless' && status < 300) return this.#refuse('The backend answered without a length.');
    this.#phase = 'body';
    this.#came = new BodyProgress(framing);
    this.#dropping = false;
    const answered = new LaneBody(this);
    this.#body = answered;
    this.#exchange?.resolve(answerWith(status, raw, answered));
    // Only the connection's end would end this error page, so its body is dropped; the status says enough.
    return this.#readBody(framing.kind === 'endless' ? body.subarray(0, 0) : body);
  }

  #refuse(reason: string): false {
    this.destroy(new GatewayError('BackendError', reason, { source: 'backend' }));
    return false;
  }

  #readBody(bytes: Buffer): boolean {
    const came = this.#came as BodyProgress;
    const data = came.take(bytes);
    if (came.overran) this.#reusable = false;
    if (data.length > 0 && !this.#dropping) this.#inbox.deliver(data, came.chunked);
    if (came.complete) this.#complete();
    return came.complete || !this.#inbox.hasQueued;
  }

  /** Handles the end of the answer. The connection is free once the reader has let go of the last bytes. */
  #complete(): void {
    this.#phase = 'done';
    this.#inbox.endAnswer();
    if (!this.#dropping && !this.#inbox.isAwaited) return;
    this.#inbox.endReader();
    this.#release();
  }

  #release(): void {
    this.#inbox.giveBuffers();
    this.#body?.detach();
    this.#body = undefined;
    if (this.#phase !== 'done') return;
    this.#exchange?.end();
    this.#exchange?.closeUpload();
    this.#exchange = undefined;
    // Bytes that still wait to be sent belong to an upload that has ended, so the connection must not be used again.
    if (!this.#reusable || this.#socket.writableLength > 0) {
      this.#socket.destroy();
      return;
    }
    this.#phase = 'idle';
    this.#socket.resume(); // over TLS, an answer may end while reading is paused
    this.#socket.unref();
    this.#owner.idle(this);
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#owner.gone(this);
  }

  /** Ends the exchange with an error. A second call does nothing, so that the first reason is the one that is told. */
  failed(thrown: unknown): void {
    const phase = this.#phase;
    if (phase === 'closed' || phase === 'done') {
      // The answer has arrived whole, so only the connection is lost.
      this.#reusable = false;
      return;
    }
    this.#phase = 'closed';
    this.#exchange?.end();
    if (phase === 'body') {
      this.#exchange?.closeUpload();
      this.#failure = { thrown: backendFailure(thrown) };
      this.#inbox.failReader(this.#failure.thrown);
    } else {
      this.#exchange?.reject(thrown);
    }
    this.#socket.destroy();
    this.#leave();
  }
}

function ended(): Error {
  return Object.assign(new Error('the backend closed the connection'), { code: 'ECONNRESET' });
}
