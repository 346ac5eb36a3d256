import { expect, it } from 'vitest';
import type { BackendConnection, SendOptions } from '../../src/backend/connection.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { MemoryBudget } from '../../src/shares/memory-budget.ts';
import { ProvenUpload } from '../../src/store/proven-upload.ts';
import { Store } from '../../src/store/store.ts';
import { HeaderList } from '../../src/wire/headers.ts';

const SHARER = { tenant: 'acme', client: '192.0.2.1' };
const IDENTITY = { asker: 'anonymous', credentials: undefined } as const;

/** A request that takes no place of its asker's is one by which a tenant has more than its part. */
it('asks for everything from the share, and with the rights, of whoever it asks for', async () => {
  const sent: SendOptions[] = [];
  const connection = {
    region: 'us-east-1',
    send: async (_: unknown, options: SendOptions) => {
      sent.push(options);
      throw new Error('sent');
    },
  } as unknown as BackendConnection;
  const store = new Store(s3Back, connection).as(IDENTITY).sharedBy(SHARER, new MemoryBudget(1));
  const { signal } = new AbortController();
  const ref = { bucket: 'acme-a', key: 'k', versionId: undefined };
  const plain = { content: {}, user: [] };
  const upload = ProvenUpload.created(ref, 'an-upload');
  const source = { ref, etag: 'e' };
  const body = Buffer.from('x');
  const calls: Record<string, () => Promise<unknown>> = {
    put: () => store.put({ ref, metadata: plain, conditions: {}, body }, signal),
    get: () => store.get({ ref, conditions: {} }, signal),
    getAside: () => store.getAside({ ref, conditions: {} }, signal),
    read: () => store.read({ ref, conditions: {} }, signal),
    head: () => store.head({ ref, conditions: {} }, signal),
    delete: () => store.delete(ref, {}, signal),
    deleteMany: () => store.deleteMany('acme-a', [{ key: 'k', versionId: undefined }], signal),
    copy: () => store.copy({ ref, source, metadata: plain, tags: 'copy' }, signal),
    tags: () => store.tags(ref, signal),
    preflight: () => store.preflight(ref, new HeaderList(), signal),
    'buckets.list': () => store.buckets.list(signal),
    'buckets.head': () => store.buckets.head('acme-a', signal),
    'buckets.delete': () => store.buckets.delete('acme-a', signal),
    'uploads.create': () => store.uploads.create(ref, plain, signal),
    'uploads.putPart': () => store.uploads.putPart(upload, { partNumber: 1, body }, signal),
    'uploads.tryPart': () => store.uploads.tryPart(upload, signal),
    'uploads.complete': () => store.uploads.complete(upload, { parts: [], conditions: {} }, signal),
    'uploads.copyPart': () => store.uploads.copyPart(upload, { partNumber: 1, source, range: undefined }, signal),
    'uploads.abort': () => store.uploads.abort(upload, signal),
    'uploads.listParts': () => store.uploads.listParts(upload, 0, signal),
  };
  for (const [name, call] of Object.entries(calls)) {
    sent.length = 0;
    await expect(call(), name).rejects.toThrow('sent');
    expect([name, ...sent]).toEqual([name, expect.objectContaining({ sharer: SHARER, identity: IDENTITY })]);
  }
  sent.length = 0;
  await expect(store.asGateway().head({ ref, conditions: {} }, signal)).rejects.toThrow('sent');
  expect(sent).toEqual([expect.objectContaining({ sharer: SHARER, identity: undefined })]);
});
