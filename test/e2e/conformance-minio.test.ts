import { TENANT } from '../support/gateway.ts';
import { standOnMinio } from '../support/stand.ts';
import { describeConformance } from './conformance/conformance.ts';

describeConformance('MinIO', async () => {
  const { gateway, minio, stop } = await standOnMinio();
  return { direct: minio, through: { ...TENANT, endpoint: gateway.endpoint }, stop };
});
