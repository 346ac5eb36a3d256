import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../telemetry/log.ts';
import type { Connection } from './connection.ts';

const NOTHING = (): void => undefined;

/**
 * Brings a server to rest: no new connections, idle ones closed, the rest as their answers end, what is left after
 * the grace destroyed (so that bodies throw, and no client takes a cut answer for a whole one).
 * @returns how many requests were cut
 */
export async function drain(options: {
  readonly server: Server;
  readonly connections: () => Iterable<Connection>;
  /** Sockets below TLS: some are not connections yet. */
  readonly handshakes: Iterable<Socket>;
  readonly graceSeconds: number;
  /** The port stays open, and whoever owns the server resets new connections. Then settles when all others are closed. */
  readonly keepsPort?: boolean | undefined;
}): Promise<number> {
  const { server, connections, handshakes, graceSeconds, keepsPort = false } = options;
  if (!server.listening) return 0;
  // node closes idle connections in both; those that never sent a byte do not count as idle there.
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

/** Settles when each of the connections is closed. */
async function allClosed(connections: Iterable<Connection>): Promise<void> {
  const open = Array.from(connections, ({ socket }) => socket).filter((socket) => !socket.closed);
  await Promise.all(open.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))));
}

/** One step of going down; they run in order. */
export interface ShutdownPhase {
  readonly name: string;
  readonly run: () => Promise<unknown> | unknown;
}

/**
 * Runs every phase, whatever the ones before it did: a backend that does not let go must not keep the log from being
 * flushed. A phase that takes longer than its time is left behind.
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
