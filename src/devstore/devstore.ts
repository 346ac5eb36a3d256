import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { asGatewayError } from '../errors.ts';
import type { WireRequest, WireResponse } from '../wire/message.ts';
import { type Call, readAddress } from './call.ts';
import { errorDocument, renderError } from './error-document.ts';
import { Cut, cutBody, readRequest, writeAnswer } from './exchange.ts';
import { type FaultEffect, Faults, findEffect } from './faults.ts';
import { findRoute } from './routes.ts';
import { Store } from './store.ts';
import { StoredObjects } from './stored-objects.ts';

export interface DevstoreOptions {
  /** Made when it is not there. One process at a time may have it. */
  readonly directory: string;
  /**
   * Whether the request may in, by its signature. What it throws (a GatewayError) is the answer. The body is for the
   * store to read and to check.
   */
  readonly authorize: (request: WireRequest) => Authorized | Promise<Authorized>;
  readonly faults?: Faults;
  /** After each exchange. */
  readonly log?: (event: DevstoreEvent) => void;
  readonly now?: () => Date;
  /** fsync before an answer says "stored". Default true; tests that never crash the machine may say false. */
  readonly durable?: boolean;
}

export interface Authorized {
  readonly accessKeyId: string;
}

export interface DevstoreEvent {
  readonly requestId: string;
  readonly method: string;
  /** Without the query, which may hold a signature. */
  readonly path: string;
  readonly status: number;
  /** What went wrong in the store itself: neither what a client is told of, nor that it left. */
  readonly error?: unknown;
}

/**
 * An object store in a folder, speaking as much S3 as the gateway asks of a store. For trying and for tests, **not
 * for production**: one process, one disk, no replication, no quota, no access control but `authorize`.
 */
export interface Devstore {
  readonly faults: Faults;
  /** What lies in the folder, past HTTP. Works before `listen` too. */
  readonly stored: StoredObjects;
  /** Loads the folder, then takes requests. Port 0 takes a free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly url: string }>;
  /** Ends every connection, and settles once no request touches the folder any more. */
  close(): Promise<void>;
}

/** Above undici's keep-alive, so that it is the client who lets go of an idle connection. */
const KEEP_ALIVE_MS = 75_000;
/** 2 KiB of metadata and a 1,024-byte key percent-encoded fit many times over. */
const MAX_HEADER_BYTES = 64 * 1024;

export function createDevstore(options: DevstoreOptions): Devstore {
  const { directory, durable = true, now = () => new Date() } = options;
  const faults = options.faults ?? new Faults();
  let opened: Promise<Store> | undefined;
  const open = () => {
    opened ??= Store.open({ directory, durable });
    return opened;
  };
  const running = new Set<Promise<void>>();
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }, (incoming, outgoing) => {
    const exchange = serve({ ...options, faults, now, open }, incoming, outgoing).finally(() =>
      running.delete(exchange),
    );
    running.add(exchange);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return {
    faults,
    stored: new StoredObjects(open, now),
    async listen({ host, port }) {
      await open();
      return { url: await listen(server, host, port) };
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await Promise.all(running);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const { port: taken } = server.address() as AddressInfo;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${taken}`);
    });
  });
}

interface Services extends DevstoreOptions {
  readonly faults: Faults;
  readonly now: () => Date;
  readonly open: () => Promise<Store>;
}

/** One exchange, whatever happens. */
async function serve(services: Services, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { socket } = incoming;
  const id = randomBytes(8).toString('hex').toUpperCase();
  const gone = new AbortController();
  const leave = () => gone.abort();
  socket.once('close', leave);
  const path = (incoming.url ?? '').split('?', 1)[0] as string;
  const about = { method: incoming.method ?? '', path, id, signal: gone.signal };
  let failure: unknown;
  try {
    const { answer, effects, error } = await answerTo(services, incoming, about);
    failure = error;
    await writeAnswer(answer, { ...about, outgoing, socket, effects });
  } catch (error) {
    if (!(error instanceof Cut || isGone(incoming, gone.signal))) failure = error;
    socket.destroy();
  }
  socket.off('close', leave);
  // What is left of a body that nobody wanted is drained, so that the client reads its answer and the connection lives.
  incoming.resume();
  services.log?.({ requestId: id, method: about.method, path, status: outgoing.statusCode, error: failure });
}

/** The client left: its body breaks off a moment before its socket says so. */
function isGone(incoming: IncomingMessage, signal: AbortSignal): boolean {
  return signal.aborted || incoming.errored !== null;
}

interface Answered {
  readonly answer: WireResponse;
  readonly effects: readonly FaultEffect[];
  /** What the client is not told of. */
  readonly error?: unknown;
}

/** @throws Cut when there shall be no answer, anything when there is nobody to answer */
async function answerTo(
  services: Services,
  incoming: IncomingMessage,
  about: { readonly id: string; readonly path: string; readonly signal: AbortSignal },
): Promise<Answered> {
  let effects: FaultEffect[] = [];
  try {
    const request = readRequest(incoming, about);
    effects = services.faults.take(request);
    const answer = await answerWith(effects, request, incoming.socket, (met) => operate(services, met));
    return { answer, effects };
  } catch (error) {
    if (error instanceof Cut || isGone(incoming, about.signal)) throw error;
    const known = asGatewayError(error);
    return { answer: renderError(known, about), effects, error: known === error ? undefined : error };
  }
}

async function operate(services: Services, request: WireRequest): Promise<WireResponse> {
  await services.authorize(request);
  const call: Call = {
    request,
    store: await services.open(),
    ...readAddress(request.target.rawPath),
    now: services.now(),
  };
  return await findRoute(request, call)(call);
}

/** The answer, with the faults that strike before it is written. @throws Cut when there shall be none */
async function answerWith(
  effects: readonly FaultEffect[],
  request: WireRequest,
  socket: Socket,
  operate: (request: WireRequest) => Promise<WireResponse>,
): Promise<WireResponse> {
  const hold = findEffect(effects, 'hold');
  if (hold !== undefined) {
    hold.reached();
    await Promise.race([hold.until, aborted(request.signal)]);
  }
  const drop = findEffect(effects, 'drop');
  const refuse = findEffect(effects, 'refuse');
  const cut = findEffect(effects, 'cut request');
  if (drop?.what === 'request') reset(socket);
  if (refuse !== undefined) {
    const { status, code, message = 'A planned fault.' } = refuse;
    return errorDocument({ status, code, message }, { path: request.target.rawPath, id: request.id });
  }
  const answer = await operate(cut === undefined ? request : cutBody(request, cut.afterBytes, socket));
  if (drop?.what === 'answer') reset(socket);
  return answer;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

function reset(socket: Socket): never {
  socket.resetAndDestroy();
  throw new Cut();
}
