import { pino } from 'pino';

/** Takes whole lines. */
export interface LineSink {
  write(line: string): unknown;
  /** Settles once everything written so far was handed to the system. */
  flush(): Promise<void>;
  /** For the last moment of a process. */
  flushSync(): void;
}

/** Some forty lines a write call. */
const BATCH_CHARACTERS = 8192;
/** An idle gateway still shows its lines soon. */
const FLUSH_MILLISECONDS = 500;
/** Lines are dropped past this: a reader that stops must not fill the memory, nor stop the gateway. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * Lines gathered into large asynchronous writes to a file descriptor. Gathering is done here because pino's
 * destination measures its whole batch again for every line: 8 µs a line where this takes 1.
 */
export class BatchedSink implements LineSink {
  readonly #stream;
  #batch = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(fileDescriptor: number) {
    // minLength 1, not 0: with 0 its flush() would not wait.
    this.#stream = pino.destination({
      dest: fileDescriptor,
      sync: false,
      minLength: 1,
      maxWrite: 65536,
      maxLength: MAX_WAITING_BYTES,
    });
    this.#stream.on('error', () => undefined); // a closed pipe is nowhere to complain to
  }

  write(line: string): void {
    this.#batch += line;
    if (this.#batch.length >= BATCH_CHARACTERS) this.#pour();
    else this.#timer ??= setTimeout(() => this.#pour(), FLUSH_MILLISECONDS).unref();
  }

  flush(): Promise<void> {
    this.#pour();
    return new Promise((resolve) => this.#stream.flush(() => resolve()));
  }

  flushSync(): void {
    this.#pour();
    this.#stream.flushSync();
  }

  #pour(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#batch;
    this.#batch = '';
    if (batch !== '') this.#stream.write(batch);
  }
}
