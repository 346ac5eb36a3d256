import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A store's answer, whole. Names in lower case; doubled fields stay doubled. */
export interface Told {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** The connection is closed after so many bytes of the body. */
  readonly cutAfter?: number;
}

export interface AskedOfStore {
  readonly method: string;
  /** As it stood in the request line. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  /** From 1, of those that are meant. */
  readonly nth: number;
}

export type IsMeant = (asked: Pick<AskedOfStore, 'method' | 'target'>) => boolean;

/** What the store is made to say. undefined: the truth. */
export type Lie = (asked: AskedOfStore, told: Told) => Told | undefined;

export interface LyingProxy {
  readonly endpoint: string;
  /** From now on, counting anew, where a request is meant; undefined: the truth. */
  tell(lie: Lie | undefined, isMeant?: IsMeant): void;
  /** How many answers were lies since. */
  readonly lies: number;
  /** Where the store is, for a proxy that was begun before it. */
  port: number | undefined;
  close(): Promise<void>;
}

/**
 * Stands between a gateway and its store and answers otherwise than that did: a malicious store, or one that lost or
 * rewrote something. The gateway signs for its address, and the store accepts that.
 */
export async function startLyingProxy(
  store: {
    readonly port?: number;
    /**
     * What the store need be asked once, and answers alike ever after: no test changes what it is about. Thousands of
     * lies need no trip to the store each.
     */
    readonly isFixed?: IsMeant;
  } = {},
): Promise<LyingProxy> {
  let lie: Lie | undefined;
  let isMeant: IsMeant = () => true;
  let nth = 0;
  let lies = 0;
  let port = store.port;
  const truths = new Map<string, Told>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const asked = { method, target: url };
    outgoing.on('error', () => undefined);
    const answer = (truth: Told) => {
      const told = isMeant(asked) ? lie?.({ ...asked, headers, nth: ++nth }, truth) : undefined;
      if (told !== undefined) lies++;
      const { status, headers: fields, body, cutAfter } = told ?? truth;
      outgoing.writeHead(status, fields.flat());
      if (cutAfter === undefined || cutAfter >= body.length) {
        outgoing.end(method === 'HEAD' ? undefined : body);
        return;
      }
      outgoing.write(body.subarray(0, cutAfter), () => outgoing.destroy());
    };
    const question = store.isFixed?.(asked) ? questionOf(incoming) : undefined;
    const known = question === undefined ? undefined : truths.get(question);
    if (known !== undefined) {
      incoming.resume();
      answer(known);
      return;
    }
    const upstream = request({
      host: '127.0.0.1',
      port,
      method,
      path: url,
      headers: incoming.rawHeaders as unknown as Record<string, string>,
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.on('error', () => upstream.destroy());
    incoming.pipe(upstream);
    const relay = async (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      const truth = toldOf(response, Buffer.concat(pieces));
      if (question !== undefined) truths.set(question, truth);
      answer(truth);
    };
    upstream.on('response', (response) => relay(response).catch(() => outgoing.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tell(next, meant = () => true) {
      lie = next;
      isMeant = meant;
      nth = 0;
      lies = 0;
    },
    get lies() {
      return lies;
    },
    get port() {
      return port;
    },
    set port(value) {
      port = value;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Differs with each request, though the same is asked. */
const NO_PART_OF_THE_QUESTION = new Set(['authorization', 'x-amz-date', 'date', 'connection', 'host']);

function questionOf({ method, url, headers }: IncomingMessage): string {
  const asked = Object.entries(headers).filter(([name]) => !NO_PART_OF_THE_QUESTION.has(name));
  return JSON.stringify([method, url, asked]);
}

/** Without what belongs to one connection alone; a length that is not there is the proxy's to make. */
function toldOf(answer: IncomingMessage, body: Buffer): Told {
  const headers: [string, string][] = [];
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    const name = (answer.rawHeaders[at] as string).toLowerCase();
    if (name === 'connection' || name === 'keep-alive' || name === 'transfer-encoding') continue;
    headers.push([name, answer.rawHeaders[at + 1] as string]);
  }
  return { status: answer.statusCode ?? 500, headers, body };
}

export function without(told: Told, ...names: string[]): Told['headers'] {
  return told.headers.filter(([name]) => !names.includes(name));
}

/** With a field in place of those of its name. */
export function withField(told: Told, name: string, value: string): Told {
  return { ...told, headers: [...without(told, name), [name, value]] };
}

export function fieldOf(told: Told, name: string): string | undefined {
  return told.headers.find(([field]) => field === name)?.[1];
}

/** A refusal in S3's words. */
export function refusing(status: number, code: string): (asked: AskedOfStore, told: Told) => Told {
  return (_asked, told) => {
    const body =
      status === 304 ? Buffer.alloc(0) : Buffer.from(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
    const etag = fieldOf(told, 'etag');
    const headers: [string, string][] = [['content-type', 'application/xml']];
    if (status === 304) headers.push(['etag', etag ?? '"e"']);
    else headers.push(['content-length', String(body.length)]);
    return { status, headers, body };
  };
}
