import { BackendConnection } from '../../backend/connection.ts';
import { BACKENDS } from '../../dialects/table.ts';
import type { Secret } from '../../secret.ts';
import { ObjectClient } from './object-client.ts';

/** The dialect that commands speak to the gateway. Every gateway serves S3, whatever dialect its backend speaks. */
const SPOKEN = BACKENDS.s3;

/** Opens a client of the gateway itself, which is like any store to the dialect that signs. */
export function openGatewayClient(given: {
  readonly endpoint: URL;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secret: Secret;
  readonly now: () => Date;
}): { readonly client: ObjectClient; readonly close: () => Promise<void> } {
  const { endpoint, region, accessKeyId, secret, now } = given;
  const connection = new BackendConnection({
    endpoint,
    dialect: SPOKEN,
    credentials: { accessKeyId, secret, region },
    connections: 2,
    connectTimeoutSeconds: 5,
    headersTimeoutSeconds: 30,
    bodyTimeoutSeconds: 30,
    keepAliveSeconds: 1,
    retries: 0,
    now,
    random: () => 0,
  });
  return { client: new ObjectClient({ back: SPOKEN, connection }), close: () => connection.close() };
}
