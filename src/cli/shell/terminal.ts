/** All that a command knows of the process it runs in. main.ts makes the real one; tests make their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** A person is there to answer questions. */
  readonly interactive: boolean;
  /** One line (or several) to standard output. */
  print(text: string): void;
  /** To standard error: warnings, questions, errors; never what a script reads. */
  warn(text: string): void;
  /** Standard output as bytes, for `open` without -o. Resolves once taken. */
  write(bytes: Buffer): Promise<void>;
  /** The line that a person typed. Only when interactive. */
  ask(question: string): Promise<string>;
  /** Fires at Ctrl-C or SIGTERM: finish and return. */
  readonly stop: AbortSignal;
  /** `work` runs at every SIGHUP from now on, which no longer ends the process. */
  onReload(work: () => void): void;
  /** `work` runs last of all, synchronously, whatever ends the process. */
  onExit(work: () => void): void;
  now(): Date;
  /** How a person calls this program: `sealgate`, or `npm run -s sealgate --` in a clone. */
  readonly program: string;
}

export const EXIT_OK = 0;
/** What was asked could not be done. */
export const EXIT_FAILED = 1;
/** What was asked makes no sense: a wrong option, a missing name. */
export const EXIT_USAGE = 2;
