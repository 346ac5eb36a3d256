import { createServer, type Socket } from 'node:net';

/** One accepted connection of a scripted server: exact bytes in and out, and every way to misbehave. */
export interface RawPeer {
  readonly socket: Socket;
  /** How many connections came before this one. */
  readonly ordinal: number;
  /** The next request's head, up to and without its blank line; undefined once the other side ended. */
  head(): Promise<string | undefined>;
  /** Exactly so many body bytes; fewer when the other side ended. */
  bytes(count: number): Promise<Buffer>;
  write(text: string | Buffer): void;
  /** A FIN after what was written. */
  end(): void;
  /** An RST. */
  reset(): void;
  /** Resolves when the connection is closed, whoever did it. */
  readonly closed: Promise<void>;
}

export interface RawServer {
  readonly url: URL;
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  stop(): Promise<void>;
}

/** A TCP server that runs `script` on every connection. What the script throws fails the test through `stop`. */
export async function startRawServer(script: (peer: RawPeer) => Promise<void>): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const failures: unknown[] = [];
  let accepted = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    script(peerOf(socket, accepted++)).catch((thrown) => failures.push(thrown));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: new URL(`http://127.0.0.1:${address.port}`),
    port: address.port,
    get accepted() {
      return accepted;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      if (failures.length > 0) throw failures[0];
    },
  };
}

function peerOf(socket: Socket, ordinal: number): RawPeer {
  let received = Buffer.alloc(0);
  let ended = false;
  let wake: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const rouse = () => wake?.();
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    rouse();
  });
  const finish = () => {
    ended = true;
    rouse();
  };
  socket.on('end', finish).on('close', finish).on('error', finish);
  const until = async (ready: () => boolean) => {
    while (!ready() && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return ready();
  };
  return {
    socket,
    ordinal,
    closed,
    async head() {
      if (!(await until(() => received.includes('\r\n\r\n')))) return undefined;
      const end = received.indexOf('\r\n\r\n');
      const head = received.subarray(0, end).toString('latin1');
      received = received.subarray(end + 4);
      return head;
    },
    async bytes(count) {
      await until(() => received.length >= count);
      const taken = Buffer.from(received.subarray(0, count));
      received = received.subarray(taken.length);
      return taken;
    },
    write: (text) => void socket.write(text, 'latin1' as never),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}
