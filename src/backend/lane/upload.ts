import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { UploadBody } from '../upload-body.ts';

/** Sends the streamed body of one request over a raw socket. */
export class LaneUpload {
  readonly #socket: Socket;
  readonly #body: UploadBody;
  readonly #onProgress: () => void;
  #waitsFor: 'source' | 'backend' | undefined;
  #stopped = false;

  /**
   * Prepares an upload; `send` starts it.
   * @param onProgress is called when a piece is handed to the socket, and again when the operating system has taken it
   */
  constructor(socket: Socket, body: UploadBody, onProgress: () => void) {
    this.#socket = socket;
    this.#body = body;
    this.#onProgress = onProgress;
  }

  /**
   * `source`: the upload waits for the body's next piece. `backend`: it waits until the backend takes the last one.
   * undefined: all was sent.
   */
  get waitsFor(): 'source' | 'backend' | undefined {
    return this.#waitsFor;
  }

  /** How many bytes of the body the source has given so far. */
  get bytes(): number {
    return this.#body.pulledBytes;
  }

  /**
   * Sends the head and the body.
   *
   * The head leaves with the first piece, in one system call. If the source fails before its first byte, the backend
   * therefore hears nothing; if it fails later, the backend sees a truncated body. The next piece is asked for only
   * once the operating system has taken the last one, because the source may use its buffer again.
   * @throws whatever the source throws, and the socket's Error if the socket fails
   */
  async send(head: string): Promise<void> {
    let unsentHead: string | undefined = head;
    try {
      for (;;) {
        this.#waitsFor = 'source';
        const piece = await this.#body.next();
        if (piece.done === true || this.#stopped) return;
        this.#waitsFor = 'backend';
        this.#onProgress();
        await this.#write(piece.value, unsentHead);
        unsentHead = undefined;
        this.#onProgress();
      }
    } finally {
      this.#waitsFor = undefined;
    }
  }

  /**
   * Must be called when the answer's head arrives. If part of the body was not sent yet, the upload ends here, because
   * a backend that has answered does not read the rest.
   *
   * Over TLS, node reports only in a later turn that the last piece was sent, and the answer may arrive before that.
   * There the body counts as sent once its last piece was handed to the socket.
   * @returns whether the whole body was sent
   */
  answered(): boolean {
    this.#stopped = true;
    if (this.#body.complete && (this.#socket.writableLength === 0 || this.#socket instanceof TLSSocket)) return true;
    this.#body.release();
    return false;
  }

  /** Ends the exchange: a pull from the source that is still pending resolves. */
  close(): void {
    this.#body.close();
  }

  #write(piece: Buffer, head: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (head !== undefined) {
        socket.cork();
        socket.write(head, 'latin1');
      }
      socket.write(piece, (error) => (error ? reject(error) : resolve()));
      if (head !== undefined) socket.uncork();
    });
  }
}
