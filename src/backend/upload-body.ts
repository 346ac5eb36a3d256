import { GatewayError } from '../errors.ts';
import type { ByteSource, OutgoingRequest } from '../wire/message.ts';

/**
 * The body of a request to the backend, of a declared length. It throws if its source gives fewer or more bytes than
 * declared, so that a wrong length never becomes an object. A backend may answer early; therefore the body can be let
 * go of while its reader still waits.
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

  /** Whether the reader has asked for bytes: what was given then cannot be had again. */
  get consumed(): boolean {
    return this.#asked;
  }

  get pulledBytes(): number {
    return this.#pulledBytes;
  }

  get complete(): boolean {
    return this.#pulledBytes === this.bytes;
  }

  /** What the source threw, or how its length was wrong; undefined if nothing failed. */
  get failure(): { readonly thrown: unknown } | undefined {
    return this.#failure;
  }

  /**
   * Resolves once the first piece is there; the first call of `next` returns it. Until `next` is called nothing is
   * consumed, so an attempt that finds no connection may be repeated.
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
   * Lets go of the source. A pull that is pending stays so until `close`: if it ended or failed here, the exchange
   * whose answer is being read would end with it.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    const iterator = this.#iterator ?? this.#source[Symbol.asyncIterator]();
    this.#iterator = iterator;
    // The outcome of the exchange is decided already, so an error of the source no longer matters.
    iterator.return?.()?.then(undefined, () => undefined);
  }

  /** Ends the exchange: a pull that is still pending resolves. */
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

/** Reads an empty stream to its end before anything is sent: its verification may fail, and nothing else reads it. */
export async function outgoingBody({ body }: OutgoingRequest): Promise<Buffer | UploadBody | undefined> {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  const upload = new UploadBody(body);
  if (body.bytes > 0) return upload;
  await upload.next();
  return undefined;
}
