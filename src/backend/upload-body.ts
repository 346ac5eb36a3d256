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
  #first: IteratorResult<Buffer> | undefined;
  #asked = false;
  #failure: { readonly thrown: unknown } | undefined;
  #released = false;
  readonly #over = Promise.withResolvers<IteratorResult<Buffer>>();

  constructor(body: { readonly bytes: number; readonly source: ByteSource }) {
    this.bytes = body.bytes;
    this.#source = body.source;
  }

  /** Its bytes were asked for: what was given cannot be had again. */
  get consumed(): boolean {
    return this.#asked;
  }

  get pulledBytes(): number {
    return this.#pulledBytes;
  }

  get complete(): boolean {
    return this.#pulledBytes === this.bytes;
  }

  /** What the source itself threw, or undefined. */
  get failure(): { readonly thrown: unknown } | undefined {
    return this.#failure;
  }

  /**
   * Resolves once the first piece is there, which `next` gives then. Until that is asked nothing is consumed: an attempt
   * that finds no connection may be repeated.
   * @throws whatever the source throws
   */
  async begun(): Promise<void> {
    if (!this.#asked) this.#first ??= await Promise.race([this.#pull(), this.#over.promise]);
  }

  next(): Promise<IteratorResult<Buffer>> {
    this.#asked = true;
    const first = this.#first;
    if (first === undefined || this.#released) return this.#pull();
    this.#first = undefined;
    return Promise.resolve(first);
  }

  #pull(): Promise<IteratorResult<Buffer>> {
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
