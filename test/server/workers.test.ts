import { once } from 'node:events';
import { Agent, type ClientRequest, get, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WorkerProgram } from '../support/servers/worker-program.ts';

/** On a connection of its own, so that the primary deals it to the next worker. */
function fetchText(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: new Agent({ keepAlive: false }) }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

/** It is in flight from the moment that its answer has begun until its body is ended. */
class SlowRequest {
  readonly #request: ClientRequest;
  readonly begun: Promise<void>;
  readonly text: Promise<string>;

  constructor(port: number) {
    const agent = new Agent({ keepAlive: false });
    this.#request = request({ port, path: '/slow', method: 'PUT', host: '127.0.0.1', agent });
    const answered = once(this.#request, 'response');
    this.begun = answered.then(() => undefined);
    this.text = answered.then(async ([response]) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      return text;
    });
    this.#request.write('begun');
  }

  end(): void {
    this.#request.end();
  }
}

async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const value = await read();
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('It never came to be.');
}

async function servingPids(port: number): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: 12 }, () => fetchText(port, '/')));
  return new Set(answers.map(({ text }) => text));
}

const count = (exposition: string, line: RegExp): number => Number(line.exec(exposition)?.[1] ?? 'NaN');
const REQUESTS = /^sealgate_requests_total\{.*status="200".*\} (\d+)$/m;

describe('workers', () => {
  it('share one free port, and their metrics are summed', async () => {
    await using program = new WorkerProgram('2');
    const { port, admin, pids } = await program.ready;
    expect(pids).toHaveLength(2);
    expect(await servingPids(port)).toEqual(new Set(pids.map((pid) => `pid ${pid}`)));
    const { status, text } = await fetchText(admin, '/metrics');
    expect(status).toBe(200);
    expect(count(text, REQUESTS)).toBe(12);
    expect(count(text, /^sealgate_workers (\d+)$/m)).toBe(2);
    expect(count(text, /^sealgate_request_seconds_count\{.*\} (\d+)$/m)).toBe(12);
  });

  it('are ready when all listen, and ask a worker after the rest', async () => {
    await using program = new WorkerProgram('2');
    const { admin } = await program.ready;
    const { status, text } = await fetchText(admin, '/readyz');
    expect(text).toMatch(/^backend: ok \(worker some\), \d+ ms\nkey store: ok, \d+ ms\nworkers: ok \(2 of 2 listen\)/);
    expect(status).toBe(200);
  });

  it('tell which dependency is not well, and no more', async () => {
    await using program = new WorkerProgram('2', 'sick');
    const { admin } = await program.ready;
    const { status, text } = await fetchText(admin, '/readyz');
    expect(status).toBe(503);
    expect(text).toContain('key store: failed (ECONNREFUSED)');
    expect(text).not.toContain('hunter2');
  });

  it('are replaced when they die, on the same port', async () => {
    await using program = new WorkerProgram('2');
    const { port, admin, pids } = await program.ready;
    for (let deaths = 1; deaths <= 2; deaths++) {
      await expect(fetchText(port, '/crash')).rejects.toThrow();
      await until(
        () => fetchText(admin, '/metrics'),
        ({ text }) => text.includes(`sealgate_workers_replaced ${deaths}`) && text.includes('sealgate_workers 2'),
      );
    }
    const serving = await servingPids(port);
    expect(serving.size).toBe(2);
    expect(pids.filter((pid) => serving.has(`pid ${pid}`)).length).toBeLessThan(2);
  });

  it('are replaced when somebody stops one alone', async () => {
    await using program = new WorkerProgram('2');
    const { admin, pids } = await program.ready;
    process.kill(pids[0] as number, 'SIGTERM');
    const { text } = await until(
      () => fetchText(admin, '/metrics'),
      (page) => page.text.includes('sealgate_workers_replaced 1') && page.text.includes('sealgate_workers 2'),
    );
    expect(text).toContain('sealgate_workers 2');
  });

  it('finish what is in flight on SIGTERM to the primary, and take nothing new', async () => {
    await using program = new WorkerProgram('2');
    const { port, admin } = await program.ready;
    const slow = new SlowRequest(port);
    await slow.begun;
    program.child.kill('SIGTERM');
    await until(
      () =>
        fetchText(port, '/').then(
          () => false,
          () => true,
        ),
      (refused) => refused,
    );
    expect((await fetchText(admin, '/readyz')).status).toBe(503);
    slow.end();
    expect(await slow.text).toBe('begin end');
    expect(await program.exited).toBe(0);
  });

  it('leave nobody waiting who comes at the moment of the SIGTERM, though a request is still in flight', async () => {
    await using program = new WorkerProgram('2');
    const { port } = await program.ready;
    const slow = new SlowRequest(port);
    await slow.begun;
    const came: Promise<string>[] = [];
    const come = () =>
      fetchText(port, '/').then(
        ({ status }) => String(status),
        (error: NodeJS.ErrnoException) => String(error.code),
      );
    const coming = setInterval(() => came.push(come(), come(), come(), come()), 1);
    while (came.length < 20) await new Promise((resolve) => setTimeout(resolve, 1));
    program.child.kill('SIGTERM');
    await until(come, (outcome) => outcome !== '200');
    clearInterval(coming);
    // All have an end before the request in flight does: a connection that was forgotten has none.
    const outcomes = new Set(await Promise.all(came));
    expect([...outcomes].filter((outcome) => !['200', 'ECONNRESET', 'ECONNREFUSED'].includes(outcome))).toEqual([]);
    slow.end();
    expect(await slow.text).toBe('begin end');
    expect(await program.exited).toBe(0);
  });

  it('say that a dependency hangs, which is not to hang themselves', async () => {
    await using program = new WorkerProgram('2', 'hanging');
    const { admin } = await program.ready;
    const { status, text } = await fetchText(admin, '/readyz');
    expect(status).toBe(503);
    expect(text).toMatch(/^key store: failed \(no answer in time\)/m);
    expect(text).toMatch(/^backend: ok/m);
    expect(text).toMatch(/^workers: ok/m);
    expect(text).not.toContain('no worker answers');
  });

  it('end with the primary', async () => {
    await using program = new WorkerProgram('2');
    const { pids } = await program.ready;
    program.child.kill('SIGKILL');
    await program.exited;
    const alive = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await until(
      async () => pids.filter(alive),
      (left) => left.length === 0,
    );
  });

  it('that cannot start end the program, and say why once', async () => {
    await using program = new WorkerProgram('2', 'fail');
    expect(await program.exited).not.toBe(0);
    expect(program.errors.match(/Error: cannot start/g)).toHaveLength(1);
  });

  it('are none when there is one: the process serves itself', async () => {
    await using program = new WorkerProgram('1');
    const { port, admin, pids } = await program.ready;
    expect(pids).toEqual([]);
    expect((await fetchText(port, '/')).text).toBe(`pid ${program.child.pid}`);
    expect((await fetchText(admin, '/readyz')).text).toContain('workers: ok (1 of 1');
    expect(count((await fetchText(admin, '/metrics')).text, REQUESTS)).toBe(1);
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });
});
