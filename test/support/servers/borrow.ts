import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { SharedKind } from './pool.ts';

/** The socket of this run's pool; set by pool-setup.ts. */
export const POOL_VARIABLE = 'SEALGATE_TEST_POOL';

export interface Borrowed<T> {
  readonly offer: T;
  giveBack(): Promise<void>;
}

/** A server that no other test file uses meanwhile, empty. It is given back by `giveBack`, or when this process ends. */
export async function borrow<T>(kind: SharedKind): Promise<Borrowed<T>> {
  const path = process.env[POOL_VARIABLE];
  if (path === undefined) throw new Error('There is no pool of servers: vitest.config.ts opens it.');
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write(`${kind}\n`);
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: socket }).once('line', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the pool of servers has no ${kind} to lend`)));
  });
  const offer = JSON.parse(line) as T | { readonly error: string };
  if (typeof offer === 'object' && offer !== null && 'error' in offer) throw new Error(offer.error);
  return {
    offer: offer as T,
    async giveBack() {
      if (socket.destroyed) return;
      const closed = once(socket, 'close');
      socket.end();
      socket.resume();
      await closed;
    },
  };
}
