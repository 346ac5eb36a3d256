import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { KNOWN_STORES, type KnownStore } from '../../../src/store/known-stores.ts';
import { BUCKET, inProcess } from '../../pipeline/in-process.ts';
import { conformsAsStore } from '../../support/conformance/stores.ts';
import { STORES } from '../../support/servers/every-store.ts';
import type { Store, StoreName } from '../../support/servers/store.ts';
import { backendClient } from '../../support/sight.ts';

const ROWS: Readonly<Record<StoreName, string>> = { MinIO: 'minio', versitygw: 'versitygw', 'Ceph RGW': 'ceph' };

describe.each(STORES)('%s, of which the gateway was told nothing', (name, start) => {
  let store: Store;

  beforeAll(async () => {
    store = await start();
    const client = backendClient(store);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
  });

  afterAll(() => store?.stop());

  conformsAsStore({
    open: () => {
      const { accessKeyId, secretAccessKey, region } = store;
      const credentials = { accessKeyId, secret: { reveal: () => secretAccessKey }, region };
      return inProcess({ backend: { endpoint: new URL(store.endpoint), credentials } });
    },
    row: KNOWN_STORES.find((row) => row.name === ROWS[name]) as KnownStore,
  });
});
