import { startGateway, TENANT } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { startVersityGateway } from '../support/versitygw.ts';
import { describeConformance } from './conformance/conformance.ts';

describeConformance('versitygw', async () => {
  const [store, redis] = await Promise.all([startVersityGateway(), startRedis()]);
  const stopStores = () => Promise.all([store.stop(), redis.stop()]);
  const { accessKeyId, secretAccessKey } = store;
  const gateway = await startGateway({
    backend: { endpoint: store.endpoint, credentials: { accessKeyId, secretAccessKey } },
    keyStore: { redis: redis.url },
  }).catch(async (error: unknown) => {
    await stopStores();
    throw error;
  });
  return {
    direct: store,
    through: { ...TENANT, endpoint: gateway.endpoint },
    stop: async () => {
      await gateway.stop();
      await stopStores();
    },
  };
});
