import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackendRefusal, GatewayError, type InconclusiveCode } from '../../src/errors.ts';
import { keyField } from '../../src/telemetry/key-names.ts';
import { createLog, type KeyField, type Log } from '../../src/telemetry/log.ts';
import { temporaryDirectory } from '../keys/fixture.ts';
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
      client: '203.0.113.9',
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

  it('tells the key of its object as it is told to: not, hashed, or as it is', () => {
    const secret = Buffer.alloc(32, 7);
    const line = (field?: KeyField) => {
      const [text] = logged((log) => (field ? log.with({ keyField: field }) : log).request(record({ key: 'a"b\n' })));
      const { key, keyHash } = JSON.parse(text as string) as { key?: string; keyHash?: string };
      return { key, keyHash };
    };
    expect(line()).toEqual({});
    expect(line(keyField('clear', secret))).toEqual({ key: 'a"b\n' });
    const hmac = createHmac('sha256', secret).update('a"b\n').digest('hex');
    expect(line(keyField('hashed', secret))).toEqual({ keyHash: hmac.slice(0, 24) });
    expect(line(keyField('hashed', Buffer.alloc(32, 8))).keyHash).not.toBe(hmac.slice(0, 24));
  });

  it('of what nobody knows as an operation has its method', () => {
    const [line] = logged((log) => log.request(record({ operation: undefined, method: 'BREW' })));
    expect(JSON.parse(line as string)).toMatchObject({ method: 'other' });
  });

  it('of what the backend refused has the backend’s words, and no secret that it repeats', () => {
    const signature = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
    const refused = (code: string, words: string, errorCode: InconclusiveCode = 'BackendRefused') => {
      const source = errorCode === 'NoSuchKey' ? 'client' : 'backend';
      const cause = new BackendRefusal(409, code, words);
      const error = new GatewayError(errorCode, 'for the client', { source, cause });
      const [line] = logged((log) =>
        log.request(
          record({ status: 409, errorCode, errorSource: source, error: new Error('on the way', { cause: error }) }),
        ),
      );
      return JSON.parse(line as string);
    };
    expect(refused('XAmzContentSHA256Mismatch', 'It is locked until 2030.')).toMatchObject({
      level: 'info',
      backendStatus: 409,
      backendCode: 'XAmzContentSHA256Mismatch',
      cause: expect.stringContaining('It is locked until 2030.'),
    });
    const repeated = refused(signature, `Signature=${signature} of wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`);
    expect(JSON.stringify(repeated)).not.toMatch(/5d672d79|wJalrX/);
    expect(repeated).toMatchObject({ backendStatus: 409, errorCode: 'BackendRefused' });
    expect(refused('NoSuchKey', 'usual', 'NoSuchKey')).not.toHaveProperty('cause');
  });

  it('of a corrupted object says what about it is', () => {
    const error = new GatewayError('ObjectCorrupted', 'Its metadata was changed.', { source: 'backend' });
    const [line] = logged((log) =>
      log.request(record({ status: 422, errorCode: 'ObjectCorrupted', errorSource: 'backend', error })),
    );
    const cause = expect.stringContaining(error.message);
    expect(JSON.parse(line as string)).toMatchObject({ level: 'error', status: 422, cause });
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

describe('a log of the same log', () => {
  it('has more on every line, and changes its level with it', () => {
    const lines = logged((log) => {
      const more = log.with({ common: { phase: 'x' } });
      more.info('one');
      log.setLevel('error');
      more.info('two');
      more.request(record());
      more.setLevel('info');
      log.info('three');
      more.request(record());
    });
    expect(lines.map((line) => JSON.parse(line)).map(({ msg, worker, phase }) => [msg, worker, phase])).toEqual([
      ['one', 2, 'x'],
      ['three', 2, undefined],
      ['request', 2, 'x'],
    ]);
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
    const path = join(await temporaryDirectory(), 'log');
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
    const path = join(await temporaryDirectory(), 'log');
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
