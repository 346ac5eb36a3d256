import { expect, it } from 'vitest';
import type { BackendConnection } from '../../src/backend/connection.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { ASSUMED_CAPABILITIES, type StoreFindings } from '../../src/store/capabilities.ts';
import { Store } from '../../src/store/store.ts';
import { HeaderList } from '../../src/wire/headers.ts';

it('tells of which program answered, but for preflights: a CORS layer names none, and that is no other store', async () => {
  const heard: number[] = [];
  const findings: StoreFindings = {
    capabilities: ASSUMED_CAPABILITIES,
    pending: [],
    answered: ({ status }) => heard.push(status),
  };
  const answer = { status: 204, headers: new HeaderList(), body: [], discard: () => undefined };
  const connection = { region: 'us-east-1', send: async () => answer } as unknown as BackendConnection;
  const store = new Store(s3Back, connection, { findings });
  const { signal } = new AbortController();
  await store.preflight({ bucket: 'acme-a', key: 'k' }, new HeaderList(), signal);
  expect(heard).toEqual([]);
  await store.buckets.head('acme-a', signal);
  expect(heard).toEqual([204]);
});
