/** A reader that is found waited for in this many looks in a row is too slow to keep a place that others want. */
const SLOW_READER_LOOKS = 10;
/**
 * An upload is judged over this many looks. While others want its place, it must bring at least the bytes that the next
 * line gives.
 */
const UPLOAD_LOOKS = 50;
const LEAST_UPLOAD_BYTES_A_LOOK = 4 * 1024;

/** Whom an exchange waits for, and how many bytes of an upload have come so far. */
export interface Progress {
  /** `reader`: whoever reads the answer. `sender`: whoever sends the upload. undefined: the backend, or nobody. */
  readonly waitsFor: 'reader' | 'sender' | undefined;
  readonly uploadedBytes: number;
}

/**
 * Tells how fast the client of one exchange is. The lane calls `look` at regular intervals, so that nothing is measured
 * on the data path.
 */
export class Pace {
  #stillLooks = 0;
  #uploadLooks = 0;
  #uploadedBytes = 0;
  #tooLittleCame = false;
  #waitsForSender = false;

  look({ waitsFor, uploadedBytes }: Progress): void {
    this.#stillLooks = waitsFor === 'reader' ? this.#stillLooks + 1 : 0;
    this.#waitsForSender = waitsFor === 'sender';
    // Only looks at which the sender is waited for count, so that a slow backend makes nobody a slow sender.
    if (!this.#waitsForSender || ++this.#uploadLooks < UPLOAD_LOOKS) return;
    this.#tooLittleCame = uploadedBytes - this.#uploadedBytes < LEAST_UPLOAD_BYTES_A_LOOK * UPLOAD_LOOKS;
    this.#uploadLooks = 0;
    this.#uploadedBytes = uploadedBytes;
  }

  get isSlowReader(): boolean {
    return this.#stillLooks >= SLOW_READER_LOOKS;
  }

  get isSlowSender(): boolean {
    return this.#waitsForSender && this.#tooLittleCame;
  }
}
