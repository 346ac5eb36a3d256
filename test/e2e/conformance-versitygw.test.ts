import { TENANT } from '../support/gateway.ts';
import { standOnVersityGateway } from '../support/stand.ts';
import { describeConformance } from './conformance/conformance.ts';

describeConformance('versitygw', async () => {
  const { gateway, store, stop } = await standOnVersityGateway();
  return { direct: store, through: { ...TENANT, endpoint: gateway.endpoint }, stop };
});
