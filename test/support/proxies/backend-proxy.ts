import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where in an exchange a proxy stops: before the store hears of it, or when the store has done it and answered. */
export type StopPoint = 'before' | 'answered';

export interface BackendProxy {
  readonly endpoint: string;
  /** `METHOD /path` of every request so far, signatures and ids left out. */
  readonly seen: readonly string[];
  /** The most requests of a method that were under way at once, since the last count. */
  mostAtOnce(method: string): number;
  /**
   * Counts anew. At the request with that ordinal, from 1, `stop` is awaited, and then the exchange goes on, if anybody
   * is left.
   */
  stopAt(ordinal: number, point: StopPoint, stop: () => Promise<void>): void;
  /** Counts anew, and stops nowhere. */
  pass(): void;
  close(): Promise<void>;
}

/** Stands between a gateway and its store, byte for byte; the gateway signs for its address, and the store accepts that. */
export async function startBackendProxy(store: { readonly port: number }): Promise<BackendProxy> {
  let count = 0;
  let seen: string[] = [];
  const under = new Map<string, number>();
  const most = new Map<string, number>();
  let planned: { ordinal: number; point: StopPoint; stop: () => Promise<void> } | undefined;
  const track = (method: string, change: 1 | -1) => {
    const now = (under.get(method) ?? 0) + change;
    under.set(method, now);
    most.set(method, Math.max(now, most.get(method) ?? 0));
  };
  const exchange = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const ordinal = ++count;
    const { method = 'GET' } = incoming;
    track(method, 1);
    outgoing.once('close', () => track(method, -1));
    seen.push(`${incoming.method} ${incoming.url?.replace(/uploadId=[^&]*/, 'uploadId')}`);
    const stop = planned?.ordinal === ordinal ? planned : undefined;
    if (stop?.point === 'before') await stop.stop();
    const upstream = request({
      host: '127.0.0.1',
      port: store.port,
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: incoming.rawHeaders as unknown as Record<string, string>,
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.on('error', () => upstream.destroy());
    incoming.pipe(upstream);
    const answer = await new Promise<IncomingMessage>((resolve) => upstream.once('response', resolve));
    const whole: Buffer[] = [];
    if (stop?.point === 'answered') {
      for await (const chunk of answer) whole.push(chunk as Buffer);
      await stop.stop();
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
    if (stop?.point === 'answered') outgoing.end(Buffer.concat(whole));
    else answer.pipe(outgoing);
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    exchange(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const begin = () => {
    count = 0;
    seen = [];
    most.clear();
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get seen() {
      return seen;
    },
    mostAtOnce: (method) => most.get(method) ?? 0,
    stopAt(ordinal, point, stop) {
      begin();
      planned = { ordinal, point, stop };
    },
    pass() {
      begin();
      planned = undefined;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
