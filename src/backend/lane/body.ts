import { HeaderList } from '../../wire/headers.ts';
import type { ByteSource, IncomingResponse } from '../../wire/message.ts';

/** What a body needs of the connection that carries it. */
export interface BodyConnection {
  pull(): Promise<IteratorResult<Buffer>>;
  discard(): void;
  /** Makes `body` the reader of the answer that this connection carries. */
  readBy(body: LaneBody): void;
}

export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * Asks the store for the rest of a body that was interrupted; `fromByte` is the number of bytes that arrived already.
 */
export type AskAgain = (fromByte: number) => Promise<IncomingResponse>;

/**
 * The body of one answer. It outlives its exchange: a reader that pulls again after the end must not disturb the next
 * exchange of the connection. It can outlive its connection as well: if others needed the connection while the reader
 * was slow, the rest is asked for again when the reader wants it.
 */
export class LaneBody implements ByteSource, AsyncIterator<Buffer> {
  #connection: BodyConnection | undefined;
  #askAgain: AskAgain | undefined;
  /** What had arrived and was not read yet when the connection was taken away. */
  #kept: Buffer | undefined;
  /** How many bytes of the body arrived over earlier connections. */
  #bytesBefore = 0;
  #interrupted = false;
  #failure: { readonly thrown: unknown } | undefined;
  #letGo = false;

  constructor(connection: BodyConnection) {
    this.#connection = connection;
  }

  /**
   * Allows that this body's connection is given to others while its reader is slow. `askAgain` gets the rest
   * afterwards.
   */
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

  /** Parts this body from its connection, because the whole answer was read. */
  detach(): void {
    this.#connection = undefined;
  }

  /**
   * Parts this body from its connection, because others need it. The reader goes on over another connection when it
   * pulls again.
   * @param kept bytes that arrived already and that this body keeps for its reader; undefined if there are none
   * @param hadBytes how many bytes of this connection's answer arrived, `kept` included
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
    // A body whose rest could not be read fails at every further pull; it never looks as if it had ended.
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

  /** Takes the place of the body `rest` at the connection that carries it. */
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

/** Makes the answer that the caller gets. `raw` holds its header fields, names and values in turn. */
export function answerWith(status: number, raw: readonly string[], body: LaneBody): IncomingResponse {
  return {
    status,
    headers: new HeaderList(raw),
    body,
    discard: () => body.discard(),
    allowInterruption: (askAgain) => body.allowInterruption(askAgain),
  };
}
