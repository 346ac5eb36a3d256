/**
 * A process of its own for fairness.ts: many clients of one tenant that take or send next to nothing, and come again after
 * a while when they are refused, as SDKs do. It ends by itself. Its input is a SlowClients as JSON, and it tells every
 * second how many are in the midst of a transfer.
 */
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface SlowClients {
  readonly host: string;
  readonly port: number;
  /** Heads of requests, signed. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly seconds: number;
}

export interface SlowClientsNow {
  readonly reading: number;
  readonly writing: number;
  readonly refused: number;
  readonly broken: number;
}

const AT_ONCE_BYTES = 128 * 1024;
const DRIBBLE_BYTES = 4 * 1024;
const LONGEST_PAUSE_SECONDS = 16;

const now = { reading: 0, writing: 0, refused: 0, broken: 0 };

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** One client's life. */
async function stay(asked: SlowClients, kind: 'reading' | 'writing', head: string, until: number): Promise<void> {
  for (let wait = 1; performance.now() < until; wait = Math.min(wait * 2, LONGEST_PAUSE_SECONDS)) {
    const status = await once(asked, kind, head, until);
    if (status === undefined) now.broken++;
    else if (status >= 400) now.refused++;
    await pause(wait * (0.5 + Math.random()));
  }
}

/** @returns the status of an answer that says no, undefined for a connection that broke */
function once(
  asked: SlowClients,
  kind: 'reading' | 'writing',
  head: string,
  until: number,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect(asked.port, asked.host);
    let counted = false;
    let status: number | undefined;
    const count = () => {
      if (!counted) now[kind]++;
      counted = true;
    };
    const timer = setInterval(() => {
      if (performance.now() >= until) socket.destroy();
      else if (kind === 'writing') socket.write(Buffer.alloc(DRIBBLE_BYTES));
      else socket.read(DRIBBLE_BYTES);
    }, 1000);
    socket.once('connect', () => {
      socket.write(head, 'latin1');
      if (kind === 'reading') return;
      socket.write(Buffer.alloc(AT_ONCE_BYTES));
      count();
    });
    socket.once('readable', () => {
      status = statusIn(socket);
      if (status === 200 && kind === 'reading') count();
      else socket.destroy();
    });
    socket.once('error', () => undefined);
    socket.once('close', () => {
      clearInterval(timer);
      if (counted) now[kind]--;
      resolve(performance.now() >= until ? 200 : status);
    });
  });
}

/** Nothing more is read than node has read by itself. */
function statusIn(socket: Socket): number | undefined {
  const line = (socket.read(15) as Buffer | null)?.toString('latin1');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(line ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}

const asked = JSON.parse(await text(process.stdin)) as SlowClients;
const until = performance.now() + asked.seconds * 1000;
const telling = setInterval(() => console.log(JSON.stringify(now satisfies SlowClientsNow)), 1000);
const lives: Promise<void>[] = [];
for (let at = 0; at < Math.max(asked.reads.length, asked.writes.length); at++) {
  const [read, write] = [asked.reads[at], asked.writes[at]];
  if (read !== undefined) lives.push(stay(asked, 'reading', read, until));
  if (write !== undefined) lives.push(stay(asked, 'writing', write, until));
  if (at % 20 === 0) await pause(0.02);
}
await Promise.all(lives);
clearInterval(telling);
