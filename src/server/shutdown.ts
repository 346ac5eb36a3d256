import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../telemetry/log.ts';
import type { Connection } from './connection.ts';

const NOTHING = (): void => undefined;

/**
 * Stops a server. It takes no new connections and closes idle ones; the others close as their answers end. What is left
 * after the grace is destroyed, so that no client takes a truncated answer for a complete one.
 * @returns how many requests were cut off
 */
export async function drain(options: {
  readonly server: Server;
  readonly connections: () => Iterable<Connection>;
  /** The TCP sockets below TLS; some are not connections yet. */
  readonly handshakes: Iterable<Socket>;
  readonly graceSeconds: number;
  /**
   * Whether the port stays open. Its owner then resets new connections, and this settles when all others are closed.
   */
  readonly keepsPort?: boolean | undefined;
}): Promise<number> {
  const { server, connections, handshakes, graceSeconds, keepsPort = false } = options;
  if (!server.listening) return 0;
  // Both ways close idle connections, but node does not count those as idle that have never sent a byte.
  const closed = keepsPort ? allClosed(connections()) : new Promise<void>((resolve) => server.close(() => resolve()));
  if (keepsPort) server.closeIdleConnections();
  for (const connection of connections()) if (connection.fresh) connection.socket.destroy();
  let cut = 0;
  const deadline = setTimeout(() => {
    for (const connection of connections()) {
      cut += connection.exchanges.size;
      connection.socket.destroy();
    }
    for (const socket of handshakes) socket.destroy();
  }, graceSeconds * 1000);
  await closed;
  clearTimeout(deadline);
  return cut;
}

/** Resolves when each of the connections is closed. */
async function allClosed(connections: Iterable<Connection>): Promise<void> {
  const open = Array.from(connections, ({ socket }) => socket).filter((socket) => !socket.closed);
  await Promise.all(open.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))));
}

/** One step of the shutdown. The steps run in order. */
export interface ShutdownPhase {
  readonly name: string;
  readonly run: () => Promise<unknown> | unknown;
}

/**
 * Runs every phase, even if an earlier one failed, so that a backend which does not close cannot keep the log from
 * being flushed. A phase that takes longer than `phaseSeconds` is no longer waited for.
 */
export async function runPhases(options: {
  readonly phases: readonly ShutdownPhase[];
  readonly phaseSeconds: number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}): Promise<void> {
  for (const phase of options.phases) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), options.phaseSeconds * 1000);
    });
    try {
      const outcome = await Promise.race([Promise.resolve(phase.run()).then(NOTHING), late]);
      if (outcome === 'late') options.log.warn('a phase of the shutdown took too long', { phase: phase.name });
    } catch (error) {
      options.log.warn('a phase of the shutdown failed', { phase: phase.name }, error);
    } finally {
      clearTimeout(timer);
    }
  }
}
