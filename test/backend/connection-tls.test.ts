import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BackendConnection, type BackendOptions } from '../../src/backend/connection.ts';
import { GatewayError } from '../../src/errors.ts';
import { collect } from '../../src/wire/bodies/collect.ts';
import { backendOptions } from '../support/backend-options.ts';
import { s3Back } from '../support/plain-back.ts';

let folder: string;
let server: Server;
let url: URL;
/** Every four bytes of it are another number, so that bytes at a wrong place show. */
const BIG = Buffer.from(Uint32Array.from({ length: 768 * 1024 }, (_, at) => at).buffer);
const clients: string[] = [];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

function pem(name: string): Buffer {
  return readFileSync(join(folder, name));
}

/** A CA, a server certificate for localhost and a client certificate, all of it. */
function makeCertificates(): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test ca');
  writeFileSync(join(folder, 'san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl(...signing, '-out', `${name}.crt`, '-days', '2', '-extfile', 'san');
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sealgate-tls-'));
  makeCertificates();
  const tls = { key: pem('server.key'), cert: pem('server.crt'), ca: pem('ca.crt'), requestCert: true };
  server = createServer({ ...tls, rejectUnauthorized: true }, (request, response) => {
    clients.push((request.socket as TLSSocket).getPeerCertificate().subject.CN as string);
    request.resume().on('end', () => {
      response.setHeader('etag', '"e"');
      response.end(request.method === 'GET' ? BIG : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const get = () => s3Back.calls.get.render({ ref: { bucket: 'b', key: 'k' }, conditions: {} });

describe.each([false, true])('TLS with own CA and client certificate (aside: %s)', (aside) => {
  const connect = (tls: BackendOptions['tls']) => new BackendConnection(backendOptions(url, { tls, retries: 0 }));

  test('both directions', async () => {
    const backend = connect({ ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') });
    for (let round = 0; round < 3; round++) {
      const response = await backend.send(get(), { aside });
      const body = await collect(
        response.body,
        BIG.length,
        () => new GatewayError('InternalError', '', { source: 'gateway' }),
      );
      expect(body.equals(BIG)).toBe(true);
    }
    async function* source() {
      for (let at = 0; at < 10; at++) yield Buffer.alloc(70_000);
    }
    const metadata = { content: {}, user: [] };
    const body = { bytes: 700_000, source: source() };
    const stored = await backend.send(
      s3Back.calls.put.render({ ref: { bucket: 'b', key: 'k' }, metadata, conditions: {}, body }),
    );
    expect(stored.status).toBe(200);
    stored.discard();
    expect(new Set(clients)).toEqual(new Set(['client']));
    await backend.close();
  });

  test('a reader that is slower than the store gets every byte, and keeps what it has until it pulls', async () => {
    const backend = connect({ ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') });
    for (let round = 0; round < 3; round++) {
      const { body } = await backend.send(get(), { aside, signal: AbortSignal.timeout(10_000) });
      let at = 0;
      for await (const piece of body) {
        await sleep(1);
        if (!piece.equals(BIG.subarray(at, at + piece.length))) expect.fail(`other bytes from ${at} on`);
        at += piece.length;
      }
      expect(at).toBe(BIG.length);
    }
    await backend.close();
  });

  test('a certificate of an unknown CA is refused, and the message says so', async () => {
    const backend = connect({ cert: pem('client.crt'), key: pem('client.key') });
    await expect(backend.send(get(), { aside })).rejects.toMatchObject({
      code: 'BackendUnavailable',
      message: expect.stringContaining('TLS certificate'),
    });
    await backend.destroy();
  });

  test('no client certificate: an error, not a hang', async () => {
    const backend = connect({ ca: pem('ca.crt') });
    await expect(backend.send(get(), { aside })).rejects.toMatchObject({ code: 'BackendUnavailable' });
    await backend.destroy();
  });
});
