import { readFile } from 'node:fs/promises';
import { connect as connectTls } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { MemoryBudget } from '../../src/shares/memory-budget.ts';
import { makeCertificate } from '../support/certificate.ts';
import { echo, Listening } from './listening.ts';
import type { RawClient } from './raw-client.ts';

const KIB = 1024;
const REQUEST = 'GET /o HTTP/1.1\r\nHost: a\r\n\r\n';

function crowd(server: Listening, count: number, from?: string): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => server.open(from)));
}

function leave(clients: readonly RawClient[]): void {
  for (const { socket } of clients) socket.destroy();
}

it('heads that are not whole take no more than their room, by address, and count in the budget', async () => {
  const budget = new MemoryBudget(16 * 1024 * KIB);
  const held: number[] = [];
  await using server = await Listening.start(echo, {
    limits: { headRoomBytes: 1024 * KIB },
    onHeadBytes: (bytes) => {
      held.push(bytes);
      budget.holdBeside(bytes);
    },
  });
  const [patient] = (await crowd(server, 1, '127.0.0.2')) as [RawClient];
  patient.send('GET /patient HTTP/1.1\r\nHost: a\r\n');
  const attackers = await crowd(server, 120);
  for (const client of attackers) client.send(`GET /o HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20 * KIB)}`);
  // 36 KiB each: 27 of them fit beside the other address's.
  const closed = () => attackers.filter(({ socket }) => socket.destroyed || socket.readableEnded).length;
  await expect.poll(closed).toBeGreaterThanOrEqual(92);
  await expect.poll(() => held.at(-1)).toBeLessThanOrEqual(1024 * KIB);
  expect(budget.reservedBytes).toBe(held.at(-1));
  expect(server.refusals.filter((reason) => reason !== 'UnfinishedHeads')).toEqual([]);
  await patient.send('\r\n').until('GET /patient 0:');
  const newcomer = await server.open();
  await newcomer.send(REQUEST).until('GET /o 0:');
  leave([...attackers, patient, newcomer]);
  await expect.poll(() => budget.reservedBytes).toBe(0);
});

it('idle connections count in the budget only when they are many', async () => {
  const held: number[] = [];
  await using server = await Listening.start(echo, { onHeadBytes: (bytes) => held.push(bytes) });
  const idle = await crowd(server, 50);
  for (const client of idle) await client.send(REQUEST).until('GET /o 0:');
  held.length = 0;
  await expect.poll(() => held.length).toBeGreaterThan(1);
  expect(new Set(held)).toEqual(new Set([0]));
  const more = await crowd(server, 256);
  for (const client of more) await client.send(REQUEST).until('GET /o 0:');
  await expect.poll(() => held.at(-1)).toBe(50 * 16 * KIB);
  leave([...idle, ...more]);
  await expect.poll(() => held.at(-1)).toBe(0);
});

it('one address leaves connections to others', async () => {
  await using server = await Listening.start(echo, { limits: { maxConnections: 32 } });
  const many = await crowd(server, 60);
  await expect.poll(() => server.refusals.length).toBe(30);
  const [other] = (await crowd(server, 1, '127.0.0.2')) as [RawClient];
  await other.send(REQUEST).until('GET /o 0:');
  leave([...many, other]);
});

it('where all are taken, who has most makes room with a connection that idles', async () => {
  await using server = await Listening.start(echo, { limits: { maxConnections: 15 } });
  const many = await crowd(server, 15);
  for (const client of many) await client.send(REQUEST).until('GET /o 0:');
  const [other] = (await crowd(server, 1, '127.0.0.2')) as [RawClient];
  await other.send(REQUEST).until('GET /o 0:');
  expect((await (many[0] as RawClient).closed()).statuses).toEqual([200]);
  const late = await server.open();
  expect((await late.closed()).statuses).toEqual([]);
  expect(server.refusals).toEqual(['TooManyConnections']);
  leave([...many, other, late]);
});

it('TLS handshakes that are not gone on with make room', async () => {
  const files = await makeCertificate();
  onTestFinished(() => files.remove());
  const [cert, key] = [await readFile(files.cert, 'utf8'), await readFile(files.key, 'utf8')];
  const held: number[] = [];
  await using server = await Listening.start(echo, {
    tls: { cert, key },
    limits: { headRoomBytes: 480 * KIB },
    onHeadBytes: (bytes) => held.push(bytes),
  });
  const silent = await crowd(server, 40);
  const closed = () => silent.filter(({ socket }) => socket.destroyed || socket.readableEnded).length;
  await expect.poll(closed).toBeGreaterThanOrEqual(30);
  const status = await new Promise<string>((resolve, reject) => {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: cert, servername: 'localhost' }, () => {
      socket.write(REQUEST);
    });
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1', 0, 12));
      socket.destroy();
    });
    socket.once('error', reject);
  });
  expect(status).toBe('HTTP/1.1 200');
  expect(held.at(-1)).toBeLessThanOrEqual(480 * KIB);
  leave(silent);
});
