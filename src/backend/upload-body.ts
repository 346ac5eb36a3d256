import { GatewayError } from '../errors.ts';
import type { ByteSource } from '../wire/message.ts';

/**
 * A request body of declared length on its way out. It throws rather than end short or run over, so a length that lies
 * never becomes an object; and it can be let go of while its reader still waits, because a backend may answer early.
 */
export class UploadBody {
  readonly bytes: number;
  readonly #source: ByteSource;
  #iterator: AsyncIterator<Buffer> | undefined;
  #pulledBytes = 0;
  #failure: { readonly thrown: unknown } | undefined;
  #released = false;
  readonly #over = Promise.withResolvers<IteratorResult<Buffer>>();

  constructor(body: { readonly bytes: number; readonly source: ByteSource }) {
    this.bytes = body.bytes;
    this.#source = body.source;
  }

  /** The source was asked for bytes: what it gave cannot be had again. */
  get consumed(): boolean {
    return this.#iterator !== undefined;
  }

  get complete(): boolean {
    return this.#pulledBytes === this.bytes;
  }

  /** What the source itself threw, or undefined. */
  get failure(): { readonly thrown: unknown } | undefined {
    return this.#failure;
  }

  next(): Promise<IteratorResult<Buffer>> {
    if (this.#released) return this.#over.promise;
    this.#iterator ??= this.#source[Symbol.asyncIterator]();
    return this.#iterator.next().then(this.#took, this.#failed);
  }

  /**
   * Lets go of the source; whoever still pulls waits until `close`. Ending or failing the pull instead would end the
   * exchange whose answer is being read.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    const iterator = this.#iterator ?? this.#source[Symbol.asyncIterator]();
    this.#iterator = iterator;
    // The exchange's fate is decided already, and the source has nothing to add to it.
    iterator.return?.()?.then(undefined, () => undefined);
  }

  /** The exchange is over: a pull that still waits ends. */
  close(): void {
    this.release();
    this.#over.resolve({ done: true, value: undefined });
  }

  readonly #took = (result: IteratorResult<Buffer>): IteratorResult<Buffer> | Promise<IteratorResult<Buffer>> => {
    if (this.#released) return this.#over.promise;
    if (result.done === true) {
      if (this.complete) return result;
      return this.#refuse('shorter');
    }
    this.#pulledBytes += result.value.length;
    return this.#pulledBytes > this.bytes ? this.#refuse('longer') : result;
  };

  readonly #failed = (thrown: unknown): Promise<IteratorResult<Buffer>> => {
    if (this.#released) return this.#over.promise;
    this.#failure = { thrown };
    throw thrown;
  };

  #refuse(how: 'shorter' | 'longer'): never {
    const thrown = new GatewayError('InternalError', `The body for the backend was ${how} than declared.`, {
      source: 'gateway',
    });
    this.#failure = { thrown };
    this.release();
    throw thrown;
  }
}
