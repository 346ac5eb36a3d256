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
    secure: false,
    signal: options.signal,
  });
}

/** The request with a body that cuts the connection after so many bytes. */
export function cutBody(request: WireRequest, afterBytes: number, socket: Socket): WireRequest {
  const { id, method, target, headers, body, secure, signal } = request;
  return new WireRequest({ id, method, rawTarget: target.raw, headers, body: upTo(), secure, signal });

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

/** Writes an answer at the client's pace. A body that fails after the status line ends the connection. */
export async function writeAnswer(
  outgoing: ServerResponse,
  answer: WireResponse,
  options: { readonly method: string; readonly id: string; readonly effects: readonly FaultEffect[] },
): Promise<void> {
  const { status, headers, body } = answer;
  headers.append('x-amz-request-id', options.id).append('Server', 'sealgate-devstore');
  if (Buffer.isBuffer(body)) headers.set('Content-Length', String(body.length));
  else if (body === undefined && status !== 204 && status !== 304 && !headers.has('content-length')) {
    headers.append('Content-Length', '0');
  }
  const hangUp = findEffect(options.effects, 'hang up');
  if (hangUp?.announced === true) headers.append('Connection', 'close');
  const socket = outgoing.socket; // by 'finish' it is detached
  if (hangUp?.announced === false) outgoing.once('finish', () => socket?.destroySoon());
  outgoing.writeHead(status, headers.toRaw());
  if (body === undefined || options.method === 'HEAD') {
    outgoing.end();
    return;
  }
  const cut = findEffect(options.effects, 'cut answer');
  await writeBody(outgoing, Buffer.isBuffer(body) ? [body] : body, cut);
}

async function writeBody(
  outgoing: ServerResponse,
  body: Iterable<Buffer> | ByteSource,
  cut: Extract<FaultEffect, { kind: 'cut answer' }> | undefined,
): Promise<void> {
  let left = cut?.afterBytes ?? Number.POSITIVE_INFINITY;
  if (left === 0) outgoing.flushHeaders();
  for await (const chunk of body) {
    if (outgoing.destroyed) return; // the client has gone
    const allowed = chunk.length <= left ? chunk : chunk.subarray(0, left);
    left -= allowed.length;
    if (left === 0) await flushed(outgoing, allowed);
    else if (!outgoing.write(allowed)) await drained(outgoing);
    if (left === 0) break;
  }
  if (cut === undefined) outgoing.end();
  else if (cut.by === 'reset') outgoing.socket?.resetAndDestroy();
  else outgoing.socket?.destroySoon();
}

function flushed(outgoing: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    outgoing.write(chunk, () => resolve());
  });
}

function drained(outgoing: ServerResponse): Promise<void> {
  if (outgoing.destroyed) return Promise.resolve(); // its 'close' is past
  return new Promise((resolve) => {
    const settle = () => {
      outgoing.off('drain', settle);
      outgoing.off('close', settle);
      resolve();
    };
    outgoing.on('drain', settle);
    outgoing.on('close', settle);
  });
}
