import { HeaderList } from '../../wire/headers.ts';
import type { ByteSource, IncomingResponse } from '../../wire/message.ts';

/** The connection as the body of its answer sees it. */
export interface BodyConnection {
  pull(): Promise<IteratorResult<Buffer>>;
  discard(): void;
  /** The answer that is on its way belongs to this body from now on. */
  readBy(body: LaneBody): void;
}

export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Asks for the rest of a body, from the byte after those that came. */
export type AskAgain = (fromByte: number) => Promise<IncomingResponse>;

/**
 * One answer's body. It outlives its exchange: a reader that pulls again at its end must not touch the next exchange of
 * the connection. It may outlive its connection, too: where others needed the connection while the reader took its time,
 * the rest is asked for again when the reader wants it.
 */
export class LaneBody implements ByteSource, AsyncIterator<Buffer> {
  #connection: BodyConnection | undefined;
  #askAgain: AskAgain | undefined;
  /** What had come and was not read yet when the connection was taken away. */
  #kept: Buffer | undefined;
  /** How many bytes came over the connections before this one. */
  #bytesBefore = 0;
  #interrupted = false;
  #failure: { readonly thrown: unknown } | undefined;
  #letGo = false;

  constructor(connection: BodyConnection) {
    this.#connection = connection;
  }

  /** Lets others have the connection from now on, if they need it. */
  allowInterruption(askAgain: AskAgain): void {
    this.#askAgain = askAgain;
  }

  get mayBeInterrupted(): boolean {
    return this.#askAgain !== undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    return this.#connection?.pull() ?? (this.#interrupted ? this.#afterInterruption() : Promise.resolve(DONE));
  }

  async return(): Promise<IteratorResult<Buffer>> {
    this.discard();
    return DONE;
  }

  discard(): void {
    this.#letGo = true;
    this.#interrupted = false;
    this.#kept = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.discard();
  }

  detach(): void {
    this.#connection = undefined;
  }

  /**
   * The connection goes to others.
   * @param kept bytes that came already; this body keeps them
   * @param hadBytes how many bytes of this connection's answer came, `kept` among them
   * @param whole whether nothing of the answer is left to ask for
   */
  interrupt(kept: Buffer | undefined, hadBytes: number, whole: boolean): void {
    this.#connection = undefined;
    this.#kept = kept;
    this.#bytesBefore += hadBytes;
    this.#interrupted = true;
    if (whole) this.#askAgain = undefined;
  }

  async #afterInterruption(): Promise<IteratorResult<Buffer>> {
    const kept = this.#kept;
    if (kept !== undefined) {
      this.#kept = undefined;
      return { done: false, value: kept };
    }
    // A body that could not be had to its end never ends as if it had been.
    if (this.#failure !== undefined) throw this.#failure.thrown;
    if (this.#askAgain === undefined) return DONE;
    try {
      const { body } = await this.#askAgain(this.#bytesBefore);
      if (!(body instanceof LaneBody)) throw new Error('the rest of a body came over another kind of connection');
      return await this.#goOn(body);
    } catch (thrown) {
      this.#failure = { thrown };
      throw thrown;
    }
  }

  /** Takes the place of the other body at its connection. */
  #goOn(rest: LaneBody): Promise<IteratorResult<Buffer>> {
    if (this.#letGo) {
      rest.discard();
      return Promise.resolve(DONE);
    }
    const connection = rest.#connection;
    rest.#connection = undefined;
    this.#connection = connection;
    this.#interrupted = false;
    connection?.readBy(this);
    return this.next();
  }
}

/** An answer as its caller gets it. `raw` are its fields, names and values in turn. */
export function answerWith(status: number, raw: readonly string[], body: LaneBody): IncomingResponse {
  return {
    status,
    headers: new HeaderList(raw),
    body,
    discard: () => body.discard(),
    allowInterruption: (askAgain) => body.allowInterruption(askAgain),
  };
}
