import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { GatewayError } from '../../errors.ts';
import type { Place } from '../../shares/fair-places.ts';
import { HeaderList } from '../../wire/headers.ts';
import type { IncomingResponse } from '../../wire/message.ts';
import { ExchangeFailure } from '../exchange.ts';
import { abandoned, backendFailure } from '../failure.ts';
import { DRAIN_BYTES } from '../response-body.ts';
import type { UploadBody } from '../upload-body.ts';
import { type AnswerHead, malformed, readAnswerHead } from './answer-head.ts';
import { type BodyConnection, DONE, LaneBody } from './body.ts';
import { ChunkedBody } from './chunked-body.ts';
import { Pace, type Progress } from './pace.ts';
import type { BufferPair, ReadBuffers } from './read-buffers.ts';
import { LaneUpload } from './upload.ts';

/** Where a head is read into; holds a whole small answer as well, so that it costs one read. */
const HEAD_BUFFER_BYTES = 32 * 1024;

/** A request in words already. */
export interface LaneRequest {
  readonly head: string;
  readonly body: Buffer | UploadBody | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What the connection's owner hears, and its clock. */
export interface LaneOwner {
  readonly ticks: number;
  /** May carry the next exchange. */
  idle(connection: LaneConnection): void;
  /** Closed or about to be, for whatever reason. Once. */
  gone(connection: LaneConnection): void;
}

export interface LaneTarget {
  readonly endpoint: URL;
  /** As tls.connect takes them. */
  readonly tls?: { readonly ca?: unknown; readonly cert?: unknown; readonly key?: unknown } | undefined;
}

type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'done' | 'closed';

/**
 * One raw socket that carries one exchange at a time: a request out, an answer in. Node's `onread` lets the socket read
 * straight into buffers that are used again, so a chunk is good until the next pull (wire/message.ts): while the reader
 * holds one buffer, the socket fills the other, and then waits.
 */
export class LaneConnection implements BodyConnection {
  readonly #owner: LaneOwner;
  readonly #buffers: ReadBuffers;
  readonly #socket: Socket;
  /** Alternate from answer to answer: the reader may still hold the last one's bytes. */
  #heads: BufferPair = [Buffer.allocUnsafeSlow(HEAD_BUFFER_BYTES), Buffer.allocUnsafeSlow(HEAD_BUFFER_BYTES)];
  #headBytes = 0;
  #phase: Phase = 'connecting';
  #request: LaneRequest | undefined;
  #answer: PromiseWithResolvers<IncomingResponse> | undefined;
  #body: LaneBody | undefined;
  #written = false;
  #upload: LaneUpload | undefined;
  #reusable = true;
  /** Of a body with a length: all of it, and what did not come yet. */
  #bodyBytes = 0;
  #restBytes = 0;
  #chunks: ChunkedBody | undefined;
  #pair: BufferPair | undefined;
  /** The buffer that the socket reads into. */
  #filling: Buffer | undefined;
  /** The buffer whose bytes the reader has. */
  #held: Buffer | undefined;
  #queued: { readonly data: Buffer; readonly owner: Buffer | undefined } | undefined;
  #reader: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;
  #dropping = false;
  #failure: { readonly thrown: unknown } | undefined;
  #left = false;
  /** The owner's clock when something last happened. */
  lastEventAt = 0;
  /** Held while an exchange is on its way. */
  place: Place | undefined;
  /** Of the exchange that is on its way. */
  pace = new Pace();

  constructor(target: LaneTarget, owner: LaneOwner, buffers: ReadBuffers) {
    this.#owner = owner;
    this.#buffers = buffers;
    this.#socket = this.#connect(target);
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('end', () => this.#fail(ended()));
    this.#socket.on('close', () => {
      this.#fail(ended());
      this.#leave();
    });
  }

