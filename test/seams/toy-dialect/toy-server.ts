import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { refuse, type ToyBucket, toyCalls } from './toy-server-calls.ts';

/** A store that speaks the toy dialect, in memory: `http://toy.test:PORT`, and a host below it for each bucket. */

export interface ToyStore {
  readonly url: string;
  /** Every host below it is here. */
  readonly lookup: LookupFunction;
  /** What lies there, past HTTP. */
  readonly bytesOf: (bucket: string, key: string) => Buffer | undefined;
  stop(): Promise<void>;
}

export async function startToyStore(secret: string): Promise<ToyStore> {
  const buckets = new Map<string, ToyBucket>();
  const calls = toyCalls(buckets);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { status = 500, message } = error as { readonly status?: number; readonly message: string };
      const told = { 'toy-error': message, connection: 'close' };
      response.writeHead(status, told).end(request.method === 'HEAD' ? undefined : JSON.stringify({ error: message }));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method, url = '/' } = request;
    const body = await buffer(request);
    const call = String(headers['toy-call']);
    const words = [method, headers.host, url, headers['toy-date'], call, headers['toy-asked']].join('\n');
    const [, proof] = String(headers['toy-signature']).split(' ');
    if (proof !== createHmac('sha256', secret).update(words).digest('hex')) refuse(403, 'BadSignature');
    const host = String(headers.host).replace(/\.?toy\.test:\d+$/, '');
    const asked = method === 'POST' ? body : Buffer.from(String(headers['toy-asked']), 'base64url');
    const at = { bucket: host, key: decodeURIComponent(url.slice(1)) };
    const told = calls[call]?.(at, JSON.parse(String(asked)), body);
    if (told === undefined) refuse(501, 'NotImplemented');
    const { bytes, ...rest } = told;
    const inHead = method === 'POST' ? {} : { 'toy-told': Buffer.from(JSON.stringify(rest)).toString('base64url') };
    response.writeHead(200, inHead).end(method === 'POST' ? JSON.stringify(rest) : (bytes as Buffer | undefined));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://toy.test:${(server.address() as AddressInfo).port}`,
    lookup: (_name, { all }, found) =>
      all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
    bytesOf: (bucket, key) => buckets.get(bucket)?.objects.get(key)?.bytes,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
