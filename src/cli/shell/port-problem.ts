import { CommandFailed } from './command.ts';

/** Describes an error about a port that is taken or forbidden; any other error is returned as it is. */
export function portProblem(error: unknown, hint: string): unknown {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const why = WHY[code ?? ''];
  if (why === undefined) return error;
  return new CommandFailed(`Port ${port} on ${address} ${why} (${code}). ${hint}`, { cause: error });
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'may not be used by you',
  EADDRNOTAVAIL: 'is no address of this machine',
};
