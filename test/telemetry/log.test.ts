import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { createLog, type Log } from '../../src/telemetry/log.ts';
import { record } from './record.ts';

function logged(
  write: (log: Log) => void,
  options: { format?: 'json' | 'text'; level?: 'info' | 'error' } = {},
): string[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  write(
    createLog({ level: options.level ?? 'info', format: options.format ?? 'json', destination, common: { worker: 2 } }),
  );
  return lines;
}

describe('the line of a request', () => {
  it('has what an operator needs', () => {
    const [line] = logged((log) => log.request(record()));
    expect(JSON.parse(line as string)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      worker: 2,
      requestId: 'ABCDEF0123456789',
      tenant: 'acme',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      dialect: 's3',
      operation: 'GetObject',
      bucket: 'acme-photos',
      status: 200,
      bytesIn: 0,
      bytesOut: 4096,
      milliseconds: 12.3,
      firstByteMilliseconds: 10,
      msg: 'request',
    });
  });

  it('of a client’s error has its code, and nothing of its cause', () => {
    const error = new GatewayError('SignatureDoesNotMatch', 'canonical request: hunter2', { source: 'client' });
    const [line] = logged((log) =>
      log.request(record({ status: 403, errorCode: 'SignatureDoesNotMatch', errorSource: 'client', error })),
    );
    expect(JSON.parse(line as string)).toMatchObject({
      level: 'info',
      errorCode: 'SignatureDoesNotMatch',
      errorSource: 'client',
    });
    expect(line).not.toContain('hunter2');
  });

  it('of the gateway’s own error has its cause, scrubbed', () => {
    const cause = Object.assign(new Error('redis://u:hunter2@host: ECONNRESET'), { code: 'ECONNRESET' });
    const error = new GatewayError('KeyStoreUnavailable', 'The key store is away.', { source: 'keys', cause });
    const [line] = logged((log) =>
      log.request(record({ status: 503, errorCode: 'KeyStoreUnavailable', errorSource: 'keys', error })),
    );
    expect(JSON.parse(line as string)).toMatchObject({
      level: 'error',
      cause:
        'GatewayError KeyStoreUnavailable: The key store is away. < Error ECONNRESET: redis://[redacted]@host: ECONNRESET',
    });
  });

  it('of an answer that was cut is an error, though its status is 200', () => {
    const [line] = logged((log) =>
      log.request(record({ outcome: 'cut', errorCode: 'ObjectCorrupted', errorSource: 'backend' })),
    );
    expect(JSON.parse(line as string)).toMatchObject({ level: 'error', outcome: 'cut', status: 200 });
  });

  it('is not made below the level', () => {
    expect(logged((log) => log.request(record()), { level: 'error' })).toEqual([]);
  });
});

describe('other lines', () => {
  it('scrub their message, their fields and the error', () => {
    const lines = logged((log) => {
      log.info('password=hunter2', { detail: 'token: hunter2' });
      log.warn('one', {}, new Error('password=hunter2'));
      log.error('two', { reason: 'secret=hunter2' }, new SyntaxError('hunter2'));
    });
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('as text are for people', () => {
    const [line] = logged((log) => log.info('listening', { address: '127.0.0.1:8000', detail: 'two words' }), {
      format: 'text',
    });
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}listening worker=2 address=127\.0\.0\.1:8000 detail="two words"\n$/,
    );
  });

  it('cannot be broken by a line break', () => {
    const [line] = logged((log) => log.info('a', { detail: 'b\n{"level":"error"}' }), { format: 'text' });
    expect(line?.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a log to a file descriptor', () => {
  it('has every line, in order, once it was flushed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sealgate-log-')), 'log');
    const log = createLog({ level: 'info', format: 'json', destination: openSync(path, 'w') });
    for (let count = 0; count < 5000; count++) log.info('line', { count });
    await log.flush();
    const counts = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { count: number }).count);
    expect(counts).toEqual(Array.from({ length: 5000 }, (_, count) => count));
  });

  it('shows a lone line soon, unasked', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sealgate-log-')), 'log');
    createLog({ level: 'info', format: 'json', destination: openSync(path, 'w') }).info('alone');
    for (let tries = 0; tries < 100 && readFileSync(path, 'utf8') === ''; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(readFileSync(path, 'utf8')).toContain('alone');
  });

  it('loses nothing when the process ends at once', () => {
    const program = `
      import { createLog } from '${join(import.meta.dirname, '../../src/telemetry/log.ts')}';
      const log = createLog({ level: 'info', format: 'json', destination: 1 });
      process.on('exit', () => log.flushSync());
      for (let count = 0; count < 1000; count++) log.info('line', { count });
      process.exit(3);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(ended.status).toBe(3);
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1000);
  });
});
