import type { ByteSource } from '../wire/message.ts';

/** The connection as an answer's body sees it. */
export interface BodyConnection {
  pull(): Promise<IteratorResult<Buffer>>;
  discard(): void;
}

export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** One answer's body. It outlives its exchange: pulled again at its end, it must not touch the connection's next. */
export class LaneBody implements ByteSource, AsyncIterator<Buffer> {
  #connection: BodyConnection | undefined;

  constructor(connection: BodyConnection) {
    this.#connection = connection;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    return this.#connection?.pull() ?? Promise.resolve(DONE);
  }

  async return(): Promise<IteratorResult<Buffer>> {
    this.discard();
    return DONE;
  }

  discard(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.discard();
  }

  detach(): void {
    this.#connection = undefined;
  }
}
