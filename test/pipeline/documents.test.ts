import { describe, expect, it, onTestFinished } from 'vitest';
import { BackendConnection } from '../../src/backend/connection.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { createS3Front } from '../../src/dialects/s3/front/front.ts';
import { createHandler } from '../../src/pipeline/handle.ts';
import type { HandlerServices } from '../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../src/pipeline/trace.ts';
import { MemoryBudget } from '../../src/shares/memory-budget.ts';
import { Store } from '../../src/store/store.ts';
import type { ByteSource, WireResponse } from '../../src/wire/message.ts';
import { sign } from '../dialects/s3/signature/signing.ts';
import { backendOptions } from '../support/backend-options.ts';
import { startRawServer } from '../support/proxies/raw-server.ts';
import { wireRequest } from '../support/requests.ts';
import { BUCKET, inProcess, refusalOf } from './in-process.ts';

const SECRET = 'secretOfTheDocuments';
const MIB = 1024 * 1024;

/** Requests that carry `bytes` of a document, which come when `sent` settles. */
async function stand(budgetBytes: number) {
  const here = await inProcess({ budgetBytes });
  const { tenant } = here.context();
  const directory = { caller: async () => ({ tenant, accessKeyId: 'AKID', secret: { reveal: () => SECRET } }) };
  const services = {
    ...here.handling,
    fronts: [createS3Front(() => new Date())],
    directory: directory as unknown as HandlerServices['directory'],
  };
  const handle = createHandler(services);
  const { promise: sent, resolve: send } = Promise.withResolvers<void>();
  onTestFinished(() => send());
  async function* slowly(document: Buffer): ByteSource {
    yield document.subarray(0, 10);
    await sent;
    yield document.subarray(10);
  }
  interface Target {
    readonly method: string;
    readonly path?: string;
    readonly query: Record<string, string>;
  }
  const ask = async (target: Target, document: Buffer): Promise<number> => {
    const signing = { accessKeyId: 'AKID', secretAccessKey: SECRET, host: 'h', date: new Date() };
    const headers = { 'content-length': String(document.length) };
    const asked = { path: `/${BUCKET}`, ...target, headers, body: document };
    const signed = await sign(asked, signing);
    const request = wireRequest({ method: target.method, ...signed, body: slowly(document) });
    return ((await handle(request, new RequestTrace())) as WireResponse).status;
  };
  return { here, ask, send };
}

describe('documents that clients send', () => {
  const part = '<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>';
  const document = Buffer.from(`<CompleteMultipartUpload>${part}${' '.repeat(MIB)}</CompleteMultipartUpload>`);
  const complete = { method: 'POST', path: `/${BUCKET}/k`, query: { uploadId: 'absent' } };

  it('are reserved for while they come, so that slow ones by the hundred cost no more than the limit', async () => {
    const { here, ask, send } = await stand(16 * MIB);
    const asked = Array.from({ length: 100 }, () => ask(complete, document));
    const refused = await Promise.race(asked); // none is whole yet: only a refusal can be the first
    expect(refused).toBe(503);
    send();
    const statuses = await Promise.all(asked);
    expect(statuses.filter((status) => status === 404).length).toBeLessThanOrEqual(4);
    expect(statuses.filter((status) => status === 404).length).toBeGreaterThan(0);
    expect(here.handling.memory.reservedBytes).toBe(0);
    expect(await ask(complete, document)).toBe(404);
  });

  it('of a thousand keys are read as they come, and only the keys are held', async () => {
    const { here, ask, send } = await stand(64 * MIB);
    send();
    const deletion = { method: 'POST', query: { delete: '' } };
    const object = (name: string, blanks: number) =>
      `<Object><Key>${name}</Key><VersionId>null</VersionId></Object><!-- ${'&'.repeat(blanks)} -->`;
    const keys = (character: string, count = 1000, blanks = 1000) =>
      Buffer.from(`<Delete>${object(character.repeat(1024), blanks).repeat(count)}</Delete>`);
    // As SDKs write them, and at the worst: every byte a reference of 10.
    for (const character of ['&amp;', '&#x000026;']) {
      const large = keys(character);
      expect(large.length).toBeGreaterThan(5 * MIB);
      expect(await ask(deletion, large)).toBe(200);
      expect(here.handling.memory.reservedBytes).toBe(0);
    }
    // No more than what has been read is reserved for: whole, they would take more than there is.
    const slow = await stand(16 * MIB);
    const fewer = keys('&amp;', 20, 48_000); // each key is a request to the store
    expect(20 * fewer.length).toBeGreaterThan(16 * MIB);
    const waiting = Array.from({ length: 20 }, () => slow.ask(deletion, fewer));
    await expect.poll(() => slow.here.handling.memory.reservedBytes).toBe(20 * 128 * 1024);
    slow.send();
    for (const status of await Promise.all(waiting)) expect([200, 503]).toContain(status);
    expect(slow.here.handling.memory.reservedBytes).toBe(0);
  });

  it('past all that a thousand keys can take are refused', async () => {
    const { here, ask, send } = await stand(16 * MIB);
    send();
    const blanks = Buffer.from(`<Delete>${`<!--${' '.repeat(4000)}-->`.repeat(6500)}</Delete>`);
    expect(blanks.length).toBeGreaterThan(24 * MIB);
    expect(await ask({ method: 'POST', query: { delete: '' } }, blanks)).toBe(400);
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('are so where they are passed on, too', async () => {
    const { here, ask } = await stand(16 * MIB);
    const settings = Buffer.alloc(MIB, ' ');
    expect(
      await Promise.race(Array.from({ length: 100 }, () => ask({ method: 'PUT', query: { cors: '' } }, settings))),
    ).toBe(503);
    // One tenant leaves a part of it to others.
    expect(here.handling.memory.reservedBytes).toBe(12 * MIB);
  });
});

describe('documents that the backend sends', () => {
  it('are reserved for while they come and are read, but for small ones', async () => {
    const uploads = (padding: number) =>
      `<ListMultipartUploadsResult>${' '.repeat(padding)}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`;
    let padding = MIB;
    const server = await startRawServer(async (peer) => {
      while ((await peer.head()) !== undefined) {
        const document = uploads(padding);
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${document.length}\r\n\r\n${document}`);
      }
    });
    const connection = new BackendConnection(backendOptions(server.url));
    onTestFinished(async () => {
      await connection.destroy();
      await server.stop();
    });
    const budget = new MemoryBudget(3 * MIB);
    const store = new Store(s3Back, connection, { budget });
    const page = { prefix: '', delimiter: '', keyMarker: '', uploadIdMarker: '', maxUploads: 1000, urlEncoded: false };
    const list = () =>
      store.uploads.list({ kind: 'ListMultipartUploads', bucket: BUCKET, ...page }, new AbortController().signal);
    expect(await refusalOf(list())).toBe('SlowDown');
    expect(budget.reservedBytes).toBe(0);
    padding = MIB / 2;
    expect((await list()).uploads).toEqual([]);
    expect(budget.reservedBytes).toBe(0);
    padding = 1000;
    const release = budget.reserve(3 * MIB);
    expect((await list()).truncated).toBe(false); // while there is room for nothing
    release();
  });
});
