import { describeError } from '../shell/describe-error.ts';
import type { Terminal } from '../shell/terminal.ts';

export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped';

/** One thing that the check found out; `hint` says what to do about it. */
export interface Finding {
  readonly name: string;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly hint?: string | undefined;
}

const SYMBOLS: Readonly<Record<Outcome, string>> = { ok: '✔', warning: '!', failed: '✖', skipped: '–' };

/** What `sealgate check` found out. It is printed line by line while the check runs, or as a whole in JSON. */
export class CheckReport {
  readonly #findings: Finding[] = [];
  readonly #terminal: Terminal;
  readonly #json: boolean;

  constructor(options: { readonly terminal: Terminal; readonly json: boolean }) {
    this.#terminal = options.terminal;
    this.#json = options.json;
  }

  get ok(): boolean {
    return this.#findings.every(({ outcome }) => outcome === 'ok' || outcome === 'warning');
  }

  add(finding: Finding): void {
    this.#findings.push(finding);
    if (this.#json) return;
    const { name, outcome, detail, hint } = finding;
    this.#terminal.print(`${SYMBOLS[outcome]} ${name}: ${detail}${hint === undefined ? '' : `\n    ${hint}`}`);
  }

  /**
   * Runs a step, and reports what it throws as a finding.
   * @returns undefined if it failed
   */
  async attempt<T>(
    step: { readonly name: string; readonly hint?: string | ((error: unknown) => string) },
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const hint = typeof step.hint === 'function' ? step.hint(error) : step.hint;
      this.add({ name: step.name, outcome: 'failed', detail: describeError(error), hint });
      return undefined;
    }
  }

  finish(): void {
    if (this.#json) this.#terminal.print(JSON.stringify({ ok: this.ok, checks: this.#findings }, undefined, 2));
    else this.#terminal.print(this.ok ? '\nAll is well.' : '\nNot ready: see the lines marked ✖.');
  }
}
