import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

interface Ready {
  readonly port: number;
  readonly admin: number;
  readonly pids: readonly number[];
}

/** `test/server/worker-program.ts` as a process of its own, with its workers. */
export class WorkerProgram implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  errors = '';
  #ready: Promise<Ready>;

  constructor(...args: string[]) {
    const program = join(import.meta.dirname, '../../server/worker-program.ts');
    this.child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr?.on('data', (text: Buffer) => {
      this.errors += text.toString();
    });
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.#ready = new Promise((resolve, reject) => {
      let output = '';
      this.child.stdout?.on('data', (text: Buffer) => {
        output += text.toString();
        if (output.includes('\n')) resolve(JSON.parse(output) as Ready);
      });
      void this.exited.then(() => reject(new Error(`ended: ${this.errors}`)));
    });
    this.#ready.catch(() => undefined);
  }

  get ready(): Promise<Ready> {
    return this.#ready;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
