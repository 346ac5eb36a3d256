/** What `protection: inject` costs over `none`: `node bench/inject.ts`, one gateway over one MinIO with TLS and a KMS. */
import { createHash } from 'node:crypto';
import { makeCertificate } from '../test/support/certificate.ts';
import { ensureTools } from '../test/support/install/ensure.ts';
import { startGateway } from '../test/support/servers/gateway.ts';
import { startMinio } from '../test/support/servers/minio.ts';
import { backendSettings } from '../test/support/servers/store.ts';
import { compareWays } from './ways.ts';

const FORMS = ['none', 'managed', 'kms', 'customer'] as const;

Object.assign(process.env, await ensureTools(['minio'], { say: (line) => console.error(line) }));
const certificate = await makeCertificate();
const secret = createHash('sha256').update('the KMS of the bench').digest('base64');
const minio = await startMinio({ certificate, env: { MINIO_KMS_SECRET_KEY: `bench:${secret}` } });
const gateway = await startGateway({
  backend: backendSettings(minio),
  more: { log: { level: 'warn' } },
  buckets: FORMS.map((form) =>
    form === 'none' ? 'acme-none:protection=none' : `acme-${form}:protection=inject:inject=${form}`,
  ),
});
try {
  await compareWays(
    gateway,
    'inject',
    FORMS.map((name) => ({ name, bucket: `acme-${name}` })),
  );
} finally {
  await gateway.stop();
  await minio.stop();
  await certificate.remove();
}
