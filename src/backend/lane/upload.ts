import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { UploadBody } from '../upload-body.ts';

/** A streaming upload on its way over a raw socket. */
export class LaneUpload {
  readonly #socket: Socket;
  readonly #body: UploadBody;
  readonly #onProgress: () => void;
  #waitsFor: 'source' | 'backend' | undefined;
  #stopped = false;

  /** `onProgress` hears whenever a piece goes out, and when the system has it. */
  constructor(socket: Socket, body: UploadBody, onProgress: () => void) {
    this.#socket = socket;
    this.#body = body;
    this.#onProgress = onProgress;
  }

  /** The source, or the backend to take what came; undefined once all is out. */
  get waitsFor(): 'source' | 'backend' | undefined {
    return this.#waitsFor;
  }

  /** That the source gave so far. */
  get bytes(): number {
    return this.#body.pulledBytes;
  }

  /**
   * Sends head and body. The head leaves with the first piece, in one system call, so that the backend hears nothing
   * of a source that fails before its first byte; of one that fails later it sees a truncated body. A piece is with the
   * system before the next is asked for: its source may use the buffer again.
   * @throws whatever the source throws, Error of a socket that failed
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
   * The answer came. Before the body is out it ends the upload: the backend will not read the rest. Over TLS node tells
   * only in a later turn that the last piece has gone out, by when the answer may be here: there a piece counts as out
   * once it was handed over.
   * @returns whether it was out
   */
  answered(): boolean {
    this.#stopped = true;
    if (this.#body.complete && (this.#socket.writableLength === 0 || this.#socket instanceof TLSSocket)) return true;
    this.#body.release();
    return false;
  }

  /** The exchange is over: a pull that still waits ends. */
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
