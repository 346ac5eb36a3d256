import type { BackendOptions } from '../../src/backend/connection.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';

/** Options of a backend connection for tests: nothing waits long, no jitter. */
export function backendOptions(endpoint: string | URL, over: Partial<BackendOptions> = {}): BackendOptions {
  return {
    endpoint: new URL(endpoint),
    dialect: s3Back,
    credentials: {
      accessKeyId: 'testbackend',
      secret: { reveal: () => 'testbackendsecret' },
      region: 'us-east-1',
    },
    connections: 8,
    connectTimeoutSeconds: 2,
    headersTimeoutSeconds: 5,
    bodyTimeoutSeconds: 5,
    keepAliveSeconds: 5,
    retries: 2,
    now: () => new Date(),
    random: () => 0,
    ...over,
  };
}
