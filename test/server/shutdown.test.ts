import { describe, expect, it } from 'vitest';
import { runPhases } from '../../src/server/shutdown.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { answer, echo, gate, Listening } from './listening.ts';
import { RawClient } from './raw-client.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('closing the listener', () => {
  it('finishes a download in flight, byte for byte, and takes nothing new', async () => {
    const second = gate();
    await using server = await Listening.start(async () =>
      answer(
        200,
        (async function* () {
          yield Buffer.from('begin ');
          await second.promise;
          yield Buffer.from('end');
        })(),
        [['Content-Length', '9']],
      ),
    );
    await using client = await server.open();
    await client.send(get('/o')).until('begin ');
    const closed = server.listener.close({ graceSeconds: 10 });
    await expect(RawClient.open(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    second.open();
    const result = await client.closed();
    expect(result.text.endsWith('begin end')).toBe(true);
    expect(result.reset).toBe(false);
    expect(await closed).toBe(0);
  });

  it('finishes an upload in flight, and says that the connection closes', async () => {
    await using server = await Listening.start(echo);
    await using client = await server.open();
    const requested = new Promise((resolve) => server.listener.server.once('request', resolve));
    client.send('PUT /o HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    await requested;
    const closed = server.listener.close({ graceSeconds: 10 });
    client.send('world');
    const result = await client.closed();
    expect(result.text).toContain('Connection: close');
    expect(result.text).toContain('PUT /o 10:helloworld');
    expect(await closed).toBe(0);
  });

  it('closes idle connections, and those that never sent a byte, at once', async () => {
    await using server = await Listening.start(echo);
    await using idle = await server.open();
    await using fresh = await server.open();
    await idle.send(get('/o')).until('GET /o 0:');
    expect(await server.listener.close({ graceSeconds: 60 })).toBe(0);
    await idle.closed();
    await fresh.closed();
  });

  it('cuts what has not finished in time, and never cleanly', async () => {
    await using server = await Listening.start(async (request) =>
      answer(
        200,
        (async function* () {
          yield Buffer.from('begin ');
          await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        })(),
      ),
    );
    await using client = await server.open();
    await client.send(get('/o')).until('begin ');
    expect(await server.listener.close({ graceSeconds: 0.2 })).toBe(1);
    expect((await client.closed()).text).not.toContain('0\r\n\r\n');
    await server.record();
  });
});

describe('the phases of a shutdown', () => {
  it('run in order, whatever one of them does', async () => {
    const ran: string[] = [];
    const lines: string[] = [];
    await runPhases({
      phaseSeconds: 0.05,
      log: createLog({ level: 'info', format: 'json', destination: { write: (line) => lines.push(line) } }),
      phases: [
        { name: 'first', run: () => ran.push('first') },
        { name: 'throws', run: () => Promise.reject(new Error('no')) },
        { name: 'hangs', run: () => new Promise(() => undefined) },
        { name: 'last', run: async () => ran.push('last') },
      ],
    });
    expect(ran).toEqual(['first', 'last']);
    expect(lines.map((line) => (JSON.parse(line) as { phase: string }).phase)).toEqual(['throws', 'hangs']);
  });
});
