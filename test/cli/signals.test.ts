import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type ServerCertificate } from '../support/certificate.ts';
import { freePort } from '../support/free-port.ts';
import { INHERITED } from '../support/inherited.ts';
import { LAUNCH } from '../support/servers/launch.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-signals-'));
  await writeFile(join(folder, 'root.key'), Buffer.alloc(32, 3).toString('base64'), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

/** `sealgate serve` with two workers, and what it says. */
class Served implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly adminPort: number;
  readonly port: number;
  readonly config: string;
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess, adminPort: number, port: number, config: string) {
    this.port = port;
    this.config = config;
    this.child = child;
    this.adminPort = adminPort;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  static async start(nodeArgs: readonly string[] = [], more = ''): Promise<Served> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const config = join(folder, `${port}.yaml`);
    await writeFile(
      config,
      `listen: 127.0.0.1:${port}
admin: 127.0.0.1:${adminPort}
workers: 2
backend: { directory: objects-${port} }
keys: { root: { file: root.key }, store: { file: keys-${port}.json } }
${more}`,
    );
    const child = spawn(process.execPath, [...nodeArgs, LAUNCH, 'serve', '--config', config], {
      env: INHERITED,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const served = new Served(child, adminPort, port, config);
    await served.until('ready', async () => (await served.readiness()) === 200);
    return served;
  }

  async readiness(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.status ?? 0;
  }

  /** The primary and its workers. */
  async pids(): Promise<number[]> {
    const pid = this.child.pid as number;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...children.trim().split(' ').map(Number)];
  }

  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > deadline || this.child.exitCode !== null) {
        throw new Error(`waited too long: ${what}\n${this.stdout}${this.stderr}`);
      }
      await delay(20);
    }
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    const [code] = (await once(this.child, 'close')) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
  }
}

describe.skipIf(process.platform !== 'linux')('sealgate serve', () => {
  it('opens no inspector for SIGUSR1, in no process, and goes on', async () => {
    await using served = await Served.start();
    const pids = await served.pids();
    expect(pids).toHaveLength(3);
    for (const pid of pids) process.kill(pid, 'SIGUSR1');
    for (let round = 0; round < 5; round++) expect(await served.readiness()).toBe(200);
    expect(await served.pids()).toEqual(pids);
    expect(await served.stop()).toBe(0);
    expect(served.stderr).not.toContain('Debugger');
  });

  it('takes a certificate and the level of the log anew at SIGHUP, in every process, and never dies of it', async () => {
    const [first, second] = [await makeCertificate(), await makeCertificate()];
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const place = async (from: ServerCertificate) => {
      await copyFile(from.cert, cert);
      await copyFile(from.key, key);
    };
    await place(first);
    await using served = await Served.start([], 'tls: { cert: tls.crt, key: tls.key }\n');
    const pids = await served.pids();
    const shown = () => fingerprint(served.port);
    const told = (words: string) => () => served.stdout.split(words).length - 1 >= pids.length;
    expect(await shown()).toBe(await fingerprintOf(first));
    await copyFile(second.cert, cert); // and not yet its key
    served.child.kill('SIGHUP');
    await served.until('all say what is wrong', told('was not read anew'));
    expect(served.stdout).toContain('does not belong to the certificate');
    expect(await shown()).toBe(await fingerprintOf(first));
    await place(second);
    await appendFile(served.config, 'region: elsewhere\n');
    served.child.kill('SIGHUP');
    await served.until('all have taken it', told('a restart is needed for: region'));
    // Connections go to the workers in turn.
    for (let at = 0; at < pids.length; at++) expect(await shown()).toBe(await fingerprintOf(second));
    for (const pid of pids) process.kill(pid, 'SIGHUP');
    for (let round = 0; round < 5; round++) expect(await served.readiness()).toBe(200);
    expect(await served.pids()).toEqual(pids);
    expect(await served.stop()).toBe(0);
    await Promise.all([first.remove(), second.remove()]);
  });

  it('tells deprecations', async () => {
    const warn = "process.emitWarning('of some package', { type: 'DeprecationWarning', code: 'DEP9999' })";
    await using served = await Served.start(['--import', `data:text/javascript,${encodeURIComponent(warn)}`]);
    await served.until('the deprecation is told', () => served.stderr.includes('[DEP9999]'));
    expect(await served.stop()).toBe(0);
  });
});

async function fingerprintOf({ cert }: ServerCertificate): Promise<string> {
  return new X509Certificate(await readFile(cert)).fingerprint256;
}

/** Of the certificate that a new connection is shown. */
async function fingerprint(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
