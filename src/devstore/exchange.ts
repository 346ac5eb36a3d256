import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HeaderList } from '../wire/headers.ts';
import { type ByteSource, WireRequest, type WireResponse } from '../wire/message.ts';
import { type FaultEffect, findEffect } from './faults.ts';

/** The connection was ended on purpose: there is nobody left to answer. */
export class Cut extends Error {
  constructor() {
    super('A planned fault ended the connection.');
    this.name = 'Cut';
  }
}

/** Node's request as a WireRequest; its body is not destroyed when its reader stops early. */
export function readRequest(incoming: IncomingMessage, options: { readonly id: string; readonly signal: AbortSignal }) {
  return new WireRequest({
    id: options.id,
    method: incoming.method ?? '',
    rawTarget: incoming.url ?? '',
    headers: new HeaderList(incoming.rawHeaders),
    body: incoming.iterator({ destroyOnReturn: false }) as ByteSource,
    client: { address: incoming.socket.remoteAddress ?? '', secure: false },
    signal: options.signal,
  });
}

/** The request with a body that cuts the connection after so many bytes. */
export function cutBody(request: WireRequest, afterBytes: number, socket: Socket): WireRequest {
  const { id, method, target, headers, body, client, signal } = request;
  return new WireRequest({ id, method, rawTarget: target.raw, headers, body: upTo(), client, signal });

  async function* upTo(): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes >= afterBytes) break;
      yield chunk;
    }
    socket.resetAndDestroy();
    throw new Cut();
  }
}

/** Where an answer goes. */
export interface AnswerPath {
  readonly method: string;
  readonly id: string;
  readonly outgoing: ServerResponse;
  /** The request's: the answer has none yet while the one before it is still being flushed. */
  readonly socket: Socket;
  /** The client is gone. */
  readonly signal: AbortSignal;
  readonly effects: readonly FaultEffect[];
}

/** Writes an answer at the client's pace. A body that fails after the status line ends the connection. */
export async function writeAnswer({ status, headers, body }: WireResponse, path: AnswerPath): Promise<void> {
  const { outgoing, socket } = path;
  headers.append('x-amz-request-id', path.id).append('Server', 'sealgate-devstore');
  if (Buffer.isBuffer(body)) headers.set('Content-Length', String(body.length));
  else if (body === undefined && status !== 204 && status !== 304 && !headers.has('content-length')) {
    headers.append('Content-Length', '0');
  }
  const hangUp = findEffect(path.effects, 'hang up');
  if (hangUp?.announced === true) headers.append('Connection', 'close');
  if (hangUp?.announced === false) outgoing.once('finish', () => socket.destroySoon());
  outgoing.writeHead(status, headers.toRaw());
  if (body === undefined || path.method === 'HEAD') outgoing.end();
  else await writeBody(Buffer.isBuffer(body) ? [body] : body, path);
}

async function writeBody(body: Iterable<Buffer> | ByteSource, path: AnswerPath): Promise<void> {
  const { outgoing, socket, signal } = path;
  const cut = findEffect(path.effects, 'cut answer');
  let left = cut?.afterBytes ?? Number.POSITIVE_INFINITY;
  for await (const chunk of body) {
    if (signal.aborted) return;
    const allowed = chunk.length <= left ? chunk : chunk.subarray(0, left);
    left -= allowed.length;
    if (left === 0) await flushed(allowed, path);
    else if (!outgoing.write(allowed)) await drained(path);
    if (left === 0) break;
  }
  if (cut === undefined) outgoing.end();
  else if (cut.by === 'reset') socket.resetAndDestroy();
  else socket.destroySoon();
}

/** Head and chunk have left for the network. */
function flushed(chunk: Buffer, { outgoing, signal }: AnswerPath): Promise<void> {
  if (chunk.length === 0) outgoing.flushHeaders();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    outgoing.write(chunk, () => resolve());
  });
}

function drained({ outgoing, signal }: AnswerPath): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      outgoing.off('drain', settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    outgoing.on('drain', settle);
    signal.addEventListener('abort', settle);
    if (signal.aborted) settle();
  });
}