  /** What the connection waits for, as far as a timeout is concerned; undefined while it waits for its reader. */
  get waitsFor(): 'connect' | 'head' | 'body' | 'request' | undefined {
    switch (this.#phase) {
      case 'connecting':
        return 'connect';
      case 'head':
        if (this.#upload?.waitsFor === 'source') return undefined;
        return this.#upload?.waitsFor === 'backend' ? 'body' : 'head';
      case 'body':
        return this.#queued === undefined ? 'body' : undefined;
      case 'idle':
        return 'request';
      default:
        return undefined;
    }
  }

  /** Whether the exchange waits for the client, whom no timeout of the backend's is about. */
  get progress(): Progress {
    const uploadedBytes = this.#upload?.bytes ?? 0;
    if (this.#phase === 'head' && this.#upload?.waitsFor === 'source') return { waitsFor: 'sender', uploadedBytes };
    return { waitsFor: this.#waitsForReader ? 'reader' : undefined, uploadedBytes };
  }

  /** It waits for its reader and can give its connection up: the rest can be asked for again, or all of it came. */
  get #waitsForReader(): boolean {
    if (this.#dropping || this.#body?.mayBeInterrupted !== true) return false;
    return this.#phase === 'done' || (this.#queued !== undefined && this.#chunks === undefined);
  }

  /** Lets go of an answer whose reader takes its time: the rest is asked for again when it is wanted. */
  interrupt(): void {
    const body = this.#body;
    const queued = this.#queued;
    if (body === undefined || !this.#waitsForReader) return;
    const kept = queued && Buffer.from(queued.data);
    body.interrupt(kept, this.#bodyBytes - this.#restBytes, this.#phase === 'done');
    this.#body = undefined;
    this.#queued = undefined;
    // The reader may have the bytes of one of the two still: they are not for others.
    this.#pair = undefined;
    this.#phase = 'closed';
    this.#request?.signal?.removeEventListener('abort', this.#giveUp);
    this.#socket.destroy();
    this.#leave();
  }

  /** The reader goes on with another body than the one that the answer was given with. */
  readBy(body: LaneBody): void {
    this.#body = body;
  }

  /**
   * Sends a request over an idle or connecting connection.
   * @throws ExchangeFailure
   */
  exchange(request: LaneRequest): Promise<IncomingResponse> {
    const answer = Promise.withResolvers<IncomingResponse>();
    if (this.#phase !== 'idle' && this.#phase !== 'connecting') {
      answer.reject(new ExchangeFailure(ended(), false));
      return answer.promise;
    }
    this.#request = request;
    this.#answer = answer;
    request.signal?.addEventListener('abort', this.#giveUp);
    if (request.signal?.aborted === true)
      this.#giveUp(); // it would not be told again
    else if (this.#phase === 'idle') this.#write();
    return answer.promise;
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.#fail(error);
    this.#socket.destroy();
  }

  /** The next chunk of the body; what came before may be overwritten. */
  pull(): Promise<IteratorResult<Buffer>> {
    this.#held = undefined;
    const queued = this.#queued;
    if (queued !== undefined) {
      this.#queued = undefined;
      this.#held = queued.owner;
      this.#resume();
      return Promise.resolve({ done: false, value: queued.data });
    }
    if (this.#failure !== undefined) {
      this.#givePair();
      return Promise.reject(this.#failure.thrown);
    }
    if (this.#phase !== 'body') {
      this.#release();
      return Promise.resolve(DONE);
    }
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Lets go of the body: reads on over a small rest, closes the connection for a large one. */
  discard(): void {
    this.#held = undefined;
    this.#queued = undefined;
    this.#reader?.resolve(DONE);
    this.#reader = undefined;
    if (this.#phase === 'done') {
      this.#release();
    } else if (this.#phase === 'body') {
      this.#dropping = true;
      if (this.#chunks === undefined && this.#restBytes <= DRAIN_BYTES) this.#resume();
      else this.#socket.destroy();
    } else {
      this.#givePair();
    }
  }

  #connect({ endpoint, tls }: LaneTarget): Socket {
    const secure = endpoint.protocol === 'https:';
    const host = endpoint.hostname.replace(/^\[|\]$/g, '');
    const options = {
      host,
      port: endpoint.port === '' ? (secure ? 443 : 80) : Number(endpoint.port),
      noDelay: true,
      keepAlive: true,
      onread: { buffer: () => this.#nextBuffer(), callback: (bytes: number) => this.#onBytes(bytes) },
    };
    const ready = () => {
      if (this.#phase !== 'connecting') return;
      this.#phase = 'idle';
      if (this.#request === undefined) this.#owner.idle(this);
      else this.#write();
    };
    if (!secure) return connectTcp(options, ready);
    const servername = isIP(host) === 0 ? host : '';
    return connectTls({ ...options, ...(tls as object), servername, ALPNProtocols: ['http/1.1'] }, ready);
  }

  #resume(): void {
    this.lastEventAt = this.#owner.ticks;
    if (this.#phase === 'body') this.#socket.resume();
  }

  #write(): void {
    this.#phase = 'head';
    this.lastEventAt = this.#owner.ticks;
    this.#written = true;
    this.#socket.ref();
    const { head, body } = this.#request as LaneRequest;
    if (body === undefined) {
      this.#socket.write(head, 'latin1');
      return;
    }
    if (!Buffer.isBuffer(body)) {
      this.#upload = new LaneUpload(this.#socket, body, () => {
        this.lastEventAt = this.#owner.ticks;
      });
      this.#upload.send(head).catch((thrown) => this.#fail(thrown));
      return;
    }
    // Head and body leave in one system call.
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** Node asks after every read where the next one should go, even when the reading stops meanwhile. */
  #nextBuffer(): Buffer {
    if (this.#phase !== 'body') {
      this.#filling = this.#heads[0];
      return this.#headBytes === 0 ? this.#heads[0] : this.#heads[0].subarray(this.#headBytes);
    }
    this.#pair ??= this.#buffers.take();
    const [first, second] = this.#pair;
    // With one queued and the other held the socket stands still until the held one is let go.
    const free = first !== this.#held && first !== this.#queued?.owner;
    this.#filling = free || second === this.#queued?.owner ? first : second;
    return this.#filling;
  }

  /** @returns false to stop reading. Must not throw: nobody would catch it. */
  #onBytes(bytes: number): boolean {
    this.lastEventAt = this.#owner.ticks;
    try {
      if (this.#phase === 'head') {
        this.#headBytes += bytes;
        return this.#readHead();
      }
      if (this.#phase === 'body') return this.#readBody((this.#filling as Buffer).subarray(0, bytes), this.#filling);
      malformed('bytes that nobody asked for');
    } catch (thrown) {
      this.destroy(thrown as Error);
    }
    return false;
  }

  #readHead(): boolean {
    const buffer = this.#heads[0];
    for (;;) {
      const end = buffer.subarray(0, this.#headBytes).indexOf('\r\n\r\n');
      if (end === -1) {
        if (this.#headBytes === buffer.length) malformed('head too large');
        return true;
      }
      const head = readAnswerHead(buffer.toString('latin1', 0, end));
      if (head.status === 101) malformed('upgrade');
      if (head.status >= 200) return this.#begin(head, buffer.subarray(end + 4, this.#headBytes));
      buffer.copyWithin(0, end + 4, this.#headBytes); // an interim answer
      this.#headBytes -= end + 4;
    }
  }

  /** The head is read: the caller gets its answer, and what came of the body so far waits. */
  #begin({ status, raw, framing, reusable }: AnswerHead, body: Buffer): boolean {
    this.#reusable = reusable && framing.kind !== 'endless';
    const uploaded = this.#upload?.answered() ?? true;
    this.#reusable &&= uploaded;
    if (!uploaded && status < 300) {
      const early = 'The backend confirmed an upload before it had all of it.';
      this.destroy(new GatewayError('BackendError', early, { source: 'backend' }));
      return false;
    }
    if (framing.kind === 'endless' && status < 300) {
      this.destroy(new GatewayError('BackendError', 'The backend answered without a length.', { source: 'backend' }));
      return false;
    }
    this.#phase = 'body';
    this.#chunks = framing.kind === 'chunked' ? new ChunkedBody() : undefined;
    this.#bodyBytes = framing.kind === 'length' ? framing.bytes : 0;
    this.#restBytes = this.#bodyBytes;
    this.#dropping = false;
    const answered = new LaneBody(this);
    this.#body = answered;
    this.#answer?.resolve({
      status,
      headers: new HeaderList(raw),
      body: answered,
      discard: () => answered.discard(),
      allowInterruption: (askAgain) => answered.allowInterruption(askAgain),
    });
    this.#answer = undefined;
    // An error page that only its connection's end would end: the status says enough.
    return this.#readBody(framing.kind === 'endless' ? body.subarray(0, 0) : body, this.#heads[0]);
  }

  #readBody(bytes: Buffer, owner: Buffer | undefined): boolean {
    let data = bytes;
    let consumedBytes = bytes.length;
    if (this.#chunks !== undefined) {
      ({ data, consumedBytes } = this.#chunks.push(bytes));
    } else if (bytes.length > this.#restBytes) {
      data = bytes.subarray(0, this.#restBytes);
      consumedBytes = data.length;
    }
    this.#restBytes -= this.#chunks === undefined ? data.length : 0;
    if (consumedBytes < bytes.length) this.#reusable = false; // bytes past the end: whose are they?
    const complete = this.#chunks?.done ?? this.#restBytes === 0;
    if (data.length > 0 && !this.#dropping) this.#deliver(data, this.#chunks === undefined ? owner : undefined);
    if (complete) this.#complete();
    return complete || this.#queued === undefined;
  }

  #deliver(data: Buffer, owner: Buffer | undefined): void {
    const reader = this.#reader;
    if (reader === undefined) {
      this.#queued = { data, owner };
      return;
    }
    this.#reader = undefined;
    this.#held = owner;
    reader.resolve({ done: false, value: data });
  }

  /** The whole answer came; the connection is free once the reader has let go of the last bytes. */
  #complete(): void {
    this.#phase = 'done';
    this.#heads = [this.#heads[1], this.#heads[0]];
    this.#headBytes = 0;
    if (!this.#dropping && this.#reader === undefined) return;
    this.#reader?.resolve(DONE);
    this.#reader = undefined;
    this.#release();
  }

  #release(): void {
    this.#givePair();
    this.#body?.detach();
    this.#body = undefined;
    if (this.#phase !== 'done') return;
    this.#request?.signal?.removeEventListener('abort', this.#giveUp);
    this.#request = undefined;
    this.#upload?.close();
    this.#upload = undefined;
    // What still waits to be sent belongs to an upload that is over.
    if (!this.#reusable || this.#socket.writableLength > 0) {
      this.#socket.destroy();
      return;
    }
    this.#phase = 'idle';
    this.#written = false;
    this.#socket.unref();
    this.#owner.idle(this);
  }

  #givePair(): void {
    if (this.#pair !== undefined) this.#buffers.give(this.#pair);
    this.#pair = undefined;
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#owner.gone(this);
  }

  readonly #giveUp = (): void => {
    this.destroy(abandoned(this.#request?.signal as AbortSignal));
  };

  /** Idempotent: the first reason is the one that is told. */
  #fail(thrown: unknown): void {
    const phase = this.#phase;
    if (phase === 'closed' || phase === 'done') {
      // The answer is whole already; only the connection is lost.
      this.#reusable = false;
      return;
    }
    this.#phase = 'closed';
    this.#request?.signal?.removeEventListener('abort', this.#giveUp);
    if (phase === 'body') {
      this.#upload?.close();
      this.#failure = { thrown: backendFailure(thrown) };
      this.#reader?.reject(this.#failure.thrown);
      this.#reader = undefined;
    } else {
      this.#answer?.reject(new ExchangeFailure(thrown, this.#written));
    }
    this.#socket.destroy();
    this.#leave();
  }
}

function ended(): Error {
  return Object.assign(new Error('the backend closed the connection'), { code: 'ECONNRESET' });
}
