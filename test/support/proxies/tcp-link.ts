import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP connection's way to a server, which a test may interrupt without anybody noticing at once. */
export interface TcpLink {
  readonly port: number;
  /** What clients send does not arrive any more. */
  dropRequests(): void;
  /** What the server answers does not arrive any more. */
  dropAnswers(): void;
  /** What the server answers arrives changed; undefined: as it is. */
  alterAnswers(alter: ((chunk: Buffer) => Buffer) | undefined): void;
  /** Ends every connection and lets new ones through. */
  mend(): void;
  close(): Promise<void>;
}

export async function startTcpLink(server: { readonly port: number }): Promise<TcpLink> {
  const sockets = new Set<Socket>();
  let requests = true;
  let answers = true;
  let alter: ((chunk: Buffer) => Buffer) | undefined;
  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.on('error', () => other.destroy());
  };
  const listener = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: server.port });
    keep(client, upstream);
    keep(upstream, client);
    client.on('data', (chunk) => requests && upstream.write(chunk));
    upstream.on('data', (chunk) => answers && client.write(alter === undefined ? chunk : alter(chunk)));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    dropRequests: () => {
      requests = false;
    },
    dropAnswers: () => {
      answers = false;
    },
    alterAnswers(change) {
      alter = change;
    },
    mend() {
      requests = true;
      answers = true;
      alter = undefined;
      endAll();
    },
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve));
      endAll();
      await closed;
    },
  };
}
