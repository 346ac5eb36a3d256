/**
 * What the forms of encryption that a client may ask for cost over the tenant's own key: `node bench/forms.ts`, one gateway
 * over one MinIO that has neither TLS nor a KMS.
 */
import { createHash } from 'node:crypto';
import { ensureTools } from '../test/support/install/ensure.ts';
import { startGateway, TENANT } from '../test/support/servers/gateway.ts';
import { startMinio } from '../test/support/servers/minio.ts';
import { backendSettings } from '../test/support/servers/store.ts';
import { compareWays, type Way } from './ways.ts';

const KEY = createHash('sha256').update('the customer key of the bench').digest();
const PREFIX = 'x-amz-server-side-encryption';

const BY_NAME: Readonly<Record<string, string>> = { [PREFIX]: 'aws:kms', [`${PREFIX}-aws-kms-key-id`]: 'cards' };
const BY_KEY: Readonly<Record<string, string>> = {
  [`${PREFIX}-customer-algorithm`]: 'AES256',
  [`${PREFIX}-customer-key`]: KEY.toString('base64'),
  [`${PREFIX}-customer-key-md5`]: createHash('md5').update(KEY).digest('base64'),
};

const bucket = 'acme-forms';
const WAYS: readonly Way[] = [
  { name: 'managed', bucket },
  { name: 'kms', bucket, headers: (method) => (method === 'PUT' ? BY_NAME : {}) },
  { name: 'customer', bucket, headers: () => BY_KEY },
];

Object.assign(process.env, await ensureTools(['minio'], { say: (line) => console.error(line) }));
const minio = await startMinio();
const gateway = await startGateway({
  backend: backendSettings(minio),
  more: { log: { level: 'warn' }, customerKeys: { overHttp: 'loopback', newBuckets: 'allow' } },
});
try {
  const added = await gateway.command(['key', 'add', TENANT.name, '--name', 'cards']);
  if (added.code !== 0) throw new Error(added.stderr);
  await compareWays(gateway, 'form', WAYS);
} finally {
  await gateway.stop();
  await minio.stop();
}
