import { connect, type Socket } from 'node:net';

/** What a raw connection brought back. */
export interface RawAnswer {
  /** Of the last final answer; 0 if there was none. */
  readonly status: number;
  /** Of every answer in order, 1xx included. */
  readonly statuses: readonly number[];
  readonly text: string;
  /** The connection ended with a reset instead of an end. */
  readonly reset: boolean;
}

/** A client that says exactly what it is told, byte by byte if need be. */
export class RawClient {
  readonly socket: Socket;
  #text = '';
  readonly #closed: Promise<void>;
  #reset = false;
  #waiting: { readonly until: (text: string) => boolean; readonly resolve: () => void } | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      if (!this.#waiting?.until(this.text)) return;
      this.#waiting.resolve();
      this.#waiting = undefined; // to search a large body for each chunk of it would take minutes
    });
    socket.on('error', () => {
      this.#reset = true;
    });
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** `from`: any address of the loopback network. */
  static open(port: number, from = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
      socket.once('connect', () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  get text(): string {
    return this.#text;
  }

  get reset(): boolean {
    return this.#reset;
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Sends FIN and keeps reading. */
  finish(): this {
    this.socket.end();
    return this;
  }

  /** Waits for a text in what came so far. Rejects if the connection closes first. */
  async until(expected: string | ((text: string) => boolean)): Promise<string> {
    const until = typeof expected === 'string' ? (text: string) => text.includes(expected) : expected;
    if (!until(this.text)) {
      const came = new Promise<'came'>((resolve) => {
        this.#waiting = { until, resolve: () => resolve('came') };
      });
      const outcome = await Promise.race([came, this.#closed.then(() => 'closed' as const)]);
      if (outcome === 'closed' && !until(this.text)) throw new Error(`closed before ${String(expected)}: ${this.text}`);
    }
    return this.text;
  }

  /** Waits for the server to end the connection. */
  async closed(): Promise<RawAnswer> {
    this.socket.once('end', () => this.socket.end());
    if (this.socket.readableEnded) this.socket.end();
    await this.#closed;
    const { text } = this;
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
    return { status: statuses.at(-1) ?? 0, statuses, text, reset: this.#reset };
  }

  destroy(): void {
    this.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.#closed;
  }
}
