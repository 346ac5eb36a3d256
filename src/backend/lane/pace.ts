/** A reader that was found at fault in so many looks one after the other is too slow for a place that others want. */
const SLOW_READER_LOOKS = 10;
/** An upload is judged over so many looks, and while others want its place this is the least that it must bring. */
const UPLOAD_LOOKS = 50;
const LEAST_UPLOAD_BYTES_A_LOOK = 4 * 1024;

/** Whom an exchange waits for, and how many bytes of an upload have come. */
export interface Progress {
  /** The reader of an answer, or whoever sends an upload; undefined while the backend is to move. */
  readonly waitsFor: 'reader' | 'sender' | undefined;
  readonly uploadedBytes: number;
}

/** How fast one exchange's client is, by looks at regular times: nothing is measured on the data path. */
export class Pace {
  #stillLooks = 0;
  #uploadLooks = 0;
  #uploadedBytes = 0;
  #tooLittleCame = false;
  #waitsForSender = false;

  look({ waitsFor, uploadedBytes }: Progress): void {
    this.#stillLooks = waitsFor === 'reader' ? this.#stillLooks + 1 : 0;
    this.#waitsForSender = waitsFor === 'sender';
    // Only looks that found the sender at fault count: a slow backend makes nobody a slow sender.
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
