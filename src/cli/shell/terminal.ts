/** All that a command knows about the process in which it runs. main.ts makes the real one; tests make their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether a person is there to answer questions. */
  readonly interactive: boolean;
  /** Prints one or more lines to standard output. */
  print(text: string): void;
  /** Prints to standard error: warnings, questions and errors, but never what a script reads. */
  warn(text: string): void;
  /** Writes bytes to standard output, for `open` without -o. It resolves once they were taken. */
  write(bytes: Buffer): Promise<void>;
  /** Asks a person, and returns the line that was typed. It may be called only if `interactive`. */
  ask(question: string): Promise<string>;
  /** Aborts at Ctrl-C or SIGTERM; the command then finishes and returns. */
  readonly stop: AbortSignal;
  /** Runs `work` at every SIGHUP from now on, which no longer ends the process. */
  onReload(work: () => void): void;
  /** Runs `work` synchronously when the process ends, for whatever reason, after everything else. */
  onExit(work: () => void): void;
  now(): Date;
  /** How a person calls this program: `sealgate`, or `npm run -s sealgate --` in a clone. */
  readonly program: string;
}

export const EXIT_OK = 0;
/** The command could not be carried out. */
export const EXIT_FAILED = 1;
/** The command line is wrong, as with a wrong option or a missing name. */
export const EXIT_USAGE = 2;
