import { startCephRgw } from './ceph.ts';
import type { GatewaySettings } from './gateway.ts';
import { sharedMinio } from './minio.ts';
import { standEmbedded, standOver } from './stand.ts';
import type { Store, StoreName } from './store.ts';
import { sharedVersityGateway } from './versitygw.ts';

type StartStore = () => Promise<Store>;

/** They share no code. Ceph takes its time to install and to start: it has a command of its own (npm run test:ceph). */
const CEPH_ALONE = process.env.SEALGATE_TEST_STORE === 'ceph';
export const STORES: readonly (readonly [StoreName, StartStore])[] = CEPH_ALONE
  ? [['Ceph RGW', startCephRgw]]
  : [
      ['MinIO', sharedMinio],
      ['versitygw', sharedVersityGateway],
    ];

/** For what asks something of the store: nothing may rest on one server's habits. */
export const STORE_STANDS = STORES.map(
  ([name, start]) =>
    [`${name} and Redis`, async (settings: GatewaySettings = {}) => standOver(await start(), settings)] as const,
);

/** For what clients see of the gateway, whatever lies behind. */
const EMBEDDED_STANDS = CEPH_ALONE ? [] : ([['the embedded stores', standEmbedded]] as const);
export const ALL_STANDS = [...STORE_STANDS, ...EMBEDDED_STANDS];
