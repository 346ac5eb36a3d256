import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The servers that test files share. */
export type SharedKind = 'minio' | 'redis' | 'versitygw';

/** A server that runs, as the pool keeps it. */
export interface PooledServer {
  /** JSON that tells a test how to reach it. */
  readonly offer: object;
  /** Empties it for the next test file. @throws when it cannot; then it is ended. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

export type StartPooled = Readonly<Record<SharedKind, () => Promise<PooledServer>>>;

export interface ServerPool {
  /** The socket that `borrow` asks. */
  readonly path: string;
  /** Ends every server. */
  close(): Promise<void>;
}

/**
 * Lends servers to test files, for as long as a file keeps its connection to the pool's socket open: also a file that
 * crashed gives back what it had. A server is started when somebody asks and none is free, it is emptied when it comes
 * back, and it is lent to one file at a time. So files need not keep their buckets and keys apart, and a run whose files
 * follow each other starts one server of a kind.
 */
export async function openPool(start: StartPooled): Promise<ServerPool> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-pool-'));
  const path = join(folder, 'socket');
  const shelves = new Map(Object.entries(start).map(([kind, startOne]) => [kind, new Shelf(startOne)]));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    createInterface({ input: socket }).once('line', (kind) => void lend(socket, shelves.get(kind), over));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  server.unref();
  return {
    path,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([...shelves.values()].map((shelf) => shelf.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function lend(socket: Socket, shelf: Shelf | undefined, over: Promise<void>): Promise<void> {
  if (shelf === undefined) return void socket.destroy();
  try {
    const server = await shelf.take();
    socket.write(`${JSON.stringify(server.offer)}\n`);
    void over.then(() => shelf.giveBack(server));
  } catch (error) {
    socket.end(`${JSON.stringify({ error: String(error) })}\n`);
  }
}

/** A server that takes longer to be emptied is stuck over something that a test left; another one is started then. */
const WIPED_WITHIN_MILLISECONDS = 5_000;

async function wipe(server: PooledServer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It took too long.')), WIPED_WITHIN_MILLISECONDS);
  });
  await Promise.race([server.wipe(), late]).finally(() => clearTimeout(timer));
}

/** The servers of one kind. */
class Shelf {
  readonly #start: () => Promise<PooledServer>;
  readonly #all = new Set<PooledServer>();
  /** Each becomes the server once it is empty, or undefined where it could not be emptied. */
  readonly #free: Promise<PooledServer | undefined>[] = [];

  constructor(start: () => Promise<PooledServer>) {
    this.#start = start;
  }

  async take(): Promise<PooledServer> {
    for (let next = this.#free.shift(); next !== undefined; next = this.#free.shift()) {
      const server = await next;
      if (server !== undefined) return server;
    }
    const server = await this.#start();
    this.#all.add(server);
    return server;
  }

  giveBack(server: PooledServer): void {
    this.#free.push(
      wipe(server).then(
        () => server,
        async () => {
          this.#all.delete(server);
          await server.stop();
          return undefined;
        },
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((server) => server.stop()));
  }
}
